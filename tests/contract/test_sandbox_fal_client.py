"""The sandbox against the vendor's own client library, unchanged: what the adapter can rely on.

``fal_client`` reads its host when it is imported, so most tests set the one module attribute that is derived from it;
one test runs a fresh interpreter with nothing but the two environment variables.
"""

from __future__ import annotations

import asyncio
import base64
import io
import os
import ssl
import subprocess
import sys
from collections.abc import AsyncIterator
from random import Random
from typing import Any

import fal_client
import fal_client.client
import httpx
import pytest
from PIL import Image

from sandbox import Sandbox, SandboxOptions, running_sandbox

BOUND_SECONDS = 60.0
IMAGEN = "fal-ai/imagen4/preview"
AVATAR = "fal-ai/instant-character"
VIDEO = "fal-ai/veo3.1/fast"


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox(SandboxOptions(speed=1000, picture_side=128)) as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(sandbox: Sandbox) -> None:
    await sandbox.control.reset()


@pytest.fixture
def pointed(sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """``fal_client`` in this process, pointed at the sandbox."""
    monkeypatch.setattr(fal_client.client, "QUEUE_URL_FORMAT", f"https://{sandbox.fal_host}/")
    monkeypatch.setenv("SSL_CERT_FILE", str(sandbox.ca_file))
    return sandbox


@pytest.fixture
async def client(pointed: Sandbox) -> AsyncIterator[fal_client.AsyncClient]:
    client = fal_client.AsyncClient(key=pointed.fal_key)
    yield client
    http: httpx.AsyncClient = await client._client
    await http.aclose()


async def download(sandbox: Sandbox, url: str) -> httpx.Response:
    context = ssl.create_default_context(cafile=str(sandbox.ca_file))
    async with httpx.AsyncClient(verify=context, timeout=BOUND_SECONDS) as http:
        return await http.get(url)


async def run(client: fal_client.AsyncClient, model: str, arguments: dict[str, Any]) -> dict[str, Any]:
    return await asyncio.wait_for(client.subscribe(model, arguments), BOUND_SECONDS)


async def test_an_image_is_queued_made_and_downloaded(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    handle = await client.submit(IMAGEN, {"prompt": "a cat", "num_images": 2, "aspect_ratio": "16:9"})
    states = [state async for state in handle.iter_events(with_logs=True)]
    result = await handle.get()
    assert isinstance(states[-1], fal_client.Completed)
    assert states[-1].logs
    assert len(result["images"]) == 2
    for image in result["images"]:
        answer = await download(sandbox, image["url"])
        assert answer.headers["content-type"] == image["content_type"] == "image/png"
        assert len(answer.content) == image["file_size"]
        with Image.open(io.BytesIO(answer.content)) as picture:
            assert picture.size == (128, 72)


async def test_an_avatar_takes_its_reference_from_a_data_uri(
    client: fal_client.AsyncClient, sandbox: Sandbox
) -> None:
    results = []
    for color in ("red", "blue"):
        target = io.BytesIO()
        Image.new("RGB", (200, 200), color).save(target, "PNG")
        uri = "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
        result = await run(client, AVATAR, {"prompt": "at sea", "image_url": uri, "seed": 5})
        assert result["has_nsfw_concepts"] == [False]
        assert result["seed"] == 5
        results.append((await download(sandbox, result["images"][0]["url"])).content)
    middles = [Image.open(io.BytesIO(content)).convert("RGB").getpixel((64, 64)) for content in results]
    (red, _, red_blue), (blue_red, _, blue) = middles  # type: ignore[misc]
    assert red > red_blue
    assert blue > blue_red


async def test_a_picture_in_the_arguments_is_not_kept(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    target = io.BytesIO()
    Image.frombytes("RGB", (64, 64), Random(1).randbytes(64 * 64 * 3)).save(target, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
    await run(client, AVATAR, {"prompt": "x", "image_url": uri})
    recorded = (await sandbox.control.jobs())[0].arguments["image_url"]
    assert recorded.startswith("data:image/png;base64,")
    assert len(recorded) < 300 < len(uri)


async def test_an_avatar_takes_its_reference_from_a_url(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    made = await run(client, IMAGEN, {"prompt": "a house"})
    result = await run(client, AVATAR, {"prompt": "at sea", "image_url": made["images"][0]["url"]})
    assert len(result["images"]) == 1


async def test_a_video_is_mp4(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    result = await run(client, VIDEO, {"prompt": "waves", "aspect_ratio": "9:16", "duration": "4s"})
    answer = await download(sandbox, result["video"]["url"])
    assert answer.headers["content-type"] == result["video"]["content_type"] == "video/mp4"
    assert answer.content[4:8] == b"ftyp"


async def test_the_same_arguments_give_the_same_pictures(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    contents = []
    for seed in (1, 1, 2):
        result = await run(client, IMAGEN, {"prompt": "hills", "seed": seed})
        contents.append((await download(sandbox, result["images"][0]["url"])).content)
    assert contents[0] == contents[1]
    assert contents[0] != contents[2]


@pytest.mark.parametrize(
    ("model", "wrong", "field", "problem"),
    [
        (IMAGEN, {}, "prompt", "missing"),
        (IMAGEN, {"prompt": ""}, "prompt", "string_too_short"),
        (IMAGEN, {"prompt": "x" * 5001}, "prompt", "string_too_long"),
        (IMAGEN, {"prompt": 5}, "prompt", "string_type"),
        (IMAGEN, {"prompt": "x", "num_images": 5}, "num_images", "less_than_equal"),
        (IMAGEN, {"prompt": "x", "num_images": 0}, "num_images", "greater_than_equal"),
        (IMAGEN, {"prompt": "x", "aspect_ratio": "2:1"}, "aspect_ratio", "literal_error"),
        (IMAGEN, {"prompt": "x", "resolution": "8K"}, "resolution", "literal_error"),
        (AVATAR, {"prompt": "x"}, "image_url", "missing"),
        (AVATAR, {"prompt": "x", "image_url": "ftp://a/b.png"}, "image_url", "file_download_error"),
        (AVATAR, {"prompt": "x", "image_url": "http://127.0.0.1:1/b.png"}, "image_url", "file_download_error"),
        (AVATAR, {"prompt": "x", "image_url": "data:image/png;base64,aGVsbG8="}, "image_url", "image_load_error"),
        (VIDEO, {"prompt": "x", "duration": "5s"}, "duration", "literal_error"),
        (VIDEO, {"prompt": "x", "aspect_ratio": "1:1"}, "aspect_ratio", "literal_error"),
    ],
)
async def test_wrong_arguments_are_refused_with_the_result(
    client: fal_client.AsyncClient, model: str, wrong: dict[str, Any], field: str, problem: str
) -> None:
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await run(client, model, wrong)
    assert caught.value.status_code == 422
    detail: Any = caught.value.message
    assert [(entry["loc"], entry["type"]) for entry in detail] == [(["body", field], problem)]
    assert caught.value.response_headers["x-fal-retryable"] == "false"


async def test_a_reference_that_is_too_small_is_refused(client: fal_client.AsyncClient) -> None:
    target = io.BytesIO()
    Image.new("RGB", (10, 10)).save(target, "PNG")
    uri = "data:image/png;base64," + base64.b64encode(target.getvalue()).decode()
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await run(client, AVATAR, {"prompt": "x", "image_url": uri})
    assert caught.value.message[0]["type"] == "image_too_small"  # type: ignore[index]


async def test_unknown_arguments_are_ignored(client: fal_client.AsyncClient) -> None:
    result = await run(client, IMAGEN, {"prompt": "x", "negative_prompt": "y", "strength": 2})
    assert len(result["images"]) == 1


async def test_an_unknown_model_is_not_found(client: fal_client.AsyncClient) -> None:
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await client.submit("fal-ai/imagen9", {"prompt": "x"})
    assert caught.value.status_code == 404


async def test_a_wrong_key_is_refused(pointed: Sandbox) -> None:
    client = fal_client.AsyncClient(key="wrong")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await client.submit(IMAGEN, {"prompt": "x"})
    assert caught.value.status_code == 401
    http: httpx.AsyncClient = await client._client
    await http.aclose()
    assert await pointed.control.jobs() == []


async def test_a_queued_job_is_cancelled(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    handle = await client.submit(IMAGEN, {"prompt": "x [sandbox:stuck-in-queue]"})
    assert isinstance(await handle.status(), fal_client.Queued)
    await handle.cancel()
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.get()
    assert (caught.value.status_code, caught.value.error_type) == (499, "client_cancelled")
    with pytest.raises(fal_client.FalClientHTTPError) as caught:
        await handle.cancel()
    assert caught.value.status_code == 400
    assert (await sandbox.control.jobs())[0].cancelled


async def test_a_job_that_is_being_made_goes_on_when_cancelled(client: fal_client.AsyncClient) -> None:
    handle = await client.submit(IMAGEN, {"prompt": "x [sandbox:stuck]"})
    async with asyncio.timeout(BOUND_SECONDS):
        async for state in handle.iter_events(interval=0.01):
            if isinstance(state, fal_client.InProgress):
                break
    await handle.cancel()
    assert isinstance(await handle.status(), fal_client.InProgress)


async def test_the_client_pays_twice_for_an_answer_that_was_lost(
    client: fal_client.AsyncClient, sandbox: Sandbox
) -> None:
    """The library sends a dropped POST again; the sandbox shows what that costs."""
    await sandbox.control.fail_next("submit", "drop_after")
    url = "http://127.0.0.1:1/hooks/generation-1"
    await client.submit(IMAGEN, {"prompt": "x [sandbox:webhook-never]"}, webhook_url=url)
    assert await sandbox.control.submissions() == {url: 2}
    assert [job.webhook_url for job in await sandbox.control.jobs(webhook="generation-1")] == [url, url]


async def test_a_closed_port_refuses_and_opens_again(client: fal_client.AsyncClient, sandbox: Sandbox) -> None:
    await client.submit(IMAGEN, {"prompt": "x"})
    async with sandbox.control.refusing_connections("fal"):
        with pytest.raises(httpx.ConnectError):
            await download(sandbox, f"https://{sandbox.fal_host}/files/a/b")
    await client.submit(IMAGEN, {"prompt": "x"})
    assert len(await sandbox.control.jobs()) == 2


async def test_the_library_needs_two_environment_variables_and_a_key(sandbox: Sandbox) -> None:
    program = (
        "import asyncio, fal_client\n"
        "async def main():\n"
        "    client = fal_client.AsyncClient()\n"
        "    handle = await client.submit('fal-ai/imagen4/preview', {'prompt': 'x'})\n"
        "    print(handle.request_id)\n"
        "asyncio.run(main())\n"
    )
    environment = os.environ | {
        "FAL_QUEUE_RUN_HOST": sandbox.fal_host,
        "SSL_CERT_FILE": str(sandbox.ca_file),
        "FAL_KEY": sandbox.fal_key,
    }
    process = await asyncio.create_subprocess_exec(
        sys.executable, "-c", program, env=environment, stdout=subprocess.PIPE
    )
    output, _ = await asyncio.wait_for(process.communicate(), BOUND_SECONDS)
    assert [job.request_id for job in await sandbox.control.jobs()] == [output.decode().strip()]
