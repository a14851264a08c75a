"""The thousandth and the hundred-thousandth command on an account, beside the first command on one.

A command is a grant through the executor: one append (fsync on), and before it what it takes to know the account.
Half of an account's events are debits of a generation each, so its state grows with it.

- *warm*: a process that has the account in its cache;
- *cold*: one that has just started, and finds a snapshot of the account;
- *cold, without a snapshot*: one that folds all of the account's events.

The long account and new ones take turns, command by command; a figure is the median of some. The first command of a
temperature is one on an account that has no event.
"""

from __future__ import annotations

import gc
import statistics
import time
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import UTC, datetime

from benchmarks.bench import Bench
from benchmarks.case import Case, Kind, Round, Rounds, Row
from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.eventstore.postgres_import import PostgresHistoryImport
from service.adapters.postgres.pool import make_pool
from service.adapters.postgres.snapshots import PostgresSnapshots
from service.application.execute import Context, Executor, Ref
from service.application.generations import account_ref
from service.application.snapshots import Snapshots
from service.domain import account as accounts
from service.domain.account import Account, CreditsDebited, CreditsGranted
from service.domain.ids import account_stream
from service.ports.event_store import NewEvent
from service.ports.history_import import DatedEvent

LENGTHS = (1_000, 100_000)
WARM, COLD, FOLDED = "warm", "cold", "folded"
WHAT = {WARM: "warm", COLD: "cold, from a snapshot", FOLDED: "cold, without a snapshot"}
REPEATS = {WARM: 15, COLD: 7, FOLDED: 1}
"""Commands of which a figure is the median."""
REACH = 1.2
ROWS = [
    Row(
        f"account-growth/{length}/{temperature}",
        f"command {length:,} of an account, {WHAT[temperature]}",
        f"the first command of one, {WHAT[temperature]}",
        Kind.TIME,
        "ms",
        REACH if temperature == WARM else None,
        curve=WHAT[temperature],
        at=length,
    )
    for temperature in (WARM, COLD, FOLDED)
    for length in LENGTHS
]

Command = Callable[[str], Awaitable[float]]
"""On an account; how many milliseconds it took."""


async def measure(bench: Bench) -> AsyncIterator[Round]:
    conninfo = await bench.database()
    async with (
        PostgresEventStore.open(conninfo) as store,
        make_pool(conninfo, application_name="benchmark") as pool,
    ):
        commands = _commands(store, PostgresSnapshots(pool))
        for length in LENGTHS:
            shown = bench.size(full=length, quick=min(length, 10_000))
            bench.tell(f"making accounts of {shown:,} events")
            for temperature, command in commands.items():
                # Each has its own: a command of another process would cool the warm one.
                user = f"user-{length}-{temperature}"
                await _make(conninfo, user, shown - 1)
                await _keep_snapshot(store, PostgresSnapshots(pool), user)
                await command(user)
                for number in range(bench.rounds):
                    ours, theirs = await _in_turns(command, user, f"{user}-{number}", REPEATS[temperature])
                    yield Round(f"account-growth/{length}/{temperature}", ours, theirs, {"events": shown})


def _commands(store: PostgresEventStore, kept: PostgresSnapshots) -> dict[str, Command]:
    warm = Executor(store)

    async def in_warm(user: str) -> float:
        await warm.load(account_ref(user))
        return await _command(warm, user)

    async def in_cold(user: str) -> float:
        return await _command(Executor(store, snapshots=Snapshots(kept, store)), user)

    async def in_folded(user: str) -> float:
        return await _command(Executor(store), user)

    return {WARM: in_warm, COLD: in_cold, FOLDED: in_folded}


async def _in_turns(command: Command, user: str, first: str, repeats: int) -> tuple[float, float]:
    """Medians on the long account, and on accounts that nobody has written to."""
    ours, theirs = [], []
    for number in range(repeats):
        ours.append(await command(user))
        theirs.append(await command(f"{first}-{number}"))
    return statistics.median(ours), statistics.median(theirs)


async def _command(executor: Executor, user: str) -> float:
    ref: Ref[Account] = account_ref(user)
    grant_id = str(uuid.uuid4())
    gc.collect()  # what another account left behind is not this one's
    started = time.perf_counter()
    await executor.run(
        ref,
        lambda state: accounts.grant(state, user_id=user, grant_id=grant_id, credits=1, note="", actor=""),
        Context(),
    )
    return 1000 * (time.perf_counter() - started)


async def _make(conninfo: str, user: str, length: int) -> None:
    async with PostgresHistoryImport.open(conninfo) as importing:
        await importing.write(_history(user, length))


def _history(user: str, length: int) -> Iterator[DatedEvent]:
    """Grants and debits in turn."""
    at = datetime.now(UTC)
    for version in range(1, length + 1):
        event: CreditsGranted | CreditsDebited
        if version % 2:
            event = CreditsGranted(user_id=user, grant_id=f"grant-{version}", credits=20, note="card payment")
        else:
            event = CreditsDebited(user_id=user, generation_id=str(uuid.uuid4()), credits=20)
        yield DatedEvent(account_stream(user), version, NewEvent(uuid.uuid4(), event), at)


async def _keep_snapshot(store: PostgresEventStore, kept: PostgresSnapshots, user: str) -> None:
    snapshots = Snapshots(kept, store)
    await Executor(store, snapshots=snapshots).load(account_ref(user))
    await snapshots.keep_offered()


CASE = Case("account-growth", ROWS, measure, axis="commands on the account", rounds=Rounds(full=3, quick=2))
