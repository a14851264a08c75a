"""Those who ask at the same moment are answered together, each with their own answer."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest

from service.projections.gathered import MOST_AT_ONCE, Gathered


class Asked:
    """Answers with the double, and remembers what was asked for together."""

    def __init__(self) -> None:
        self.batches: list[list[int]] = []
        self.begun = asyncio.Event()
        self.go_on = asyncio.Event()
        self.error: Exception | None = None

    async def __call__(self, keys: Sequence[int]) -> list[int]:
        self.batches.append(list(keys))
        self.begun.set()
        await self.go_on.wait()
        if self.error is not None:
            raise self.error
        return [2 * key for key in keys]


async def test_those_who_come_while_one_is_asked_share_the_next() -> None:
    asked = Asked()
    gathered = Gathered(asked)
    first = asyncio.create_task(gathered.get(1))
    await asked.begun.wait()
    others = [asyncio.create_task(gathered.get(number)) for number in (2, 3)]
    await asyncio.sleep(0)
    asked.go_on.set()
    assert await asyncio.gather(first, *others) == [2, 4, 6]
    assert asked.batches == [[1], [2, 3]]


async def test_no_more_than_the_most_are_asked_for_at_once() -> None:
    asked = Asked()
    asked.go_on.set()
    gathered = Gathered(asked)
    count = MOST_AT_ONCE + 1
    assert await asyncio.gather(*(gathered.get(number) for number in range(count))) == [2 * n for n in range(count)]
    assert [len(batch) for batch in asked.batches] == [MOST_AT_ONCE, 1]


async def test_an_error_reaches_all_who_asked_and_the_next_are_answered() -> None:
    asked = Asked()
    asked.go_on.set()
    asked.error = ValueError("away")
    gathered = Gathered(asked)
    for result in await asyncio.gather(gathered.get(1), gathered.get(2), return_exceptions=True):
        assert isinstance(result, ValueError)
    asked.error = None
    assert await gathered.get(3) == 6


async def test_who_gives_up_leaves_the_others_their_answers() -> None:
    asked = Asked()
    gathered = Gathered(asked)
    impatient, patient = asyncio.create_task(gathered.get(1)), asyncio.create_task(gathered.get(2))
    await asked.begun.wait()
    impatient.cancel()
    asked.go_on.set()
    assert await patient == 4
    with pytest.raises(asyncio.CancelledError):
        await impatient
