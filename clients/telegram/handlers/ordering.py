"""The order dialogue: words, a photo, the summary with its switches, and sending it."""

from __future__ import annotations

from io import BytesIO

import aiohttp
import structlog
from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from clients import looks
from clients.sdk import GenerationType, InvalidArgument, NotCancellable
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import Person, Shared
from clients.telegram.buttons import Making, New, Order
from clients.telegram.draft import Draft
from clients.telegram.ordering import Orderer, Ordering

MAX_PHOTO_BYTES = 20 * 10**6
"""The most that Telegram lets a bot fetch."""
is_photo = F.photo | F.document.mime_type.startswith("image/")

_log = structlog.get_logger("clients.telegram")


def router() -> Router:
    router = Router(name="ordering")
    router.callback_query.register(begin, New.filter())
    router.callback_query.register(send, Order.filter(F.action == "send"))
    router.callback_query.register(change, Order.filter())
    router.callback_query.register(cancel, Making.filter(F.action == "cancel"))
    router.callback_query.register(again, Making.filter(F.action == "again"))
    router.message.register(take_photo, is_photo)
    router.message.register(want_photo, Ordering.photo)
    router.message.register(take_words, F.text, ~F.text.startswith("/"))
    return router


async def begin(
    query: CallbackQuery, callback_data: New, state: FSMContext, person: Person, shared: Shared, orderer: Orderer
) -> None:
    """A type was chosen in the creation menu."""
    await telling.answer(query)
    kind = (await shared.types()).get(callback_data.type)
    if kind is None:
        await telling.send(shared.bot, person.chat_id, texts.not_found(person.words))
        return
    tapped = query.message.message_id if query.message else 0
    await orderer.ask_next(person, state, Draft.new(kind), tapped)


async def take_words(message: Message, state: FSMContext, person: Person, shared: Shared, orderer: Orderer) -> None:
    """What somebody writes is the description of the order; without an order, of a new picture."""
    draft = await orderer.draft(state) or Draft.new(_described(await shared.types()))
    prompt = (message.text or "").strip()
    limit = (await shared.catalog()).max_prompt_characters
    if not prompt or len(prompt) > limit:
        said = person.words("prompt_long", limit=limit) if prompt else person.words("prompt_missing")
        await telling.send(shared.bot, person.chat_id, said)
        return
    await orderer.ask_next(person, state, draft.changed(prompt=prompt))


def _described(types: dict[str, GenerationType]) -> GenerationType:
    """What is made of a description alone: the first of the menu that needs no photo."""
    menu = looks.menu(types)
    return next((each for each in menu if not each.needs_reference), menu[0])


async def take_photo(message: Message, state: FSMContext, person: Person, shared: Shared, orderer: Orderer) -> None:
    """A reference photo; what is written beneath it is the description."""
    types, words = await shared.types(), person.words
    draft = await orderer.draft(state)
    if draft is None or not types[draft.type].needs_reference:
        kind = next((each for each in looks.menu(types) if each.needs_reference), None)
        if kind is None:
            await telling.send(shared.bot, person.chat_id, words("only_words"))
            return
        draft = Draft.new(kind)
    media_id = await _keep_photo(message, person, shared)
    if media_id is None:
        await telling.send(shared.bot, person.chat_id, words("reference_bad"))
        return
    prompt = (message.caption or "").strip()[: (await shared.catalog()).max_prompt_characters]
    draft = draft.changed(reference_media_id=media_id, prompt=prompt or draft.prompt)
    await orderer.ask_next(person, state, draft)


async def _keep_photo(message: Message, person: Person, shared: Shared) -> str | None:
    """Takes the photo over to the service; its id there, or None if it will not do."""
    file = message.photo[-1] if message.photo else message.document
    if file is None or (file.file_size or 0) > MAX_PHOTO_BYTES:
        return None
    content = BytesIO()
    try:
        await shared.bot.download(file, content)
    except aiohttp.ClientError as error:
        # Its text has the file's address, and that the bot's token.
        _log.warning("a photo could not be fetched", error=type(error).__name__)
        return None
    try:
        return (await shared.client.upload_reference(person.user_id, content.getvalue())).media_id
    except InvalidArgument:
        return None


