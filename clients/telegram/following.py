"""Orders that are being made: one message each, edited as they go on, then the pictures themselves.

Each order is followed by a task of its own until its end was told. A state that comes while an earlier one is still
being shown takes the place of those between, so a slow chat shows fewer states and never old ones. What is followed
is on disk, with what has been sent of it; after a restart it goes on there. The end is told from the recorded end,
whose append holds the refund, and the balance that is shown with it includes that.
"""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import structlog
from aiogram.exceptions import AiogramError, TelegramForbiddenError
from msgspec.structs import replace

from clients.sdk import Generation, GenerationState, NotFound, TriptychError, Unavailable
from clients.telegram import keyboards, telling, texts
from clients.telegram.bot import WATCHED_ONCE, Shared
from clients.telegram.media import MediaSender
from clients.telegram.store.orders import Followed
from clients.telegram.words import WORDS

AGAIN_SECONDS = 2.0
MOST_AGAIN_SECONDS = 30.0
STOP_SECONDS = 10.0
MAX_FAILURES = 100
"""In a row, about 50 minutes; afterwards the order waits for the next start of the bot."""

_log = structlog.get_logger("clients.telegram")


class Newest:
    """A place for one piece of news: what is put takes the place of what was not fetched."""

    def __init__(self) -> None:
        self._queue: asyncio.Queue[Generation | TriptychError] = asyncio.Queue(maxsize=1)

    def put(self, news: Generation | TriptychError) -> None:
        if self._queue.full():
            self._queue.get_nowait()
        self._queue.put_nowait(news)

    async def get(self) -> Generation | TriptychError:
        return await self._queue.get()


