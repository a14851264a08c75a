"""Looks: waiting, done, failed, and every kind of trouble on the way to the answer."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from sandbox import Sandbox, SandboxOptions, running_sandbox
from sandbox.fault_kinds import MODEL_ERRORS, REQUEST_ERRORS
from service.adapters.providers import FalProvider, FalSettings
from service.adapters.providers.fal_errors import REASONS
from service.ports.media_provider import Completed, Refused, Unreachable, Waiting
from tests.support.fal_queue import BOUND_SECONDS, until
from tests.support.vendors import (
    AVATAR,
    IMAGEN,
    VIDEO,
    fal_provider,
    picture_bytes,
    settled,
    submit_request,
    submitted,
    trusted,
)


@pytest.fixture
async def provider(sandbox: Sandbox) -> AsyncIterator[FalProvider]:
    async with fal_provider(sandbox) as provider:
        yield provider


@pytest.fixture
async def hasty(sandbox: Sandbox) -> AsyncIterator[FalProvider]:
    """Gives the client's own retries little time."""
    async with fal_provider(sandbox, look_timeout_seconds=1.0) as provider:
        yield provider


async def test_pictures_are_delivered(provider: FalProvider) -> None:
    request_id = await submitted(provider, submit_request(output_count=2, seed=11))
    outcome = await settled(provider, IMAGEN, request_id)
    assert isinstance(outcome, Completed)
    assert len({file.url for file in outcome.files}) == 2
    for file in outcome.files:
        assert file.content_type == "image/png"
        assert file.size_bytes
        assert file.seed == 11
        assert not file.flagged


async def test_a_video_is_delivered(provider: FalProvider) -> None:
    request_id = await submitted(provider, submit_request(model=VIDEO, arguments={"duration": "4s"}))
    outcome = await settled(provider, VIDEO, request_id)
    assert isinstance(outcome, Completed)
    assert [file.content_type for file in outcome.files] == ["video/mp4"]


async def test_what_waits_has_a_place_in_the_queue_and_then_a_log_line() -> None:
    async with running_sandbox(SandboxOptions(speed=0.001)) as slow, fal_provider(slow) as provider:
        request_id = await submitted(provider, submit_request())
        waiting = await provider.look(IMAGEN, request_id)
        assert isinstance(waiting, Waiting)
        assert waiting.queue_position is not None
        assert waiting.queue_position >= 0


