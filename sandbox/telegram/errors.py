"""How the Bot API refuses: an error code, a description that begins with the code's name, and perhaps a wait.

The descriptions are Telegram's own words, since bots compare them. Where the sandbox is stricter than Telegram the
description begins with "Bad Request: sandbox:".
"""

from __future__ import annotations

from collections.abc import Mapping, Set
from typing import Any


class BotApiError(Exception):
    """A refusal.

    Attributes:
        code: HTTP status and ``error_code``.
        description: what the bot is told.
        retry_after_seconds: when it may try again; 0 if no wait helps.
    """

    def __init__(self, code: int, description: str, retry_after_seconds: int = 0) -> None:
        super().__init__(description)
        self.code = code
        self.description = description
        self.retry_after_seconds = retry_after_seconds

    def body(self) -> dict[str, Any]:
        """The answer's JSON."""
        body: dict[str, Any] = {"ok": False, "error_code": self.code, "description": self.description}
        if self.retry_after_seconds:
            body["parameters"] = {"retry_after": self.retry_after_seconds}
        return body


def bad_request(reason: str) -> BotApiError:
    return BotApiError(400, f"Bad Request: {reason}")


def too_strict(reason: str) -> BotApiError:
    """What Telegram would let pass, and what is surely a defect of the bot."""
    return bad_request(f"sandbox: {reason}")


def refuse_unknown(given: Mapping[str, Any], known: Set[str], what: str) -> None:
    """Raises BotApiError if ``given`` has a field that ``what`` does not have; Telegram passes over it."""
    if unknown := {name for name, value in given.items() if value is not None} - known:
        raise too_strict(f"{what} has no field {', '.join(sorted(unknown))}")


def forbidden(reason: str) -> BotApiError:
    return BotApiError(403, f"Forbidden: {reason}")


def conflict(reason: str) -> BotApiError:
    return BotApiError(409, f"Conflict: {reason}")


def too_many_requests(retry_after_seconds: int) -> BotApiError:
    return BotApiError(429, f"Too Many Requests: retry after {retry_after_seconds}", retry_after_seconds)
