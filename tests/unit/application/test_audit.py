"""The audit: a right log has no findings, and a log that is broken in one way has the finding that names it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import get_args
from uuid import UUID

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from service.application.audit import Audit, FindingKind, audit
from service.domain.decider import DomainEvent
from service.domain.generation import events as e
from service.domain.ids import account_stream
from service.domain.imports import ImportListed
from service.ports.event_store import Metadata, RecordedEvent
from tests.support.appending import stream_of
from tests.support.samples import (
    DEADLINE_SECONDS,
    GENERATION_ID,
    NOW,
    USER,
    after,
    cancelled,
    debited,
    enhanced,
    failed,
    granted,
    image,
    imported,
    moderated,
    refunded,
    refunded_by_hand,
    requested,
    submission_deferred,
    submission_started,
    submitted,
    succeeded,
)
from tests.support.strategies import events

PAID = (granted(100), debited(), requested())
AT_VENDOR = (*PAID, moderated(), enhanced(), submission_started(), submitted())
RESUBMITTED = (*PAID, submission_started(), submission_deferred(), submission_started(2), submitted())
IMPORTED = imported()
LISTED, OLD = IMPORTED
RIGHT: list[tuple[DomainEvent, ...]] = [
    (),
    (granted(100), granted(5, "grant-2")),
    AT_VENDOR,
    (*AT_VENDOR, refunded(20), failed()),
    (*AT_VENDOR, *map(image, range(4)), succeeded(4)),
    (*AT_VENDOR, refunded(10, "undelivered"), image(0), image(2), succeeded(2, 10)),
    (*AT_VENDOR, refunded(10, "undelivered"), image(0), image(2), succeeded(2, 10), refunded_by_hand(10)),
    (*PAID, refunded(20, "cancelled"), cancelled()),
    (*PAID, refunded(20), moderated(allowed=False), failed()),
    (*RESUBMITTED, refunded(20), failed()),
    (
        *PAID,
        refunded(20),
        failed(),
        e.LateReportReceived(generation_id=GENERATION_ID, provider_request_id="j", vendor_status="OK"),
    ),
    IMPORTED,
    (*IMPORTED, e.ItemTrashed(generation_id=OLD.generation_id, item_id=OLD.item_id)),
]
BROKEN: list[tuple[FindingKind, tuple[DomainEvent, ...]]] = [
    ("negative_balance", (granted(19), debited(20), requested())),
    ("grant_repeated", (granted(100), granted(100))),
    ("debit_without_request", (granted(100), debited())),
    ("debit_without_request", (granted(100), debited(), granted(1, "grant-2"), requested())),
    ("request_without_debit", (granted(100), requested())),
    ("refund_without_end", (*PAID, refunded(20))),
    ("refund_without_end", (*PAID, refunded(20), granted(1, "grant-2"), failed())),
    ("refund_without_end", (*PAID, refunded_by_hand(20))),
    ("end_without_refund", (*PAID, failed())),
    ("end_without_refund", (*PAID, refunded(15), failed(20))),
    ("end_without_refund", (*PAID, failed(), refunded(20))),
    ("refund_exceeds_debit", (*PAID, refunded(21), failed(21))),
    ("refund_exceeds_debit", (*PAID, refunded(20), failed(), refunded_by_hand(1))),
    ("refund_exceeds_debit", (*PAID, refunded(0), failed(0))),
    (
        "refunded_twice_by_hand",
        (*AT_VENDOR, *map(image, range(4)), succeeded(4), refunded_by_hand(5), refunded_by_hand(5)),
    ),
    ("wrong_credits", (granted(100), debited(15), requested())),
    ("wrong_credits", (*PAID, refunded(5, "undelivered"), image(0), succeeded(1, 5))),
    ("wrong_outputs", (*AT_VENDOR, *map(image, range(3)), succeeded(4))),
    ("wrong_outputs", (*AT_VENDOR, image(0), image(0), *map(image, range(1, 3)), succeeded(4))),
    ("wrong_outputs", (*PAID, image(0), refunded(20), failed())),
    ("wrong_outputs", (*PAID, refunded(20), succeeded(0, 20))),
    ("not_requested", (moderated(),)),
    ("not_requested", (*PAID, debited(), requested())),
    ("imported_twice", (*IMPORTED, OLD)),
    ("imported_twice", (*IMPORTED, LISTED)),
    ("import_not_listed", (OLD,)),
    ("import_not_listed", (LISTED,)),
    ("import_not_listed", (ImportListed(user_id="user-9", generation_id=OLD.generation_id), OLD)),
    ("event_after_end", (*IMPORTED, msgspec.structs.replace(submitted(), generation_id=OLD.generation_id))),
    ("ended_twice", (*PAID, refunded(20), failed(), cancelled(0))),
    ("event_after_end", (*PAID, refunded(20), failed(), submitted())),
    ("event_after_end", (*PAID, refunded(20), failed(), image(0))),
    ("submitted_twice", (*PAID, submission_started(), submission_started(2))),
    ("submitted_twice", (*AT_VENDOR, submission_started(2))),
    ("submitted_twice", (*AT_VENDOR, submitted("job-2"))),
    ("submitted_twice", (*PAID, submitted())),
    ("submitted_twice", (*PAID, submission_started(2))),
]


def log_of(history: Sequence[DomainEvent]) -> list[RecordedEvent]:
    """The history as a store would have recorded it."""
    versions: dict[str, int] = {}
    log = []
    for position, event in enumerate(history, start=1):
        stream = stream_of(event)
        versions[stream] = versions.get(stream, 0) + 1
        log.append(RecordedEvent(position, stream, versions[stream], UUID(int=position), event, Metadata(), NOW))  # type: ignore[arg-type]
    return log


@pytest.mark.parametrize("history", RIGHT)
def test_a_right_log_has_no_findings(history: tuple[DomainEvent, ...]) -> None:
    assert audit(log_of(history)) == []


@pytest.mark.parametrize(("kind", "history"), BROKEN)
def test_a_broken_log_has_the_finding_that_names_it(kind: FindingKind, history: tuple[DomainEvent, ...]) -> None:
    findings = audit(log_of(history))
    assert kind in {finding.kind for finding in findings}
    for finding in findings:
        assert finding.message.startswith(finding.stream)


def test_positions_and_versions_are_checked() -> None:
    log = log_of(PAID)
    assert [finding.kind for finding in audit(log[1:])][:1] == ["version_gap"]
    backwards = [log[0], log[2], log[1]]
    assert "position_order" in {finding.kind for finding in audit(backwards)}


def test_an_event_in_anothers_stream_is_found() -> None:
    log = log_of((granted(100),))
    moved = RecordedEvent(1, account_stream("user-9"), 1, log[0].event_id, log[0].event, Metadata(), NOW)
    assert [finding.kind for finding in audit([moved])] == ["wrong_stream"]


def test_what_should_have_ended_long_ago_is_overdue() -> None:
    log = log_of(AT_VENDOR)
    in_time = after(DEADLINE_SECONDS + 300)
    assert audit(log, now=in_time) == []
    [finding] = audit(log, now=after(DEADLINE_SECONDS + 301))
    assert (finding.kind, finding.position) == ("overdue", 0)
    assert finding.message == f"generation-{GENERATION_ID} has not ended 301 s after its deadline"
    assert audit(log_of((*AT_VENDOR, refunded(20), failed())), now=after(10**6)) == []


def test_every_kind_of_finding_is_shown_here() -> None:
    shown = {kind for kind, _ in BROKEN} | {"position_order", "version_gap", "wrong_stream", "overdue"}
    assert shown == set(get_args(FindingKind))


def test_totals_are_there_to_compare_read_models_with() -> None:
    checked = Audit()
    for recorded in log_of((*AT_VENDOR, refunded(10, "undelivered"), image(0), image(2), succeeded(2, 10))):
        checked.see(recorded)
    account, generation = checked.accounts[USER], checked.generations[GENERATION_ID]
    assert (account.granted, account.debited, account.refunded, account.balance) == (100, 20, 10, 90)
    assert (generation.end, generation.outputs) == ("GenerationSucceeded", 2)
    assert checked.position == 11


@settings(max_examples=200, deadline=None, derandomize=True)
@given(st.lists(events(), max_size=12))
def test_no_log_is_too_broken_to_be_audited(history: list[DomainEvent]) -> None:
    for finding in audit(log_of(history), now=NOW):
        assert finding.message
