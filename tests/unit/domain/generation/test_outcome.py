"""How a generation ends: once, with the credits for what was not delivered in the same decision."""

from __future__ import annotations

import pytest

from service.domain.decider import DomainEvent
from service.domain.errors import NothingToRefund
from service.domain.generation import events as e
from service.domain.generation.outcome import end_cancelled, end_delivered, end_failed, refuse_prompt
from service.domain.ids import item_id_for
from tests.support.given import Then, given
from tests.support.samples import (
    GENERATION_ID,
    cancelled,
    debited,
    delivered,
    enhanced,
    failed,
    granted,
    image,
    media,
    moderated,
    refunded,
    requested,
    submission_started,
    submitted,
    succeeded,
)

PAID = (granted(100), debited(), requested())
AT_VENDOR = (*PAID, moderated(), enhanced(), submission_started(), submitted())
ENDS = [
    (*AT_VENDOR, refunded(20), failed()),
    (*AT_VENDOR, refunded(20, "cancelled"), cancelled()),
    (*AT_VENDOR, refunded(10, "undelivered"), image(0), image(1), succeeded(2, 10)),
]


def when_delivered(history: tuple[DomainEvent, ...], *indices: int) -> Then:
    outputs = [delivered(index) for index in indices]
    return given(*history).when(lambda account, generation: end_delivered(account, generation, delivered=outputs))


def when_failed(history: tuple[DomainEvent, ...]) -> Then:
    return given(*history).when(
        lambda account, generation: end_failed(account, generation, reason="timed_out", detail="")
    )


def when_refused(history: tuple[DomainEvent, ...]) -> Then:
    return given(*history).when(
        lambda account, generation: refuse_prompt(account, generation, categories=("violence",), model="m")
    )


def test_all_delivered_costs_all() -> None:
    when_delivered(AT_VENDOR, 0, 1, 2, 3).then(*map(image, range(4)), succeeded(4))


def test_two_of_four_delivered_gives_half_back() -> None:
    when_delivered(AT_VENDOR, 3, 1).then(refunded(10, "undelivered"), image(1), image(3), succeeded(2, 10))


def test_more_delivered_than_asked_is_trimmed() -> None:
    when_delivered(AT_VENDOR, 5, 4, 3, 2, 1, 0).then(*map(image, range(4)), succeeded(4))


def test_none_delivered_is_a_failure_with_all_of_it_back() -> None:
    when_delivered(AT_VENDOR).then(refunded(20, "failed", "no_output"), failed(failure_reason="no_output"))


def test_a_failure_gives_all_of_it_back() -> None:
    when_failed(AT_VENDOR).then(refunded(20, "failed", "timed_out"), failed())


def test_a_cancellation_gives_all_of_it_back() -> None:
    given(*PAID).when(lambda account, generation: end_cancelled(account, generation, actor="bot")).then(
        refunded(20, "cancelled"), cancelled()
    )


def test_a_refused_prompt_ends_it_with_its_verdict() -> None:
    events = when_refused(PAID).events
    assert events[0] == refunded(20, "failed", "content_policy")
    assert events[1] == e.PromptModerated(
        generation_id=GENERATION_ID, allowed=False, categories=("violence",), model="m"
    )
    assert isinstance(events[2], e.GenerationFailed)
    assert events[2].detail == "moderation: violence"


def test_a_prompt_that_has_passed_is_not_refused_afterwards() -> None:
    when_refused((*PAID, moderated())).then_nothing()


def test_a_video_is_recorded_as_one() -> None:
    output = delivered(0, "video")
    given(granted(100), debited(5), requested(1)).when(
        lambda account, generation: end_delivered(account, generation, delivered=[output])
    ).then(
        e.VideoProduced(
            generation_id=GENERATION_ID,
            item_id=item_id_for(GENERATION_ID, 0),
            index=0,
            media=media(),
            thumbnail=media("thumbnail-0.webp"),
        ),
        succeeded(1),
    )


@pytest.mark.parametrize("ended", ENDS)
def test_whoever_comes_second_changes_nothing(ended: tuple[DomainEvent, ...]) -> None:
    when_delivered(ended, 0, 1, 2, 3).then_nothing()
    when_failed(ended).then_nothing()
    when_refused(ended).then_nothing()
    given(*ended).when(lambda account, generation: end_cancelled(account, generation, actor="x")).then_nothing()


def test_what_was_never_asked_has_no_end() -> None:
    when_delivered((), 0).then_nothing()
    when_failed(()).then_nothing()


def test_a_refund_on_an_account_that_is_ahead_is_refused_rather_than_recorded() -> None:
    when_failed((*AT_VENDOR, refunded(20))).then_refused(NothingToRefund, debited=20, refunded=20)
