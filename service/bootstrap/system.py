"""The running service: the roles that the settings name, started in order and stopped in the opposite one."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import psycopg
import structlog

from service.adapters.eventstore.postgres import EventLogMissing
from service.adapters.media import MediaUrlInvalid, ObjectMediaStore
from service.adapters.postgres.log_anchor import OtherLog, check_anchor, keep_anchor, keep_first_anchor
from service.adapters.postgres.pool import describe
from service.adapters.postgres.vendor_status import PostgresVendorStatusBoard
from service.api.projection_health import keep_projection_health
from service.api.server import ApiServer, CannotListen, ServerOptions, build_server
from service.api.vendor_health import keep_health
from service.bootstrap.background import Background
from service.bootstrap.checks import CannotStart, check_settings, load_catalog, make_data_dir
from service.bootstrap.core import Shared, open_shared, projection_host
from service.bootstrap.databases import Databases, NotMigrated, open_databases, prepare_read_models
from service.bootstrap.media import open_media
from service.bootstrap.secrets import kept_secret
from service.bootstrap.webhooks import open_webhook, webhook_urls
from service.bootstrap.work import build_worker
from service.config import Settings, parse_tokens

log = structlog.get_logger(__name__)


@dataclass(frozen=True, kw_only=True)
class System:
    """The service while it runs. Addresses are ``host:port``, empty where the role is not on."""

    settings: Settings
    databases: Databases
    shared: Shared
    background: Background
    api_address: str = ""
    webhook_address: str = ""

    async def wait(self) -> None:
        """Until something that should run for ever ends: raises BackgroundFailed."""
        await self.background.wait()


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[System]:
    """The service, ready to be used. Raises CannotStart in plain words, EmbeddedPostgresError, psycopg.Error."""
    check_settings(settings)
    async with AsyncExitStack() as stack:
        try:
            system = await _start(settings, stack)
        except (EventLogMissing, NotMigrated, OtherLog, MediaUrlInvalid, CannotListen) as error:
            raise CannotStart(str(error)) from error
        yield system


async def _start(settings: Settings, stack: AsyncExitStack) -> System:
    catalog = load_catalog(settings)
    make_data_dir(settings)
    databases = await stack.enter_async_context(open_databases(settings))
    await prepare_read_models(databases.read_models)
    media, threads = await stack.enter_async_context(open_media(settings))
    shared = await stack.enter_async_context(open_shared(settings, databases, catalog, media))
    background = await stack.enter_async_context(Background())
    await _check_log(shared, background)
    background.start("read-notifier", shared.notifier.run())
    background.start("change-feed", shared.feed.run())
    background.start("snapshots", shared.snapshots.run())
    if "projector" in settings.roles:
        background.start("projections", projection_host(shared.store, databases, shared.notifier).run())
    secret = settings.webhook_secret.get_secret_value() or kept_secret(settings.data_dir, "service")
    stop_claiming: Callable[[], None] | None = None
    if "worker" in settings.roles:
        stop_claiming = await _start_worker(settings, shared, media, threads, background, stack, secret)
    api_address = webhook_address = ""
    if "api" in settings.roles:
        server = await _start_api(settings, shared, background, stack)
        api_address = server.address
    if "webhook" in settings.roles:
        webhook_address = await stack.enter_async_context(open_webhook(settings, shared, background, secret))
    if stop_claiming is not None:
        # First of all, so that what is in hand ends its step while the others end their calls.
        stack.callback(stop_claiming)
    return System(
        settings=settings,
        databases=databases,
        shared=shared,
        background=background,
        api_address=api_address,
        webhook_address=webhook_address,
    )


async def _check_log(shared: Shared, background: Background) -> None:
    """Whether the read models were built from this log. Raises OtherLog, NotMigrated."""
    try:
        async with shared.pool.connection() as connection:
            if (last := await check_anchor(connection, shared.store)) is not None:
                await keep_anchor(connection, last)
                return
    except psycopg.errors.UndefinedTable as error:
        raise NotMigrated(
            f"the read models lack a table ({describe(error)}); run 'triptychd migrate' first"
        ) from error
    background.leave_to_end(background.start("log-anchor", keep_first_anchor(shared.pool, shared.store)))


async def _start_worker(
    settings: Settings,
    shared: Shared,
    media: ObjectMediaStore,
    threads: ThreadPoolExecutor,
    background: Background,
    stack: AsyncExitStack,
    secret: str,
) -> Callable[[], None]:
    """Starts the worker, and returns what asks it to stop. Leaving ``stack`` waits for what it has in hand."""
    from service.bootstrap.vendors import open_vendors  # Slow to load; only workers need it.

    vendors = await stack.enter_async_context(
        open_vendors(settings, shared.core.catalog, media, threads, salt=secret)
    )
    worker, keep_reporting = build_worker(
        settings, shared, vendors, media, webhook_url_for=webhook_urls(settings, secret)
    )
    background.start("vendor-reports", keep_reporting())
    task = background.start("worker", worker.run())

    def stop_claiming() -> None:
        background.leave_to_end(task)
        worker.stop()

    async def finish() -> None:
        stop_claiming()
        await task

    stack.push_async_callback(finish)
    return stop_claiming


async def _start_api(settings: Settings, shared: Shared, background: Background, stack: AsyncExitStack) -> ApiServer:
    certificate, key = settings.api_tls_cert_file, settings.api_tls_key_file
    options = ServerOptions(
        host=settings.api_host,
        port=settings.api_port,
        shared_port=settings.api_shared_port,
        tokens=parse_tokens(settings.api_tokens),
        tls_certificate=certificate.read_bytes() if certificate is not None else None,
        tls_key=key.read_bytes() if key is not None else None,
    )
    server = build_server(shared.core, options)
    await server.start()
    stack.push_async_callback(server.stop)
    board = PostgresVendorStatusBoard(shared.pool)
    background.start("vendor-health", keep_health(board, server.set_serving))
    background.start("projection-health", keep_projection_health(shared.core.projections, server.set_serving))
    return server
