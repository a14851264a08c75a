"""Problems as an operator should read them: plain sentences on stderr, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import psycopg
import typer
from rich.console import Console

from service.adapters.embedded import EmbeddedPostgresError
from service.adapters.eventstore.postgres import EventLogMissing
from service.adapters.postgres.migrations import MigrationEdited
from service.bootstrap import CannotStart, NotMigrated
from service.bootstrap.background import BackgroundFailed
from service.config import SettingsError
from service.ports.event_store import EventStoreUnavailable

stderr = Console(stderr=True, highlight=False)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Ends the program with exit code 1 and a sentence for every problem that an operator can do something about."""
    try:
        yield
    except (SettingsError, CannotStart) as error:
        _tell(*error.problems)
    except (
        NotMigrated,
        EventLogMissing,
        MigrationEdited,
        EmbeddedPostgresError,
        EventStoreUnavailable,
        BackgroundFailed,
    ) as error:
        _tell(str(error))
    except psycopg.OperationalError as error:
        _tell(f"PostgreSQL cannot be reached: {' '.join(str(error).split())}")
    except OSError as error:
        _tell(str(error))


def _tell(*sentences: str) -> None:
    for sentence in sentences:
        stderr.print(f"[red]triptychd:[/red] {sentence}", markup=True, soft_wrap=True)
    raise typer.Exit(1)
