"""The Bot API server against the ``aiogram`` library, unchanged: a small bot that does everything once."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import pytest
from aiogram import Bot, Dispatcher, F
from aiogram.client.default import DefaultBotProperties
from aiogram.client.session.aiohttp import AiohttpSession
from aiogram.client.telegram import TelegramAPIServer
from aiogram.enums import ChatMemberStatus, ContentType
from aiogram.exceptions import (
    TelegramBadRequest,
    TelegramConflictError,
    TelegramForbiddenError,
    TelegramNetworkError,
    TelegramNotFound,
    TelegramRetryAfter,
    TelegramServerError,
    TelegramUnauthorizedError,
)
from aiogram.filters import Command, CommandObject, CommandStart
from aiogram.methods import SendDice
from aiogram.types import (
    BotCommand,
    BotCommandScopeAllPrivateChats,
    BufferedInputFile,
    CallbackQuery,
    ChatMemberUpdated,
    CopyTextButton,
    InlineKeyboardButton,
    InlineKeyboardMarkup,
    InputMediaPhoto,
    InputMediaVideo,
    LinkPreviewOptions,
    MenuButtonCommands,
    Message,
    ReplyKeyboardRemove,
    ReplyParameters,
)
from aiogram.utils.keyboard import ReplyKeyboardBuilder

from sandbox.telegram import FloodLimits, TelegramOptions
from tests.support.bot_api import clip, picture
from tests.support.telegram import BOUND_SECONDS, NO_LIMITS, BotApi, TelegramUser, running_bot_api

PHOTO = picture(600, 400)
OTHER_PHOTO = picture(400, 600, "gold")
CLIP = clip()
MENU = InlineKeyboardMarkup(
    inline_keyboard=[
        [InlineKeyboardButton(text="⬅️", callback_data="back"), InlineKeyboardButton(text="➡️", callback_data="next")],
        [InlineKeyboardButton(text="Copy", copy_text=CopyTextButton(text="a prompt"))],
        [InlineKeyboardButton(text="Site", url="https://example.org")],
    ]
)


@pytest.fixture(scope="module")
async def server() -> AsyncIterator[BotApi]:
    async with running_bot_api(TelegramOptions(flood=NO_LIMITS)) as telegram:
        yield telegram


@pytest.fixture
async def telegram(server: BotApi) -> BotApi:
    await server.reset()
    return server


@pytest.fixture(scope="module")
async def bot(server: BotApi) -> AsyncIterator[Bot]:
    async with _bot(server, server.token) as bot:
        yield bot


@asynccontextmanager
async def _bot(server: BotApi, token: str) -> AsyncIterator[Bot]:
    session = AiohttpSession(api=TelegramAPIServer.from_base(server.api_url))
    async with Bot(token, session=session, default=DefaultBotProperties(parse_mode="HTML")) as bot:
        yield bot


@dataclass
class Heard:
    """What the handlers of a test's bot were told."""

    payloads: list[str | None] = field(default_factory=list)
    photos: list[bytes] = field(default_factory=list)
    statuses: list[str] = field(default_factory=list)


def dispatcher(heard: Heard) -> Dispatcher:
    """A bot with a menu, a gallery of two photos, and an ear for photos."""
    bot = Dispatcher()

    @bot.message(CommandStart())
    async def start(message: Message, command: CommandObject) -> None:
        heard.payloads.append(command.args)
        await message.answer(f"<b>Привет</b>, {message.from_user.full_name if message.from_user else ''}")

    @bot.message(Command("gallery"))
    async def gallery(message: Message) -> None:
        await message.answer_photo(BufferedInputFile(PHOTO, "photo.jpg"), caption="1/2", reply_markup=MENU)

    @bot.callback_query(F.data == "next")
    async def turn(query: CallbackQuery) -> None:
        assert isinstance(query.message, Message)
        media = InputMediaPhoto(media=BufferedInputFile(OTHER_PHOTO, "other.jpg"), caption="<i>2/2</i>")
        await query.message.edit_media(media, reply_markup=MENU)
        await query.answer("2 из 2", show_alert=True)

    @bot.message(F.photo)
    async def photo(message: Message, bot: Bot) -> None:
        assert message.photo is not None
        downloaded = await bot.download(message.photo[-1])
        assert downloaded is not None
        heard.photos.append(downloaded.read())
        await message.reply("Спасибо")

    @bot.my_chat_member()
    async def blocked(change: ChatMemberUpdated) -> None:
        heard.statuses.append(change.new_chat_member.status)

    return bot


@asynccontextmanager
async def polling(bot: Bot) -> AsyncIterator[Heard]:
    heard = Heard()
    handlers = dispatcher(heard)
    task = asyncio.create_task(handlers.start_polling(bot, handle_signals=False, close_bot_session=False))
    try:
        yield heard
    finally:
        await handlers.stop_polling()
        await asyncio.wait_for(task, BOUND_SECONDS)


