"""Flood control and faults: a bot that writes too much is told to wait, and what can go wrong goes wrong on order."""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx
import pytest

from sandbox.options import InvalidOption
from sandbox.telegram import FloodLimits, TelegramOptions
from sandbox.telegram.errors import BotApiError
from sandbox.telegram.faults import KINDS, FaultBoard, Kind
from sandbox.telegram.flood import FloodControl
from tests.support.bot_api import Calls, buttons, calling, picture
from tests.support.telegram import NO_LIMITS, Refused

HOURLY = FloodLimits(chat_per_second=1 / 3600, chat_burst=2, per_second=0)
"""So slow that no machine is slow enough to earn a message while a test runs."""


class Clock:
    """A clock that stands still until it is moved. Seconds."""

    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture(scope="module")
async def bot_api() -> AsyncIterator[Calls]:
    """In place of the one with Telegram's limits."""
    async with calling(TelegramOptions(flood=NO_LIMITS)) as calls:
        yield calls


def wait_told(flood: FloodControl, chat_id: int, count: int = 1) -> int:
    """How long the bot is told to wait; 0 if the messages pass."""
    try:
        flood.pass_or_refuse(chat_id, count)
    except BotApiError as refused:
        return refused.retry_after_seconds
    return 0


def test_one_message_a_second_with_a_burst() -> None:
    clock = Clock()
    flood = FloodControl(FloodLimits(), clock)
    assert [wait_told(flood, 1) for _ in range(7)] == [0, 0, 0, 0, 0, 1, 1]
    assert wait_told(flood, 2) == 0
    clock.now += 0.5
    assert wait_told(flood, 1) == 1
    clock.now += 0.5
    assert [wait_told(flood, 1) for _ in range(2)] == [0, 1]
    clock.now += 3600
    assert [wait_told(flood, 1) for _ in range(6)] == [0, 0, 0, 0, 0, 1]


def test_thirty_messages_a_second_over_all_chats() -> None:
    clock = Clock()
    flood = FloodControl(FloodLimits(), clock)
    assert [wait_told(flood, chat) for chat in range(31)] == [0] * 30 + [1]
    clock.now += 1
    assert [wait_told(flood, chat) for chat in range(31, 61)] == [0] * 30


def test_an_album_counts_every_picture() -> None:
    clock = Clock()
    flood = FloodControl(FloodLimits(), clock)
    assert wait_told(flood, 1, count=10) == 0
    assert wait_told(flood, 1) == 6
    clock.now += 6
    assert wait_told(flood, 1) == 0


def test_a_rate_of_nothing_is_no_limit() -> None:
    flood = FloodControl(NO_LIMITS, Clock())
    assert [wait_told(flood, 1) for _ in range(1000)] == [0] * 1000
    with pytest.raises(InvalidOption, match="chat_burst"):
        FloodLimits(chat_burst=0)


async def test_messages_and_edits_count_and_the_rest_does_not(api: Calls) -> None:
    person = await api.person()
    chat_id = person.user_id
    await api.people.set_limits(HOURLY)
    sent = await api.ok("sendMessage", chat_id=chat_id, text="one")
    place = {"chat_id": chat_id, "message_id": sent["message_id"]}
    await api.ok("editMessageText", **place, text="two")
    answers = [
        await api.send("editMessageReplyMarkup", None, **place, reply_markup=buttons("x")),
        await api.send("sendMessage", None, chat_id=chat_id, text="three"),
        await api.send("sendPhoto", {"photo": picture()}, chat_id=chat_id),
    ]
    for answer in answers:
        body = answer.json()
        seconds = body["parameters"]["retry_after"]
        assert 0 < seconds <= 3600
        assert (answer.status_code, body["description"]) == (429, f"Too Many Requests: retry after {seconds}")
        assert answer.headers["retry-after"] == str(seconds)
    await api.ok("sendChatAction", chat_id=chat_id, action="typing")
    await api.ok("deleteMessage", **place)
    other = await api.person()
    await api.ok("sendMessage", chat_id=other.user_id, text="one")
    assert [message.text for message in await person.messages()] == ["/start"]


async def test_limits_are_checked(api: Calls) -> None:
    with pytest.raises(Refused, match="chat_burst"):
        await api.people.order("PUT", "/telegram/limits", {"chat_burst": 0})
    with pytest.raises(Refused, match="Expected `float`"):
        await api.people.order("PUT", "/telegram/limits", {"per_second": "many"})


async def test_the_next_calls_fail_as_ordered_and_then_all_is_well(api: Calls) -> None:
    person = await api.person()
    message = {"chat_id": person.user_id, "text": "x"}
    await api.people.fail_next("sendMessage", "http_429", seconds=7)
    await api.people.fail_next("sendMessage", "http_500", count=2)
    await api.people.fail_next("sendMessage", "http_502")
    assert await api.people.faults_left("sendMessage") == 4
    answers = [await api.send("sendMessage", None, **message) for _ in range(5)]
    assert [answer.status_code for answer in answers] == [429, 500, 500, 502, 200]
    assert answers[0].json()["parameters"] == {"retry_after": 7}
    assert answers[1].json() == {"ok": False, "error_code": 500, "description": "Internal Server Error"}
    assert answers[3].headers["content-type"].startswith("text/html")
    assert await api.people.faults_left() == 0
    assert len(await person.messages()) == 2
    assert (await api.people.refusals())[-1] == "sendMessage: fault http_502"


@pytest.mark.parametrize(("kind", "messages"), [("drop", 1), ("drop_after", 2)])
async def test_an_answer_can_be_lost(api: Calls, kind: Kind, messages: int) -> None:
    person = await api.person()
    await api.people.fail_next("*", kind)
    with pytest.raises(httpx.RemoteProtocolError):
        await api.send("sendMessage", None, chat_id=person.user_id, text="x")
    assert len(await person.messages()) == messages
    await api.ok("sendMessage", chat_id=person.user_id, text="y")


async def test_telegram_can_be_away(api: Calls) -> None:
    person = await api.person()
    async with api.people.refusing_connections():
        with pytest.raises(httpx.ConnectError):
            await api.send("sendMessage", None, chat_id=person.user_id, text="x")
        await person.send("heard later")
    assert (await api.ok("getUpdates"))[-1]["message"]["text"] == "heard later"


async def test_an_answer_can_be_slow(api: Calls) -> None:
    person = await api.person()
    await api.people.fail_next("sendMessage", "slow", seconds=0.05)
    await api.ok("sendMessage", chat_id=person.user_id, text="x")
    assert await api.people.faults_left() == 0


async def test_faults_that_do_not_exist_are_refused(api: Calls) -> None:
    with pytest.raises(Refused, match=r"fault's method is 'sendSticker'; it must be \* or one of"):
        await api.people.fail_next("sendSticker", "drop")
    with pytest.raises(Refused, match="fault's kind is 'http_418'"):
        await api.people.order("POST", "/telegram/faults", {"method": "getMe", "kind": "http_418"})
    with pytest.raises(Refused, match="fault's count is 0"):
        await api.people.fail_next("getMe", "drop", count=0)
    with pytest.raises(Refused, match="fault's seconds is -1"):
        await api.people.fail_next("getMe", "slow", seconds=-1)


def test_every_kind_of_fault_can_be_ordered() -> None:
    board = FaultBoard(frozenset({"getMe"}))
    for kind in KINDS:
        board.order("getMe", kind)
    taken = [board.take("getMe") for _ in KINDS]
    assert [fault.kind for fault in taken if fault] == list(KINDS)
    assert board.take("getMe") is None
