"""A Telegram that says "too fast" or breaks off, a service that is away, people who block the bot, the program."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
import typer

from clients.sdk import AsyncTriptych
from clients.telegram.__main__ import run
from clients.telegram.words import WORDS
from demo.processes import running
from sandbox.telegram import FloodLimits, TelegramOptions
from tests.e2e.telegram.stage import Stage, bot_at, settings_for
from tests.support.relay import Relay
from tests.support.system import RunningSystem
from tests.support.telegram import NO_LIMITS, bot_api_process, running_bot_api

RU = WORDS["ru"]
BOUND_SECONDS = 60


async def test_it_keeps_telegrams_pace(stage: Stage, system: RunningSystem, tmp_path: Path) -> None:
    """Telegram's own limits, ten times as fast; the bot's own pace is as much faster."""
    limits = FloodLimits(chat_per_second=10, chat_burst=4, per_second=100)
    pace = {"chat_rate": 9, "chat_burst": 2, "total_rate": 60}
    async with (
        running_bot_api(TelegramOptions(flood=limits)) as telegram,
        bot_at(telegram, system.address, tmp_path, **pace),
    ):
        visitors = [await Stage(telegram, stage.client).visitor() for _ in range(3)]
        for visitor in visitors:
            for _ in range(8):
                await visitor.user.send("/balance")
        for visitor in visitors:
            await visitor.user.wait_for(lambda chat: sum(each.from_bot for each in chat.messages) == 8)
        assert await telegram.refusals() == []


async def test_a_bot_that_is_told_to_wait_waits(stage: Stage, system: RunningSystem, tmp_path: Path) -> None:
    async with (
        running_bot_api(TelegramOptions(flood=NO_LIMITS)) as telegram,
        bot_at(telegram, system.address, tmp_path),
    ):
        visitor = await Stage(telegram, stage.client).visitor()
        await telegram.fail_next("sendMessage", "http_429", seconds=1)
        await telegram.fail_next("sendMessage", "http_502")
        summary = await visitor.describes("дом")
        await telegram.fail_next("editMessageText", "http_429", seconds=1)
        await telegram.fail_next("editMessageText", "drop")
        await telegram.fail_next("sendPhoto", "http_500")
        await telegram.fail_next("getUpdates", "http_502")
        await visitor.confirms(summary)
        await visitor.shows(summary, RU("state_succeeded"))
        await visitor.sees(RU("open_in_gallery"))
        await until(telegram.faults_left, 0)


async def test_a_service_that_is_away_is_said_and_the_same_tap_orders_once(
    stage: Stage, system: RunningSystem, tmp_path: Path
) -> None:
    async with Relay() as relay, running_bot_api(TelegramOptions(flood=NO_LIMITS)) as telegram:
        relay.target = system.address
        async with bot_at(telegram, relay.address, tmp_path):
            visitor = await Stage(telegram, stage.client).visitor()
            summary = await visitor.describes("дом [sandbox:stuck-in-queue]")
            relay.target = ""
            await relay.cut()
            await visitor.confirms(summary)
            await visitor.sees(RU("away_title"), RU("away_text"))
            relay.target = system.address
            async with asyncio.timeout(BOUND_SECONDS):  # It may take another moment until it is back.
                while (await visitor.confirms(summary)).text != RU("order_taken"):
                    await visitor.sees(RU("away_title"))
            making = await visitor.shows(summary, RU("comes_here"))
            relay.target = ""
            await relay.cut()
            await visitor.shows(making, RU("offline"))
            relay.target = system.address
            making = await visitor.shows(making, RU("comes_here"), RU("cancel"))
            await visitor.press(making, RU("cancel"))
            await visitor.shows(making, RU("state_cancelled"), visitor.credits(200))
            assert len((await stage.client.list_generations(visitor.user_id)).items) == 1


async def until(look: Callable[[], Awaitable[object]], seen: object) -> None:
    """Waits until ``look`` answers ``seen``."""
    async with asyncio.timeout(BOUND_SECONDS):
        while await look() != seen:  # noqa: ASYNC110 - a file has no event
            await asyncio.sleep(0.05)


async def test_somebody_who_blocks_the_bot_is_left_alone(stage: Stage, system: RunningSystem, tmp_path: Path) -> None:
    async with running_bot_api(TelegramOptions(flood=NO_LIMITS)) as telegram:
        here = Stage(telegram, stage.client)
        async with bot_at(telegram, system.address, tmp_path) as bot:
            visitor, other = await here.visitor(), await here.visitor()
            summary = await visitor.describes("дом [sandbox:submit-slow]")
            await visitor.confirms(summary)
            await visitor.user.block()
            await until(bot.shared.orders.all, [])
            calls = len(await telegram.calls())
            await other.user.send("/balance")
            await other.sees(RU("balance_title"))
            told = [call.method for call in (await telegram.calls())[calls:] if call.method != "getUpdates"]
            assert told == ["sendMessage"]


async def test_the_program(stage: Stage, system: RunningSystem, tmp_path: Path) -> None:
    async with bot_api_process(tmp_path) as telegram:
        settings = {
            **telegram.environment(),
            "TRIPTYCH_SERVER": system.address,
            "TRIPTYCH_TELEGRAM_DATA_DIR": str(tmp_path / "data"),
        }
        visitor = await Stage(telegram, stage.client).visitor("en")
        await visitor.user.start()
        log = tmp_path / "log"
        with running("clients.telegram", ["--json"], environment=settings, log_file=log) as part:
            assert part.ready["bot"] == "triptych_sandbox_bot"
            await visitor.sees(visitor.words("welcome"))
            commands = await visitor.user.commands()
            assert "What credits were taken and returned for" in str(commands)
            part.process.send_signal(signal.SIGTERM)
            assert await asyncio.to_thread(part.process.wait, BOUND_SECONDS) == 0
        assert log.read_text() == ""


@pytest.mark.parametrize(
    ("changes", "code", "said"),
    [
        ({"token": "1:wrong"}, 2, "TRIPTYCH_TELEGRAM_TOKEN: Telegram does not know this token"),
        ({"token": "none"}, 2, "TRIPTYCH_TELEGRAM_TOKEN: Telegram does not know this token"),
        ({"api_url": "http://127.0.0.1:1"}, 1, "Telegram cannot be reached"),
        ({"data_dir": Path("/proc/nothing")}, 1, "TRIPTYCH_TELEGRAM_DATA_DIR: cannot keep data in /proc/nothing"),
    ],
)
async def test_why_it_does_not_start(
    stage: Stage,
    system: RunningSystem,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    changes: dict[str, object],
    code: int,
    said: str,
) -> None:
    settings = settings_for(stage.telegram, tmp_path, **changes)
    with pytest.raises(typer.Exit) as ended:
        await run(settings, AsyncTriptych(system.address), as_json=True)
    assert ended.value.exit_code == code
    told = capsys.readouterr().err
    assert said in told
    assert "1:wrong" not in told
