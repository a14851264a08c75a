"""``triptych web-link``: a link that signs somebody in to the web gallery, once."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from clients.cli.problems import Usage
from clients.cli.session import Session, command
from clients.web.links import SignInLinks
from clients.web.settings import WebSettingsError, load_web_settings, secret_of

app = typer.Typer()


@command(app, "web-link")
def web_link(
    session: Session,
    user_id: Annotated[str, typer.Argument(metavar="USER", help="Whom it signs in.")],
) -> None:
    """Print a link that signs USER in to the web gallery, once. To be run where the gallery runs.

    Example: triptych web-link anna
    """
    try:
        settings = load_web_settings()
        links = SignInLinks(secret_of(settings), settings.data_dir, settings.sign_in_seconds)
        url = f"{settings.url}/sign-in/{links.issue(user_id)}"
    except (WebSettingsError, ValueError) as error:
        raise Usage(str(error)) from error
    told = {"url": url, "good_for_seconds": settings.sign_in_seconds}
    sys.stdout.write((json.dumps(told) if session.as_json else url) + "\n")
