"""Submits: what every kind of trouble is told as, and that one submit makes at most one job."""

from __future__ import annotations

import ssl
from collections.abc import AsyncIterator
from typing import get_args

import pytest

from sandbox import Sandbox
from sandbox.fault_kinds import MODEL_ERRORS
from service.adapters.providers import FalProvider, FalSettings
from service.domain.generation.events import FailureReason
from service.ports.media_provider import Accepted, AnswerLost, NotTaken, Refused
from tests.support.fal_queue import BOUND_SECONDS
from tests.support.vendors import AVATAR, VIDEO, fal_provider, picture_bytes, submit_request


@pytest.fixture
async def provider(sandbox: Sandbox) -> AsyncIterator[FalProvider]:
    async with fal_provider(sandbox) as provider:
        yield provider


async def test_a_picture_is_asked_for_in_the_vendors_words(provider: FalProvider, sandbox: Sandbox) -> None:
    request = submit_request(
        output_count=3, seed=7, arguments={"resolution": "2K"}, webhook_url="http://127.0.0.1:9/g"
    )
    outcome = await provider.submit(request)
    (job,) = await sandbox.control.jobs()
    assert outcome == Accepted(job.request_id)
    assert job.webhook_url == "http://127.0.0.1:9/g"
    assert job.arguments == {
        "prompt": "a lighthouse at dawn",
        "aspect_ratio": "16:9",
        "num_images": 3,
        "seed": 7,
        "resolution": "2K",
    }


async def test_an_avatar_takes_its_reference_along(provider: FalProvider, sandbox: Sandbox) -> None:
    content = picture_bytes("JPEG")
    outcome = await provider.submit(
        submit_request(
            model=AVATAR, aspect_ratio="3:4", output_count=2, reference=content, reference_content_type="image/jpeg"
        )
    )
    assert isinstance(outcome, Accepted)
    (job,) = await sandbox.control.jobs()
    assert job.arguments["image_size"] == "portrait_4_3"
    assert job.arguments["image_url"].startswith("data:image/jpeg;base64,/9j/")


async def test_a_video_has_no_count(provider: FalProvider, sandbox: Sandbox) -> None:
    outcome = await provider.submit(
        submit_request(model=VIDEO, arguments={"duration": "4s", "generate_audio": False})
    )
    assert isinstance(outcome, Accepted)
    (job,) = await sandbox.control.jobs()
    assert "num_images" not in job.arguments
    assert job.arguments["duration"] == "4s"
    assert job.arguments["generate_audio"] is False


async def test_a_refused_connection_is_not_taken(provider: FalProvider, sandbox: Sandbox) -> None:
    async with sandbox.control.refusing_connections("fal"):
        outcome = await provider.submit(submit_request())
    assert isinstance(outcome, NotTaken)
    assert await sandbox.control.jobs() == []


async def test_an_unknown_host_is_not_taken(sandbox: Sandbox) -> None:
    async with fal_provider(sandbox, queue_host="no-such-host.invalid") as provider:
        assert isinstance(await provider.submit(submit_request()), NotTaken)


async def test_a_vendor_whose_certificate_we_do_not_trust_is_not_asked(sandbox: Sandbox) -> None:
    provider = FalProvider(
        sandbox.fal_key, tls=ssl.create_default_context(), settings=FalSettings(queue_host=sandbox.fal_host)
    )
    outcome = await provider.submit(submit_request())
    await provider.aclose()
    assert isinstance(outcome, NotTaken)
    assert "certificate" in outcome.detail.lower()
    assert await sandbox.control.jobs() == []


