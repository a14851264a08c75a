"""Every fault of the sandbox does on the wire what its description says."""

from __future__ import annotations

import io
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image, UnidentifiedImageError

from sandbox import SandboxControl
from sandbox.control import SandboxError
from sandbox.fault_kinds import KINDS, MODEL_ERRORS, OPERATIONS, REQUEST_ERRORS, WORDS
from sandbox.faults import FaultBoard, unknown_words, without_words
from tests.support.fal_queue import Queue, until

CODES = (401, 403, 408, 409, 429, 500, 502, 503, 504)
CODES_AFTER = (408, 409, 429, 500, 502, 503, 504)


@pytest.mark.parametrize("code", CODES)
async def test_a_submit_that_fails_creates_no_job(queue: Queue, code: int) -> None:
    await queue.sandbox.control.fail_next("submit", f"http_{code}")
    assert (await queue.submit("x")).status_code == code
    assert await queue.sandbox.control.jobs() == []
    assert (await queue.submit("x")).status_code == 200


@pytest.mark.parametrize("code", CODES_AFTER)
async def test_a_submit_can_fail_after_the_job_was_created(queue: Queue, code: int) -> None:
    await queue.sandbox.control.fail_next("submit", f"http_{code}_after")
    assert (await queue.submit("x")).status_code == code
    assert len(await queue.sandbox.control.jobs()) == 1


@pytest.mark.parametrize(("kind", "jobs"), [("drop", 0), ("drop_after", 1)])
async def test_a_dropped_submit_has_no_answer(queue: Queue, kind: str, jobs: int) -> None:
    await queue.sandbox.control.fail_next("submit", kind)
    with pytest.raises(httpx.TransportError) as caught:
        await queue.submit("x")
    assert not isinstance(caught.value, httpx.ConnectError | httpx.TimeoutException)
    assert len(await queue.sandbox.control.jobs()) == jobs


@pytest.mark.parametrize(("kind", "jobs"), [("broken_json", 0), ("broken_json_after", 1), ("html", 0)])
async def test_an_answer_that_is_not_json(queue: Queue, kind: str, jobs: int) -> None:
    await queue.sandbox.control.fail_next("submit", kind)
    answer = await queue.submit("x")
    assert answer.status_code == 200
    with pytest.raises(ValueError):
        answer.json()
    assert len(await queue.sandbox.control.jobs()) == jobs


@pytest.mark.parametrize(("kind", "jobs"), [("slow", 0), ("slow_after", 1)])
async def test_a_slow_submit_outlasts_its_caller(queue: Queue, kind: str, jobs: int) -> None:
    await queue.sandbox.control.fail_next("submit", kind, seconds=300)
    url = f"https://{queue.sandbox.fal_host}/fal-ai/imagen4/preview"
    with pytest.raises(httpx.ReadTimeout):
        await queue.http.post(url, json={"prompt": "x"}, timeout=httpx.Timeout(60, read=0.5))
    assert len(await queue.sandbox.control.jobs()) == jobs


@pytest.mark.parametrize("error_type", [*MODEL_ERRORS, *REQUEST_ERRORS])
@pytest.mark.parametrize("operation", ["submit", "result", "generation"])
async def test_every_error_type_has_its_shape(queue: Queue, operation: Any, error_type: str) -> None:
    await queue.sandbox.control.fail_next(operation, error_type)
    answer = await (queue.submit("x") if operation == "submit" else queue.result("x"))
    status, _ = (MODEL_ERRORS | REQUEST_ERRORS)[error_type]
    assert answer.status_code == status
    body = answer.json()
    if error_type in MODEL_ERRORS:
        assert [entry["type"] for entry in body["detail"]] == [error_type]
        assert answer.headers["x-fal-retryable"] in ("true", "false")
    else:
        assert body["error_type"] == answer.headers["x-fal-error-type"] == error_type
        assert isinstance(body["detail"], str)


async def test_a_failed_job_is_completed_and_says_why(queue: Queue) -> None:
    job = await queue.accepted("x [sandbox:content-policy-violation]")
    status = await queue.wait(job)
    assert (status["status"], status["error_type"]) == ("COMPLETED", "content_policy_violation")
    assert (await queue.sandbox.control.jobs())[0].error_type == "content_policy_violation"


