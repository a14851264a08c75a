"""Looking at what becomes of a generation, through the SDK. Waits are bounded."""

from __future__ import annotations

import asyncio

from clients.sdk import AsyncTriptych, Generation, GenerationState
from sandbox.control import JobView, SandboxControl

PATIENCE_SECONDS = 90.0


async def balance(triptych: AsyncTriptych, user_id: str) -> int:
    return (await triptych.get_account(user_id)).balance


async def end_of(triptych: AsyncTriptych, generation: Generation) -> Generation:
    async with asyncio.timeout(PATIENCE_SECONDS):
        return await triptych.wait_for_generation(generation.generation_id)


async def once(triptych: AsyncTriptych, generation: Generation, state: GenerationState) -> Generation:
    """As it is when it is first seen in this state."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        async for each in triptych.watch_generation(generation.generation_id):
            if each.state is state:
                return each
    raise AssertionError(f"it was never seen as {state}")


async def jobs_of(control: SandboxControl, user_id: str) -> list[JobView]:
    """The vendor's jobs whose prompt names the user."""
    return [job for job in await control.jobs() if user_id in job.arguments["prompt"]]