async def newcomer(telegram: BotApi, bot: Bot) -> TelegramUser:
    """Somebody who has written to the bot before, while nobody polls."""
    person = await telegram.user(first_name="Anna")
    await person.start()
    await bot.get_updates(offset=-1)
    return person


async def test_a_polling_bot_talks_with_people(telegram: BotApi, bot: Bot) -> None:
    async with polling(bot) as heard:
        anna = await telegram.user(first_name="Анна", last_name="К", language_code="ru")
        await anna.start("item_42")
        hello = await anna.wait_for_message(lambda message: "Привет" in message.text)
        assert (hello.text, hello.entities[0]["type"]) == ("Привет, Анна К", "bold")
        assert heard.payloads == ["item_42"]

        await anna.send("/gallery")
        page = await anna.wait_for_message(lambda message: message.text == "1/2")
        assert page.labels == ["⬅️", "➡️", "Copy", "Site"]
        assert page.media is not None
        assert await telegram.bytes_of(page.media) == PHOTO

        answer = await anna.press(page, "➡️")
        assert (answer.answered, answer.text, answer.is_alert) == (True, "2 из 2", True)
        turned = await anna.wait_for_message(lambda message: message.text == "2/2")
        assert (turned.message_id, turned.edits) == (page.message_id, 1)
        assert turned.media is not None
        assert await telegram.bytes_of(turned.media) == OTHER_PHOTO

        sent = await anna.send_photo(PHOTO, "это я")
        thanks = await anna.wait_for_message(lambda message: message.text == "Спасибо")
        assert thanks.reply_to == sent.message_id
        assert heard.photos == [PHOTO]

        await anna.block()
        await anna.start()
        await anna.wait_for(lambda chat: [message.text for message in chat.messages].count("Привет, Анна К") == 2)
        assert heard.statuses == [ChatMemberStatus.KICKED, ChatMemberStatus.MEMBER]
    assert await telegram.refusals() == []


async def test_every_kind_of_message_parses(telegram: BotApi, bot: Bot) -> None:
    anna = await newcomer(telegram, bot)
    chat_id = anna.user_id
    text = await bot.send_message(chat_id, "text", link_preview_options=LinkPreviewOptions(is_disabled=True))
    photo = await bot.send_photo(chat_id, BufferedInputFile(PHOTO, "a.jpg"), caption="photo", has_spoiler=True)
    video = await bot.send_video(
        chat_id,
        BufferedInputFile(CLIP, "a.mp4"),
        width=64,
        height=48,
        duration=1,
        thumbnail=BufferedInputFile(picture(64, 48), "t.jpg"),
        supports_streaming=True,
        reply_markup=MENU,
    )
    animation = await bot.send_animation(chat_id, BufferedInputFile(CLIP, "a.mp4"))
    document = await bot.send_document(
        chat_id, BufferedInputFile(PHOTO, "a.jpg"), reply_parameters=ReplyParameters(message_id=text.message_id)
    )
    assert photo.photo is not None
    known, fresh = photo.photo[-1].file_id, BufferedInputFile(CLIP, "b.mp4")
    album = await bot.send_media_group(chat_id, [InputMediaPhoto(media=known), InputMediaVideo(media=fresh)])
    kinds = [message.content_type for message in (text, photo, video, animation, document, *album)]
    assert kinds == [
        ContentType.TEXT,
        ContentType.PHOTO,
        ContentType.VIDEO,
        ContentType.ANIMATION,
        ContentType.DOCUMENT,
        ContentType.PHOTO,
        ContentType.VIDEO,
    ]
    assert text.html_text == "text"
    assert photo.has_media_spoiler
    assert video.video is not None
    assert video.video.duration == 1
    assert video.reply_markup is not None
    assert video.reply_markup.model_dump() == MENU.model_dump()
    assert document.reply_to_message is not None
    assert document.reply_to_message.message_id == text.message_id
    assert text.from_user is not None
    assert text.from_user.id == bot.id
    assert [message.media.kind for message in await anna.messages() if message.media] == [
        "photo", "video", "animation", "document", "photo", "video",
    ]  # fmt: skip


async def test_files_are_sent_again_by_their_ids(telegram: BotApi, bot: Bot) -> None:
    anna = await newcomer(telegram, bot)
    first = await bot.send_photo(anna.user_id, BufferedInputFile(PHOTO, "a.jpg"))
    assert first.photo is not None
    again = await bot.send_photo(anna.user_id, first.photo[-1].file_id)
    assert again.photo == first.photo
    edited = await bot.edit_message_media(
        InputMediaPhoto(media=first.photo[-1].file_id, caption="x"), chat_id=anna.user_id, message_id=again.message_id
    )
    assert isinstance(edited, Message)
    assert edited.photo == first.photo
    assert await telegram.uploads() == 1


