"""Credits: the balance, and the statement in sentences."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command
from aiogram.types import CallbackQuery, Message

from clients.sdk import InvalidArgument, LedgerEntry, Page
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import Person, Shared
from clients.telegram.buttons import Statement
from clients.telegram.views import StatementView

PAGE_SIZE = 8


def router() -> Router:
    router = Router(name="credits")
    router.message.register(balance, Command("balance"))
    router.message.register(statement, Command("statement"))
    router.callback_query.register(turn, Statement.filter())
    return router


async def balance(message: Message, person: Person, shared: Shared) -> None:
    """``/balance``"""
    text = texts.balance(await shared.balance(person.user_id), person.words)
    await telling.send(shared.bot, person.chat_id, text, keyboards.of_balance(person.words))


async def statement(message: Message, person: Person, shared: Shared) -> None:
    """``/statement``"""
    await show_statement(person, shared)


async def show_statement(person: Person, shared: Shared) -> None:
    """A new message with the newest page, in place of an earlier one."""
    old = await shared.chats.load(person.chat_id, StatementView)
    await _show(person, shared, "", 0)
    if old is not None:
        await telling.delete(shared.bot, person.chat_id, old.message_id)


async def turn(query: CallbackQuery, callback_data: Statement, person: Person, shared: Shared) -> None:
    """To a newer or an older page, in the same message."""
    view = await shared.chats.load(person.chat_id, StatementView)
    if view is None or query.message is None or query.message.message_id != view.message_id:
        await telling.answer(query, person.words("out_of_date"))
        return
    await telling.answer(query)
    token = view.newer_token if callback_data.action == "newer" else view.older_token
    await _show(person, shared, token, view.message_id)


async def _show(person: Person, shared: Shared, token: str, message_id: int) -> None:
    page = await _page(person, shared, token)
    newest = page.items[0] if page.items and not page.previous_page_token else None
    # The balance that the lines lead to: one that is asked for apart may be of another moment.
    credits = newest.balance_after if newest else await shared.balance(person.user_id)
    text = texts.statement(page.items, credits, person.words)
    keyboard = keyboards.statement(bool(page.previous_page_token), bool(page.next_page_token), person.words)
    shown_id = await telling.show(shared.bot, person.chat_id, message_id, text, keyboard)
    view = StatementView(newer_token=page.previous_page_token, older_token=page.next_page_token, message_id=shown_id)
    await shared.chats.save(person.chat_id, view)


async def _page(person: Person, shared: Shared, token: str) -> Page[LedgerEntry]:
    client = shared.client
    try:
        return await client.list_ledger_entries(person.user_id, page_size=PAGE_SIZE, page_token=token or None)
    except InvalidArgument:
        if not token:
            raise
        return await client.list_ledger_entries(person.user_id, page_size=PAGE_SIZE)
