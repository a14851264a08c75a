"""The process as a table: given what happened, at a moment, then the next step."""

from __future__ import annotations

import pytest

from service.domain.decider import DomainEvent
from service.domain.fulfilment import (
    CancelAtVendor,
    Expire,
    GiveUp,
    Look,
    Moderate,
    Nothing,
    Policy,
    RecordCancelled,
    SettlePrompt,
    Step,
    Submit,
    Wait,
    next_step,
)
from tests.support.given import given
from tests.support.samples import (
    DEADLINE,
    DEADLINE_SECONDS,
    after,
    cancellation_refused,
    cancellation_requested,
    cancelled,
    enhanced,
    failed,
    image,
    moderated,
    requested,
    submission_deferred,
    submission_started,
    submitted,
    succeeded,
)

NEW = (requested(),)
READY = (*NEW, moderated(), enhanced())
SUBMITTING = (*READY, submission_started())
LATE_SUBMITTING = (*READY, submission_started(at_seconds=250))
DEFERRED = (*SUBMITTING, submission_deferred(retry_at_seconds=10))
TWICE_DEFERRED = (*DEFERRED, submission_started(2, 10), submission_deferred(2, 20))
SUBMITTED = (*SUBMITTING, submitted())
WANTS_OUT = cancellation_requested()
LOST = GiveUp("vendor_unavailable", "the vendor's answer to the submission was lost and no word came since")
OVERDUE = GiveUp("timed_out", "the deadline passed before the vendor had taken it")
POLICY = Policy(grace_seconds=120, tool_patience_seconds=60, max_submit_attempts=2)


@pytest.mark.parametrize(
    ("history", "at_seconds", "step"),
    [
        ((), 0, Nothing()),
        (NEW, 0, Moderate(last_try=False)),
        (NEW, 59, Moderate(last_try=False)),
        (NEW, 60, Moderate(last_try=True)),
        ((*NEW, moderated()), 1, SettlePrompt()),
        (READY, 2, Submit()),
        (READY, DEADLINE_SECONDS - 1, Submit()),
        (READY, DEADLINE_SECONDS, OVERDUE),
        (NEW, DEADLINE_SECONDS, OVERDUE),
        (SUBMITTING, 0, Wait(after(120))),
        (SUBMITTING, 119, Wait(after(120))),
        (SUBMITTING, 120, LOST),
        (LATE_SUBMITTING, 251, Wait(DEADLINE)),
        (LATE_SUBMITTING, DEADLINE_SECONDS, LOST),
        ((*SUBMITTING, WANTS_OUT), 60, Wait(after(120))),
        ((*SUBMITTING, WANTS_OUT), 120, RecordCancelled()),
        (DEFERRED, 9, Wait(after(10))),
        (DEFERRED, 10, Submit()),
        (DEFERRED, DEADLINE_SECONDS, OVERDUE),
        ((*SUBMITTING, WANTS_OUT, submission_deferred()), 1, RecordCancelled()),
        (TWICE_DEFERRED, 20, GiveUp("vendor_unavailable", "the vendor did not take it in 2 attempts")),
        (SUBMITTED, 3, Look()),
        (SUBMITTED, DEADLINE_SECONDS, Expire()),
        ((*SUBMITTED, WANTS_OUT), 4, CancelAtVendor()),
        ((*SUBMITTED, WANTS_OUT), DEADLINE_SECONDS, Expire()),
        ((*SUBMITTED, WANTS_OUT, cancellation_refused()), 5, Look()),
        ((*SUBMITTED, image(0), succeeded(1, 15)), 6, Nothing()),
        ((*SUBMITTED, failed()), DEADLINE_SECONDS, Nothing()),
        ((*SUBMITTED, cancelled()), 6, Nothing()),
    ],
)
def test_next_step(history: tuple[DomainEvent, ...], at_seconds: float, step: Step) -> None:
    assert next_step(given(*history).generation, after(at_seconds), POLICY) == step
