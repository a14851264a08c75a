"""What is done with one item: marks, trash and back, one more like it, other words, the file, the prompts."""

from __future__ import annotations

from aiogram import F, Router
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery

from clients.sdk import Generation, Item
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import Person, Shared
from clients.telegram.buttons import OfItem
from clients.telegram.draft import Draft
from clients.telegram.gallery import Gallery
from clients.telegram.handlers.browsing import is_current
from clients.telegram.media import MediaSender, TooLarge
from clients.telegram.ordering import Orderer
from clients.telegram.views import FAVORITES


def router() -> Router:
    router = Router(name="items")
    on = router.callback_query.register
    on(open_item, OfItem.filter(F.action == "open"))
    on(save, OfItem.filter(F.action == "save"))
    on(show_prompts, OfItem.filter(F.action == "prompt"))
    on(order_like, OfItem.filter(F.action.in_({"another", "words"})))
    on(change, OfItem.filter())
    return router


async def open_item(query: CallbackQuery, callback_data: OfItem, person: Person, gallery: Gallery) -> None:
    """The gallery at this item."""
    await telling.answer(query)
    await gallery.open_item(person, callback_data.item_id)


async def save(
    query: CallbackQuery, callback_data: OfItem, person: Person, shared: Shared, media: MediaSender
) -> None:
    """The original file, as a document."""
    await telling.answer(query)
    item = await shared.client.get_item(person.user_id, callback_data.item_id)
    try:
        await media.send_document(person.chat_id, item)
    except TooLarge:
        await telling.send(shared.bot, person.chat_id, person.words("too_large"))


async def show_prompts(query: CallbackQuery, callback_data: OfItem, person: Person, shared: Shared) -> None:
    """Both prompts whole, to be copied."""
    await telling.answer(query)
    item = await shared.client.get_item(person.user_id, callback_data.item_id)
    for text in texts.whole_prompts(item, person.words):
        await telling.send(shared.bot, person.chat_id, text, keyboards.delivered(item, person.words))


async def order_like(
    query: CallbackQuery,
    callback_data: OfItem,
    state: FSMContext,
    person: Person,
    shared: Shared,
    orderer: Orderer,
) -> None:
    """One more with the same settings and another seed, or with other words: as an order to be confirmed."""
    await telling.answer(query)
    item = await shared.client.get_item(person.user_id, callback_data.item_id)
    made = await shared.client.get_generation(item.generation_id, user_id=person.user_id)
    draft = await _like(item, made, shared, another=callback_data.action == "another")
    if callback_data.action == "another":
        await orderer.ask_next(person, state, draft)
    else:
        await orderer.ask_words(person, state, draft)


async def _like(item: Item, made: Generation, shared: Shared, *, another: bool) -> Draft:
    kind = (await shared.types())[item.type]
    return Draft.like(made, kind, another=another)


async def change(
    query: CallbackQuery, callback_data: OfItem, person: Person, shared: Shared, gallery: Gallery
) -> None:
    """Marks, trash and back: the gallery message shows what became of it."""
    if not await is_current(query, person, shared, gallery):
        return
    client, words, item_id = shared.client, person.words, callback_data.item_id
    action, in_favorites = callback_data.action, (await gallery.view(person)).list_name == FAVORITES
    if action == "favorite":
        item = await client.favorite_item(person.user_id, item_id)
        await telling.answer(query, words("favorite_added"))
        await gallery.offer_actions(person, item)
    elif action == "unfavorite":
        item = await client.unfavorite_item(person.user_id, item_id)
        await telling.answer(query, words("favorite_removed"))
        if in_favorites:
            await gallery.redraw(person, -1)
        else:
            await gallery.offer_actions(person, item)
    elif action == "delete":
        await client.trash_item(person.user_id, item_id)
        await telling.answer(query, words("deleted"))
        await gallery.redraw(person, -1, notice=words("deleted"), undo=item_id)
    elif action in ("undo", "restore"):
        await client.restore_item(person.user_id, item_id)
        await telling.answer(query, words("restored"))
        await gallery.redraw(person, 1 if action == "undo" else -1, notice=words("restored"))
    elif action == "actions":
        await telling.answer(query)
        await gallery.offer_actions(person, await client.get_item(person.user_id, item_id))
    else:
        await telling.answer(query)
        await gallery.redraw(person)