async def test_edits_and_deletions(telegram: BotApi, bot: Bot) -> None:
    anna = await newcomer(telegram, bot)
    message = await bot.send_message(anna.user_id, "one", reply_markup=MENU)
    edited = await message.edit_text("<b>two</b>")
    assert isinstance(edited, Message)
    assert (edited.html_text, edited.reply_markup) == ("<b>two</b>", None)
    assert edited.edit_date is not None
    with pytest.raises(TelegramBadRequest, match="message is not modified"):
        await message.edit_text("<b>two</b>")
    await message.edit_reply_markup(reply_markup=MENU)
    photo = await bot.send_photo(anna.user_id, BufferedInputFile(PHOTO, "a.jpg"))
    captioned = await photo.edit_caption(caption="new")
    assert isinstance(captioned, Message)
    assert captioned.caption == "new"
    await message.delete()
    assert await bot.delete_messages(anna.user_id, [photo.message_id])
    assert [each.text for each in await anna.messages()] == ["/start"]


async def test_reply_keyboards_and_actions(telegram: BotApi, bot: Bot) -> None:
    anna = await newcomer(telegram, bot)
    keyboard = ReplyKeyboardBuilder()
    keyboard.button(text="Да")
    await bot.send_chat_action(anna.user_id, "typing")
    assert (await anna.chat()).action == "typing"
    await bot.send_message(anna.user_id, "?", reply_markup=keyboard.as_markup(resize_keyboard=True))
    assert (await anna.chat()).keyboard == [["Да"]]
    await bot.send_message(anna.user_id, "!", reply_markup=ReplyKeyboardRemove())
    assert (await anna.chat()).keyboard == []


async def test_the_bots_own_page(telegram: BotApi, bot: Bot) -> None:
    me = await bot.get_me()
    assert (me.id, me.username) == (bot.id, "triptych_sandbox_bot")
    commands = [BotCommand(command="new", description="Новая картинка")]
    scope = BotCommandScopeAllPrivateChats()
    assert await bot.set_my_commands(commands, scope=scope, language_code="ru")
    known = await bot.get_my_commands(scope=scope, language_code="ru")
    assert [each.model_dump() for each in known] == [each.model_dump() for each in commands]
    assert await bot.set_my_description("Картинки", language_code="ru")
    assert (await bot.get_my_description(language_code="ru")).description == "Картинки"
    assert await bot.set_my_short_description("Картинки")
    assert (await bot.get_my_short_description()).short_description == "Картинки"
    assert (await bot.get_my_name()).name == "Triptych"
    assert await bot.set_chat_menu_button(menu_button=MenuButtonCommands())
    assert isinstance(await bot.get_chat_menu_button(), MenuButtonCommands)
    anna = await newcomer(telegram, bot)
    assert (await bot.get_chat(anna.user_id)).first_name == "Anna"


async def test_webhooks(telegram: BotApi, bot: Bot) -> None:
    assert await bot.set_webhook("http://127.0.0.1:9/hook", secret_token="s", allowed_updates=["message"])
    info = await bot.get_webhook_info()
    assert (info.url, info.allowed_updates) == ("http://127.0.0.1:9/hook", ["message"])
    with pytest.raises(TelegramConflictError, match="while webhook is active"):
        await bot.get_updates()
    assert await bot.delete_webhook(drop_pending_updates=True)
    assert await bot.get_updates(allowed_updates=[]) == []


async def test_refusals_are_the_errors_that_aiogram_knows(telegram: BotApi, bot: Bot) -> None:
    anna = await newcomer(telegram, bot)
    with pytest.raises(TelegramBadRequest, match="chat not found"):
        await bot.send_message(5, "x")
    with pytest.raises(TelegramBadRequest, match="can't parse entities"):
        await bot.send_message(anna.user_id, "a < b")
    with pytest.raises(TelegramBadRequest, match="query is too old"):
        await bot.answer_callback_query("1")
    with pytest.raises(TelegramBadRequest, match="wrong file identifier"):
        await bot.send_photo(anna.user_id, "AgACnothing")
    with pytest.raises(TelegramNotFound, match="method not found"):
        await bot(SendDice(chat_id=anna.user_id))
    await telegram.set_limits(FloodLimits(chat_per_second=1 / 3600, chat_burst=1))
    await bot.send_message(anna.user_id, "x")
    with pytest.raises(TelegramRetryAfter) as told_to_wait:
        await bot.send_message(anna.user_id, "x")
    assert 0 < told_to_wait.value.retry_after <= 3600
    await telegram.set_limits(NO_LIMITS)
    await telegram.fail_next("sendMessage", "http_500")
    with pytest.raises(TelegramServerError):
        await bot.send_message(anna.user_id, "x")
    await telegram.fail_next("sendMessage", "drop_after")
    with pytest.raises(TelegramNetworkError):
        await bot.send_message(anna.user_id, "arrived")
    assert (await anna.messages())[-1].text == "arrived"
    await anna.block()
    with pytest.raises(TelegramForbiddenError, match="bot was blocked by the user"):
        await bot.send_message(anna.user_id, "x")
    async with _bot(telegram, f"{bot.id}:wrong") as impostor:
        with pytest.raises(TelegramUnauthorizedError):
            await impostor.get_me()
