"""Whether an append that comes alone should wait a moment for company, and how many are written together.

A transaction costs the writer and the server about the same for one append as for ten. Callers over a network come
one shortly after the other; were each written at once, each would get a transaction of its own, and the machine would
be busy with transactions instead of callers. So the writer waits ``GATHERING_SECONDS`` before it takes what waits,
but only where that pays: a wait that brought nobody is not repeated for the next 1, 2, 4 and at most ``MOST_SKIPPED``
batches, and one that did starts anew. A caller who is alone is thus held up once in many calls, and callers who all
come back at the same moment are not held up either.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sized

GATHERING_SECONDS = 0.002
ENOUGH = 32
"""So many appends are worth a transaction without waiting for more."""
MOST_SKIPPED = 64
FEW = 64


def most_together(waiting_count: int) -> int:
    """How many of the appends that wait are to be written together: all of a few, but only half of many.

    Callers who are answered together come back together. With all of them in one transaction they and the server
    would take turns at being idle; with half of them in each, one half prepares what it appends next while the other
    half's is written.
    """
    return max(FEW, (waiting_count + 1) // 2)


class Gathering:
    """Asked once before each batch."""

    def __init__(self) -> None:
        self._to_skip = 0
        self._skipped_last = 0

    async def wait(self, waiting: Sized) -> bool:
        """Returns at once or after a moment, in which ``waiting`` may grow; whether it waited."""
        before = len(waiting)
        if before >= ENOUGH:
            return False
        if self._to_skip:
            self._to_skip -= 1
            return False
        await asyncio.sleep(GATHERING_SECONDS)
        self._skipped_last = 0 if len(waiting) > before else min(max(1, 2 * self._skipped_last), MOST_SKIPPED)
        self._to_skip = self._skipped_last
        return True