async def test_a_model_that_is_gone(queue: Queue) -> None:
    assert (await queue.submit("x [sandbox:submit-model-not-found]")).status_code == 404


@pytest.mark.parametrize(
    ("word", "asked", "delivered"),
    [("two-of-four", 4, 2), ("two-of-four", 1, 0), ("no-outputs", 3, 0), ("one-flagged", 4, 3)],
)
async def test_fewer_pictures_than_asked(queue: Queue, word: str, asked: int, delivered: int) -> None:
    answer = await queue.result(f"x [sandbox:{word}]", num_images=asked)
    assert answer.status_code == 200
    assert len(answer.json()["images"]) == delivered


@pytest.mark.parametrize(("word", "flags"), [("flagged", [True, True]), ("one-flagged", [True, False])])
async def test_flagged_pictures_are_black(queue: Queue, word: str, flags: list[bool]) -> None:
    answer = await queue.result(f"x [sandbox:{word}]", model="fal-ai/flux-lora", num_images=2)
    output = answer.json()
    assert output["has_nsfw_concepts"] == flags
    picture = await queue.http.get(output["images"][0]["url"])
    with Image.open(io.BytesIO(picture.content)) as opened:
        assert opened.convert("L").getextrema()[1] == 0


@pytest.mark.parametrize("model", ["fal-ai/imagen4/preview", "fal-ai/veo3.1/fast"])
async def test_a_model_without_flags_fails_when_all_is_flagged(queue: Queue, model: str) -> None:
    answer = await queue.result("x [sandbox:flagged]", model=model)
    assert answer.json()["detail"][0]["type"] == "no_media_generated"


async def test_an_output_of_another_shape(queue: Queue) -> None:
    assert "images" not in (await queue.result("x [sandbox:wrong-shape]")).json()


@pytest.mark.parametrize(("word", "state"), [("stuck", "IN_PROGRESS"), ("stuck-in-queue", "IN_QUEUE")])
async def test_a_status_that_never_changes(queue: Queue, word: str, state: str) -> None:
    job = await queue.accepted(f"x [sandbox:{word}]")
    other = await queue.accepted("y")
    await queue.wait(other)
    await until(lambda: queue.http.get(job["status_url"]), lambda answer: answer.json()["status"] == state)
    early = await queue.http.get(job["response_url"])
    assert early.status_code == 400


async def test_a_job_that_the_vendor_forgot(queue: Queue) -> None:
    job = await queue.accepted("x [sandbox:vanished]")
    await until(lambda: queue.http.get(job["status_url"]), lambda answer: answer.status_code == 404)


@pytest.mark.parametrize("operation", ["status", "result", "cancel"])
@pytest.mark.parametrize("kind", ["http_429", "http_500", "http_503", "html", "broken_json", "drop", "not_found"])
async def test_questions_can_fail_once(queue: Queue, operation: Any, kind: str) -> None:
    job = await queue.accepted("x")
    await queue.wait(job)
    await queue.sandbox.control.fail_next(operation, kind)
    url = {"status": job["status_url"], "result": job["response_url"], "cancel": job["cancel_url"]}[operation]
    method = "PUT" if operation == "cancel" else "GET"
    if kind == "drop":
        with pytest.raises(httpx.TransportError):
            await queue.http.request(method, url)
    else:
        answer = await queue.http.request(method, url)
        expected = {"not_found": 404, "html": 200, "broken_json": 200}.get(kind) or int(kind.removeprefix("http_"))
        assert answer.status_code == expected
    answer = await queue.http.request(method, url)
    assert answer.status_code == (400 if operation == "cancel" else 200)


async def test_an_unheard_of_status(queue: Queue) -> None:
    job = await queue.accepted("x [sandbox:status-unknown-status]")
    assert (await queue.http.get(job["status_url"])).json()["status"] == "PAUSED"


async def test_a_runner_that_obeys_a_cancellation(queue: Queue) -> None:
    job = await queue.accepted("x [sandbox:stuck][sandbox:cancel-obeyed]")
    assert (await queue.http.put(job["cancel_url"])).status_code == 202
    assert (await queue.wait(job))["error_type"] == "client_cancelled"


async def picture_url(queue: Queue, word: str) -> str:
    answer = await queue.result(f"x [sandbox:{word}]")
    url: str = answer.json()["images"][0]["url"]
    return url


