"""Fixtures for every tier. Servers are per test process, what they hold is per test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests.support.postgres import PostgresServer, run_test_server
from tests.support.real_kurrentdb import described
from tests.support.system import RunningSystem, running_system

# The same examples on every run, and no verdict on how long they take: machines are busy, and a test that fails once
# in a hundred runs holds up work that has nothing to do with it.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("steady")


def pytest_report_header() -> str:
    return f"KurrentDB: {described()}"


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """A PostgreSQL server, started when the first test asks for it."""
    with run_test_server() as server:
        yield server


@pytest.fixture(scope="session")
def postgres_template(postgres_server: PostgresServer) -> Iterator[str]:
    """A database with all migrations, to be copied."""
    name = postgres_server.create_migrated_database()
    yield name
    postgres_server.drop_database(name)


@pytest.fixture
def database(postgres_server: PostgresServer, postgres_template: str) -> Iterator[str]:
    """The connection string of a fresh, migrated, empty database."""
    name = postgres_server.create_database(template=postgres_template)
    yield postgres_server.conninfo_for(name)
    postgres_server.drop_database(name)


@pytest.fixture(scope="session")
def system(postgres_server: PostgresServer, postgres_template: str) -> Iterator[RunningSystem]:
    """The whole service with its sandbox, as real processes; shared by all tests of a process."""
    with running_system(postgres_server, postgres_template) as running:
        yield running
