"""How a bot hears of what happened: long polling, offsets, two programs with one token, and webhooks."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from sandbox.listener import Listener
from sandbox.telegram.updates import UpdateQueue
from tests.support.bot_api import Calls, Refusal
from tests.support.fal_queue import until
from tests.support.telegram import BOUND_SECONDS

SECRET = "a-secret_Token1"


def texts(updates: list[dict[str, Any]]) -> list[str]:
    return [update["message"]["text"] for update in updates]


async def test_updates_come_until_they_are_confirmed(api: Calls) -> None:
    person = await api.people.user()
    for text in ("one", "two", "three"):
        await person.send(text)
    first = await api.ok("getUpdates", limit=2)
    assert texts(first) == ["one", "two"]
    assert texts(await api.ok("getUpdates")) == ["one", "two", "three"]
    ids = [update["update_id"] for update in first]
    assert ids == [ids[0], ids[0] + 1]
    assert texts(await api.ok("getUpdates", offset=ids[1])) == ["two", "three"]
    assert texts(await api.ok("getUpdates", offset=ids[1] + 1)) == ["three"]
    assert texts(await api.ok("getUpdates")) == ["three"]


async def test_a_negative_offset_forgets_all_but_the_last(api: Calls) -> None:
    person = await api.people.user()
    for text in ("one", "two", "three"):
        await person.send(text)
    assert texts(await api.ok("getUpdates", offset=-1)) == ["three"]
    assert texts(await api.ok("getUpdates")) == ["three"]


async def test_a_message_says_who_wrote_it(api: Calls) -> None:
    person = await api.people.user(first_name="Анна", last_name="К", username="anna_k", language_code="ru")
    await person.start("item_42")
    message = (await api.ok("getUpdates"))[0]["message"]
    names = {"first_name": "Анна", "last_name": "К", "username": "anna_k"}
    assert message["from"] == {"id": person.user_id, "is_bot": False, **names, "language_code": "ru"}
    assert message["chat"] == {"id": person.user_id, "type": "private", **names}
    assert message["text"] == "/start item_42"
    assert message["entities"] == [{"type": "bot_command", "offset": 0, "length": 6}]
    chat = await api.ok("getChat", chat_id=person.user_id)
    assert chat["username"] == "anna_k"


async def test_a_poll_waits_for_the_first_update(api: Calls) -> None:
    person = await api.people.user()
    poll = asyncio.create_task(api.ok("getUpdates", timeout=50))
    await until(lambda: api.people.calls("getUpdates"), bool)
    await person.send("at last")
    assert texts(await asyncio.wait_for(poll, BOUND_SECONDS)) == ["at last"]


async def test_a_poll_ends_with_nothing_after_its_time(api: Calls) -> None:
    assert await api.ok("getUpdates", timeout=1) == []


async def test_a_queue_that_closes_lets_a_poll_go() -> None:
    queue = UpdateQueue()
    poll = asyncio.create_task(queue.poll(0, 100, 50))
    await asyncio.sleep(0)
    queue.close()
    for _ in range(10):
        await asyncio.sleep(0)
    assert poll.done()
    assert poll.result() == []


async def test_a_second_poll_ends_the_first_one() -> None:
    queue = UpdateQueue()
    first = asyncio.create_task(queue.poll(0, 100, 50))
    await asyncio.sleep(0)
    second = asyncio.create_task(queue.poll(0, 100, 50))
    with pytest.raises(Exception, match="Conflict: terminated by other getUpdates request"):
        await asyncio.wait_for(first, BOUND_SECONDS)
    queue.add("message", {"text": "x"})
    assert texts(await asyncio.wait_for(second, BOUND_SECONDS)) == ["x"]


async def test_only_what_the_bot_asked_for_is_told(api: Calls) -> None:
    person = await api.person()
    await api.ok("getUpdates", allowed_updates=["my_chat_member"])
    await person.send("not heard")
    await person.block()
    update = (await api.ok("getUpdates", offset=-1))[0]
    assert set(update) == {"update_id", "my_chat_member"}
    assert update["my_chat_member"]["new_chat_member"]["status"] == "kicked"
    await api.ok("getUpdates", offset=update["update_id"] + 1, allowed_updates=[])
    await person.send("heard")
    told = await api.ok("getUpdates")
    assert [set(update) - {"update_id"} for update in told] == [{"my_chat_member"}, {"message"}]


@dataclass
class Receiver:
    """A bot's web server: what it was told, and how it answers next."""

    url: str = ""
    told: list[tuple[str, str]] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    async def receive(self, request: Request) -> Response:
        update = json.loads(await request.body())
        secret = request.headers.get("x-telegram-bot-api-secret-token", "")
        self.told.append((secret, update["message"]["text"]))
        self.changed.set()
        return Response(status_code=self.answers.pop(0) if self.answers else 200)

    async def until(self, count: int) -> list[tuple[str, str]]:
        while len(self.told) < count:
            self.changed.clear()
            await asyncio.wait_for(self.changed.wait(), BOUND_SECONDS)
        return self.told


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    listener = Listener("127.0.0.1", 0)
    receiver = Receiver(f"{listener.base_url}/hook")
    await listener.start(Starlette(routes=[Route("/hook", receiver.receive, methods=["POST"])]))
    try:
        yield receiver
    finally:
        await listener.stop()


