"""A bot that stops in the middle goes on where it was: dialogues, running orders, taps that were not handled."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from clients.sdk import AsyncTriptych
from clients.telegram.words import WORDS
from sandbox.telegram import TelegramOptions
from tests.e2e.telegram.stage import Stage, Visitor, bot_at
from tests.support.system import RunningSystem
from tests.support.telegram import NO_LIMITS, BotApi, ChatView, running_bot_api

RU = WORDS["ru"]


@pytest.fixture
async def telegram() -> AsyncIterator[BotApi]:
    """A Bot API server for bots that come and go."""
    async with running_bot_api(TelegramOptions(flood=NO_LIMITS)) as server:
        yield server


@pytest.fixture
async def client(system: RunningSystem) -> AsyncIterator[AsyncTriptych]:
    async with AsyncTriptych(system.address) as client:
        yield client


async def visitor_of(telegram: BotApi, client: AsyncTriptych) -> Visitor:
    return await Stage(telegram, client).visitor()


def pictures(chat: ChatView) -> list[int]:
    return [each.message_id for each in chat.messages if each.media is not None]


async def test_in_the_middle_of_a_dialogue(
    telegram: BotApi, client: AsyncTriptych, system: RunningSystem, tmp_path: Path
) -> None:
    visitor = await visitor_of(telegram, client)
    async with bot_at(telegram, system.address, tmp_path):
        await visitor.user.start("new_video")
        await visitor.sees(RU("prompt_help_video"))
    await visitor.user.send("волны ночью")
    async with bot_at(telegram, system.address, tmp_path):
        summary = await visitor.sees("волны ночью", RU("form_video"), RU("price_label"))
        await visitor.press(summary, RU("own_words"))
        summary = await visitor.shows(summary, f"✅ {RU('own_words')}")
    async with bot_at(telegram, system.address, tmp_path):
        await visitor.confirms(summary)
        await visitor.shows(summary, RU("state_succeeded"), RU("own_words_used"))
        await visitor.sees(RU("one_video"), RU("open_in_gallery"))
    assert await telegram.refusals() == []


async def test_in_the_middle_of_an_order(
    telegram: BotApi, client: AsyncTriptych, system: RunningSystem, tmp_path: Path
) -> None:
    visitor = await visitor_of(telegram, client)
    async with bot_at(telegram, system.address, tmp_path):
        summary = await visitor.describes("дом [sandbox:submit-slow]")
        await visitor.confirms(summary)
        await visitor.shows(summary, RU("comes_here"))
    made = (await client.list_generations(visitor.user_id)).items[0]
    await client.wait_for_generation(made.generation_id)
    async with bot_at(telegram, system.address, tmp_path):
        await visitor.shows(summary, RU("state_succeeded"))
        await visitor.user.wait_for(pictures)
    async with bot_at(telegram, system.address, tmp_path):
        # What was told is not told again: a bot that starts has nothing to follow.
        await visitor.user.send("/balance")
        await visitor.sees(RU("balance_title"), visitor.credits(195))
    assert len(pictures(await visitor.user.chat())) == 1
    assert await telegram.refusals() == []


async def test_taps_that_were_waiting_are_one_order(
    telegram: BotApi, client: AsyncTriptych, system: RunningSystem, tmp_path: Path
) -> None:
    visitor = await visitor_of(telegram, client)
    async with bot_at(telegram, system.address, tmp_path):
        summary = await visitor.describes("дом")
    confirm = next(button.data for row in summary.buttons for button in row if "✨" in button.text)
    for _ in range(3):
        await visitor.user.press(summary, confirm, wait_seconds=0)
    async with bot_at(telegram, system.address, tmp_path):
        await visitor.shows(summary, RU("state_succeeded"), visitor.credits(195))
        await visitor.user.send("/balance")
        await visitor.sees(RU("balance_title"), visitor.credits(195))
    assert len((await client.list_generations(visitor.user_id)).items) == 1


async def test_a_tap_that_was_half_handled_is_the_same_order(
    telegram: BotApi, client: AsyncTriptych, system: RunningSystem, tmp_path: Path
) -> None:
    """The order was sent; before that was noted the bot was killed, so the tap is handled again."""
    visitor = await visitor_of(telegram, client)
    async with bot_at(telegram, system.address, tmp_path) as bot:
        summary = await visitor.describes("дом")
        bot_id = bot.me.id
    request_id = f"telegram-{bot_id}-{visitor.user.user_id}-{summary.message_id}"
    made = await client.generate(visitor.user_id, "imagen4", "дом", request_id=request_id, aspect_ratio="1:1")
    async with bot_at(telegram, system.address, tmp_path):
        await visitor.confirms(summary)
        await visitor.shows(summary, RU("state_succeeded"), visitor.credits(195))
    assert [each.generation_id for each in await client.list_generations(visitor.user_id)] == [made.generation_id]


async def test_an_order_that_was_changed_after_a_lost_answer(
    telegram: BotApi, client: AsyncTriptych, system: RunningSystem, tmp_path: Path
) -> None:
    visitor = await visitor_of(telegram, client)
    async with bot_at(telegram, system.address, tmp_path) as bot:
        summary = await visitor.describes("дом")
        request_id = f"telegram-{bot.me.id}-{visitor.user.user_id}-{summary.message_id}"
        await client.generate(visitor.user_id, "imagen4", "дом", request_id=request_id, aspect_ratio="1:1")
        await visitor.press(summary, RU("own_words"))
        summary = await visitor.shows(summary, f"✅ {RU('own_words')}")
        pressed = await visitor.confirms(summary)
        assert pressed.text == RU("sent_already")
        await visitor.shows(summary, RU("state_succeeded"))
        again = await visitor.sees(RU("price_label"), f"✅ {RU('own_words')}", after=summary.message_id)
        assert await visitor.balance() == 195
        await visitor.confirms(again)
        await visitor.shows(again, RU("state_succeeded"), visitor.credits(190))
