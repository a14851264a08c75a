"""Commands in business verbs: what callers are answered, and what they are refused with."""

from __future__ import annotations

import pytest

from service.application.credits import Credits
from service.application.curation import Curation
from service.application.execute import Context
from service.domain.errors import (
    AlreadyExists,
    AlreadyRefunded,
    InsufficientCredits,
    InvalidField,
    NotEnded,
    NotFound,
)
from service.domain.generation.curation import favorite
from service.domain.generation.state import Phase
from service.domain.ids import generation_id_for, item_id_for
from tests.support.bench import Bench, virtually
from tests.support.samples import (
    GENERATION_ID,
    OTHER_USER,
    REQUEST,
    USER,
    asked,
    debited,
    failed,
    granted,
    image,
    refunded,
    requested,
    succeeded,
)

BOT = Context(actor="bot", traceparent="00-1-2-3")
DELIVERED = (granted(100), debited(), requested(), *map(image, range(4)), succeeded(4))


@virtually
async def test_a_request_is_answered_with_its_place_and_again_with_the_same() -> None:
    bench = Bench()
    await bench.happened(granted(100), debited(), requested())
    other = await bench.generations.request(user_id=USER, request_id="r-2", asked=asked(), context=BOT)
    again = await bench.generations.request(user_id=USER, request_id="r-2", asked=asked(), context=BOT)
    assert (other.changed, again.changed) == (True, False)
    assert other.position == again.position == 5
    assert other.state == again.state
    assert other.state.generation_id == generation_id_for(USER, "r-2")


@virtually
async def test_a_command_says_in_the_log_who_gave_it_and_what_it_belongs_to() -> None:
    bench = Bench()
    await bench.happened(granted(100), debited(), requested())
    await bench.generations.request(user_id=USER, request_id="r-2", asked=asked(), context=BOT)
    [*_, recorded] = [each async for batch in bench.store.read_all() for each in batch]
    assert recorded.metadata.actor == "bot"
    assert recorded.metadata.correlation_id == generation_id_for(USER, "r-2")
    assert recorded.metadata.traceparent == "00-1-2-3"


@virtually
async def test_what_cannot_be_right_is_refused_and_writes_nothing() -> None:
    bench = Bench()
    await bench.happened(*DELIVERED)
    request = bench.generations.request
    with pytest.raises(InvalidField, match="user_id"):
        await request(user_id="a/b", request_id="r", asked=asked(), context=BOT)
    with pytest.raises(InvalidField, match="request_id"):
        await request(user_id=USER, request_id="", asked=asked(), context=BOT)
    with pytest.raises(AlreadyExists, match="prompt"):
        await request(user_id=USER, request_id=REQUEST, asked=asked(prompt="a hare"), context=BOT)
    video = asked(generation_type="video", output_count=1)
    await request(user_id=USER, request_id="r-2", asked=video, context=BOT)
    with pytest.raises(InsufficientCredits):
        await request(user_id=USER, request_id="r-3", asked=video, context=BOT)
    with pytest.raises(InvalidField, match="generation_id"):
        await bench.generations.cancel(user_id=USER, generation_id="7", context=BOT)
    with pytest.raises(NotFound):
        await bench.generations.cancel(user_id=USER, generation_id=generation_id_for("x", "y"), context=BOT)
    with pytest.raises(NotFound):
        await bench.generations.cancel(user_id=OTHER_USER, generation_id=GENERATION_ID, context=BOT)
    assert len(await bench.log()) == len(DELIVERED) + 2


@virtually
async def test_a_cancel_before_the_vendor_has_it_pays_back_at_once() -> None:
    bench = Bench()
    await bench.happened(granted(100), debited(), requested())
    outcome = await bench.generations.cancel(user_id=USER, generation_id=GENERATION_ID.upper(), context=BOT)
    assert (outcome.state.phase, outcome.state.credits_refunded) == (Phase.CANCELLED, 20)


@virtually
async def test_support_refunds_what_has_ended_once() -> None:
    bench = Bench()
    credits = Credits(bench.executor, bench.clock)
    await bench.happened(*DELIVERED)
    outcome = await credits.refund_generation(generation_id=GENERATION_ID, reason="blurred", actor="ann", context=BOT)
    assert outcome.state.balance == 100
    with pytest.raises(AlreadyRefunded) as caught:
        await credits.refund_generation(generation_id=GENERATION_ID, reason="again", actor="bob", context=BOT)
    assert (caught.value.actor, caught.value.note, caught.value.refund_time) == ("ann", "blurred", bench.clock.now())


@virtually
async def test_support_does_not_refund_what_still_runs_or_never_was() -> None:
    bench = Bench()
    credits = Credits(bench.executor, bench.clock)
    await bench.happened(granted(100), debited(), requested())
    with pytest.raises(NotEnded):
        await credits.refund_generation(generation_id=GENERATION_ID, reason="x", actor="ann", context=BOT)
    with pytest.raises(NotFound):
        await credits.refund_generation(
            generation_id=generation_id_for("x", "y"), reason="x", actor="ann", context=BOT
        )


@virtually
async def test_a_grant_wants_ids_that_can_be_names() -> None:
    bench = Bench()
    credits = Credits(bench.executor, bench.clock)
    with pytest.raises(InvalidField, match="grant_id"):
        await credits.grant(user_id=USER, grant_id="a b", credits=1, note="", context=BOT)
    outcome = await credits.grant(user_id=USER, grant_id="g", credits=7, note="", context=BOT)
    again = await credits.grant(user_id=USER, grant_id="g", credits=7, note="", context=BOT)
    assert (outcome.state.balance, again.state.balance, again.changed) == (7, 7, False)


@virtually
async def test_an_item_is_kept_once() -> None:
    bench = Bench()
    await bench.happened(*DELIVERED)
    curation = Curation(bench.executor)
    item_id = item_id_for(GENERATION_ID, 0)
    first = await curation.apply(favorite, user_id=USER, item_id=item_id, context=BOT)
    again = await curation.apply(favorite, user_id=USER, item_id=item_id, context=BOT)
    assert (first.changed, again.changed) == (True, False)
    with pytest.raises(NotFound):
        await curation.apply(favorite, user_id=OTHER_USER, item_id=item_id, context=BOT)


@virtually
async def test_a_report_after_a_failure_is_recorded_once_and_changes_nothing() -> None:
    bench = Bench()
    before = await bench.happened(granted(100), debited(), requested(), refunded(20), failed())
    for _ in range(2):
        after = await bench.reports.receive(GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
    assert (after.phase, after.credits_refunded) == (before.phase, before.credits_refunded)
    assert [type(event).__name__ for event in await bench.log()].count("LateReportReceived") == 1


@virtually
async def test_a_report_about_nothing_of_ours_is_refused() -> None:
    bench = Bench()
    with pytest.raises(NotFound):
        await bench.reports.receive(GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
