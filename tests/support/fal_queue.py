"""The fal queue's protocol, spoken with a plain HTTP client: no library between a test and the sandbox."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any, Final, TypeVar

import httpx

from sandbox import Sandbox

BOUND_SECONDS: Final = 60.0
_PAUSE_SECONDS: Final = 0.01

T = TypeVar("T")


async def until(ask: Callable[[], Awaitable[T]], enough: Callable[[T], bool]) -> T:
    """Asks again and again until the answer is enough, at most for ``BOUND_SECONDS``."""
    async with asyncio.timeout(BOUND_SECONDS):
        answer = await ask()
        while not enough(answer):
            await asyncio.sleep(_PAUSE_SECONDS)
            answer = await ask()
    return answer


class Queue:
    """Speaks the queue's protocol without any client library between."""

    def __init__(self, sandbox: Sandbox, http: httpx.AsyncClient) -> None:
        self.sandbox = sandbox
        self.http = http

    async def submit(
        self, prompt: str, *, model: str = "fal-ai/imagen4/preview", webhook: str = "", **arguments: Any
    ) -> httpx.Response:
        params = {"fal_webhook": webhook} if webhook else {}
        body = {"prompt": prompt} | arguments
        return await self.http.post(f"https://{self.sandbox.fal_host}/{model}", json=body, params=params)

    async def accepted(self, prompt: str, **options: Any) -> dict[str, Any]:
        answer = await self.submit(prompt, **options)
        assert answer.status_code == 200, answer.text
        body: dict[str, Any] = answer.json()
        return body

    async def wait(self, job: dict[str, Any]) -> dict[str, Any]:
        """Asks until the job is done, and returns its last status."""
        answer = await until(lambda: self.http.get(job["status_url"]), lambda answer: answer.status_code != 202)
        assert answer.status_code == 200
        body: dict[str, Any] = answer.json()
        return body

    async def result(self, prompt: str, **options: Any) -> httpx.Response:
        job = await self.accepted(prompt, **options)
        await self.wait(job)
        return await self.http.get(job["response_url"])