async def test_what_is_being_made_says_so(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("generation", "stuck")
    request_id = await submitted(provider, submit_request())
    await until(sandbox.control.jobs, lambda jobs: jobs[0].status == "IN_PROGRESS")
    waiting = await provider.look(IMAGEN, request_id)
    assert isinstance(waiting, Waiting)
    assert waiting.queue_position is None
    assert waiting.log_line


async def test_two_of_four_are_two(provider: FalProvider) -> None:
    request_id = await submitted(provider, submit_request(output_count=4, prompt="cats [sandbox:two-of-four]"))
    outcome = await settled(provider, IMAGEN, request_id)
    assert isinstance(outcome, Completed)
    assert len(outcome.files) == 2


@pytest.mark.parametrize(("kind", "flags"), [("flagged", [True, True]), ("one_flagged", [True, False])])
async def test_flagged_outputs_are_marked(
    provider: FalProvider, sandbox: Sandbox, kind: str, flags: list[bool]
) -> None:
    await sandbox.control.fail_next("generation", kind)
    request = submit_request(
        model=AVATAR, output_count=2, reference=picture_bytes(), reference_content_type="image/png"
    )
    outcome = await settled(provider, AVATAR, await submitted(provider, request))
    assert isinstance(outcome, Completed)
    assert [file.flagged for file in outcome.files] == flags


async def test_nothing_delivered_is_an_empty_list(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("generation", "no_outputs")
    assert await settled(provider, IMAGEN, await submitted(provider, submit_request())) == Completed(())


async def test_an_output_of_another_shape_is_no_output(provider: FalProvider, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("generation", "wrong_shape")
    outcome = await settled(provider, IMAGEN, await submitted(provider, submit_request()))
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == "no_output"


@pytest.mark.parametrize("kind", [*MODEL_ERRORS, *REQUEST_ERRORS])
async def test_completed_with_an_error_has_our_reason(provider: FalProvider, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("generation", kind)
    outcome = await settled(provider, IMAGEN, await submitted(provider, submit_request()))
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == REASONS[kind]
    assert kind in outcome.detail
    assert "lighthouse" not in outcome.detail


async def test_wrong_arguments_show_only_in_the_result(provider: FalProvider) -> None:
    request_id = await submitted(provider, submit_request(aspect_ratio="2:1"))
    outcome = await settled(provider, IMAGEN, request_id)
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == "invalid_input"
    assert "aspect_ratio" in outcome.detail


@pytest.mark.parametrize("kind", ["http_500", "http_503", "http_504", "internal_error", "html", "unknown_status"])
async def test_a_status_that_cannot_be_had_is_looked_for_again(
    hasty: FalProvider, sandbox: Sandbox, kind: str
) -> None:
    request_id = await submitted(hasty, submit_request())
    await sandbox.control.fail_next("status", kind, count=1000)
    assert isinstance(await hasty.look(IMAGEN, request_id), Unreachable)
    await sandbox.control.clear_faults()
    assert isinstance(await settled(hasty, IMAGEN, request_id), Completed)


async def test_a_vendor_that_is_down_is_unreachable(hasty: FalProvider, sandbox: Sandbox) -> None:
    request_id = await submitted(hasty, submit_request())
    async with sandbox.control.refusing_connections("fal"):
        assert isinstance(await hasty.look(IMAGEN, request_id), Unreachable)
    assert isinstance(await settled(hasty, IMAGEN, request_id), Completed)


async def test_a_wrong_key_does_not_end_what_is_paid_for(sandbox: Sandbox) -> None:
    async with fal_provider(sandbox) as right, fal_provider(sandbox, key="rotated-away-key") as wrong:
        request_id = await submitted(right, submit_request())
        outcome = await wrong.look(IMAGEN, request_id)
        assert isinstance(outcome, Unreachable)
        assert "check the key" in outcome.detail
        assert isinstance(await settled(right, IMAGEN, request_id), Completed)


@pytest.mark.parametrize("kind", ["http_500", "http_502", "internal_error", "broken_json"])
async def test_a_result_that_cannot_be_had_is_looked_for_again(
    hasty: FalProvider, sandbox: Sandbox, kind: str
) -> None:
    request_id = await submitted(hasty, submit_request())
    await settled(hasty, IMAGEN, request_id)
    await sandbox.control.fail_next("result", kind, count=1000)
    assert isinstance(await hasty.look(IMAGEN, request_id), Unreachable)
    await sandbox.control.clear_faults()
    assert isinstance(await settled(hasty, IMAGEN, request_id), Completed)


@pytest.mark.parametrize("kind", ["http_408", "http_429", "http_503", "drop"])
async def test_the_clients_retries_help_a_look(provider: FalProvider, sandbox: Sandbox, kind: str) -> None:
    request_id = await submitted(provider, submit_request())
    await settled(provider, IMAGEN, request_id)
    await sandbox.control.fail_next("status", kind)
    assert isinstance(await provider.look(IMAGEN, request_id), Completed)


async def test_an_unknown_request_is_believed_only_after_a_while(sandbox: Sandbox) -> None:
    now = [100.0]
    provider = FalProvider(
        sandbox.fal_key,
        tls=trusted(sandbox),
        settings=FalSettings(
            queue_host=sandbox.fal_host, unknown_request_patience_seconds=60, look_timeout_seconds=BOUND_SECONDS
        ),
        monotonic=lambda: now[0],
    )
    assert isinstance(await provider.look(IMAGEN, "not-there"), Waiting)
    now[0] += 59
    assert isinstance(await provider.look(IMAGEN, "not-there"), Waiting)
    now[0] += 1
    outcome = await provider.look(IMAGEN, "not-there")
    await provider.aclose()
    assert isinstance(outcome, Refused)
    assert outcome.failure_reason == "vendor_unavailable"


async def test_an_id_that_is_a_path_stays_an_id(provider: FalProvider, sandbox: Sandbox) -> None:
    assert isinstance(await provider.look(IMAGEN, "../../other?x=1"), Waiting | Unreachable)
    assert await sandbox.control.jobs() == []
