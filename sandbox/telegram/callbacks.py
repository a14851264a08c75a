"""Presses of inline buttons: each waits for the bot's one answer, for a limited time."""

from __future__ import annotations

import asyncio
import secrets
import time
from dataclasses import dataclass
from typing import Final

from sandbox.telegram.errors import bad_request

MAX_ANSWER_CHARACTERS: Final = 200
MAX_OPEN: Final = 10_000


@dataclass(frozen=True)
class CallbackAnswer:
    """What the bot answered to a press. ``is_alert`` shows it in a window that must be closed."""

    text: str = ""
    is_alert: bool = False
    url: str = ""


@dataclass(frozen=True)
class _Open:
    pressed_at: float
    answer: asyncio.Future[CallbackAnswer]


class CallbackQueries:
    """The presses that wait for an answer."""

    def __init__(self, answer_seconds: float) -> None:
        self._answer_seconds = answer_seconds
        self._open: dict[str, _Open] = {}

    def press(self) -> tuple[str, asyncio.Future[CallbackAnswer]]:
        """A new query: its id and the answer to come."""
        query_id = str(secrets.randbits(62))
        answer: asyncio.Future[CallbackAnswer] = asyncio.get_running_loop().create_future()
        self._open[query_id] = _Open(time.monotonic(), answer)
        if len(self._open) > MAX_OPEN:
            del self._open[next(iter(self._open))]
        return query_id, answer

    def answer(self, query_id: str, answer: CallbackAnswer) -> None:
        """Raises BotApiError if the query is unknown, answered or too old."""
        query = self._open.pop(query_id, None)
        if query is None or time.monotonic() - query.pressed_at > self._answer_seconds:
            raise bad_request("query is too old and response timeout expired or query ID is invalid")
        query.answer.set_result(answer)

    def clear(self) -> None:
        self._open.clear()
