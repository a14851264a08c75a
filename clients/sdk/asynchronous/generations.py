"""Asking for generations and following them."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Unpack

from clients.sdk.asynchronous.transport import AsyncMethods
from clients.sdk.calls import generations as calls
from clients.sdk.calls.generations import GenerationOptions
from clients.sdk.models import Catalog, Generation
from clients.sdk.results import Page, Requested


class AsyncGenerations(AsyncMethods):
    """The methods of ``GenerationService``."""

    async def generate(
        self, user_id: str, type: str, prompt: str, **options: Unpack[GenerationOptions]
    ) -> Generation:
        """Asks for a generation and waits for its end, whichever it is; see ``Generation.require_success``."""
        requested = await self.request_generation(user_id, type, prompt, **options)
        return await self.wait_for_generation(requested.generation.generation_id, user_id=user_id)

    async def request_generation(
        self, user_id: str, type: str, prompt: str, **options: Unpack[GenerationOptions]
    ) -> Requested:
        """Takes the credits and queues a generation. Raises InvalidArgument, InsufficientCredits, AlreadyExists."""
        return await self._transport.call(calls.request_generation(user_id, type, prompt, options))

    async def get_generation(self, generation_id: str, *, user_id: str | None = None) -> Generation:
        """How a generation stands; with ``user_id``, another user's is NotFound."""
        return await self._transport.call(calls.get_generation(generation_id, user_id))

    async def list_generations(
        self,
        user_id: str,
        *,
        unfinished_only: bool = False,
        page_size: int | None = None,
        page_token: str | None = None,
    ) -> Page[Generation]:
        """A user's generations, newest first, without their items."""
        call = calls.list_generations(
            user_id, unfinished_only=unfinished_only, page_size=page_size, page_token=page_token
        )
        return await self._transport.call(call)

    async def watch_generation(
        self, generation_id: str, *, user_id: str | None = None
    ) -> AsyncGenerator[Generation, None]:
        """Its state now, and each newer one, to its end. Goes on after a lost connection."""
        last = None
        async with aclosing(self._transport.stream(calls.watch_generation(generation_id, user_id))) as states:
            async for generation in states:
                if generation != last:  # A stream that was taken up again begins with what is known.
                    yield generation
                last = generation

    async def wait_for_generation(self, generation_id: str, *, user_id: str | None = None) -> Generation:
        """Waits for its end, which comes by its deadline at the latest."""
        async with aclosing(self.watch_generation(generation_id, user_id=user_id)) as states:
            async for generation in states:
                if generation.ended:
                    return generation
        return await self.get_generation(generation_id, user_id=user_id)

    async def cancel_generation(self, generation_id: str, *, user_id: str | None = None) -> Generation:
        """Cancels; CANCELLING means that the vendor has not decided yet. Raises NotCancellable if it is too late."""
        return await self._transport.call(calls.cancel_generation(generation_id, user_id))

    async def list_types(self) -> Catalog:
        """What can be asked for, with prices and limits."""
        return await self._transport.call(calls.list_types())
