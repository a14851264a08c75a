"""What keeps the pages safe: headers on every answer, and a token in every form.

The Content-Security-Policy allows what the package itself serves and nothing inline. A form carries the session's
token, which another site cannot know; browsers also say where a request comes from, and one from elsewhere is refused
even before anybody is signed in. The session is a cookie that is signed, not for scripts, and not sent along when
another site posts (SameSite=Lax).
"""

from __future__ import annotations

import hmac
import secrets

from starlette.datastructures import FormData, MutableHeaders
from starlette.requests import Request
from starlette.types import ASGIApp, Message, Receive, Scope, Send

HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' blob:; "
    "media-src 'self'; connect-src 'self'; font-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    # The path of a sign-in link is a secret while it is unused.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "permissions-policy": "camera=(), microphone=(), geolocation=()",
}


class Refused(Exception):
    """A form that does not come from one of our pages, or from one that is too old."""


class SecurityHeaders:
    """Puts HEADERS on every answer; pages are not kept by anybody, unless they say otherwise."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.setdefault("cache-control", "no-store")
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self._app(scope, receive, send_with_headers)


def form_token(request: Request) -> str:
    """The session's token for forms, drawn when it is first needed."""
    token = request.session.get("form_token")
    if not token:
        token = request.session["form_token"] = secrets.token_urlsafe(24)
    return str(token)


def check_origin(request: Request) -> None:
    """Raises Refused for a request that a browser says comes from another site."""
    if request.headers.get("sec-fetch-site", "same-origin") not in ("same-origin", "none"):
        raise Refused("it comes from another site")


def check_form(request: Request, form: FormData) -> None:
    """Raises Refused unless the form has the session's token and comes from here."""
    check_origin(request)
    sent, known = str(form.get("form_token", "")), str(request.session.get("form_token", ""))
    if not known or not hmac.compare_digest(sent.encode(), known.encode()):
        raise Refused("its token is not the session's")
