"""Kills: at random moments, of random parts, each of which is started again after a random while."""

from __future__ import annotations

import asyncio
import itertools
import random
import time
from collections import Counter
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Final, NamedTuple

from tests.support.fleet import OWNER, Fleet


class DiedAlone(Exception):
    """A process ended that nobody had killed."""


class Blow(NamedTuple):
    """A way to hit the fleet: how often, and what it is called in the count."""

    weight: int
    name: str


WORKER: Final = Blow(5, "a worker")
WORKERS: Final = Blow(2, "all workers")
API: Final = Blow(3, "an API")
PROJECTOR: Final = Blow(3, "a projector")
OWNER_OF_POSTGRES: Final = Blow(3, "the owner of PostgreSQL")
POSTGRES: Final = Blow(3, "PostgreSQL")
EVERYTHING: Final = Blow(1, "everything at once")
KURRENTDB: Final = Blow(3, "KurrentDB")
BLOWS: Final = (WORKER, WORKERS, API, PROJECTOR, OWNER_OF_POSTGRES, POSTGRES, EVERYTHING)
"""Those that any fleet can be hit with."""


class Chaos:
    def __init__(
        self,
        fleet: Fleet,
        source: random.Random,
        blows: Sequence[Blow] = BLOWS,
        on_blow: Callable[[str], None] = lambda name: None,
    ) -> None:
        self.blows: Counter[str] = Counter()
        self.kills = 0
        """Processes that were killed; a PostgreSQL, with all its processes, counts as one."""
        self._fleet = fleet
        self._random = source
        self._on_blow = on_blow
        # In turn, so that it is the active one that is hit: what it did, the other one does when its turn comes.
        self._apis = itertools.cycle(fleet.having("api"))
        self._projectors = itertools.cycle(fleet.having("projector"))
        self._strikes: dict[Blow, Callable[[], Coroutine[Any, Any, None]]] = {
            WORKER: lambda: self._restart([self._random.choice(fleet.workers)]),
            WORKERS: lambda: self._restart(fleet.workers),
            API: lambda: self._restart([next(self._apis)]),
            PROJECTOR: lambda: self._restart([next(self._projectors)]),
            OWNER_OF_POSTGRES: lambda: self._restart([OWNER]),
            POSTGRES: self._kill_postgres,
            EVERYTHING: self._kill_everything,
            KURRENTDB: self._kill_kurrentdb,
        }
        self._first = list(blows)
        self._possible = [blow for blow in self._strikes if blow in blows]

    async def run(self, *, seconds: float, least_blows: int, most_blows: int) -> None:
        """For a while; first come the given blows, mixed up, however slow the machine is. Raises DiedAlone."""
        ends_at = time.monotonic() + seconds
        first = list(self._first)
        self._random.shuffle(first)
        while (struck := self.blows.total()) < most_blows and (struck < least_blows or time.monotonic() < ends_at):
            await asyncio.sleep(self._random.uniform(0.3, 2.0))
            weights = [each.weight for each in self._possible]
            blow = first.pop() if first else self._random.choices(self._possible, weights)[0]
            self._on_blow(blow.name)
            await self._strikes[blow]()
            self.blows[blow.name] += 1
            if alone := self._fleet.ended_by_themselves():
                raise DiedAlone(f"ended by themselves, with these exit codes: {alone}\n{self._fleet.logs()}")

    async def _restart(self, names: Sequence[str]) -> None:
        await asyncio.gather(*(self._fleet.kill(name) for name in names))
        self.kills += len(names)
        await asyncio.sleep(self._random.uniform(0.0, 2.0))
        # Whoever owns PostgreSQL first: the others need it.
        if OWNER in names:
            await self._fleet.start(OWNER)
        await asyncio.gather(*(self._fleet.start(name) for name in names if name != OWNER))

    async def _kill_postgres(self) -> None:
        pid = await self._fleet.kill_postgres()
        self.kills += 1
        await self._fleet.postgres_ready(after_pid=pid)

    async def _kill_kurrentdb(self) -> None:
        await self._fleet.kill_kurrentdb()
        self.kills += 1
        await asyncio.sleep(self._random.uniform(0.0, 2.0))
        await self._fleet.start_kurrentdb()

    async def _kill_everything(self) -> None:
        await self._fleet.kill_postgres()
        await self._fleet.kill_kurrentdb()
        self.kills += 1
        await self._fleet.start_kurrentdb()
        # A projector may be left over, as if on another machine.
        spares = set(self._fleet.having("projector")) - {OWNER}
        await self._restart([name for name in self._fleet.roles if name not in spares or self._random.random() < 0.5])
