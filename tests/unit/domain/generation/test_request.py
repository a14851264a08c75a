"""Asking for a generation, and asking out of it."""

from __future__ import annotations

import pytest

from service.domain.errors import AlreadyExists, InsufficientCredits, InvalidField, NotCancellable, NotFound
from service.domain.generation.events import AskedParameters
from service.domain.generation.request import RequestFacts, cancel, request
from tests.support.given import Given, Then, given
from tests.support.samples import (
    CATALOG,
    GENERATION_ID,
    NOW,
    OTHER_USER,
    REQUEST,
    USER,
    asked,
    cancellation_refused,
    cancellation_requested,
    cancelled,
    debited,
    enhanced,
    failed,
    granted,
    image,
    moderated,
    refunded,
    requested,
    submission_deferred,
    submission_started,
    submitted,
    succeeded,
)

PAID = (granted(100), debited(), requested())
AT_VENDOR = (*PAID, moderated(), enhanced(), submission_started(), submitted())


def facts(parameters: AskedParameters, *, reference_found: bool = False) -> RequestFacts:
    return RequestFacts(
        generation_id=GENERATION_ID,
        user_id=USER,
        request_id=REQUEST,
        asked=parameters,
        catalog=CATALOG,
        reference_found=reference_found,
        now=NOW,
    )


def when_asked(history: Given, *, reference_found: bool = False, **changes: object) -> Then:
    return history.when(
        lambda account, generation: request(
            account, generation, facts(asked(**changes), reference_found=reference_found)
        )
    )


def when_cancelled(history: Given, user_id: str = USER) -> Then:
    return history.when(
        lambda account, generation: cancel(
            account, generation, user_id=user_id, generation_id=GENERATION_ID, actor="bot"
        )
    )


def test_a_request_takes_the_credits_and_is_queued() -> None:
    when_asked(given(granted(100))).then(debited(20), requested())


def test_the_same_request_again_changes_nothing() -> None:
    when_asked(given(*PAID)).then_nothing()


def test_the_same_request_after_its_end_changes_nothing() -> None:
    when_asked(given(*PAID, refunded(20), failed())).then_nothing()


@pytest.mark.parametrize(
    ("changes", "differing"),
    [
        ({"prompt": "a blue fox"}, "prompt"),
        ({"output_count": 3}, "output_count"),
        ({"generation_type": "video"}, "type"),
        ({"seed": 1}, "seed"),
        ({"enhance_prompt": False}, "enhance_prompt"),
        ({"aspect_ratio": "1:1"}, "aspect_ratio"),
        ({"aspect_ratio": "16:9", "output_count": 1}, "aspect_ratio,output_count"),
    ],
)
def test_the_same_request_id_with_other_parameters_is_refused(changes: dict[str, object], differing: str) -> None:
    given(*PAID).when(lambda account, generation: request(account, generation, facts(asked(**changes)))).then_refused(
        AlreadyExists, field="request_id", differing=differing
    )


def test_a_request_beyond_the_balance_is_refused_with_both_figures() -> None:
    when_asked(given(granted(19))).then_refused(InsufficientCredits, balance=19, price=20)


def test_a_request_that_the_catalog_does_not_have_is_refused() -> None:
    when_asked(given(granted(100)), generation_type="music").then_refused(InvalidField, field="type")


def test_a_reference_that_is_not_there_is_refused() -> None:
    when_asked(given(granted(100)), generation_type="avatar", reference_media_id="m-1").then_refused(
        InvalidField, field="reference_media_id"
    )


def test_a_reference_that_is_there_is_taken() -> None:
    events = when_asked(
        given(granted(100)), reference_found=True, generation_type="avatar", reference_media_id="m-1"
    ).events
    assert [type(event).__name__ for event in events] == ["CreditsDebited", "GenerationRequested"]


@pytest.mark.parametrize(
    "history",
    [
        PAID,
        (*PAID, moderated()),
        (*PAID, moderated(), enhanced()),
        (*PAID, moderated(), enhanced(), submission_started(), submission_deferred()),
    ],
)
def test_before_the_vendor_has_it_a_cancel_ends_it_and_pays_back(history: tuple[object, ...]) -> None:
    when_cancelled(given(*history)).then(refunded(20, "cancelled"), cancelled())  # type: ignore[arg-type]


@pytest.mark.parametrize("history", [AT_VENDOR, AT_VENDOR[:-1], (*AT_VENDOR, cancellation_refused())])
def test_once_the_vendor_may_have_it_a_cancel_is_a_wish(history: tuple[object, ...]) -> None:
    when_cancelled(given(*history)).then(cancellation_requested())  # type: ignore[arg-type]


def test_the_same_wish_again_changes_nothing() -> None:
    when_cancelled(given(*AT_VENDOR, cancellation_requested())).then_nothing()


def test_cancelling_what_is_cancelled_changes_nothing() -> None:
    when_cancelled(given(*PAID, refunded(20, "cancelled"), cancelled())).then_nothing()


def test_cancelling_what_has_succeeded_says_why_not() -> None:
    error = when_cancelled(given(*AT_VENDOR, *map(image, range(4)), succeeded(4))).then_refused(
        NotCancellable, state="succeeded"
    )
    assert "too late" in error.message


def test_cancelling_what_has_failed_says_why_not() -> None:
    when_cancelled(given(*AT_VENDOR, refunded(20), failed())).then_refused(NotCancellable, state="failed")


def test_a_strangers_generation_is_not_there() -> None:
    when_cancelled(given(*PAID), OTHER_USER).then_refused(NotFound, name=GENERATION_ID)
    when_cancelled(given(granted(100))).then_refused(NotFound, name=GENERATION_ID)
