"""What one ``triptychd serve`` runs: this process, and the children that its roles need.

    this process   the embedded PostgreSQL; projector, worker, webhook; the API, if one process of it is enough
    api-1 ... N    with TRIPTYCH_PROCESSES: the API, all on one port
    web            with the role web: the gallery, a client of the API as any other

The roles that run once stay in this process instead of getting a child. They would not be safer there: whatever ends
this process ends the database it holds and all children with it. And a process less is some 100 MB less.

Stopping goes the opposite way: the health check says so, then the children are told, then the roles of this process,
whose projector calls of the API may still be waiting for.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field

from service.api.health_server import health_server
from service.api.server import CannotListen, target
from service.api.shared_port import reserved_port
from service.bootstrap import CannotStart, Databases, open_databases, running
from service.bootstrap.checks import check_settings
from service.cli.supervise import Program, Supervisor
from service.config import Settings, parse_tokens
from service.config.children import named_server, service_environment, web_environment

_ANYWHERE = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - where a client on this machine reaches these


@dataclass(kw_only=True)
class Up:
    """What is up. Addresses are ``host:port``, empty where there is none."""

    databases: Databases | None = None
    """None where no role needs one."""
    api_address: str = ""
    webhook_address: str = ""
    web_url: str = ""
    health_address: str = ""
    watches: list[Callable[[], Awaitable[None]]] = field(default_factory=list)

    async def wait(self) -> None:
        """Until something that should run for ever ends: raises BackgroundFailed, ChildFailed."""
        watching = [asyncio.ensure_future(watch()) for watch in self.watches]
        try:
            ended, _ = await asyncio.wait(watching, return_when=asyncio.FIRST_COMPLETED)
            for each in ended:
                each.result()
        finally:
            for each in watching:
                each.cancel()
            await asyncio.gather(*watching, return_exceptions=True)


@asynccontextmanager
async def everything(settings: Settings) -> AsyncIterator[Up]:
    """All roles, ready to be used. Raises CannotStart, ChildFailed, EmbeddedPostgresError, psycopg.Error."""
    check_settings(settings)
    async with AsyncExitStack() as stack:
        try:
            up = await _start(settings, stack)
        except CannotListen as error:
            raise CannotStart(str(error)) from error
        yield up


async def _start(settings: Settings, stack: AsyncExitStack) -> Up:
    up = Up()
    several = settings.processes > 1
    port = stack.enter_context(reserved_port(settings.api_host, settings.api_port)) if several else 0
    roles = settings.roles - {"web"} - ({"api"} if several else set())
    if roles:
        system = await stack.enter_async_context(
            running(settings.model_copy(update={"roles": roles, "processes": 1}))
        )
        up.databases, up.api_address, up.webhook_address = (
            system.databases,
            system.api_address,
            system.webhook_address,
        )
        up.watches.append(system.wait)
    elif several:
        up.databases = await stack.enter_async_context(open_databases(settings))
    if several or "web" in settings.roles:
        supervisor = await stack.enter_async_context(Supervisor())
        if several and up.databases is not None:
            up.api_address = await _start_api(settings, up.databases, port, supervisor)
        if "web" in settings.roles:
            up.web_url = await _start_web(settings, up.api_address, supervisor)
        up.watches.append(supervisor.wait)
    if settings.health_port is not None:
        # Last, so that a probe finds it when everything is up, and first to say that this process stops.
        up.health_address = await stack.enter_async_context(health_server(settings.health_host, settings.health_port))
    return up


async def _start_api(settings: Settings, databases: Databases, port: int, supervisor: Supervisor) -> str:
    environment = service_environment(api_settings(settings, databases, port))
    programs = [
        Program(
            name=f"api-{number}",
            arguments=("-m", "service", "serve", "--json", "--until-stdin-ends"),
            environment=environment,
        )
        for number in range(1, settings.processes + 1)
    ]
    # One first: what is wrong is then said once.
    await supervisor.start(programs[0])
    await asyncio.gather(*(supervisor.start(program) for program in programs[1:]))
    return target(settings.api_host, port)


def api_settings(settings: Settings, databases: Databases, port: int) -> dict[str, str]:
    """What is different for a child with the role api, by the names of settings without their prefix. All that came
    from the command line is among it; what came from the environment or a file, the child reads itself."""
    different = {
        "ROLES": "api",
        "PROCESSES": "1",
        "API_HOST": settings.api_host,
        "API_PORT": str(port),
        "API_SHARED_PORT": "true",
        "DATA_DIR": str(settings.data_dir),
        "EVENT_STORE": databases.events,
        "READ_MODELS": databases.read_models,
    }
    if settings.health_port is not None:
        # The port that is set is the parent's.
        different |= {"HEALTH_HOST": "127.0.0.1", "HEALTH_PORT": "0"}
    return different


async def _start_web(settings: Settings, api_address: str, supervisor: Supervisor) -> str:
    tokens = parse_tokens(settings.api_tokens)
    environment = web_environment(
        server=address_for_clients(settings, api_address),
        token=tokens.get("web") or next(iter(tokens.values()), "") if api_address else "",
    )
    program = Program(
        name="web", arguments=("-m", "clients.web", "--json", "--until-stdin-ends"), environment=environment
    )
    ready = await supervisor.start(program)
    return str(ready["url"])


def address_for_clients(settings: Settings, api_address: str) -> str:
    """How a client on this machine reaches the API; empty where the operator has named a server, or there is none.
    With TLS only the operator knows the name that the certificate is for (``checks.py``)."""
    if not api_address or named_server():
        return ""
    host = _ANYWHERE.get(settings.api_host, settings.api_host)
    return target(host, int(api_address.rpartition(":")[2]))
