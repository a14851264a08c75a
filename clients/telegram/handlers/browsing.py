"""Going through the gallery: arrows and lists."""

from __future__ import annotations

from aiogram import Router
from aiogram.types import CallbackQuery

from clients.telegram import telling
from clients.telegram.bot import Person, Shared
from clients.telegram.buttons import Browse
from clients.telegram.gallery import Gallery
from clients.telegram.views import FAVORITES, TRASH

STEPS = {"newer": -1, "older": 1, "same": 0}


def router() -> Router:
    router = Router(name="browsing")
    router.callback_query.register(browse, Browse.filter())
    return router


async def browse(
    query: CallbackQuery, callback_data: Browse, person: Person, shared: Shared, gallery: Gallery
) -> None:
    """A tap beneath the gallery."""
    if not await is_current(query, person, shared, gallery):
        return
    await telling.answer(query)
    if callback_data.action != "list":
        await gallery.step(person, STEPS[callback_data.action])
    elif callback_data.value in ("", FAVORITES, TRASH) or callback_data.value in await shared.types():
        await gallery.switch(person, callback_data.value)
    else:
        await gallery.switch(person, "")


async def is_current(query: CallbackQuery, person: Person, shared: Shared, gallery: Gallery) -> bool:
    """Whether the tap was beneath the chat's gallery message; an older one says so, and loses its buttons."""
    tapped = query.message.message_id if query.message else 0
    if tapped and tapped == (await gallery.view(person)).message_id:
        return True
    await telling.answer(query, person.words("outdated_gallery"), alert=True)
    if tapped:
        await telling.take_buttons(shared.bot, person.chat_id, tapped)
    return False
