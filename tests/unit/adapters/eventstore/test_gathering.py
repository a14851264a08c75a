"""Waiting for company before a batch: where it pays it goes on, where it does not it becomes rare."""

from __future__ import annotations

import asyncio

import pytest

from service.adapters.eventstore.gathering import ENOUGH, MOST_SKIPPED, Gathering, most_together


async def test_goes_on_while_others_come() -> None:
    gathering = Gathering()
    for _ in range(5):
        waiting = [1]
        asyncio.get_running_loop().call_soon(waiting.append, 2)
        assert await gathering.wait(waiting)


async def test_becomes_rare_where_nobody_comes() -> None:
    gathering = Gathering()
    waited = [await gathering.wait([1]) for _ in range(500)]
    pauses = "".join("w" if each else "." for each in waited).split("w")[1:-1]
    assert [len(each) for each in pauses[:8]] == [1, 2, 4, 8, 16, 32, MOST_SKIPPED, MOST_SKIPPED]


async def test_starts_anew_once_somebody_came() -> None:
    gathering = Gathering()
    assert await gathering.wait([1])
    assert not await gathering.wait([1])
    waiting = [1]
    asyncio.get_running_loop().call_soon(waiting.append, 2)
    assert await gathering.wait(waiting)
    assert await gathering.wait([1])


async def test_does_not_wait_when_enough_are_there() -> None:
    assert not await Gathering().wait(range(ENOUGH))


@pytest.mark.parametrize(("waiting", "together"), [(1, 64), (64, 64), (100, 64), (128, 64), (129, 65), (1000, 500)])
def test_of_many_that_wait_only_half_are_written_together(waiting: int, together: int) -> None:
    assert most_together(waiting) == together
