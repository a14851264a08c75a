"""People who talk to a Telegram bot, for tests: a Bot API server, and users who write, press and look.

``running_bot_api`` runs the server in the test's own event loop, ``bot_api_process`` as a process of its own. A user
sees the chat as the app would show it: without what was deleted, and with every edit.

    async with running_bot_api() as telegram:
        anna = await telegram.user(1, language_code="ru")
        await anna.send("/start")
        menu = await anna.wait_for_message(lambda message: "Меню" in message.text)
        answer = await anna.press(menu, "📝 По описанию")
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, TypeVar

import httpx
import msgspec

from demo.processes import running
from sandbox.telegram import FloodLimits, TelegramOptions, TelegramServer, running_telegram
from sandbox.telegram.faults import ANY_METHOD, Kind
from sandbox.telegram.views import (
    ButtonView,
    CallView,
    ChatView,
    MediaView,
    MessageView,
    MethodCountView,
    PressView,
)

__all__ = [
    "NO_LIMITS",
    "BotApi",
    "ButtonView",
    "CallView",
    "ChatView",
    "MediaView",
    "MessageView",
    "MethodCountView",
    "NotSeen",
    "PressView",
    "Refused",
    "TelegramUser",
    "bot_api_process",
    "running_bot_api",
]

BOUND_SECONDS = 60.0
NO_LIMITS = FloodLimits(chat_per_second=0, per_second=0)
_LOOK_SECONDS = 10.0
_user_ids = itertools.count(1001)

Seen = TypeVar("Seen")


class Refused(Exception):
    """The control API refused; the message says why."""


class NotSeen(AssertionError):
    """What was waited for did not come; the message shows the chat as it is."""


class BotApi:
    """A running server. ``api_url`` is what stands in place of Telegram's, ``token`` is the accepted one."""

    def __init__(self, api_url: str, token: str, control_url: str, http: httpx.AsyncClient) -> None:
        self.api_url = api_url
        self.token = token
        self.control_url = control_url
        self._http = http

    def environment(self) -> dict[str, str]:
        """The bot's settings that point it here."""
        return {"TRIPTYCH_TELEGRAM_API_URL": self.api_url, "TRIPTYCH_TELEGRAM_TOKEN": self.token}

    async def user(self, user_id: int = 0, **told: str) -> TelegramUser:
        """A person; a new one if no id is given. ``told``: first_name, last_name, username, language_code."""
        user_id = user_id or next(_user_ids)
        await self.order("PUT", f"/telegram/users/{user_id}", told)
        return TelegramUser(self, user_id)

    async def counts(self, method: str) -> MethodCountView:
        """How often a method was called, refused, and had files with it."""
        counts = msgspec.convert(await self.order("GET", "/telegram/counts"), dict[str, MethodCountView])
        return counts.get(method, MethodCountView())

    async def uploads(self) -> int:
        """How many files were uploaded, by all methods together."""
        counts = msgspec.convert(await self.order("GET", "/telegram/counts"), dict[str, MethodCountView])
        return sum(count.uploads for count in counts.values())

    async def calls(self, method: str = "") -> list[CallView]:
        """The last calls, oldest first: all, or those of one method."""
        calls = msgspec.convert(await self.order("GET", "/telegram/calls"), list[CallView])
        return [call for call in calls if not method or call.method == method]

    async def refusals(self) -> list[str]:
        """What the last calls were refused for, getUpdates aside: a bot that is right has none."""
        return [
            f"{call.method}: {call.error}"
            for call in await self.calls()
            if call.error and call.method != "getUpdates"
        ]

    async def fail_next(self, method: str, kind: Kind, *, count: int = 1, seconds: float = 1.0) -> None:
        """Lets the next calls of a method ("*" for any) fail; see ``sandbox.telegram.faults.KINDS``."""
        await self.order(
            "POST", "/telegram/faults", {"method": method, "kind": kind, "count": count, "seconds": seconds}
        )

    async def faults_left(self, method: str = ANY_METHOD) -> int:
        """How many ordered faults have not struck yet."""
        orders = await self.order("GET", "/telegram/faults")
        return sum(order["remaining"] for order in orders if method in (ANY_METHOD, order["method"]))

    async def set_limits(self, limits: FloodLimits) -> None:
        """Changes flood control from now on."""
        await self.order("PUT", "/telegram/limits", msgspec.to_builtins(limits))

    @asynccontextmanager
    async def refusing_connections(self) -> AsyncIterator[None]:
        """Telegram cannot be reached inside the block."""
        await self.order("PUT", "/telegram/listening", {"open": False})
        try:
            yield
        finally:
            await self.order("PUT", "/telegram/listening", {"open": True})

    async def reset(self) -> None:
        """Forgets people, messages, updates, faults and counts; files keep their ids."""
        await self.order("POST", "/telegram/reset")

    async def bytes_of(self, media: MediaView) -> bytes:
        """What the person would see or save."""
        answer = await self._http.get(media.path)
        answer.raise_for_status()
        return answer.content

    async def order(self, method: str, path: str, body: dict[str, Any] | None = None, **more: Any) -> Any:
        """One request to the control API. Raises Refused."""
        answer = await self._http.request(method, path, json=body, **more)
        if answer.is_error:
            raise Refused(answer.json()["detail"])
        return answer.json()


