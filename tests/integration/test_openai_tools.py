"""Moderation and improvement through the real client, and what each kind of trouble becomes."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest

from sandbox import Sandbox
from service.adapters.prompts import OpenAIPromptTools, OpenAISettings
from service.ports.prompt_tools import ImprovedPrompt, ImprovementRefused, ModerationVerdict, ToolUnavailable
from tests.support.fal_queue import BOUND_SECONDS

USER = "user-17"


@asynccontextmanager
async def prompt_tools(sandbox: Sandbox, *, api_key: str = "", **changes: Any) -> AsyncIterator[OpenAIPromptTools]:
    patient: dict[str, Any] = {
        "base_url": sandbox.openai_base_url,
        "moderation_timeout_seconds": BOUND_SECONDS,
        "enhancement_timeout_seconds": BOUND_SECONDS,
        "max_retries": 0,
    }
    tools = OpenAIPromptTools(
        api_key or sandbox.openai_api_key, salt="a salt for tests", settings=OpenAISettings(**(patient | changes))
    )
    try:
        yield tools
    finally:
        await tools.aclose()


@pytest.fixture
async def tools(sandbox: Sandbox) -> AsyncIterator[OpenAIPromptTools]:
    async with prompt_tools(sandbox) as tools:
        yield tools


async def test_a_harmless_prompt_is_allowed(tools: OpenAIPromptTools) -> None:
    verdict = await tools.moderate("a cat on a roof", user_id=USER)
    assert verdict == ModerationVerdict(allowed=True, model="omni-moderation-latest")


async def test_a_flagged_prompt_names_what_was_found(tools: OpenAIPromptTools, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("moderation", "flagged_minors")
    verdict = await tools.moderate("a cat on a roof", user_id=USER)
    assert isinstance(verdict, ModerationVerdict)
    assert not verdict.allowed
    assert verdict.categories == ("sexual", "sexual/minors")


@pytest.mark.parametrize("kind", ["drop", "http_401", "http_429", "http_500", "http_503", "html", "broken_json"])
async def test_moderation_without_a_usable_answer(tools: OpenAIPromptTools, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("moderation", kind)
    assert isinstance(await tools.moderate("a cat", user_id=USER), ToolUnavailable)


async def test_slow_moderation_is_given_up(sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("moderation", "slow", seconds=BOUND_SECONDS, count=10)
    async with prompt_tools(sandbox, moderation_timeout_seconds=0.5) as tools:
        answer = await tools.moderate("a cat", user_id=USER)
    assert isinstance(answer, ToolUnavailable)
    assert "0.5 s" in answer.detail


async def test_the_clients_retries_are_on_and_within_the_bound(sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("moderation", "http_500", count=2)
    async with prompt_tools(sandbox, max_retries=2) as tools:
        assert isinstance(await tools.moderate("a cat", user_id=USER), ModerationVerdict)


async def test_a_vendor_that_is_down(tools: OpenAIPromptTools, sandbox: Sandbox) -> None:
    async with sandbox.control.refusing_connections("openai"):
        verdict = await tools.moderate("a cat", user_id=USER)
        improved = await tools.improve("a cat", generation_type="imagen4", user_id=USER)
    assert isinstance(verdict, ToolUnavailable)
    assert isinstance(improved, ToolUnavailable)
    assert "cannot be reached" in improved.detail


@pytest.mark.parametrize("generation_type", ["imagen4", "avatar", "video", "a_type_of_tomorrow"])
async def test_a_prompt_is_improved(tools: OpenAIPromptTools, generation_type: str) -> None:
    improved = await tools.improve("a cat on a roof", generation_type=generation_type, user_id=USER)
    assert isinstance(improved, ImprovedPrompt)
    assert "a cat on a roof" in improved.prompt
    assert improved.prompt != "a cat on a roof"
    assert improved.model


async def test_a_refusal_is_told_apart(tools: OpenAIPromptTools, sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("enhancement", "refusal")
    refused = await tools.improve("a cat", generation_type="imagen4", user_id=USER)
    assert isinstance(refused, ImprovementRefused)
    assert refused.detail


@pytest.mark.parametrize(
    "kind",
    [
        *("drop", "http_401", "http_429", "http_500", "html", "broken_json"),
        *("incomplete", "broken_text", "wrong_shape", "empty", "too_long", "no_output", "failed"),
    ],
)
async def test_improvement_without_a_usable_answer(tools: OpenAIPromptTools, sandbox: Sandbox, kind: str) -> None:
    await sandbox.control.fail_next("enhancement", kind)
    answer = await tools.improve("a cat on a secret roof", generation_type="imagen4", user_id=USER)
    assert isinstance(answer, ToolUnavailable)
    assert "secret roof" not in answer.detail


async def test_slow_improvement_is_given_up(sandbox: Sandbox) -> None:
    await sandbox.control.fail_next("enhancement", "slow", seconds=BOUND_SECONDS, count=10)
    async with prompt_tools(sandbox, enhancement_timeout_seconds=0.5) as tools:
        answer = await tools.improve("a cat", generation_type="imagen4", user_id=USER)
    assert isinstance(answer, ToolUnavailable)


async def test_the_key_is_never_shown(sandbox: Sandbox) -> None:
    async with prompt_tools(sandbox, api_key="sk-secret-0123456789") as tools:
        answer = await tools.moderate("a cat", user_id=USER)
        assert isinstance(answer, ToolUnavailable)
        assert "sk-secret" not in repr(answer) + repr(tools)
