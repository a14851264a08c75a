"""Starts and stops a whole sandbox: three servers on loopback ports, in the running event loop.

``async with running_sandbox(SandboxOptions(speed=1000)) as sandbox`` gives the addresses and a control client. The
same is behind ``python -m sandbox``.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections import Counter
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from sandbox.background import Background
from sandbox.certificates import Certificates
from sandbox.control import SandboxControl
from sandbox.control_app import JWKS_PATH, control_app
from sandbox.fal_app import fal_app
from sandbox.faults import FaultBoard
from sandbox.jobs import JobStore
from sandbox.listener import Listener
from sandbox.media import Studio
from sandbox.openai_app import openai_app
from sandbox.options import SandboxOptions
from sandbox.references import References
from sandbox.runner import Runner
from sandbox.webhooks import WebhookKeys, Webhooks
from sandbox.world import World


@dataclass(frozen=True)
class Sandbox:
    """A running sandbox.

    Attributes:
        fal_host: host and port of the fal queue, as ``fal_client`` wants it; the scheme is https.
        fal_key, openai_api_key: the keys it accepts.
        openai_base_url: ends in ``/v1``.
        control_url: of the control API.
        jwks_url: of the webhook keys.
        ca_file: the CA certificate to trust (PEM).
        control: a client of the control API.
    """

    fal_host: str
    fal_key: str
    openai_base_url: str
    openai_api_key: str
    control_url: str
    jwks_url: str
    ca_file: Path
    control: SandboxControl

    def environment(self) -> dict[str, str]:
        """The service's settings that point it at this sandbox."""
        return {
            "TRIPTYCH_FAL_QUEUE_HOST": self.fal_host,
            "TRIPTYCH_FAL_KEY": self.fal_key,
            "TRIPTYCH_FAL_JWKS_URL": self.jwks_url,
            "TRIPTYCH_CA_FILE": str(self.ca_file),
            "TRIPTYCH_OPENAI_BASE_URL": self.openai_base_url,
            "TRIPTYCH_OPENAI_API_KEY": self.openai_api_key,
            "TRIPTYCH_ALLOW_PRIVATE_MEDIA_URLS": "true",
        }


@asynccontextmanager
async def running_sandbox(options: SandboxOptions | None = None) -> AsyncIterator[Sandbox]:
    """A sandbox that serves inside the block.

    Raises:
        PortTaken: a port that the options name is in use.
    """
    options = options or SandboxOptions()
    async with AsyncExitStack() as stack:
        certificates = Certificates()
        ca_file = options.ca_file or Path(
            stack.enter_context(tempfile.TemporaryDirectory(prefix="triptych-sandbox-")), "ca.pem"
        )
        certificates.write(ca_file)
        fal = Listener(options.host, options.fal_port, certificates.server_context())
        stack.callback(fal.release)
        openai = Listener(options.host, options.openai_port)
        stack.callback(openai.release)
        control = Listener(options.host, options.control_port)
        stack.callback(control.release)
        world = _world(options, certificates, fal.base_url, stack)
        stack.push_async_callback(_stop_all, [fal, openai, control])
        await fal.start(fal_app(world, fal, fal.base_url))
        await openai.start(openai_app(world, openai))
        await control.start(control_app(world, {"fal": fal, "openai": openai}))
        client = await stack.enter_async_context(SandboxControl(control.base_url))
        # Slow answers end first, so that the servers can stop at once.
        stack.callback(world.background.end_pauses)
        yield Sandbox(
            fal_host=f"{options.host}:{fal.port}",
            fal_key=options.fal_key,
            openai_base_url=openai.base_url + "/v1",
            openai_api_key=options.openai_api_key,
            control_url=control.base_url,
            jwks_url=control.base_url + JWKS_PATH,
            ca_file=ca_file,
            control=client,
        )


async def _stop_all(listeners: list[Listener]) -> None:
    await asyncio.gather(*(listener.stop() for listener in listeners))


def _world(options: SandboxOptions, certificates: Certificates, fal_url: str, stack: AsyncExitStack) -> World:
    """Everything that the servers share; the stack stops it again."""
    executor = stack.enter_context(ThreadPoolExecutor(options.draw_threads, thread_name_prefix="sandbox-draw"))
    trust = certificates.client_context()
    references = References(executor, trust)
    studio = Studio(executor, references, options.drawn_bytes_kept)
    stack.push_async_callback(studio.close)
    background = Background()
    faults, keys = FaultBoard(), WebhookKeys()
    webhooks = Webhooks(background, faults, keys, trust, options.speed)
    stack.push_async_callback(webhooks.close)
    runner = Runner(
        options,
        background,
        references,
        studio,
        files_url=lambda job: f"{fal_url}/files/{job.request_id}",
        announce=webhooks.announce,
    )
    stack.push_async_callback(background.close)
    return World(
        options=options,
        background=background,
        faults=faults,
        jobs=JobStore(options.jobs_kept),
        studio=studio,
        runner=runner,
        keys=keys,
        webhooks=webhooks,
        counters=Counter(),
    )
