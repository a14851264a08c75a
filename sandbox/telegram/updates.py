"""What happened and the bot has not heard of yet: kept until the bot confirms it, by an offset or by its webhook.

Long polling as Telegram does it: a call waits until there is something to tell; a second call ends the first one with
409, as two programs that poll with one token do to each other.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import Any, Final

from sandbox.telegram.errors import conflict

MAX_POLL_SECONDS: Final = 50
MAX_PENDING: Final = 100_000
_FIRST_UPDATE_ID: Final = 700_000_001
_BY_REQUEST_ONLY: Final = ("chat_member", "message_reaction", "message_reaction_count")
_OTHER_POLL: Final = "terminated by other getUpdates request; make sure that only one bot instance is running"


class TooManyUpdates(Exception):
    """Nobody fetches updates, and no more are kept."""


class UpdateQueue:
    """The updates of one bot, oldest first."""

    def __init__(self) -> None:
        self._pending: deque[dict[str, Any]] = deque()
        self._next_id = _FIRST_UPDATE_ID
        self._allowed: list[str] = []
        self._waiting: asyncio.Future[None] | None = None

    def __len__(self) -> int:
        return len(self._pending)

    @property
    def allowed(self) -> list[str]:
        """The kinds that the bot asked for; empty for the usual ones."""
        return self._allowed

    def allow(self, kinds: list[str] | None) -> None:
        """What to tell from now on; None changes nothing, an empty list means the usual kinds."""
        if kinds is not None:
            self._allowed = kinds

    def add(self, kind: str, content: dict[str, Any]) -> None:
        """Tells the bot, unless it did not ask for this kind. Raises TooManyUpdates."""
        if not self._is_allowed(kind):
            return
        if len(self._pending) >= MAX_PENDING:
            raise TooManyUpdates(f"{MAX_PENDING} updates wait for the bot; it does not fetch them.")
        self._pending.append({"update_id": self._next_id, kind: content})
        self._next_id += 1
        self._wake()

    def first(self) -> dict[str, Any] | None:
        return self._pending[0] if self._pending else None

    def confirm(self, update_id: int) -> None:
        """Forgets an update and all before it."""
        while self._pending and self._pending[0]["update_id"] <= update_id:
            self._pending.popleft()

    async def poll(self, offset: int, limit: int, timeout_seconds: int) -> list[dict[str, Any]]:
        """The updates from ``offset`` on; waits for the first one. Raises BotApiError 409 when another poll comes."""
        self.end_poll(_OTHER_POLL)
        found = self._take(offset, limit)
        if found or timeout_seconds <= 0:
            return found
        await self.wait(min(timeout_seconds, MAX_POLL_SECONDS))
        return self._take(offset, limit)

    async def wait(self, timeout_seconds: float) -> None:
        """Returns when there is an update to tell, or after a while. Raises BotApiError when it is ended."""
        if self._pending:
            return
        waiting = self._waiting = asyncio.get_running_loop().create_future()
        try:
            await asyncio.wait({waiting}, timeout=timeout_seconds)
            if waiting.done():
                waiting.result()
        finally:
            if self._waiting is waiting:
                self._waiting = None

    def end_poll(self, reason: str) -> None:
        """Answers the call that waits, if one does, with 409."""
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_exception(conflict(reason))
            # Looked at here, since whoever waited may be gone without having looked.
            self._waiting.exception()
        self._waiting = None

    def clear(self) -> None:
        self._pending.clear()

    def close(self) -> None:
        """Lets the call that waits return with nothing."""
        self._wake()

    def _is_allowed(self, kind: str) -> bool:
        return kind in self._allowed if self._allowed else kind not in _BY_REQUEST_ONLY

    def _wake(self) -> None:
        if self._waiting is not None and not self._waiting.done():
            self._waiting.set_result(None)

    def _take(self, offset: int, limit: int) -> list[dict[str, Any]]:
        if offset < 0:
            self._pending = deque(list(self._pending)[offset:])
        elif offset > 0:
            self.confirm(offset - 1)
        return [self._pending[index] for index in range(min(limit, len(self._pending)))]
