"""Commands about credits: each grant counts once, and support gives back what is left, once."""

from __future__ import annotations

from uuid import uuid4

import pytest

from service.adapters.eventstore.memory import MemoryEventStore
from service.application.credits import Credits
from service.application.execute import Context, Executor
from service.domain.account import CreditsRefunded
from service.domain.decider import DomainEvent
from service.domain.errors import AlreadyExists, AlreadyRefunded, InvalidField, NotEnded, NotFound, NothingToRefund
from service.domain.ids import account_stream, generation_stream
from service.ports.event_store import NewEvent, StreamWrite
from tests.support import samples
from tests.support.samples import GENERATION_ID, NOW, USER
from tests.support.webhooks import SetClock

CONTEXT = Context(actor="support-desk")


class Desk:
    def __init__(self) -> None:
        self.store = MemoryEventStore()
        self.credits = Credits(Executor(self.store), SetClock(NOW))

    async def given(self, stream: str, *events: DomainEvent) -> None:
        new = tuple(NewEvent(uuid4(), event) for event in events)  # type: ignore[arg-type]
        await self.store.append([StreamWrite(stream, 0, new)])

    async def given_ended(self, *refunds: CreditsRefunded) -> None:
        """A generation of 20 credits that has ended, and what of them came back."""
        await self.given(account_stream(USER), samples.granted(100), samples.debited(20), *refunds)
        await self.given(generation_stream(GENERATION_ID), samples.requested(), samples.succeeded(4))

    async def refund(self, generation_id: str = GENERATION_ID, reason: str = "blurred") -> int:
        outcome = await self.credits.refund_generation(
            generation_id=generation_id, reason=reason, actor="ann", context=CONTEXT
        )
        return outcome.state.balance

    async def grant(self, grant_id: str = "grant-1", credits: int = 100, user_id: str = USER) -> int:
        outcome = await self.credits.grant(
            user_id=user_id, grant_id=grant_id, credits=credits, note="", context=CONTEXT
        )
        return outcome.state.balance


@pytest.fixture
def desk() -> Desk:
    return Desk()


async def test_the_same_grant_twice_is_one(desk: Desk) -> None:
    assert [await desk.grant(), await desk.grant()] == [100, 100]
    assert await desk.grant("grant-2") == 200


async def test_the_same_grant_with_another_amount_is_refused(desk: Desk) -> None:
    await desk.grant()
    with pytest.raises(AlreadyExists, match="credits"):
        await desk.grant(credits=50)


@pytest.mark.parametrize(
    ("field", "changes"),
    [("user_id", {"user_id": "a/b"}), ("grant_id", {"grant_id": ""}), ("credits", {"credits": -5})],
)
async def test_a_grant_that_cannot_be_right(desk: Desk, field: str, changes: dict[str, object]) -> None:
    with pytest.raises(InvalidField) as caught:
        await desk.grant(**changes)  # type: ignore[arg-type]
    assert caught.value.field == field
    assert await desk.store.head() == 0


async def test_what_is_left_comes_back_with_who_and_why(desk: Desk) -> None:
    await desk.given_ended(samples.refunded(5, "undelivered"))
    assert await desk.refund() == 100
    last = (await desk.store.read_stream(account_stream(USER)))[-1]
    assert last.event == samples.refunded_by_hand(15)
    assert last.metadata.actor == "support-desk"
    assert last.metadata.correlation_id == GENERATION_ID


async def test_a_second_refund_is_told_of_the_first(desk: Desk) -> None:
    await desk.given_ended()
    await desk.refund()
    with pytest.raises(AlreadyRefunded) as caught:
        await desk.refund()
    assert (caught.value.actor, caught.value.refund_time, caught.value.note) == ("ann", NOW, "blurred")


async def test_nothing_is_left(desk: Desk) -> None:
    await desk.given_ended(samples.refunded(20))
    with pytest.raises(NothingToRefund):
        await desk.refund()


async def test_one_that_still_runs_is_not_refunded(desk: Desk) -> None:
    await desk.given(generation_stream(GENERATION_ID), samples.requested())
    with pytest.raises(NotEnded):
        await desk.refund()


async def test_one_that_does_not_exist(desk: Desk) -> None:
    with pytest.raises(NotFound):
        await desk.refund()
    with pytest.raises(InvalidField):
        await desk.refund("no id")
