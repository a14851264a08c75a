"""Many clients on one account of the real PostgreSQL store, in every interleaving that hypothesis thinks of.

Each client has an executor of its own, with its own cache of states: what another process knows. A step sends several
commands at once. Whatever the order in which they reach the log, the balance must be what the answers said: an update
that was lost, or made twice, shows as a difference.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import pytest
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from service.adapters.clock import SystemClock
from service.adapters.eventstore.postgres import PostgresEventStore
from service.adapters.media import ObjectMediaStore, open_location
from service.application.audit import audit
from service.application.credits import Credits
from service.application.execute import Context, Executor
from service.application.generations import Generations, account_ref
from service.domain.errors import Conflict, DomainError
from service.domain.generation.outcome import end_delivered, end_failed
from service.domain.ids import generation_id_for
from service.ports.event_store import RecordedEvent
from tests.support.samples import CATALOG, PRICE, asked, delivered

CLIENTS = 3
_CONTEXT = Context(actor="test")
_numbers = itertools.count(1)
T = TypeVar("T")


class Command(NamedTuple):
    """What one client does: ``slot`` picks the grant or the request, ``delivered`` how many outputs came."""

    verb: str
    client: int
    slot: int
    delivered: int


COMMANDS = st.builds(
    Command,
    st.sampled_from(["grant", "request", "request", "deliver", "fail", "cancel", "refund"]),
    st.integers(0, CLIENTS - 1),
    st.integers(0, 4),
    st.integers(0, 4),
)


@dataclass
class Client:
    executor: Executor
    credits: Credits
    generations: Generations


class Bench:
    """The clients, on a loop of their own: hypothesis calls from outside of any."""

    def __init__(self, conninfo: str, folder: Path) -> None:
        self._conninfo = conninfo
        self._folder = folder
        self._threads = ThreadPoolExecutor(1)
        self._runner = self._threads.submit(asyncio.Runner).result()
        self._stack = AsyncExitStack()
        self.stores: list[PostgresEventStore] = []
        self.clients: list[Client] = []

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self._threads.submit(self._runner.run, work).result()

    async def open(self) -> None:
        media = ObjectMediaStore(open_location(self._folder.as_uri()), threads=self._threads)
        for _ in range(CLIENTS):
            store = await self._stack.enter_async_context(PostgresEventStore.open(self._conninfo, max_readers=2))
            executor = Executor(store, max_attempts=50)
            clock = SystemClock()
            self.stores.append(store)
            self.clients.append(
                Client(executor, Credits(executor, clock), Generations(executor, CATALOG, media, clock))
            )

    async def log(self, after: int) -> list[RecordedEvent]:
        return [event async for batch in self.stores[0].read_all(after=after) for event in batch]

    def close(self) -> None:
        self.run(self._stack.aclose())
        self._threads.submit(self._runner.close).result()
        self._threads.shutdown()


@pytest.fixture
def bench(database: str, tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(database, tmp_path)
    try:
        bench.run(bench.open())
        yield bench
    finally:
        bench.close()


class Accounts(RuleBasedStateMachine):
    """One account. ``expected`` is its balance by the answers that the clients were given."""

    bench: Bench

    def __init__(self) -> None:
        super().__init__()
        self.user_id = f"user-{next(_numbers)}"
        self.expected = 0
        self.began_at = self.bench.run(self.bench.stores[0].head())
        self.send([Command("grant", 0, 1, 0)])

    @rule(commands=st.lists(COMMANDS, min_size=1, max_size=8))
    def send(self, commands: list[Command]) -> None:
        """All at once."""
        self.expected += sum(self.bench.run(self._send(commands)))

    async def _send(self, commands: list[Command]) -> list[int]:
        return await asyncio.gather(*(self._answer(command) for command in commands))

    async def _answer(self, command: Command) -> int:
        """By how many credits the answer says that the balance has changed."""
        does: dict[str, Callable[[Client, Command], Awaitable[int]]] = {
            "grant": self._grant,
            "request": self._request,
            "deliver": self._deliver,
            "fail": self._fail,
            "cancel": self._cancel,
            "refund": self._refund,
        }
        try:
            return await does[command.verb](self.bench.clients[command.client], command)
        except Conflict:
            raise
        except DomainError:
            return 0

    async def _grant(self, client: Client, command: Command) -> int:
        credits = 7 * (command.slot + 1)
        outcome = await client.credits.grant(
            user_id=self.user_id, grant_id=f"grant-{command.slot}", credits=credits, note="", context=_CONTEXT
        )
        return credits if outcome.changed else 0

    async def _request(self, client: Client, command: Command) -> int:
        outcome = await client.generations.request(
            user_id=self.user_id,
            request_id=f"request-{command.slot}",
            asked=asked(output_count=_asked(command)),
            context=_CONTEXT,
        )
        return -PRICE * _asked(command) if outcome.changed else 0

    async def _deliver(self, client: Client, command: Command) -> int:
        outputs = [delivered(index) for index in range(min(command.delivered, _asked(command)))]
        outcome = await client.generations.end(
            self.user_id,
            self._generation_id(command),
            lambda account, generation: end_delivered(account, generation, delivered=outputs),
            _CONTEXT,
        )
        return PRICE * (_asked(command) - len(outputs)) if outcome.changed else 0

    async def _fail(self, client: Client, command: Command) -> int:
        outcome = await client.generations.end(
            self.user_id,
            self._generation_id(command),
            lambda account, generation: end_failed(account, generation, reason="internal", detail=""),
            _CONTEXT,
        )
        return PRICE * _asked(command) if outcome.changed else 0

    async def _cancel(self, client: Client, command: Command) -> int:
        outcome = await client.generations.cancel(
            user_id=self.user_id, generation_id=self._generation_id(command), context=_CONTEXT
        )
        return PRICE * _asked(command) if outcome.changed else 0

    async def _refund(self, client: Client, command: Command) -> int:
        generation_id = self._generation_id(command)
        outcome = await client.credits.refund_generation(
            generation_id=generation_id, reason="blurred", actor="olga", context=_CONTEXT
        )
        # What is refunded by hand has ended, so its outputs stay what they are.
        kept = PRICE * len((await client.generations.load(generation_id)).items)
        return kept if outcome.changed else 0

    def _generation_id(self, command: Command) -> str:
        return generation_id_for(self.user_id, f"request-{command.slot}")

    @invariant()
    def everybody_finds_what_the_answers_said(self) -> None:
        for client in self.bench.clients:
            account = self.bench.run(client.executor.load(account_ref(self.user_id))).state
            assert account.balance == self.expected
            assert account.balance >= 0

    def teardown(self) -> None:
        log = self.bench.run(self.bench.log(self.began_at))
        assert audit(log, now=datetime.now(UTC)) == []


def _asked(command: Command) -> int:
    """Outputs of the request in this slot: the same whoever sends it."""
    return 1 + command.slot % 4


def test_no_update_is_lost_and_nothing_goes_below_zero(bench: Bench) -> None:
    machine = type("AccountsOnThisBench", (Accounts,), {"bench": bench})
    run_state_machine_as_test(
        machine,
        # Not shrunk: what really runs side by side does not fail the same way twice.
        settings=settings(max_examples=25, stateful_step_count=10, database=None, phases=[Phase.generate]),
    )