async def test_a_webhook_is_told_in_order_until_it_takes_each_update(api: Calls) -> None:
    person = await api.people.user()
    await person.send("one")
    async with receiving() as receiver:
        receiver.answers = [500]
        assert await api.ok("setWebhook", url=receiver.url, secret_token=SECRET, max_connections=1) is True
        await person.send("two")
        assert await receiver.until(3) == [(SECRET, "one"), (SECRET, "one"), (SECRET, "two")]
        info = await api.ok("getWebhookInfo")
        assert (info["url"], info["max_connections"]) == (receiver.url, 1)
        assert info["last_error_message"] == "Wrong response from the webhook: 500 Internal Server Error"
        refused = await api.refused("getUpdates")
        assert refused == Refusal(
            409,
            "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook to delete the webhook "
            "first",
        )
        assert await api.ok("deleteWebhook") is True
        await person.send("three")
        assert texts(await api.ok("getUpdates", offset=-1)) == ["three"]
        assert (await api.ok("getWebhookInfo"))["url"] == ""


async def test_setting_a_webhook_ends_a_poll(api: Calls) -> None:
    poll = asyncio.create_task(api.refused("getUpdates", timeout=50))
    await until(lambda: api.people.calls("getUpdates"), bool)
    async with receiving() as receiver:
        await api.ok("setWebhook", url=receiver.url)
        refusal = await asyncio.wait_for(poll, BOUND_SECONDS)
        assert refusal == Refusal(409, "Conflict: terminated by setWebhook request")
        await api.ok("deleteWebhook", drop_pending_updates=True)


@pytest.mark.parametrize(
    ("arguments", "description"),
    [
        ({"url": "ftp://e.org"}, "invalid webhook URL specified"),
        ({"url": "https://e.org", "secret_token": "a b"}, "secret token contains unallowed characters"),
        ({"url": "https://e.org", "secret_token": "a" * 257}, "secret token is too long"),
        ({"url": "https://e.org", "max_connections": 101}, "max_connections must be from 1 to 100"),
    ],
)
async def test_webhooks_that_are_refused(api: Calls, arguments: dict[str, Any], description: str) -> None:
    assert (await api.refused("setWebhook", **arguments)).description == f"Bad Request: {description}"


async def test_pending_updates_can_be_dropped(api: Calls) -> None:
    person = await api.people.user()
    await person.send("old")
    assert (await api.ok("getWebhookInfo"))["pending_update_count"] == 1
    await api.ok("deleteWebhook", drop_pending_updates=True)
    assert await api.ok("getUpdates") == []
