"""Problems as an operator should read them: plain sentences on stderr, and an exit code."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NoReturn

import psycopg
import typer
from rich.console import Console
from rich.markup import escape

from service.adapters.embedded import EmbeddedPostgresError
from service.adapters.eventstore.postgres import EventLogMissing
from service.adapters.postgres.log_anchor import OtherLog
from service.adapters.postgres.migrations import MigrationEdited
from service.bootstrap import CannotStart, NotMigrated
from service.bootstrap.background import BackgroundFailed
from service.cli.supervise import ChildFailed
from service.config import SettingsError
from service.ports.event_store import EventStoreUnavailable

stderr = Console(stderr=True, highlight=False)


@contextmanager
def told_plainly() -> Iterator[None]:
    """Ends the program with exit code 1 and a sentence for every problem that an operator can do something about."""
    try:
        yield
    except (SettingsError, CannotStart) as error:
        refuse(*error.problems)
    except (
        NotMigrated,
        EventLogMissing,
        OtherLog,
        MigrationEdited,
        EmbeddedPostgresError,
        EventStoreUnavailable,
        BackgroundFailed,
        ChildFailed,
    ) as error:
        refuse(str(error))
    except psycopg.OperationalError as error:
        refuse(f"PostgreSQL cannot be reached: {' '.join(str(error).split())}")
    except OSError as error:
        refuse(str(error))


def refuse(*sentences: str) -> NoReturn:
    """Says each on stderr and ends the program with exit code 1. What stands in [brackets] is no markup."""
    for sentence in sentences:
        stderr.print(f"[red]triptychd:[/red] {escape(sentence)}", soft_wrap=True)
    raise typer.Exit(1)
