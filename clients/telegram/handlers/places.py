"""The bot's places: the start with its menu, what can be created, the gallery, help; by command, button or link."""

from __future__ import annotations

from aiogram import Router
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.fsm.context import FSMContext
from aiogram.types import CallbackQuery, Message

from clients.telegram import keyboards, links, telling, texts
from clients.telegram.bot import Person, Shared
from clients.telegram.buttons import Menu
from clients.telegram.draft import Draft
from clients.telegram.gallery import Gallery
from clients.telegram.handlers.credits import show_statement
from clients.telegram.ordering import Orderer


def router() -> Router:
    router = Router(name="places")
    router.message.register(start, CommandStart())
    router.message.register(new, Command("new"))
    router.message.register(open_gallery, Command("gallery"))
    router.message.register(help_, Command("help"))
    router.callback_query.register(go, Menu.filter())
    return router


async def start(
    message: Message,
    command: CommandObject,
    state: FSMContext,
    person: Person,
    shared: Shared,
    gallery: Gallery,
    orderer: Orderer,
) -> None:
    """``/start``, with what a deep link brought."""
    target = links.target_of(command.args or "")
    types = await shared.types()
    if target.place == "item":
        await gallery.open_item(person, target.name)
    elif target.place == "gallery":
        await gallery.open(person)
    elif target.place == "new" and target.name in types:
        await orderer.ask_next(person, state, Draft.new(types[target.name]))
    elif target.place == "new":
        await _show_create(person, state, shared)
    else:
        await _show_start(person, state, shared)


async def new(message: Message, state: FSMContext, person: Person, shared: Shared) -> None:
    """``/new``"""
    await _show_create(person, state, shared)


async def open_gallery(message: Message, person: Person, gallery: Gallery) -> None:
    """``/gallery``"""
    await gallery.open(person)


async def help_(message: Message, person: Person, shared: Shared) -> None:
    """``/help``"""
    await _show_help(person, shared)


async def go(
    query: CallbackQuery, callback_data: Menu, state: FSMContext, person: Person, shared: Shared, gallery: Gallery
) -> None:
    """A button that leads to a place. It comes as a new message: what the button stood under stays to be read."""
    await telling.answer(query)
    if callback_data.to == "start":
        await _show_start(person, state, shared)
    elif callback_data.to == "new":
        await _show_create(person, state, shared)
    elif callback_data.to == "gallery":
        await gallery.open(person)
    elif callback_data.to == "statement":
        await show_statement(person, shared)
    else:
        await _show_help(person, shared)


async def _show_start(person: Person, state: FSMContext, shared: Shared) -> None:
    text = texts.menu(await shared.balance(person.user_id), person.words)
    keyboard = keyboards.start(await shared.types(), person.words)
    await state.clear()
    await telling.send(shared.bot, person.chat_id, text, keyboard)


async def _show_create(person: Person, state: FSMContext, shared: Shared) -> None:
    text = texts.create_menu(await shared.balance(person.user_id), person.words)
    keyboard = keyboards.create(await shared.types(), person.words)
    await state.clear()
    await telling.send(shared.bot, person.chat_id, text, keyboard)


async def _show_help(person: Person, shared: Shared) -> None:
    text, keyboard = texts.help_text(person.words), keyboards.only_back(person.words)
    await telling.send(shared.bot, person.chat_id, text, keyboard)
