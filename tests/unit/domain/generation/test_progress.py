"""The steps on the way: each is taken once, and not when it is no longer wanted."""

from __future__ import annotations

from service.domain.generation import events as e
from service.domain.generation.progress import (
    defer_submission,
    pass_prompt,
    record_late_report,
    record_submitted,
    refuse_cancellation,
    settle_prompt,
    start_submission,
)
from service.domain.generation.state import Generation
from tests.support.given import given
from tests.support.samples import (
    GENERATION_ID,
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

READY = (requested(), moderated(), enhanced())
SUBMITTING = (*READY, submission_started())
SUBMITTED = (*SUBMITTING, submitted())
FAILED = (*SUBMITTED, failed())


def start(generation: Generation, *, at_seconds: float = 0) -> list[e.GenerationEvent]:
    return start_submission(generation, now=after(at_seconds), grace_until=after(at_seconds + 120))


def defer(generation: Generation, *, attempt: int = 1) -> list[e.GenerationEvent]:
    return defer_submission(generation, attempt=attempt, retry_at=after(10), detail="connection refused")


def answered(generation: Generation) -> list[e.GenerationEvent]:
    return record_submitted(generation, provider_request_id="job-1", learned_from_webhook=False)


def told(generation: Generation) -> list[e.GenerationEvent]:
    return record_submitted(generation, provider_request_id="job-1", learned_from_webhook=True)


def reported_late(generation: Generation, status: str = "OK") -> list[e.GenerationEvent]:
    return record_late_report(generation, provider_request_id="job-1", vendor_status=status)


LATE = e.LateReportReceived(generation_id=GENERATION_ID, provider_request_id="job-1", vendor_status="OK")
TOLD = e.GenerationSubmitted(generation_id=GENERATION_ID, provider_request_id="job-1", learned_from="webhook")


def test_a_prompt_passes_once() -> None:
    given(requested()).when_generation(lambda g: pass_prompt(g, model="", skipped=False)).then(moderated())
    given(requested(), moderated()).when_generation(lambda g: pass_prompt(g, model="", skipped=False)).then_nothing()


def test_words_are_settled_once() -> None:
    words = "a red fox, dawn light on snow"
    given(requested()).when_generation(lambda g: settle_prompt(g, prompt=words, source="improved")).then(enhanced())
    given(*READY).when_generation(lambda g: settle_prompt(g, prompt="other", source="own_words")).then_nothing()


def test_a_submission_starts_once() -> None:
    given(*READY).when_generation(start).then(submission_started())
    given(*SUBMITTING).when_generation(start).then_nothing()
    given(*SUBMITTED).when_generation(start).then_nothing()


def test_a_deferred_submission_is_started_again_when_it_is_time() -> None:
    deferred = given(*SUBMITTING, submission_deferred(retry_at_seconds=10))
    deferred.when_generation(lambda g: start(g, at_seconds=10)).then(submission_started(2, 10))
    deferred.when_generation(lambda g: start(g, at_seconds=9)).then_nothing()


def test_no_submission_starts_without_words_or_for_one_who_wants_out() -> None:
    given(requested(), moderated()).when_generation(start).then_nothing()
    given(*READY, cancellation_requested()).when_generation(start).then_nothing()


def test_nothing_starts_before_it_is_requested_or_after_its_end() -> None:
    for history in (given(), given(*FAILED)):
        history.when_generation(lambda g: pass_prompt(g, model="", skipped=False)).then_nothing()
        history.when_generation(lambda g: settle_prompt(g, prompt="x", source="improved")).then_nothing()
        history.when_generation(start).then_nothing()
        history.when_generation(defer).then_nothing()
        history.when_generation(answered).then_nothing()
        history.when_generation(told).then_nothing()


def test_only_the_attempt_in_flight_is_deferred() -> None:
    given(*SUBMITTING).when_generation(defer).then(submission_deferred())
    given(*SUBMITTING, submission_deferred()).when_generation(defer).then_nothing()
    second = given(*SUBMITTING, submission_deferred(), submission_started(2, 10))
    second.when_generation(defer).then_nothing()
    second.when_generation(lambda g: defer(g, attempt=2)).then(submission_deferred(2))


def test_the_vendors_answer_is_recorded_once() -> None:
    given(*SUBMITTING).when_generation(answered).then(submitted())
    given(*SUBMITTED).when_generation(answered).then_nothing()


def test_a_webhook_brings_the_answer_that_was_lost() -> None:
    given(*SUBMITTING).when_generation(told).then(TOLD)


def test_a_webhook_of_a_deferred_submission_is_believed_rather_than_paid_again() -> None:
    given(*SUBMITTING, submission_deferred()).when_generation(told).then(TOLD)
    given(*SUBMITTING, submission_deferred()).when_generation(answered).then_nothing()


def test_a_webhook_of_what_was_never_sent_is_not_believed() -> None:
    given(*READY).when_generation(told).then_nothing()


def test_a_cancellation_is_refused_once() -> None:
    wanted = given(*SUBMITTED, cancellation_requested())
    wanted.when_generation(lambda g: refuse_cancellation(g, why="It is being made.")).then(cancellation_refused())
    given(*SUBMITTED).when_generation(lambda g: refuse_cancellation(g, why="x")).then_nothing()
    given(*FAILED).when_generation(lambda g: refuse_cancellation(g, why="x")).then_nothing()


def test_a_report_after_the_end_is_recorded_once() -> None:
    given(*FAILED).when_generation(reported_late).then(LATE)
    given(*FAILED, LATE).when_generation(reported_late).then_nothing()
    given(*SUBMITTED, cancelled()).when_generation(reported_late).then(LATE)


def test_a_report_that_is_no_news_is_not_recorded() -> None:
    given(*SUBMITTED).when_generation(reported_late).then_nothing()
    given(*SUBMITTED, image(0), succeeded(1, 15)).when_generation(reported_late).then_nothing()
    refused = given(*SUBMITTED, failed(failure_reason="content_policy"))
    refused.when_generation(lambda g: reported_late(g, "ERROR")).then_nothing()
