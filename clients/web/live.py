"""What is new, as server-sent events: one stream for each page that is open.

A page names in ``/live?...`` what it shows: the position its items are from (``after``) and the generations that it
follows. Events are ``swap`` (JSON: a part of the page with an id, as HTML), ``refresh`` (there are other items now)
and ``away`` / ``back`` when the service itself cannot be reached. Each ``refresh`` has the position as its id: a
browser which connects again goes on from there. A stream is bounded in what it follows and how long it lasts, and
a user in how many there are; browsers open the next one by themselves.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Coroutine
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import structlog
from sse_starlette import EventSourceResponse, ServerSentEvent
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response

from clients.sdk import AsyncTriptych, Generation, NotFound, RetryPolicy, TriptychError, Unavailable
from clients.web.web import Web, fragment, user_of, web_of

MAX_FOLLOWED = 5
MAX_STREAMS_A_USER = 20
MAX_STREAM_SECONDS = 3_600.0
PING_SECONDS = 15
AGAIN_SECONDS = 2.0
ONCE = RetryPolicy(max_attempts=1)

_log = structlog.get_logger("clients.web")


@dataclass
class Follower:
    """One page's stream: watches in tasks of their own put events into a queue of bounded length."""

    request: Request
    web: Web
    client: AsyncTriptych
    user_id: str
    whole: bool
    """Whether generations are shown as whole pages, or as cards."""
    events: asyncio.Queue[ServerSentEvent | None]

    async def items(self, after_position: int) -> None:
        """Says that there are other items than at ``after_position``."""
        position = after_position

        async def watch() -> None:
            nonlocal position
            async with aclosing(self.client.watch_items(self.user_id, after_position=position)) as changes:
                async for change in changes:
                    position = change.position
                    if change.items or change.removed_item_ids:
                        await self.events.put(ServerSentEvent("{}", event="refresh", id=str(position)))
                        await self._balance()

        while True:
            try:
                await watch()
            except Unavailable:
                await self._wait_until_back()

    async def generation(self, generation_id: str) -> None:
        """Shows a generation's states, to its end."""
        while True:
            try:
                states = self.client.watch_generation(generation_id, user_id=self.user_id)
                async with aclosing(states):
                    async for generation in states:
                        await self._show(generation)
                        if generation.ended:
                            return
            except NotFound:
                return
            except Unavailable:
                await self._wait_until_back()

    async def _show(self, generation: Generation) -> None:
        template = "_generation.html" if self.whole else "_making.html"
        prefix = "generation" if self.whole else "making"
        types = await self.web.types()
        html = fragment(self.request, template, generation=generation, types=types)
        await self._swap(f"{prefix}-{generation.generation_id}", html)
        if generation.ended:
            await self._balance()
            if not self.whole:
                await self.events.put(ServerSentEvent("{}", event="refresh"))

    async def _balance(self) -> None:
        account = await self.client.get_account(self.user_id)
        await self._swap("balance", fragment(self.request, "_balance.html", balance=account.balance))

    async def _swap(self, element_id: str, html: str) -> None:
        await self.events.put(ServerSentEvent(json.dumps({"id": element_id, "html": html}), event="swap"))

    async def _wait_until_back(self) -> None:
        await self.events.put(ServerSentEvent("{}", event="away"))
        while True:  # Ends with the stream, which is bounded.
            await asyncio.sleep(AGAIN_SECONDS)
            try:
                await self.client.get_account(self.user_id)
            except TriptychError:
                continue
            await self.events.put(ServerSentEvent("{}", event="back"))
            return


async def live(request: Request) -> Response:
    """``GET /live?after=POSITION&generation=ID...``"""
    web, user_id = web_of(request), user_of(request)
    if web.watchers.get(user_id, 0) >= MAX_STREAMS_A_USER:
        return PlainTextResponse("Too many pages are open.", 429)
    follower = Follower(
        request=request,
        web=web,
        client=web.client.with_options(resume=ONCE, retry=ONCE),
        user_id=user_id,
        whole="whole" in request.query_params,
        events=asyncio.Queue(maxsize=100),
    )
    return EventSourceResponse(_events(follower), ping=PING_SECONDS, headers={"cache-control": "no-store"})


async def _events(follower: Follower) -> AsyncIterator[ServerSentEvent]:
    asked = follower.request.query_params
    after = follower.request.headers.get("last-event-id") or asked.get("after", "")
    watches = [follower.generation(each) for each in asked.getlist("generation")[:MAX_FOLLOWED]]
    if after.isascii() and after.isdecimal() and len(after) < 19:
        watches.append(follower.items(int(after)))
    watchers, user_id = follower.web.watchers, follower.user_id
    watchers[user_id] = watchers.get(user_id, 0) + 1
    tasks = [asyncio.create_task(_to_its_end(each, follower.events)) for each in watches]
    ends = time.monotonic() + MAX_STREAM_SECONDS
    left = len(tasks)
    try:
        yield ServerSentEvent("{}", event="hello", retry=3_000)
        while left and (seconds := ends - time.monotonic()) > 0:
            event = await asyncio.wait_for(follower.events.get(), seconds)
            if event is None:
                left -= 1
                continue
            yield event
        yield ServerSentEvent("{}", event="bye")
    except TimeoutError:
        return
    finally:
        watchers[user_id] -= 1
        if not watchers[user_id]:
            del watchers[user_id]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _to_its_end(watch: Coroutine[Any, Any, None], events: asyncio.Queue[ServerSentEvent | None]) -> None:
    """Runs a watch, and says with None that it is over: the stream ends with its last one."""
    try:
        await watch
    except TriptychError as error:
        _log.warning("a watch failed", error=str(error))
    await events.put(None)
