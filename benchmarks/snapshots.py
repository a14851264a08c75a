"""What the thousandth and the hundred-thousandth command on an account cost, against the first.

    python -m benchmarks.snapshots [--repeats 25]

Each command is a grant through the executor, on an embedded PostgreSQL with fsync on: one append, and before it what
it takes to know the account. Warm is a process that has the account in its cache; cold is one that has just started.
Without snapshots a cold process folds the whole account. Half of an account's events are debits, so its state grows
with it. Accounts of all lengths take turns; medians, and their ratios to the first command of the same temperature.
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import statistics
import tempfile
import time
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from rich.console import Console
from rich.table import Table

from service.adapters.embedded import EmbeddedPostgres
from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.eventstore.postgres_import import PostgresHistoryImport
from service.adapters.postgres.migrations import migrate
from service.adapters.postgres.pool import make_pool
from service.adapters.postgres.snapshots import PostgresSnapshots
from service.application.execute import Context, Executor, Ref
from service.application.snapshots import Snapshots
from service.domain import account as accounts
from service.domain.account import ACCOUNT, Account, CreditsDebited, CreditsGranted
from service.domain.ids import account_stream
from service.ports.event_store import NewEvent
from service.ports.history_import import DatedEvent

LENGTHS = (0, 999, 9_999, 99_999)
COLD, FOLDED, WARM = "cold, with snapshots", "cold, without", "warm"


def long_account(user_id: str, length: int) -> Iterator[DatedEvent]:
    """Grants and debits in turn."""
    at = datetime.now(UTC)
    for version in range(1, length + 1):
        event: CreditsGranted | CreditsDebited
        if version % 2:
            event = CreditsGranted(user_id=user_id, grant_id=f"grant-{version}", credits=20, note="card payment")
        else:
            event = CreditsDebited(user_id=user_id, generation_id=str(uuid.uuid4()), credits=20)
        yield DatedEvent(account_stream(user_id), version, NewEvent(uuid.uuid4(), event), at)


def ref(user_id: str) -> Ref[Account]:
    return Ref(account_stream(user_id), ACCOUNT)


async def command(executor: Executor, user_id: str) -> float:
    """Seconds that a grant takes."""
    grant_id = str(uuid.uuid4())
    gc.collect()  # what another account left behind is not this one's
    started = time.perf_counter()
    await executor.run(
        ref(user_id),
        lambda state: accounts.grant(state, user_id=user_id, grant_id=grant_id, credits=1, note="", actor=""),
        Context(),
    )
    return time.perf_counter() - started


async def measure(store: PostgresEventStore, kept: PostgresSnapshots, users: dict[int, str], repeats: int) -> None:
    seconds: dict[tuple[str, int], list[float]] = {}
    warm = Executor(store)
    for length, user_id in users.items():
        snapshots = Snapshots(kept, store)
        await Executor(store, snapshots=snapshots).load(ref(user_id))
        await snapshots.keep_offered()
        await warm.load(ref(f"{user_id}-warm"))
        for what in (COLD, FOLDED, WARM):
            seconds[what, length] = []
    for number in range(repeats):
        for length, user_id in users.items():
            # The first command is always one on an account that nobody has written to.
            user_id = user_id if length else f"{user_id}-{number}"
            seconds[WARM, length].append(await command(warm, f"{user_id}-warm"))
            cold = Executor(store, snapshots=Snapshots(kept, store))
            seconds[COLD, length].append(await command(cold, user_id))
            seconds[FOLDED, length].append(await command(Executor(store), user_id if length else f"{user_id}-folded"))
    table = Table("command", *(f"{what}: ms (ratio)" for what in (WARM, COLD, FOLDED)))
    for length in users:
        cells = []
        for what in (WARM, COLD, FOLDED):
            median, first = statistics.median(seconds[what, length]), statistics.median(seconds[what, 0])
            cells.append(f"{median * 1000:.2f} ({median / first:.1f})")
        table.add_row(f"number {length + 1:,}", *cells)
    Console().print(table)


async def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--repeats", type=int, default=25)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="triptych-bench-") as folder:
        async with EmbeddedPostgres(Path(folder)) as server:
            await migrate(server.conninfo, "events")
            await migrate(server.conninfo, "read_models")
            users = {length: f"user-{length}" for length in LENGTHS}
            for length, user_id in users.items():
                for each in (user_id, f"{user_id}-warm"):  # another process's commands would cool the warm one
                    async with PostgresHistoryImport.open(server.conninfo) as importing:
                        await importing.write(long_account(each, length))
            async with (
                PostgresEventStore.open(server.conninfo) as store,
                make_pool(server.conninfo, application_name="benchmark") as pool,
            ):
                await measure(store, PostgresSnapshots(pool), users, arguments.repeats)


if __name__ == "__main__":
    asyncio.run(main())
