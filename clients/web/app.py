"""The gallery put together: routes, middleware, and what is shared."""

from __future__ import annotations

import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib import resources

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.sessions import SessionMiddleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import Scope

from clients.sdk import AsyncTriptych, TriptychError
from clients.web import troubles
from clients.web.links import MediaLinks, SignInLinks
from clients.web.live import live
from clients.web.media import media
from clients.web.pages import generations, items, listing, ordering, signing_in
from clients.web.security import Refused, SecurityHeaders
from clients.web.settings import WebSettings
from clients.web.web import SignInNeeded, Web

YEAR_SECONDS = 31_536_000


class _Static(StaticFiles):
    """Files of the package; their addresses carry a version, so browsers may keep them."""

    async def get_response(self, path: str, scope: Scope) -> Response:
        response = await super().get_response(path, scope)
        response.headers["cache-control"] = f"public, max-age={YEAR_SECONDS}, immutable"
        return response


async def _healthy(request: Request) -> Response:
    return PlainTextResponse("ok")


def _routes() -> list[Route | Mount]:
    return [
        Route("/", listing.gallery),
        Route("/trash", listing.trash),
        Route("/statement", listing.statement),
        Route("/create", ordering.menu),
        Route("/create/{type}", ordering.form),
        Route("/create/{type}", ordering.send, methods=["POST"]),
        Route("/generations/{generation_id}", generations.show),
        Route("/generations/{generation_id}/cancel", generations.cancel, methods=["POST"]),
        Route("/generations/{generation_id}/seen", generations.seen, methods=["POST"]),
        Route("/items/{item_id}", items.show),
        Route("/items/{item_id}/download", items.download),
        Route("/items/{item_id}/favorite", items.favorite, methods=["POST"]),
        Route("/items/{item_id}/trash", items.trash, methods=["POST"]),
        Route("/items/{item_id}/restore", items.restore, methods=["POST"]),
        Route("/media/{token}", media),
        Route("/live", live),
        Route("/sign-in/{token}", signing_in.show_link),
        Route("/sign-in/{token}", signing_in.use_link, methods=["POST"]),
        Route("/sign-out", signing_in.sign_out, methods=["POST"]),
        Route("/language", signing_in.choose_language, methods=["POST"]),
        Route("/healthz", _healthy),
        Mount("/static", _Static(packages=[("clients.web", "static")])),
    ]


def _version() -> str:
    digest = hashlib.sha256()
    for path in sorted(resources.files("clients.web").joinpath("static").iterdir(), key=lambda each: each.name):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:12]


def build_app(settings: WebSettings, secret: str, client: AsyncTriptych) -> Starlette:
    """The application; it closes ``client`` when it ends."""
    web = Web(
        settings=settings,
        client=client,
        sign_in_links=SignInLinks(secret, settings.data_dir, settings.sign_in_seconds),
        media_links=MediaLinks(secret, settings.media_seconds),
        version=_version(),
    )

    @asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        async with client:
            yield

    session = Middleware(
        SessionMiddleware,
        secret_key=secret,
        session_cookie="triptych_session",
        max_age=settings.session_seconds,
        same_site="lax",
        https_only=settings.secure,
    )
    app = Starlette(
        routes=_routes(),
        middleware=[Middleware(SecurityHeaders), session],
        exception_handlers={
            SignInNeeded: troubles.sign_in_needed,
            Refused: troubles.refused,
            404: troubles.not_found,
            405: troubles.not_found,
            TriptychError: troubles.service_error,
        },
        lifespan=lifespan,
    )
    app.state.web = web
    return app
