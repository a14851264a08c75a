"""The role worker, put together."""

from __future__ import annotations

import asyncio
import os
import random
import secrets
import socket
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

from service.adapters.media import ObjectMediaStore
from service.adapters.postgres.progress import PostgresProgressBoard
from service.adapters.postgres.vendor_status import PostgresVendorStatusBoard
from service.application.execute import Context
from service.bootstrap.core import Shared
from service.config import Settings
from service.domain.fulfilment import Policy
from service.processes.breaker import Breaker
from service.processes.toolbox import Pace, Toolbox
from service.processes.vendor_reports import keep_reporting
from service.processes.worker import Worker, WorkerOptions

if TYPE_CHECKING:
    from service.bootstrap.vendors import Vendors


def build_worker(
    settings: Settings,
    shared: Shared,
    vendors: Vendors,
    media: ObjectMediaStore,
    *,
    webhook_url_for: Callable[[str], str],
) -> tuple[Worker, Callable[[], Coroutine[Any, Any, None]]]:
    """The worker, and what keeps reporting how it finds its vendor."""
    name = f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(3)}"
    source = random.Random()  # noqa: S311 - jitter, not a secret
    changed = asyncio.Event()
    breaker = Breaker(
        vendors.provider.name,
        now=shared.clock.now,
        source=source,
        on_change=lambda _vendor, _state, _detail: changed.set(),
    )
    tools = Toolbox(
        generations=shared.core.generations,
        catalog=shared.core.catalog,
        provider=vendors.provider,
        prompt_tools=vendors.prompt_tools,
        collector=vendors.collector,
        media=media,
        progress=PostgresProgressBoard(shared.pool, shared.notifier),
        breaker=breaker,
        clock=shared.clock,
        policy=Policy(
            grace_seconds=settings.submission_grace_seconds,
            tool_patience_seconds=settings.tool_patience_seconds,
            pass_unmoderated=settings.pass_unmoderated,
            max_submit_attempts=settings.max_submit_attempts,
        ),
        pace=Pace(
            first_look_seconds=settings.first_look_seconds,
            most_look_seconds=settings.most_look_seconds,
            submit_timeout_seconds=settings.submit_timeout_seconds,
            media_patience_seconds=settings.media_patience_seconds,
        ),
        source=source,
        webhook_url_for=webhook_url_for,
        context=Context(actor=f"worker:{name}"),
    )
    options = WorkerOptions(name=name, concurrency=settings.worker_concurrency, lease_seconds=settings.lease_seconds)
    board = PostgresVendorStatusBoard(shared.pool)

    return Worker(tools, shared.work_list, options), lambda: keep_reporting(board, breaker, changed, name)
