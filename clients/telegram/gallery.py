"""The gallery of a chat: one message, which shows one item of a list and changes as people go through it.

Opening it puts the message at the end of the chat, with what is newest, and takes away the one before. Going through
it edits the message. A message that shows a picture cannot become one of text alone, nor the other way round; where
a list is empty the message is replaced.
"""

from __future__ import annotations

import asyncio

from aiogram.exceptions import TelegramBadRequest
from msgspec.structs import replace

from clients.sdk import InvalidArgument, Item, Page
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import Person, Shared
from clients.telegram.media import MediaSender
from clients.telegram.views import TRASH, View, counts_of, number_after, where

SEARCH_PAGE_SIZE = 100
SEARCH_PAGES = 10
"""How far a linked item is looked for, so that the arrows go on from it; further down it is shown alone."""


class Gallery:
    """Shows galleries. Each method may raise TriptychError and TelegramAPIError."""

    def __init__(self, shared: Shared, media: MediaSender) -> None:
        self._shared = shared
        self._media = media

    async def view(self, person: Person) -> View:
        """What the chat looks at."""
        return await self._shared.chats.load(person.chat_id, View) or View()

    async def open(self, person: Person, list_name: str = "") -> None:
        """A new message with the newest item of a list, in place of the one before."""
        await self._place_anew(person, View(list_name=list_name))

    async def open_item(self, person: Person, item_id: str) -> None:
        """A new message with an item, among its neighbours. Raises NotFound."""
        item = await self._shared.client.get_item(person.user_id, item_id)
        await self._place_anew(person, await self._find(person, TRASH if item.trashed else "", item_id))

    async def switch(self, person: Person, list_name: str) -> None:
        """To the newest item of another list."""
        view = await self.view(person)
        await self._show(person, View(list_name=list_name, message_id=view.message_id, with_media=view.with_media))

    async def step(self, person: Person, step: int) -> None:
        """To the newer (-1) or the older (1) neighbour; with 0, the same place as it is now."""
        view = await self.view(person)
        token = view.newer_token if step < 0 else view.older_token
        if not step or not token:
            await self._show(person, view)
        else:
            await self._show(person, replace(view, token=token, direction=step), step)

    async def redraw(self, person: Person, change: int = 0, *, notice: str = "", undo: str = "") -> None:
        """The same place again. ``change`` is -1 after its item was taken out of the list, 1 after it was put back.

        ``undo`` is the item that the first button brings back.
        """
        view = await self.view(person)
        if change:
            view = replace(view, alone=False)
        await self._show(person, view, change=change, notice=notice, undo=undo)

    async def offer_actions(self, person: Person, item: Item, notice: str = "") -> None:
        """Puts what may be done with the item in place of the lists."""
        view, types = await self.view(person), await self._shared.types()
        caption = texts.caption(item, types, person.words, notice=notice)
        keyboard = keyboards.actions(item, types, person.words)
        try:
            await self._shared.bot.edit_message_caption(
                chat_id=person.chat_id, message_id=view.message_id, caption=caption, reply_markup=keyboard
            )
        except TelegramBadRequest as error:
            if not telling.says(error, telling.NOT_MODIFIED):
                raise

    async def _place_anew(self, person: Person, view: View) -> None:
        old = await self.view(person)
        await self._show(person, view)
        if old.message_id:
            await telling.delete(self._shared.bot, person.chat_id, old.message_id)

    async def _show(
        self, person: Person, view: View, step: int = 0, *, change: int = 0, notice: str = "", undo: str = ""
    ) -> None:
        """Reads what is at ``view.token`` and makes the message show it."""
        client, words = self._shared.client, person.words
        (view, page), counted, credits = await asyncio.gather(
            self._page(person, view), client.count_items(person.user_id), self._shared.balance(person.user_id)
        )
        counts, types = counts_of(counted), await self._shared.types()
        view = _moved(view, page, step, change, counts.get(view.list_name, 0))
        keyboard = keyboards.browsing(view, counts, credits, types, words, undo)
        if not page.items:
            text = texts.empty(view.list_name, words, notice)
            view = await self._show_text(person, view, text, keyboard)
        else:
            item = page.items[0]
            caption = texts.caption(item, types, words, notice=notice)
            view = await self._show_media(person, view, item, caption, keyboard)
        await self._shared.chats.save(person.chat_id, view)

    async def _page(self, person: Person, view: View) -> tuple[View, Page[Item]]:
        """The page with the item that the view is at, and the view with the token that led to it.

        Where there is nothing (any more), its newer neighbour, else the newest.
        """
        client, filters = self._shared.client, where(view.list_name)
        if view.alone:
            item = await client.get_item(person.user_id, view.item_id)
            return view, Page(items=(item,), next_page_token="", previous_page_token="", position=0)
        for token in dict.fromkeys((view.token, view.newer_token)):
            if not token:
                continue
            try:
                page = await client.list_items(person.user_id, page_size=1, page_token=token, **filters)
            except InvalidArgument:  # A token of an older service.
                continue
            if page.items:
                return replace(view, token=token), page
        page = await client.list_items(person.user_id, page_size=1, **filters)
        return replace(view, token="", direction=1), page

    async def _find(self, person: Person, list_name: str, item_id: str) -> View:
        """The view of an item in a list; of one that is too far down, without its place."""
        client, filters = self._shared.client, where(list_name)
        token, before = "", 0
        for _ in range(SEARCH_PAGES):
            page = await client.list_items(
                person.user_id, page_size=SEARCH_PAGE_SIZE, page_token=token or None, **filters
            )
            ids = [each.item_id for each in page]
            if item_id in ids:
                index = ids.index(item_id)
                if index:  # The page before it, made as long as it takes, leads to it.
                    shorter = await client.list_items(
                        person.user_id, page_size=index, page_token=token or None, **filters
                    )
                    token = shorter.next_page_token
                return View(list_name=list_name, token=token, number=before + index + 1, item_id=item_id)
            before += len(ids)
            token = page.next_page_token
            if not token:
                break
        return View(list_name=list_name, item_id=item_id, alone=True)

    async def _show_text(self, person: Person, view: View, text: str, keyboard: keyboards.Markup) -> View:
        bot, chat_id = self._shared.bot, person.chat_id
        if view.message_id and view.with_media:
            await telling.delete(bot, chat_id, view.message_id)
            view = replace(view, message_id=0)
        message_id = await telling.show(bot, chat_id, view.message_id, text, keyboard)
        return replace(view, message_id=message_id, with_media=False)

    async def _show_media(
        self, person: Person, view: View, item: Item, caption: str, keyboard: keyboards.Markup
    ) -> View:
        bot, chat_id = self._shared.bot, person.chat_id
        if view.message_id and view.with_media:
            try:
                await self._media.put(chat_id, view.message_id, item, caption, keyboard)
            except TelegramBadRequest as error:
                if telling.says(error, telling.NOT_MODIFIED):
                    return view
                if not telling.says(error, *telling.GONE):
                    raise
            else:
                return view
        sent = await self._media.send(chat_id, item, caption, keyboard)
        if view.message_id and not view.with_media:
            await telling.delete(bot, chat_id, view.message_id)
        return replace(view, message_id=sent.message_id, with_media=True)


def _moved(view: View, page: Page[Item], step: int, change: int, total: int) -> View:
    """The view at what the page holds."""
    if view.alone or not page.items:
        return replace(
            view, item_id=view.item_id if view.alone else "", newer_token="", older_token="", number=0, total=total
        )
    first, last = not page.previous_page_token, not page.next_page_token
    return replace(
        view,
        item_id=page.items[0].item_id,
        newer_token=page.previous_page_token,
        older_token=page.next_page_token,
        number=number_after(view, step, change, total, first=first, last=last),
        total=total,
    )
