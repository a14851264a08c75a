"""A server whose log has a few weeks in it, and a client of it; no test appends to it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pytest

from clients.sdk import Event, Triptych
from tests.support.log_server import BOUND_SECONDS, LogServer, serving_log


@pytest.fixture(scope="session")
def log_server() -> Iterator[LogServer]:
    with serving_log(events=1500) as server:
        yield server


@pytest.fixture(scope="session")
def client(log_server: LogServer) -> Iterator[Triptych]:
    with Triptych(log_server.address, timeout_seconds=BOUND_SECONDS) as client:
        yield client


@pytest.fixture(scope="session")
def events(client: Triptych) -> Sequence[Event]:
    """All of it."""
    return list(client.replay_events())