class Following:
    """The tasks that follow orders."""

    def __init__(self, shared: Shared, media: MediaSender) -> None:
        self._shared = shared
        self._media = media
        self._client = shared.client.with_options(resume=WATCHED_ONCE, retry=WATCHED_ONCE)
        self._tasks: dict[str, asyncio.Task[None]] = {}
        self._telling: set[str] = set()
        """Orders whose end is being told just now."""

    async def follow(self, order: Followed) -> None:
        """Keeps the order and follows it; one that is followed already is left alone."""
        if order.generation_id in self._tasks:
            return
        await self._shared.orders.save(order)
        self._start(order)

    async def resume(self) -> None:
        """Takes up what was followed before the last stop."""
        for order in await self._shared.orders.all():
            self._start(order)

    async def close(self) -> None:
        """Stops; what is not told yet stays on disk. What is being told is told, so that it is not told again."""
        tasks = dict(self._tasks)
        telling = {task for name, task in tasks.items() if name in self._telling}
        for task in tasks.values():
            if task not in telling:
                task.cancel()
        if telling:
            _, late = await asyncio.wait(telling, timeout=STOP_SECONDS)
            for task in late:
                task.cancel()
        await asyncio.gather(*tasks.values(), return_exceptions=True)

    def _start(self, order: Followed) -> None:
        task = asyncio.create_task(self._to_its_end(order), name=f"follow-{order.generation_id}")
        self._tasks[order.generation_id] = task
        task.add_done_callback(lambda task: self._ended(order.generation_id, task))

    def _ended(self, generation_id: str, task: asyncio.Task[None]) -> None:
        del self._tasks[generation_id]
        if not task.cancelled() and (error := task.exception()):
            _log.error("an order waits for the next start", generation=generation_id, exc_info=error)

    async def _to_its_end(self, order: Followed) -> None:
        failures = 0
        while failures < MAX_FAILURES:
            try:
                order, ended = await self._watch(order)
                self._telling.add(order.generation_id)
                await self._tell(order, ended)
                await self._shared.orders.remove(order.generation_id)
                return
            except (TelegramForbiddenError, NotFound) as error:
                # Blocked, or an order of a service that was set up anew: nobody waits for it here.
                _log.info("an order is followed no more", generation=order.generation_id, error=str(error))
                await self._shared.orders.remove(order.generation_id)
                return
            except (AiogramError, TriptychError) as error:
                failures += 1
                _log.warning("an order could not be told", generation=order.generation_id, error=str(error))
            finally:
                self._telling.discard(order.generation_id)
            await asyncio.sleep(min(AGAIN_SECONDS * failures, MOST_AGAIN_SECONDS))
            order = await self._shared.orders.get(order.generation_id) or order
        _log.error("an order waits for the next start", generation=order.generation_id)

    async def _watch(self, order: Followed) -> tuple[Followed, Generation]:
        """Shows the order's states up to its end, and returns that. Raises TriptychError."""
        newest = Newest()
        watching = asyncio.create_task(self._states(order, newest))
        known: Generation | None = None
        failures, shown = 0, ""
        try:
            while True:
                news = await newest.get()
                if isinstance(news, TriptychError):
                    failures += 1
                    if not isinstance(news, Unavailable) or failures >= MAX_FAILURES:
                        raise news
                elif news.ended:
                    return order, news
                else:
                    failures, known = 0, news
                if known is not None:
                    order, shown = await self._show(order, known, connected=not failures, shown=shown)
        finally:
            watching.cancel()
            await asyncio.gather(watching, return_exceptions=True)

    async def _states(self, order: Followed, newest: Newest) -> None:
        """Puts the order's states, and the errors of a service that is away, until it is cancelled."""
        failures = 0
        while True:
            try:
                states = self._client.watch_generation(order.generation_id, user_id=order.user_id)
                async with aclosing(states):
                    async for generation in states:
                        failures = 0
                        newest.put(generation)
            except TriptychError as error:
                failures += 1
                newest.put(error)
            await asyncio.sleep(min(AGAIN_SECONDS * max(failures, 1), MOST_AGAIN_SECONDS))

    async def _show(
        self, order: Followed, generation: Generation, *, connected: bool, shown: str
    ) -> tuple[Followed, str]:
        """Makes the message say how it stands, if it says something else (``shown``)."""
        words = WORDS[order.language]
        text = texts.progress(generation, await self._shared.types(), words, connected=connected)
        if text != shown:
            order = await self._say(order, text, keyboards.making(generation, words))
        return order, text

    async def _say(self, order: Followed, text: str, keyboard: keyboards.Markup | None) -> Followed:
        """Edits the order's message; in place of one that was deleted a new one is kept."""
        message_id = await telling.show(self._shared.bot, order.chat_id, order.message_id, text, keyboard)
        if message_id != order.message_id:
            order = replace(order, message_id=message_id)
            await self._shared.orders.save(order)
        return order

    async def _say_anew(self, order: Followed, text: str, keyboard: keyboards.Markup) -> Followed:
        """A new message in place of the order's: phones announce those, and no edits."""
        bot, old_id = self._shared.bot, order.message_id
        order = replace(order, message_id=await telling.send(bot, order.chat_id, text, keyboard))
        await self._shared.orders.save(order)
        await telling.delete(bot, order.chat_id, old_id)
        return order

    async def _tell(self, order: Followed, generation: Generation) -> None:
        """The end: what became of it, then what was made, each as a message of its own."""
        words, types = WORDS[order.language], await self._shared.types()
        credits = await self._shared.balance(order.user_id)
        text = texts.ending(generation, types, credits, words)
        keyboard = keyboards.ended(generation, types, words)
        if generation.state is GenerationState.FAILED:
            order = await self._say_anew(order, text, keyboard)
        else:
            order = await self._say(order, text, keyboard)
        for item in generation.items:
            if item.item_id in order.sent_item_ids:
                continue
            caption = texts.caption(item, types, words)
            await self._media.send(order.chat_id, item, caption, keyboards.delivered(item, words))
            order = replace(order, sent_item_ids=(*order.sent_item_ids, item.item_id))
            await self._shared.orders.save(order)
