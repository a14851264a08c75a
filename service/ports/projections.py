"""How far the read models are, and when there may be something new in them.

A query answers from what its projection has seen. Whoever has just written waits for the projection to get there;
whoever watches is woken. Neither is a fact of the log.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Literal, Protocol

import msgspec

ProjectionName = Literal["gallery", "generations", "credits", "work_list"]


class ProjectionStatus(msgspec.Struct, frozen=True, kw_only=True):
    """How far one build of a projection is, for operators."""

    name: str
    version: int
    position: int
    lag: int
    """Positions behind the head of the log."""
    state: Literal["live", "building", "stopped"]
    build: int = 0
    """Counts the builds of a projection; a rebuild is a new one beside the one that serves."""
    serving: bool = True
    """Whether readers read this build (a stopped one goes on serving what it has)."""
    error: str = ""
    """Of a stopped one: which event could not be applied, and why."""
    error_position: int = 0
    """Where that event stands; what ``skip`` wants to be told."""


class PositionWaiter(Protocol):
    """Lets a caller read what was written before."""

    async def wait(self, projection: ProjectionName, position: int, *, timeout_seconds: float) -> int:
        """Until the live projection has seen ``position``; returns where it is. Raises ProjectionBehind."""
        ...


class ChangeFeed(Protocol):
    """Wake-ups for watchers. A wake-up says that something may be new, never what: read it."""

    def watch(self, projection: ProjectionName, key: str) -> AsyncIterator[None]:
        """Yields once at once and then whenever the rows of ``key`` (a user's or generation's id) may have
        changed; wake-ups that nobody has taken yet are one. From time to time also when nothing did."""
        ...


class ProjectionBehind(Exception):
    """A projection did not reach the asked position in time."""

    def __init__(self, projection: str, wanted: int, reached: int) -> None:
        super().__init__(f"the {projection} projection has reached {reached}, not yet {wanted}")
        self.projection = projection
        self.wanted = wanted
        self.reached = reached


class ReadModelsUnavailable(Exception):
    """The read models cannot be reached, or nothing has been built yet. A later query may find them."""
