"""Callers who watch while processes are killed, as bots and web galleries do: each stream is opened once.

The library takes a stream up again where it broke; what they have seen in the end is to be what there is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing, asynccontextmanager
from typing import Final

from clients.sdk import AsyncTriptych

SEEN_WITHIN_SECONDS: Final = 60.0


class Watchers:
    """One follower of the whole log, and one watcher of each user's gallery."""

    def __init__(self, triptych: AsyncTriptych, users: list[str]) -> None:
        self._triptych = triptych
        self._users = users
        self._moved = asyncio.Event()
        self.positions: list[int] = []
        """Of the events, in the order in which they came."""
        self.items: dict[str, set[str]] = {user_id: set() for user_id in users}
        self.reached: dict[str, int] = dict.fromkeys(users, 0)
        self.contradictions: list[str] = []

    @asynccontextmanager
    async def watching(self) -> AsyncIterator[None]:
        """They watch while the block runs. What ends one of them is raised."""
        async with asyncio.TaskGroup() as group:
            tasks = [group.create_task(self._follow())]
            tasks += [group.create_task(self._watch(user_id)) for user_id in self._users]
            yield
            for task in tasks:
                task.cancel()

    async def _follow(self) -> None:
        async with aclosing(self._triptych.replay_events(follow=True)) as events:
            async for event in events:
                self.positions.append(event.position)
                self._moved.set()

    async def _watch(self, user_id: str) -> None:
        async with aclosing(self._triptych.watch_items(user_id)) as changes:
            async for change in changes:
                if change.position < self.reached[user_id]:
                    self.contradictions.append(
                        f"the watcher of {user_id} was at {self.reached[user_id]} and then at {change.position}"
                    )
                self.reached[user_id] = change.position
                self.items[user_id].update(item.item_id for item in change.items)
                self.items[user_id].difference_update(change.removed_item_ids)
                self._moved.set()

    async def have_seen(self, head: int, shown: Mapping[str, set[str]]) -> None:
        """Until they have seen the log up to ``head`` and the items ``shown`` to each user; waits no longer than that
        may take."""
        try:
            async with asyncio.timeout(SEEN_WITHIN_SECONDS):
                while self.positions[-1:] != [head] or self.items != shown:
                    self._moved.clear()
                    await self._moved.wait()
        except TimeoutError:
            return  # What is missing, ``findings`` says.

    def findings(self, positions: list[int], shown: Mapping[str, set[str]]) -> Iterator[str]:
        """What they did not see as it is: the log has ``positions``, the galleries ``shown``."""
        yield from self.contradictions
        if self.positions != positions:
            missed = sorted(set(positions) - set(self.positions))
            yield (
                f"the follower saw {len(self.positions)} events of {len(positions)}, {len(set(self.positions))} of "
                f"them different; it missed {missed[:10]}"
            )
        for user_id, items in shown.items():
            if self.items[user_id] != items:
                missed_items, gone = items - self.items[user_id], self.items[user_id] - items
                yield f"the watcher of {user_id} missed {sorted(missed_items)} and has {sorted(gone)}, which are gone"
