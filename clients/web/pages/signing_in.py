"""Signing in by a link, out again, and the language.

Opening a link shows a button, and the button uses the link up: messengers that look at links for a preview, and
virus scanners, would otherwise use it before its owner does.
"""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients.web.links import BadLink
from clients.web.security import check_form, check_origin
from clients.web.web import plain_page, web_of
from clients.words import LANGUAGES


async def show_link(request: Request) -> Response:
    """``GET /sign-in/TOKEN``"""
    try:
        web_of(request).sign_in_links.check(request.path_params["token"])
    except BadLink:
        return _used(request)
    return plain_page(request, "sign_in.html")


async def use_link(request: Request) -> Response:
    """``POST /sign-in/TOKEN``"""
    check_origin(request)
    try:
        user_id = web_of(request).sign_in_links.use(request.path_params["token"])
    except BadLink:
        return _used(request)
    language = request.session.get("language")
    request.session.clear()  # A form token from before was not this user's.
    request.session["user"] = user_id
    if language:
        request.session["language"] = language
    return RedirectResponse("/", 303)


def _used(request: Request) -> Response:
    if request.session.get("user"):  # A second tap on the link by somebody whom it has signed in.
        return RedirectResponse("/", 303)
    return plain_page(request, "trouble.html", 410, kind="sign_in_used", retry="")


async def sign_out(request: Request) -> Response:
    """``POST /sign-out``"""
    check_form(request, await request.form())
    language = request.session.get("language")
    request.session.clear()
    if language:
        request.session["language"] = language
    return RedirectResponse("/", 303)


async def choose_language(request: Request) -> Response:
    """``POST /language``: remembered in the session; then the same page again."""
    form = await request.form()
    check_form(request, form)
    if form.get("language") in LANGUAGES:
        request.session["language"] = form["language"]
    return RedirectResponse(local_path(str(form.get("back", "/"))), 303)


def local_path(path: str) -> str:
    """``path`` if it leads to a page of ours, else the gallery."""
    return path if path.startswith("/") and not path.startswith(("//", "/\\")) and path.isprintable() else "/"
