"""A client that shares nothing with this project but the contract: buf's, which is written in Go."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.support.api import BOUND_SECONDS, Api, fresh_name
from tools.protos import ROOT

BUF = Path(sys.executable).parent / "buf"


class Refused(Exception):
    """What buf says of an error, as it stands there."""


async def call(api: Api, method: str, request: dict[str, Any], *schema: str) -> list[dict[str, Any]]:
    """Every message of the answer. Raises Refused."""
    process = await asyncio.create_subprocess_exec(
        BUF,
        "curl",
        "--protocol=grpc",
        "--http2-prior-knowledge",
        *schema,
        f"--data={json.dumps(request)}",
        f"http://{api.address}/triptych.v1.{method}",
        cwd=ROOT,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        async with asyncio.timeout(BOUND_SECONDS):
            told, problem = await process.communicate()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    if process.returncode != 0:
        raise Refused(problem.decode())
    return _documents(told.decode())


def _documents(text: str) -> list[dict[str, Any]]:
    decoder, found, at = json.JSONDecoder(), [], 0
    while at < len(text.rstrip()):
        document, end = decoder.raw_decode(text, at)
        found.append(document)
        at = end + len(text[end:]) - len(text[end:].lstrip())
    return found


@pytest.mark.parametrize("schema", [("--schema", "protos"), ("--reflect",)], ids=["protos", "reflection"])
async def test_request_watch_and_list(api: Api, schema: tuple[str, ...]) -> None:
    user = fresh_name()
    await call(api, "CreditService/GrantCredits", {"userId": user, "grantId": "g", "credits": 100}, *schema)
    asked = {"requestId": "r", "userId": user, "type": "imagen4", "prompt": "a red fox", "outputCount": 2}
    (answer,) = await call(api, "GenerationService/RequestGeneration", asked, *schema)
    generation = answer["generation"]
    assert (generation["state"], generation["creditsDebited"]) == ("STATE_QUEUED", "10")

    watch = {"generationId": generation["generationId"]}
    watching = asyncio.create_task(call(api, "GenerationService/WatchGeneration", watch, *schema))
    found = await api.core.generations.load(generation["generationId"])
    assert found.user_id == user
    repeated = (await api.request(user, request_id="r", prompt="a red fox", output_count=2)).generation
    position = await api.deliver(repeated, 2)
    assert (await watching)[-1]["generation"]["state"] == "STATE_SUCCEEDED"

    listed = await call(api, "GalleryService/ListItems", {"userId": user, "atLeastPosition": str(position)}, *schema)
    assert {item["itemId"] for item in listed[0]["items"]} == {f"{repeated.generation_id}.{n}" for n in range(2)}


async def test_refusal_is_readable(api: Api) -> None:
    with pytest.raises(Refused) as caught:
        await call(api, "CreditService/GrantCredits", {"userId": "a/b", "grantId": "g"}, "--schema", "protos")
    (told,) = _documents(str(caught.value))
    assert told["code"] == "invalid_argument"
    assert told["message"].startswith("user_id: must be 1 to 128 letters")
    assert [detail["type"] for detail in told["details"]] == ["google.rpc.ErrorInfo", "google.rpc.BadRequest"]
