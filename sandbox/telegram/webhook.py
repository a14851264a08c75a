"""Delivery of updates to the bot's own address, in order and one at a time, until the bot takes each of them.

Telegram wants HTTPS; here plain HTTP is taken, as a Bot API server of one's own takes it. An answer that contains a
call of a method is not carried out, and is said to be an error.
"""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any, Final

import httpx

from sandbox.background import Background
from sandbox.telegram.calls import Call
from sandbox.telegram.errors import bad_request, too_strict
from sandbox.telegram.updates import UpdateQueue

SECRET_HEADER: Final = "X-Telegram-Bot-Api-Secret-Token"  # noqa: S105 - a header's name
_SECRET: Final = re.compile(r"[A-Za-z0-9_-]{1,256}")
_TIMEOUT_SECONDS: Final = 60.0
_FIRST_PAUSE_SECONDS: Final = 0.2
_LONGEST_PAUSE_SECONDS: Final = 10.0


class Webhook:
    """Where updates go, if a bot has asked for it."""

    def __init__(self, updates: UpdateQueue, background: Background) -> None:
        self._updates = updates
        self._background = background
        self._task: asyncio.Task[None] | None = None
        self.url = ""
        self._secret = ""
        self._max_connections = 40
        self._error: dict[str, Any] = {}

    def delete(self) -> None:
        """Updates are fetched from now on."""
        if self._task is not None:
            self._task.cancel()
        self._task, self.url, self._error = None, "", {}

    def set(self, call: Call) -> None:
        """Updates are delivered from now on; an empty url ends that. Raises BotApiError."""
        url, secret = call.text("url"), call.text("secret_token")
        if url and not re.match(r"https?://[^/\s]+", url):
            raise bad_request("invalid webhook URL specified")
        if len(secret) > 256:
            raise bad_request("secret token is too long")
        if secret and not _SECRET.fullmatch(secret):
            raise bad_request("secret token contains unallowed characters")
        if call.files or call.has("certificate"):
            raise too_strict("setWebhook with a certificate is not built here")
        connections = call.integer("max_connections", 40)
        if not 1 <= connections <= 100:
            raise bad_request("max_connections must be from 1 to 100")
        self.delete()
        self.url, self._secret, self._max_connections = url, secret, connections
        if url:
            self._updates.end_poll("terminated by setWebhook request")
            self._task = self._background.start(self._deliver())

    def info(self) -> dict[str, Any]:
        """As ``getWebhookInfo`` shows it."""
        info: dict[str, Any] = {
            "url": self.url,
            "has_custom_certificate": False,
            "pending_update_count": len(self._updates),
        }
        if self._updates.allowed:
            info["allowed_updates"] = self._updates.allowed
        return info | ({"max_connections": self._max_connections} | self._error if self.url else {})

    async def _deliver(self) -> None:
        headers = {SECRET_HEADER: self._secret} if self._secret else {}
        pause = _FIRST_PAUSE_SECONDS
        async with httpx.AsyncClient(timeout=_TIMEOUT_SECONDS, trust_env=False, headers=headers) as client:
            while not self._background.closing:
                await self._updates.wait(_TIMEOUT_SECONDS)
                update = self._updates.first()
                if update is None:
                    continue
                if await self._taken(client, update):
                    self._updates.confirm(update["update_id"])
                    pause = _FIRST_PAUSE_SECONDS
                else:
                    await self._background.pause(pause)
                    pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _taken(self, client: httpx.AsyncClient, update: dict[str, Any]) -> bool:
        try:
            answer = await client.post(self.url, json=update)
        except httpx.HTTPError as error:
            return self._failed(f"Connection failed: {error!r}")
        if not answer.is_success:
            return self._failed(f"Wrong response from the webhook: {answer.status_code} {answer.reason_phrase}")
        if b"method" in answer.content:
            self._failed("sandbox: a method in the answer to an update is not carried out here")
        return True

    def _failed(self, reason: str) -> bool:
        self._error = {"last_error_date": int(time.time()), "last_error_message": reason}
        return False
