"""The service as whoever tries it out runs it: one process with all roles and an embedded PostgreSQL in its folder.

Beside it the sandbox, and a relay, so that the vendor's webhooks find the endpoint again after a restart.
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, asynccontextmanager
from pathlib import Path

import psutil

from clients.sdk import AsyncTriptych, Generation, GenerationState
from demo.processes import Part, running
from sandbox.control import SandboxControl
from service.adapters.embedded.folder import find_postmaster
from tests.support.fleet import catalog_with_deadlines
from tests.support.postgres import short_folder
from tests.support.relay import Relay
from tests.support.system import QUICK, running_sandbox_process

PATIENCE_SECONDS = 90.0
_SETTINGS = {
    **QUICK,
    "TRIPTYCH_ROLES": "api,projector,worker,webhook",
    "TRIPTYCH_API_PORT": "0",
    "TRIPTYCH_WEBHOOK_PORT": "0",
    "TRIPTYCH_LEASE_SECONDS": "3",
    "TRIPTYCH_SUBMISSION_GRACE_SECONDS": "4",
}


def as_user(uid: int) -> list[str]:
    """What runs a command as another user, in the group of the same number."""
    return ["setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups"]


class Single:
    """Made by ``running_single``. ``before`` is put before the service's command."""

    def __init__(
        self,
        folder: Path,
        environment: Mapping[str, str],
        control: SandboxControl,
        webhook: Relay,
        before: Sequence[str],
    ) -> None:
        self.folder = folder
        self.data_dir = folder / "data"
        self.control = control
        self._environment = environment
        self._webhook = webhook
        self._before = before
        self._stack = ExitStack()
        self._part: Part | None = None
        self._client: AsyncTriptych | None = None

    @property
    def client(self) -> AsyncTriptych:
        """Of the service that runs now."""
        assert self._client is not None
        return self._client

    @property
    def is_running(self) -> bool:
        return self._part is not None

    @property
    def pid(self) -> int:
        assert self._part is not None
        return self._part.process.pid

    async def start(self) -> None:
        self._part = self._stack.enter_context(self._serving("service"))
        self._webhook.target = self._part.ready["webhook"]
        self._client = AsyncTriptych(self._part.ready["api"], timeout_seconds=PATIENCE_SECONDS)

    def another(self) -> AbstractContextManager[Part]:
        """A second service with the same settings."""
        return self._serving("another")

    def _serving(self, name: str) -> AbstractContextManager[Part]:
        log_file = self.folder / f"{name}.log"
        return running(
            "service", ["serve", "--json"], environment=self._environment, log_file=log_file, before=self._before
        )

    async def kill(self) -> None:
        """kill -9 of the service; its PostgreSQL goes on, as it does."""
        assert self._part is not None
        part, self._part = self._part, None
        part.kill()
        self._stack.close()
        await self.client.close()

    async def close(self) -> None:
        """Ends the service, and its PostgreSQL if it was left alone."""
        self._stack.close()
        if self._client is not None:
            await self._client.close()
        left = find_postmaster(self.data_dir / "postgres")
        if left is not None:
            process = psutil.Process(left.pid)
            process.terminate()
            process.wait(PATIENCE_SECONDS)

    async def until(self, generation_id: str, state: GenerationState) -> Generation:
        """As it is when it is first seen in this state."""
        async with asyncio.timeout(PATIENCE_SECONDS):
            async for generation in self.client.watch_generation(generation_id):
                if generation.state is state:
                    return generation
        raise AssertionError(f"it was never seen as {state}")

    async def ended(self, generation_id: str) -> Generation:
        async with asyncio.timeout(PATIENCE_SECONDS):
            return await self.client.wait_for_generation(generation_id)

    async def jobs(self, generation_id: str) -> int:
        """How often the vendor took it."""
        return len(await self.control.jobs(webhook=generation_id))


@asynccontextmanager
async def running_single(
    *, uid: int | None = None, settings: Mapping[str, str] | None = None
) -> AsyncIterator[Single]:
    """A service that is up; ``settings`` over the usual ones."""
    with short_folder() as folder, running_sandbox_process(folder) as (sandbox, vendors):
        (folder / "catalog.toml").write_text(catalog_with_deadlines(60), "utf-8")
        async with Relay() as webhook, SandboxControl(sandbox.ready["SANDBOX_CONTROL_URL"]) as control:
            environment = {
                **_SETTINGS,
                **vendors,
                "HOME": str(folder),
                "TRIPTYCH_DATA_DIR": str(folder / "data"),
                "TRIPTYCH_CATALOG_FILE": str(folder / "catalog.toml"),
                "TRIPTYCH_WEBHOOK_PUBLIC_URL": f"http://{webhook.address}",
                **(settings or {}),
            }
            if uid is not None:
                for path in (folder, *folder.iterdir()):
                    os.chown(path, uid, uid)
            one = Single(folder, environment, control, webhook, () if uid is None else as_user(uid))
            try:
                await one.start()
                yield one
            finally:
                await one.close()
