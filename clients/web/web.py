"""What the pages share: the client, the links, the templates, and who is asking."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable
from dataclasses import dataclass, field
from typing import Any, cast

from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from clients import looks
from clients.sdk import AsyncTriptych, Catalog, GenerationType
from clients.web.files import FileCache
from clients.web.links import MediaLinks, SignInLinks
from clients.web.security import form_token
from clients.web.settings import WebSettings
from clients.web.words import WORDS
from clients.words import Language, Words, language_of


class SignInNeeded(Exception):
    """Nobody is signed in."""


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("clients.web"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(looks=looks)
    return environment


@dataclass
class Web:
    """The running gallery."""

    settings: WebSettings
    client: AsyncTriptych
    sign_in_links: SignInLinks
    media_links: MediaLinks
    version: str
    """Stands in the addresses of scripts and styles, which browsers may keep for good."""
    files: FileCache = field(default_factory=FileCache)
    templates: Environment = field(default_factory=_environment)
    watchers: dict[str, int] = field(default_factory=dict)
    """How many streams each user has open."""
    _catalog: Catalog | None = None

    async def catalog(self) -> Catalog:
        """What can be asked for; it changes only when the service starts again, and then a wrong order is refused."""
        if self._catalog is None:
            self._catalog = await self.client.list_types()
        return self._catalog

    async def types(self) -> dict[str, GenerationType]:
        return {each.type: each for each in (await self.catalog()).types}


def web_of(request: Request) -> Web:
    return cast(Web, request.app.state.web)


def user_of(request: Request) -> str:
    """Who is signed in. Raises SignInNeeded."""
    user_id = request.session.get("user")
    if not user_id:
        raise SignInNeeded
    return str(user_id)


def words_of(request: Request) -> Words:
    """The words in the language that was chosen, else in the one that the browser asks for."""
    chosen = request.session.get("language")
    if chosen in WORDS:
        return WORDS[cast(Language, chosen)]
    return WORDS[language_of(request.headers.get("accept-language", ""))]


def fragment(request: Request, template: str, **facts: Any) -> str:
    """A part of a page."""
    web = web_of(request)
    user_id = str(request.session.get("user", ""))
    return web.templates.get_template(template).render(
        request=request,
        w=words_of(request),
        user_id=user_id,
        form_token=form_token(request),
        version=web.version,
        media=lambda name, rendition: web.media_links.path(user_id, name, rendition),
        here=request.url.path + (f"?{request.url.query}" if request.url.query else ""),
        **facts,
    )


def plain_page(request: Request, template: str, status_code: int = 200, **facts: Any) -> HTMLResponse:
    """A page that needs nothing of the service: for those who are not signed in, and for troubles."""
    facts = {"balance": None, "types": {}, "live": "", **facts}
    return HTMLResponse(fragment(request, template, **facts), status_code)


async def page(request: Request, template: str, status_code: int = 200, **facts: Any) -> HTMLResponse:
    """A page of somebody who is signed in, with the balance."""
    web = web_of(request)
    account, types = await together(web.client.get_account(user_of(request)), web.types())
    facts = {"live": "", **facts}
    return HTMLResponse(fragment(request, template, balance=account.balance, types=types, **facts), status_code)


async def together(*calls: Awaitable[Any]) -> list[Any]:
    """The answers of calls that are made at the same time; the first failure is raised when all have ended."""
    answers = await asyncio.gather(*calls, return_exceptions=True)
    for answer in answers:
        if isinstance(answer, BaseException):
            raise answer
    return list(answers)