async def test_a_lost_answer_is_lost_and_the_vendor_has_one_job(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("submit", "drop_after")
    outcome = await provider.submit(submit_request(webhook_url="http://127.0.0.1:9/g"))
    assert isinstance(outcome, AnswerLost)
    assert await sandbox.control.submissions() == {"http://127.0.0.1:9/g": 1}


async def test_a_connection_dropped_before_the_job_is_unknown_too(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("submit", "drop")
    assert isinstance(await provider.submit(submit_request()), AnswerLost)
    assert await sandbox.control.jobs() == []


async def test_an_answer_that_does_not_come_in_time_is_lost(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("submit", "slow_after", seconds=BOUND_SECONDS)
    outcome = await provider.submit(submit_request(timeout_seconds=2.0))
    # On a machine so busy that connecting took all the time, nothing has left; then there is no job either.
    assert isinstance(outcome, AnswerLost) or await sandbox.control.jobs() == []
    assert not isinstance(outcome, Accepted)


@pytest.mark.parametrize("kind", ["broken_json_after", "broken_json", "html"])
async def test_an_unreadable_answer_is_lost(provider: FalProvider, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("submit", kind)
    assert isinstance(await provider.submit(submit_request()), AnswerLost)
    assert len(await sandbox.control.jobs()) == (1 if kind.endswith("_after") else 0)


@pytest.mark.parametrize("when", ["", "_after"])
@pytest.mark.parametrize("code", [408, 409, 500, 502, 503, 504])
async def test_codes_that_say_nothing_about_the_job_are_unknown(
    provider: FalProvider, sandbox: Sandbox, code: int, when: str
) -> None:
    await sandbox.control.fail_next("submit", f"http_{code}{when}")
    outcome = await provider.submit(submit_request())
    assert isinstance(outcome, AnswerLost)
    assert str(code) in outcome.detail
    assert len(await sandbox.control.jobs()) == (1 if when else 0)
    assert (await sandbox.control.counters())["fal.submit"] == 1


async def test_too_many_requests_may_be_sent_again_when_the_vendor_says(
    provider: FalProvider, sandbox: Sandbox
) -> None:
    await sandbox.control.fail_next("submit", "http_429")
    outcome = await provider.submit(submit_request())
    assert isinstance(outcome, NotTaken)
    assert outcome.retry_after_seconds == 1.0
    assert await sandbox.control.jobs() == []
    assert (await sandbox.control.counters())["fal.submit"] == 1


@pytest.mark.parametrize("kind", ["http_401", "http_403"])
async def test_trouble_with_our_account_is_ours(provider: FalProvider, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("submit", kind)
    outcome = await provider.submit(submit_request())
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == "internal"
    assert "check the key" in outcome.detail


async def test_a_wrong_key_is_never_shown(sandbox: Sandbox) -> None:
    async with fal_provider(sandbox, key="fal-secret-0123456789") as provider:
        outcome = await provider.submit(submit_request())
        assert isinstance(outcome, Refused)
        assert outcome.failure_reason == "internal"
        assert "fal-secret" not in repr(outcome) + repr(provider) + repr(vars(provider)["_submits"])


async def test_a_model_that_is_gone_is_an_ordinary_failure(provider: FalProvider, sandbox: Sandbox) -> None:
    gone = await provider.submit(submit_request(model="fal-ai/imagen3"))
    await sandbox.control.fail_next("submit", "model_not_found")
    faulted = await provider.submit(submit_request())
    for outcome in (gone, faulted):
        assert isinstance(outcome, Refused)
        assert outcome.failure_reason == "vendor_unavailable"


@pytest.mark.parametrize("kind", [kind for kind, (status, _) in MODEL_ERRORS.items() if status < 500])
async def test_a_models_refusal_has_its_reason(provider: FalProvider, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("submit", kind)
    outcome = await provider.submit(submit_request())
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason in get_args(FailureReason)
    assert kind in outcome.detail
    assert "lighthouse" not in outcome.detail


async def test_a_catalog_that_asks_a_model_for_too_much_is_ours(provider: FalProvider, sandbox: Sandbox) -> None:
    outcome = await provider.submit(submit_request(model=VIDEO, output_count=2))
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == "internal"
    assert (await sandbox.control.counters()).get("fal.submit", 0) == 0
