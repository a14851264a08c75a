"""The production adapters, pointed at a sandbox."""

from __future__ import annotations

import functools
import io
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from PIL import Image

from sandbox import Sandbox
from service.adapters.providers import FalProvider, FalSettings
from service.adapters.tls import trust
from service.ports.media_provider import Accepted, LookOutcome, SubmitRequest, Unreachable, Waiting
from tests.support.fal_queue import BOUND_SECONDS, until

IMAGEN = "fal-ai/imagen4/preview"
AVATAR = "fal-ai/instant-character"
VIDEO = "fal-ai/veo3.1/fast"
PATIENT = {
    "connect_timeout_seconds": BOUND_SECONDS,
    "look_timeout_seconds": BOUND_SECONDS,
    "cancel_timeout_seconds": BOUND_SECONDS,
}


_trust = functools.cache(trust)


def trusted(sandbox: Sandbox) -> ssl.SSLContext:
    """A context that trusts the sandbox; made once, because reading the system's certificates takes a while."""
    return _trust(sandbox.ca_file)


@asynccontextmanager
async def fal_provider(sandbox: Sandbox, *, key: str = "", **settings: Any) -> AsyncIterator[FalProvider]:
    provider = FalProvider(
        key or sandbox.fal_key,
        tls=trusted(sandbox),
        settings=FalSettings(**({"queue_host": sandbox.fal_host} | PATIENT | settings)),
    )
    try:
        yield provider
    finally:
        await provider.aclose()


def submit_request(**changes: Any) -> SubmitRequest:
    """A request for one picture, with changes."""
    defaults: dict[str, Any] = {
        "generation_id": "6ec0bd7f-11c0-43da-975e-2a8ad9ebae0b",
        "generation_type": "imagen4",
        "model": IMAGEN,
        "prompt": "a lighthouse at dawn",
        "aspect_ratio": "16:9",
        "output_count": 1,
        "timeout_seconds": BOUND_SECONDS,
    }
    return SubmitRequest(**(defaults | changes))


async def submitted(provider: FalProvider, request: SubmitRequest) -> str:
    """The vendor's id of a request that it took."""
    outcome = await provider.submit(request)
    assert isinstance(outcome, Accepted), outcome
    return outcome.provider_request_id


async def settled(provider: FalProvider, model: str, provider_request_id: str) -> LookOutcome:
    """What a request comes to, once it no longer waits. A look that a busy machine cut short is taken again."""
    return await until(
        lambda: provider.look(model, provider_request_id),
        lambda outcome: not isinstance(outcome, Waiting | Unreachable),
    )


def picture_bytes(codec: str = "PNG", size: tuple[int, int] = (96, 64), **options: Any) -> bytes:
    """A real picture with a gradient, so that damage to it shows."""
    target = io.BytesIO()
    gradient = Image.linear_gradient("L").resize(size)
    Image.merge("RGB", (gradient, gradient.transpose(Image.Transpose.ROTATE_180), gradient)).save(
        target, codec, **options
    )
    return target.getvalue()
