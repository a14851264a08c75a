"""The sandbox against the ``openai`` library, unchanged."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from typing import Literal

import openai
import pytest
from openai.types import ModerationImageURLInputParam, ModerationTextInputParam
from openai.types.responses import Response
from pydantic import BaseModel, ValidationError

from sandbox import Sandbox, SandboxOptions, running_sandbox

BOUND_SECONDS = 60.0
MODEL = "gpt-5-mini"


class Improved(BaseModel):
    """The kind of schema that the adapter sends."""

    prompt: str
    language: Literal["en", "ru"]
    notes: str | None


@pytest.fixture(scope="module")
async def sandbox() -> AsyncIterator[Sandbox]:
    async with running_sandbox(SandboxOptions(speed=1000)) as running:
        yield running


@pytest.fixture(autouse=True)
async def _fresh(sandbox: Sandbox) -> None:
    await sandbox.control.reset()


@pytest.fixture(scope="module")
async def client(sandbox: Sandbox) -> AsyncIterator[openai.AsyncOpenAI]:
    async with openai.AsyncOpenAI(
        base_url=sandbox.openai_base_url, api_key=sandbox.openai_api_key, timeout=BOUND_SECONDS, max_retries=0
    ) as client:
        yield client


async def improve(client: openai.AsyncOpenAI, prompt: str) -> Improved | None:
    answer = await client.responses.parse(
        model=MODEL, instructions="Improve it.", input=prompt, text_format=Improved, safety_identifier="abc"
    )
    return answer.output_parsed


async def test_a_prompt_is_improved_in_english(client: openai.AsyncOpenAI) -> None:
    improved = await improve(client, "рыжий кот на крыше [sandbox:two-of-four]")
    assert improved is not None
    assert improved.prompt.startswith("ginger cat on roof")
    assert improved.prompt.endswith("[sandbox:two-of-four]")
    assert improved.language == "ru"
    assert improved == await improve(client, "рыжий кот на крыше [sandbox:two-of-four]")


async def test_words_that_the_glossary_lacks_are_kept(client: openai.AsyncOpenAI) -> None:
    improved = await improve(client, "кот и синхрофазотрон")
    assert improved is not None
    assert "кот и синхрофазотрон" in improved.prompt


async def test_messages_with_parts_are_read(client: openai.AsyncOpenAI) -> None:
    answer = await client.responses.create(
        model=MODEL,
        input=[
            {"role": "system", "content": "Improve it."},
            {"role": "user", "content": [{"type": "input_text", "text": "a red fox"}]},
        ],
    )
    assert answer.output_text.startswith("a red fox")


async def test_a_refusal(client: openai.AsyncOpenAI) -> None:
    answer = await client.responses.parse(model=MODEL, input="x [sandbox:enhancement-refusal]", text_format=Improved)
    assert answer.output_parsed is None
    assert _content_types(answer) == ["refusal"]


async def test_an_incomplete_answer(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("enhancement", "incomplete")
    answer = await client.responses.create(model=MODEL, input="x", text={"format": _format()})
    assert answer.status == "incomplete"
    with pytest.raises(ValueError):
        json.loads(answer.output_text)


async def test_no_output_and_a_failed_one(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("enhancement", "no_output")
    await sandbox.control.fail_next("enhancement", "failed")
    assert (await client.responses.create(model=MODEL, input="x")).output == []
    failed = await client.responses.create(model=MODEL, input="x")
    assert failed.status == "failed"
    assert failed.error is not None


@pytest.mark.parametrize("kind", ["broken_text", "wrong_shape"])
async def test_text_that_does_not_fit_the_schema(client: openai.AsyncOpenAI, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("enhancement", kind)
    with pytest.raises(ValidationError):
        await improve(client, "x")


@pytest.mark.parametrize(("kind", "length"), [("empty", 0), ("too_long", 20_000)])
async def test_prompts_of_unlikely_length(
    client: openai.AsyncOpenAI, sandbox: Sandbox, kind: str, length: int
) -> None:
    await sandbox.control.fail_next("enhancement", kind)
    improved = await improve(client, "x")
    assert improved is not None
    assert len(improved.prompt) == length


async def test_harmless_texts_pass_moderation(client: openai.AsyncOpenAI) -> None:
    answer = await client.moderations.create(model="omni-moderation-latest", input="a cat on a roof")
    assert not answer.results[0].flagged
    assert not any(answer.results[0].categories.model_dump().values())


@pytest.mark.parametrize(
    "text", ["something forbidden", "нечто запрещённое", "Запрещенное!", "x [sandbox:moderation-flagged]"]
)
async def test_marked_texts_are_flagged(client: openai.AsyncOpenAI, text: str) -> None:
    result = (await client.moderations.create(model="omni-moderation-latest", input=text)).results[0]
    assert result.flagged
    assert result.categories.illicit
    assert (result.category_scores.illicit or 0) > 0.8


async def test_moderation_of_text_and_picture(client: openai.AsyncOpenAI) -> None:
    text: ModerationTextInputParam = {"type": "text", "text": "me [sandbox:moderation-flagged-minors]"}
    picture: ModerationImageURLInputParam = {
        "type": "image_url",
        "image_url": {"url": "data:image/png;base64,AAAA"},
    }
    parts: list[ModerationImageURLInputParam | ModerationTextInputParam] = [text, picture]
    answer = await client.moderations.create(model="omni-moderation-latest", input=parts)
    types = answer.results[0].category_applied_input_types
    assert answer.results[0].categories.sexual_minors
    assert types.sexual_minors == ["text"]
    assert types.violence == ["text", "image"]


@pytest.mark.parametrize(
    ("kind", "error"),
    [
        ("http_401", openai.AuthenticationError),
        ("http_403", openai.PermissionDeniedError),
        ("http_408", openai.APIStatusError),
        ("http_409", openai.ConflictError),
        ("http_429", openai.RateLimitError),
        ("http_500", openai.InternalServerError),
        ("http_502", openai.InternalServerError),
        ("http_503", openai.InternalServerError),
        ("http_504", openai.InternalServerError),
        ("drop", openai.APIConnectionError),
    ],
)
async def test_faults_of_transport_and_status(
    client: openai.AsyncOpenAI, sandbox: Sandbox, kind: str, error: type[Exception]
) -> None:
    await sandbox.control.fail_next("moderation", kind)
    await sandbox.control.fail_next("enhancement", kind)
    with pytest.raises(error):
        await client.moderations.create(input="x")
    with pytest.raises(error):
        await improve(client, "x")
    assert await sandbox.control.outstanding_faults() == []


async def test_broken_json(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("moderation", "broken_json")
    await sandbox.control.fail_next("enhancement", "broken_json")
    with pytest.raises(ValueError):
        await client.moderations.create(input="x")
    with pytest.raises(ValueError):
        await improve(client, "x")


async def test_a_slow_answer_meets_the_clients_patience(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("enhancement", "slow", seconds=300)
    with pytest.raises(openai.APITimeoutError):
        await client.with_options(timeout=0.5).responses.create(model=MODEL, input="x")


async def test_a_closed_port(client: openai.AsyncOpenAI, sandbox: Sandbox) -> None:
    async with sandbox.control.refusing_connections("openai"):
        with pytest.raises(openai.APIConnectionError):
            await client.moderations.create(input="x")
    await client.moderations.create(input="x")


async def test_a_wrong_key_is_refused(sandbox: Sandbox) -> None:
    async with openai.AsyncOpenAI(base_url=sandbox.openai_base_url, api_key="wrong", max_retries=0) as client:
        with pytest.raises(openai.AuthenticationError):
            await client.moderations.create(input="x")


async def test_a_loose_schema_is_refused_when_it_should_be_strict(client: openai.AsyncOpenAI) -> None:
    loose = _format()
    loose["schema"] = {"type": "object", "properties": {"prompt": {"type": "string"}}}
    with pytest.raises(openai.BadRequestError):
        await client.responses.create(model=MODEL, input="x", text={"format": loose})


def _format() -> openai.types.responses.ResponseFormatTextJSONSchemaConfigParam:
    schema: dict[str, object] = {
        "type": "object",
        "properties": {"prompt": {"type": "string"}},
        "required": ["prompt"],
        "additionalProperties": False,
    }
    return {"type": "json_schema", "name": "improved", "strict": True, "schema": schema}


def _content_types(answer: Response) -> list[str]:
    return [part.type for item in answer.output if item.type == "message" for part in item.content]
