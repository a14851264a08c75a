"""The Bot API by hand, for tests of the server: one request a call, and the files that can be sent."""

from __future__ import annotations

import io
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, NamedTuple

import av
import httpx
from PIL import Image

from sandbox.telegram import TelegramOptions
from tests.support.telegram import BOUND_SECONDS, NO_LIMITS, BotApi, TelegramUser, running_bot_api


class Refusal(NamedTuple):
    """How a call was refused."""

    code: int
    description: str


class Calls:
    """Calls methods with the bot's token. ``people`` is the server's other side."""

    def __init__(self, people: BotApi, http: httpx.AsyncClient) -> None:
        self.people = people
        self.http = http
        self.base = f"{people.api_url}/bot{people.token}"

    async def ok(self, method: str, files: Mapping[str, bytes] | None = None, /, **arguments: Any) -> Any:
        """The result of a call that must succeed. Files are attached under their names."""
        answer = await self.send(method, files, **arguments)
        body = answer.json()
        assert (answer.status_code, body["ok"]) == (200, True), body
        return body["result"]

    async def refused(self, method: str, files: Mapping[str, bytes] | None = None, /, **arguments: Any) -> Refusal:
        """The refusal of a call that must fail."""
        answer = await self.send(method, files, **arguments)
        body = answer.json()
        assert not body["ok"], body
        assert body["error_code"] == answer.status_code
        return Refusal(body["error_code"], body["description"])

    async def send(
        self, method: str, files: Mapping[str, bytes] | None = None, /, **arguments: Any
    ) -> httpx.Response:
        """As JSON; with files as a form."""
        if files is None:
            return await self.http.post(f"{self.base}/{method}", json=arguments)
        fields = {name: value if isinstance(value, str) else json.dumps(value) for name, value in arguments.items()}
        return await self.http.post(f"{self.base}/{method}", data=fields, files=dict(files))

    async def person(self) -> TelegramUser:
        """Somebody new who has written to the bot, which has heard of it."""
        person = await self.people.user(first_name="Anna", language_code="ru")
        await person.start()
        await self.ok("getUpdates", offset=-1)
        return person


@asynccontextmanager
async def calling(options: TelegramOptions | None = None) -> AsyncIterator[Calls]:
    """A server without flood control (unless options are given), to be called by hand."""
    async with (
        running_bot_api(options or TelegramOptions(flood=NO_LIMITS)) as people,
        httpx.AsyncClient(timeout=BOUND_SECONDS, trust_env=False) as http,
    ):
        yield Calls(people, http)


def buttons(*labels: str) -> dict[str, Any]:
    """An inline keyboard, one button a row; what a button tells the bot is its label in small letters."""
    return {"inline_keyboard": [[{"text": label, "callback_data": label.lower()}] for label in labels]}


def picture(width: int = 400, height: int = 300, color: str = "teal", file_format: str = "JPEG") -> bytes:
    """A picture file of one color."""
    written = io.BytesIO()
    Image.new("RGB", (width, height), color).save(written, file_format)
    return written.getvalue()


def clip(*, sound: bool = False, width: int = 64, height: int = 48) -> bytes:
    """An MP4 of one second."""
    written = io.BytesIO()
    with av.open(written, "w", format="mp4") as container:
        video = container.add_stream("libx264", rate=4, options={"preset": "ultrafast", "threads": "1"})
        video.width, video.height, video.pix_fmt = width, height, "yuv420p"
        audio = container.add_stream("aac", rate=8000, layout="mono") if sound else None
        for number in range(4):
            frame = av.VideoFrame.from_image(Image.new("RGB", (width, height), (60 * number, 0, 0)))  # type: ignore[no-untyped-call]
            container.mux(video.encode(frame))
        if audio is not None:
            silence = av.AudioFrame(format="fltp", layout="mono", samples=1024)
            silence.sample_rate = 8000
            for plane in silence.planes:
                plane.update(bytes(plane.buffer_size))
            container.mux(audio.encode(silence))
            container.mux(audio.encode())
        container.mux(video.encode())
    return written.getvalue()
