"""Asking for something: the form with price and balance, and sending it.

The form is drawn with a ``request_id``. A double click, a reload of the answer, or a second try after a lost
connection sends the same id, which the service charges once. Only when the id was used with other words (somebody
went back and changed them) does the form come again, with a new id, and says so.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass, field, replace

from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from clients import looks
from clients.sdk import AlreadyExists, GenerationType, InsufficientCredits, InvalidArgument, NotFound
from clients.web.security import check_form
from clients.web.web import page, user_of, web_of, words_of
from clients.words import Words


@dataclass(frozen=True, kw_only=True)
class Draft:
    """What stands in the form. ``problems`` has a sentence for each field that will not do."""

    prompt: str = ""
    aspect_ratio: str = ""
    output_count: int = 1
    own_words: bool = False
    reference_media_id: str = ""
    seed: int | None = None
    request_id: str = field(default_factory=lambda: str(uuid.uuid4()))
    problems: dict[str, str] = field(default_factory=dict)

    def price(self, kind: GenerationType) -> int:
        return kind.credits_per_output * self.output_count


async def menu(request: Request) -> Response:
    """``GET /create``: what can be made."""
    return await page(request, "create.html")


async def form(request: Request) -> Response:
    """``GET /create/TYPE``, with ``?like=GENERATION`` filled in as that one was."""
    kind = await _kind(request)
    return await _show(request, kind, await _like(request, kind))


async def _kind(request: Request) -> GenerationType:
    types = await web_of(request).types()
    user_of(request)
    try:
        return types[request.path_params["type"]]
    except KeyError:
        raise HTTPException(404) from None


async def _like(request: Request, kind: GenerationType) -> Draft:
    like = request.query_params.get("like")
    if not like:
        return Draft(aspect_ratio=kind.aspect_ratios[0])
    try:
        model = await web_of(request).client.get_generation(like, user_id=user_of(request))
    except (NotFound, InvalidArgument):
        return Draft(aspect_ratio=kind.aspect_ratios[0])
    known = model.aspect_ratio in kind.aspect_ratios
    return Draft(
        prompt=model.prompt,
        aspect_ratio=model.aspect_ratio if known else kind.aspect_ratios[0],
        own_words=not model.enhance_prompt,
        reference_media_id=model.reference_media_id if kind.needs_reference else "",
    )


async def send(request: Request) -> Response:
    """``POST /create/TYPE``: charges and queues it once, and goes on to where it is seen being made."""
    kind, words = await _kind(request), words_of(request)
    async with request.form(max_files=1, max_fields=20) as sent:
        check_form(request, sent)
        draft = await _draft(request, kind, sent)
    if draft.problems:
        return await _show(request, kind, draft)
    try:
        requested = await web_of(request).client.request_generation(
            user_of(request),
            kind.type,
            draft.prompt,
            request_id=draft.request_id,
            aspect_ratio=draft.aspect_ratio,
            output_count=draft.output_count,
            seed=draft.seed,
            reference_media_id=draft.reference_media_id or None,
            enhance_prompt=not draft.own_words,
        )
    except InsufficientCredits as error:
        return await _show(request, kind, _wrong(draft, "", looks.too_expensive(error, words)))
    except AlreadyExists:
        again = replace(draft, request_id=str(uuid.uuid4()))
        return await _show(request, kind, _wrong(again, "", words("changed_since")))
    except InvalidArgument as error:
        limit = (await web_of(request).catalog()).max_prompt_characters
        problems = looks.objections(error, draft.prompt, limit, words)
        return await _show(request, kind, replace(draft, problems=problems))
    return RedirectResponse(f"/generations/{requested.generation.generation_id}", 303)


async def _draft(request: Request, kind: GenerationType, sent: FormData) -> Draft:
    words = words_of(request)
    draft = Draft(
        prompt=str(sent.get("prompt", "")).replace("\r\n", "\n").strip(),
        aspect_ratio=str(sent.get("aspect_ratio", "")) or kind.aspect_ratios[0],
        output_count=max(1, min(_number(sent, "output_count") or 1, kind.max_output_count)),
        own_words=bool(sent.get("own_words")),
        reference_media_id=str(sent.get("reference_media_id", "")) if kind.needs_reference else "",
        seed=_number(sent, "seed"),
        request_id=str(sent.get("request_id", "")) or str(uuid.uuid4()),
    )
    if not draft.prompt:
        draft = _wrong(draft, "prompt", words("prompt_missing"))
    upload = sent.get("reference")
    if kind.needs_reference and isinstance(upload, UploadFile) and upload.size:
        draft = await _with_reference(request, draft, upload, words)
    if kind.needs_reference and not draft.reference_media_id and "reference_media_id" not in draft.problems:
        draft = _wrong(draft, "reference_media_id", words("reference_missing"))
    return draft


async def _with_reference(request: Request, draft: Draft, upload: UploadFile, words: Words) -> Draft:
    web = web_of(request)
    if (upload.size or 0) > web.settings.max_upload_bytes:
        return _wrong(draft, "reference_media_id", words("reference_bad"))
    try:
        reference = await web.client.upload_reference(user_of(request), await upload.read())
    except InvalidArgument:
        return _wrong(draft, "reference_media_id", words("reference_bad"))
    return replace(draft, reference_media_id=reference.media_id)


def _number(sent: FormData, name: str) -> int | None:
    text = str(sent.get(name, ""))
    return int(text) if text.isascii() and text.isdecimal() and len(text) < 12 else None


def _wrong(draft: Draft, name: str, sentence: str) -> Draft:
    return replace(draft, problems={**draft.problems, name: sentence})


async def _show(request: Request, kind: GenerationType, draft: Draft) -> Response:
    limit = (await web_of(request).catalog()).max_prompt_characters
    return await page(
        request, "order.html", 422 if draft.problems else 200, kind=kind, draft=draft, max_prompt_characters=limit
    )