async def want_photo(message: Message, person: Person, shared: Shared) -> None:
    """Something else than a photo, while a photo is awaited."""
    await telling.send(shared.bot, person.chat_id, person.words("photo_wanted"))


async def send(query: CallbackQuery, state: FSMContext, person: Person, shared: Shared, orderer: Orderer) -> None:
    """The confirm button. A second tap finds the order sent."""
    draft = await orderer.draft(state)
    tapped = query.message.message_id if query.message else 0
    if draft is None or draft.message_id != tapped:
        if await orderer.sent(person, tapped):
            await telling.answer(query, person.words("already_ordered"))
        else:
            await _refuse(query, person, shared, tapped)
        return
    problem = await orderer.send(person, state, draft)
    await telling.answer(query, problem or person.words("order_taken"), alert=bool(problem))


async def change(
    query: CallbackQuery, callback_data: Order, state: FSMContext, person: Person, shared: Shared, orderer: Orderer
) -> None:
    """A switch of the summary, or the way back to it."""
    draft = await orderer.draft(state)
    tapped = query.message.message_id if query.message else 0
    if draft is None or draft.message_id != tapped:
        await _refuse(query, person, shared, tapped)
        return
    await telling.answer(query)
    action, value, kind = callback_data.action, callback_data.value, await orderer.kind(draft)
    if action == "drop":
        await orderer.drop(person, state, tapped)
    elif action == "words":
        await orderer.ask_words(person, state, draft, tapped)
    elif action == "photo":
        await orderer.ask_photo(person, state, draft, tapped)
    elif action in ("shapes", "counts"):
        title = person.words("choose_shape" if action == "shapes" else "choose_count")
        choices = keyboards.shapes if action == "shapes" else keyboards.counts
        await telling.show(shared.bot, person.chat_id, tapped, title, choices(draft, kind, person.words))
    else:
        await orderer.summarize(person, state, _chosen(draft, kind, action, value), message_id=tapped)


async def _refuse(query: CallbackQuery, person: Person, shared: Shared, message_id: int) -> None:
    """For a button of an order that was put aside for another."""
    await telling.answer(query, person.words("out_of_date"))
    if message_id:
        await telling.take_buttons(shared.bot, person.chat_id, message_id)


def _chosen(draft: Draft, kind: GenerationType, action: str, value: str) -> Draft:
    if action == "own":
        return draft.changed(own_words=not draft.own_words)
    if action == "shape" and value in kind.aspect_ratios:
        return draft.changed(aspect_ratio=value)
    if action == "count" and value.isdecimal() and 1 <= int(value) <= kind.max_output_count:
        return draft.changed(output_count=int(value))
    return draft


async def cancel(query: CallbackQuery, callback_data: Making, person: Person, shared: Shared) -> None:
    """Cancels an order that is being made; its message shows what became of it."""
    try:
        await shared.client.cancel_generation(callback_data.generation_id, user_id=person.user_id)
    except NotCancellable:
        await telling.answer(query, person.words("cancel_late"), alert=True)
        return
    await telling.answer(query, person.words("state_cancelling"))


async def again(
    query: CallbackQuery,
    callback_data: Making,
    state: FSMContext,
    person: Person,
    shared: Shared,
    orderer: Orderer,
) -> None:
    """The same order once more, to be confirmed, after it did not work out."""
    await telling.answer(query)
    made = await shared.client.get_generation(callback_data.generation_id, user_id=person.user_id)
    kind = (await shared.types())[made.type]
    await orderer.ask_next(person, state, Draft.like(made, kind, another=False))