class TelegramUser:
    """A person with a chat with the bot."""

    def __init__(self, telegram: BotApi, user_id: int) -> None:
        self.user_id = user_id
        self._telegram = telegram
        self._path = f"/telegram/users/{user_id}"

    async def send(self, text: str) -> MessageView:
        """Writes a text or a command."""
        return self._message(await self._telegram.order("POST", f"{self._path}/messages", {"text": text}))

    async def start(self, payload: str = "") -> MessageView:
        """Presses START, perhaps after a deep link ``t.me/bot?start=payload``."""
        return self._message(await self._telegram.order("POST", f"{self._path}/messages", {"start": payload}))

    async def send_photo(self, content: bytes, caption: str = "") -> MessageView:
        return await self._send_file("photos", content, "photo.jpg", caption)

    async def send_document(self, content: bytes, name: str, caption: str = "") -> MessageView:
        return await self._send_file("documents", content, name, caption)

    async def send_video(self, content: bytes, name: str = "video.mp4", caption: str = "") -> MessageView:
        return await self._send_file("videos", content, name, caption)

    async def press(
        self, message: MessageView | int, button: str, *, wait_seconds: float = BOUND_SECONDS
    ) -> PressView:
        """Presses the inline button with this data or text, and waits for the bot's answer; 0 does not wait."""
        return (await self.press_at_once(message, button, times=1, wait_seconds=wait_seconds))[0]

    async def press_at_once(
        self, message: MessageView | int, button: str, *, times: int = 2, wait_seconds: float = BOUND_SECONDS
    ) -> list[PressView]:
        """Presses a button several times before the bot can answer the first press, as a nervous finger does."""
        message_id = message if isinstance(message, int) else message.message_id
        body = {"message_id": message_id, "button": button, "times": times, "wait_seconds": wait_seconds}
        return msgspec.convert(await self._telegram.order("POST", f"{self._path}/presses", body), list[PressView])

    async def block(self) -> None:
        """Blocks the bot; writing to it again unblocks it."""
        await self._telegram.order("PUT", f"{self._path}/blocked", {"blocked": True})

    async def unblock(self) -> None:
        await self._telegram.order("PUT", f"{self._path}/blocked", {"blocked": False})

    async def commands(self) -> dict[str, Any]:
        """What the menu offers in the person's language, and what the bot says of itself."""
        found: dict[str, Any] = await self._telegram.order("GET", f"{self._path}/commands")
        return found

    async def chat(self) -> ChatView:
        """The chat as it is now."""
        return await self._look(0, 0.0)

    async def messages(self) -> list[MessageView]:
        """All messages of both sides, oldest first, as they are now."""
        return (await self.chat()).messages

    async def wait_for(self, predicate: Callable[[ChatView], Seen], timeout_seconds: float = BOUND_SECONDS) -> Seen:
        """The first true value of ``predicate``, asked again with every change. Raises NotSeen."""
        deadline = asyncio.get_running_loop().time() + timeout_seconds
        chat = await self.chat()
        while not (seen := predicate(chat)):
            left = deadline - asyncio.get_running_loop().time()
            if left <= 0:
                raise NotSeen(f"not seen in {timeout_seconds:.0f} s; the chat is:\n{told(chat)}")
            chat = await self._look(chat.change, min(left, _LOOK_SECONDS))
        return seen

    async def wait_for_message(
        self, predicate: Callable[[MessageView], bool], timeout_seconds: float = BOUND_SECONDS
    ) -> MessageView:
        """The newest message of the bot for which ``predicate`` holds, as soon as there is one. Raises NotSeen."""

        def newest(chat: ChatView) -> MessageView | None:
            return next((each for each in reversed(chat.messages) if each.from_bot and predicate(each)), None)

        found = await self.wait_for(newest, timeout_seconds)
        assert found is not None
        return found

    async def _look(self, seen: int, wait_seconds: float) -> ChatView:
        params = {"seen": str(seen), "wait_seconds": str(wait_seconds)}
        return msgspec.convert(await self._telegram.order("GET", f"{self._path}/chat", params=params), ChatView)

    async def _send_file(self, kind: str, content: bytes, name: str, caption: str) -> MessageView:
        files, data = {"file": (name, content)}, {"caption": caption}
        return self._message(await self._telegram.order("POST", f"{self._path}/{kind}", files=files, data=data))

    def _message(self, answer: Any) -> MessageView:
        return msgspec.convert(answer, MessageView)


def told(chat: ChatView) -> str:
    """A chat in words, for the message of a failed test."""
    lines = []
    for message in chat.messages:
        who = "bot" if message.from_bot else "person"
        media = f" [{message.media.kind}]" if message.media else ""
        lines.append(f"{message.message_id} {who}{media} {message.text!r} {message.labels or ''}".rstrip())
    return "\n".join(lines) or "(empty)"


@asynccontextmanager
async def running_bot_api(options: TelegramOptions | None = None) -> AsyncIterator[BotApi]:
    """A server in the running event loop."""
    async with running_telegram(options) as server, _connected(server) as telegram:
        yield telegram


@asynccontextmanager
async def bot_api_process(folder: Path, *arguments: str) -> AsyncIterator[BotApi]:
    """A server as a process of its own, with its log in ``folder``; ``arguments`` are the program's own."""
    log_file = folder / "bot-api.log"
    with running("sandbox.telegram", ["--json", *arguments], environment={}, log_file=log_file) as part:
        server = TelegramServer(
            api_url=part.ready["TRIPTYCH_TELEGRAM_API_URL"],
            token=part.ready["TRIPTYCH_TELEGRAM_TOKEN"],
            control_url=part.ready["SANDBOX_TELEGRAM_CONTROL_URL"],
        )
        async with _connected(server) as telegram:
            yield telegram


@asynccontextmanager
async def _connected(server: TelegramServer) -> AsyncIterator[BotApi]:
    timeout = httpx.Timeout(BOUND_SECONDS + 30)
    async with httpx.AsyncClient(base_url=server.control_url, timeout=timeout, trust_env=False) as http:
        yield BotApi(server.api_url, server.token, server.control_url, http)