@pytest.mark.parametrize(
    ("word", "status", "content_type"),
    [
        ("media-html", 200, "text/html; charset=utf-8"),
        ("media-text", 200, "image/png"),
        ("media-corrupt", 200, "image/png"),
        ("media-empty", 200, "image/png"),
        ("media-not-found", 404, "text/plain; charset=utf-8"),
        ("media-http-503", 503, "text/html; charset=utf-8"),
    ],
)
async def test_a_file_that_is_no_picture(queue: Queue, word: str, status: int, content_type: str) -> None:
    answer = await queue.http.get(await picture_url(queue, word))
    assert answer.status_code == status
    assert answer.headers["content-type"] == content_type
    with pytest.raises((UnidentifiedImageError, OSError, SyntaxError)):
        Image.open(io.BytesIO(answer.content)).load()


async def test_a_picture_under_a_vague_name(queue: Queue) -> None:
    answer = await queue.http.get(await picture_url(queue, "media-wrong-type"))
    assert answer.headers["content-type"] == "application/octet-stream"
    Image.open(io.BytesIO(answer.content)).load()


@pytest.mark.parametrize("word", ["media-huge", "media-endless"])
async def test_a_picture_of_two_gibibytes(queue: Queue, word: str) -> None:
    enough = 8 * 1024 * 1024
    received = 0
    async with queue.http.stream("GET", await picture_url(queue, word)) as answer:
        assert answer.headers.get("content-length") == (str(2 * 1024**3) if word == "media-huge" else None)
        async for chunk in answer.aiter_raw():
            received += len(chunk)
            if received > enough:
                break
    assert received > enough


@pytest.mark.parametrize("word", ["media-truncated", "media-drop"])
async def test_a_download_that_breaks(queue: Queue, word: str) -> None:
    url = await picture_url(queue, word)
    with pytest.raises(httpx.TransportError):
        await queue.http.get(url)


async def test_an_order_strikes_only_what_it_matches(queue: Queue) -> None:
    await queue.sandbox.control.fail_next("submit", "http_500", count=2, match="blue")
    answers = [(await queue.submit(prompt)).status_code for prompt in ("red", "blue", "red", "blue", "blue")]
    assert answers == [200, 500, 200, 500, 200]


async def test_a_word_that_does_not_exist_is_refused(queue: Queue) -> None:
    answer = await queue.submit("x [sandbox:tow-of-four]")
    assert answer.status_code == 400
    assert "tow-of-four" in answer.json()["detail"]


@pytest.mark.parametrize(
    "order",
    [
        {"operation": "dance", "kind": "drop"},
        {"operation": "submit", "kind": "dance"},
        {"operation": "submit", "kind": "drop", "count": 0},
        {"operation": "submit", "kind": "slow", "seconds": 1e9},
    ],
)
async def test_an_order_that_makes_no_sense_is_refused(queue: Queue, order: dict[str, Any]) -> None:
    control: SandboxControl = queue.sandbox.control
    with pytest.raises(SandboxError) as caught:
        await control.fail_next(**order)
    assert caught.value.status == 400
    assert "must be" in str(caught.value)


def test_every_kind_has_a_word_and_every_word_one_kind() -> None:
    assert set(KINDS) == set(OPERATIONS)
    assert len(WORDS) == sum(len(kinds) for kinds in KINDS.values())
    board = FaultBoard()
    for word, (operation, kind) in WORDS.items():
        fault = board.take(operation, f"a cat [sandbox:{word}] at night")
        assert fault is not None
        assert fault.kind == kind
    assert unknown_words(" ".join(f"[sandbox:{word}]" for word in WORDS)) == []
    assert without_words("a cat [sandbox:stuck] at night") == "a cat at night"


def test_the_documentation_names_every_fault_as_it_is() -> None:
    page = Path(__file__).parents[3].joinpath("docs", "sandbox.md").read_text(encoding="utf-8")
    described = set(re.findall(r"^\| `(\w+)` \| `\[sandbox:([\w-]+)\]` \| (.+) \|$", page, re.MULTILINE))
    assert described == {(kind, word, KINDS[operation][kind]) for word, (operation, kind) in WORDS.items()}
