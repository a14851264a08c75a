"""Moderation and better prompts from OpenAI.

Both calls are safe to repeat, so the client's retries stay on; one bound over each call with its retries keeps it to
seconds. Whatever goes wrong becomes a value of the port: what a user asked for must not hang on an improver. Prompts
never reach the log.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
from typing import cast

import msgspec
import openai
import structlog
from openai.types.responses import ParsedResponse
from openai.types.shared.reasoning_effort import ReasoningEffort
from pydantic import BaseModel, ConfigDict

from service.adapters.prompts.instructions import instructions_for, lost_words
from service.ports.prompt_tools import ImprovedPrompt, ImprovementRefused, ModerationVerdict, ToolUnavailable

log = structlog.get_logger(__name__)

_MOST_OUTPUT_TOKENS = 3_000
_MOST_DETAIL_CHARACTERS = 300
_REFUSAL_CODES = frozenset({"invalid_prompt", "content_filter", "content_policy_violation"})
# What the client raises when there is no answer, or when an answer does not have the shape that it promises.
_TROUBLE = (openai.OpenAIError, TimeoutError, ValueError, TypeError, AttributeError, LookupError)


class OpenAISettings(msgspec.Struct, frozen=True, kw_only=True):
    """Times in seconds, each for one call with its retries."""

    base_url: str = "https://api.openai.com/v1"
    model: str = "gpt-5-mini"
    reasoning_effort: str = ""
    """``none``, ``minimal``, ``low`` ... as the model allows; empty leaves it to the model. Thinking takes longer
    than a prompt is worth, so a thinking model should have the least that it takes."""
    moderation_model: str = "omni-moderation-latest"
    moderation_timeout_seconds: float = 10.0
    enhancement_timeout_seconds: float = 8.0
    max_retries: int = 2
    max_prompt_characters: int = 2000
    """A longer improved prompt is not used: cutting it would change what it means."""


class RewrittenPrompt(BaseModel):
    """The shape of the language model's answer."""

    model_config = ConfigDict(extra="forbid")

    prompt: str


class OpenAIPromptTools:
    """``service.ports.prompt_tools.PromptTools``. ``salt`` hides user ids from the vendor: any secret that stays."""

    def __init__(self, api_key: str, *, salt: str, settings: OpenAISettings | None = None) -> None:
        if not api_key:
            raise ValueError("the key for OpenAI is missing")
        self._settings = settings or OpenAISettings()
        self._salt = salt.encode()
        self._client = openai.AsyncOpenAI(
            api_key=api_key,
            base_url=self._settings.base_url,
            max_retries=self._settings.max_retries,
            timeout=max(self._settings.moderation_timeout_seconds, self._settings.enhancement_timeout_seconds),
        )

    async def aclose(self) -> None:
        await self._client.close()

    async def moderate(self, prompt: str, *, user_id: str) -> ModerationVerdict | ToolUnavailable:
        """The whole verdict of the vendor: its ``flagged`` decides, its categories are told."""
        settings = self._settings
        try:
            async with asyncio.timeout(settings.moderation_timeout_seconds):
                answer = await self._client.moderations.create(model=settings.moderation_model, input=prompt)
            results = answer.results
            found = {name for result in results for name, hit in result.categories.to_dict().items() if hit is True}
            flagged = any(bool(result.flagged) for result in results)
        except _TROUBLE as error:
            return _unavailable("moderation", error, settings.moderation_timeout_seconds)
        if not results:
            return _no_use("moderation", "OpenAI answered without a verdict")
        return ModerationVerdict(
            allowed=not flagged, categories=tuple(sorted(found)) if flagged else (), model=answer.model
        )

    async def improve(
        self, prompt: str, *, generation_type: str, user_id: str
    ) -> ImprovedPrompt | ImprovementRefused | ToolUnavailable:
        try:
            async with asyncio.timeout(self._settings.enhancement_timeout_seconds):
                answer = await self._rewrite(prompt, generation_type, user_id)
            return self._judge(prompt, answer)
        except openai.BadRequestError as error:
            if error.code in _REFUSAL_CODES:
                return ImprovementRefused(f"OpenAI refused the prompt ({error.code})")
            return _unavailable("improvement", error, self._settings.enhancement_timeout_seconds)
        except _TROUBLE as error:
            return _unavailable("improvement", error, self._settings.enhancement_timeout_seconds)

    async def _rewrite(self, prompt: str, generation_type: str, user_id: str) -> ParsedResponse[RewrittenPrompt]:
        effort = self._settings.reasoning_effort
        return await self._client.responses.parse(
            model=self._settings.model,
            instructions=instructions_for(generation_type),
            input=prompt,
            text_format=RewrittenPrompt,
            max_output_tokens=_MOST_OUTPUT_TOKENS,
            reasoning={"effort": cast(ReasoningEffort, effort)} if effort else openai.omit,
            safety_identifier=self._pseudonym(user_id),
            store=False,
            timeout=self._settings.enhancement_timeout_seconds,
        )

    def _judge(
        self, prompt: str, answer: ParsedResponse[RewrittenPrompt]
    ) -> ImprovedPrompt | ImprovementRefused | ToolUnavailable:
        refusal = _refusal(answer)
        if refusal:
            return ImprovementRefused(refusal[:_MOST_DETAIL_CHARACTERS])
        if answer.status != "completed" or answer.output_parsed is None:
            return _no_use("improvement", f"OpenAI answered without a prompt (status {answer.status})")
        improved = answer.output_parsed.prompt.strip()
        if not improved:
            return _no_use("improvement", "OpenAI answered with an empty prompt")
        if len(improved) > self._settings.max_prompt_characters:
            return _no_use("improvement", f"OpenAI answered with a prompt of {len(improved)} characters")
        if lost := lost_words(prompt, improved):
            return _no_use("improvement", f"the improved prompt lost {len(lost)} quoted text(s) of the user")
        return ImprovedPrompt(improved, answer.model)

    def _pseudonym(self, user_id: str) -> str:
        return hmac.new(self._salt, user_id.encode(), hashlib.sha256).hexdigest()


def _refusal(answer: ParsedResponse[RewrittenPrompt]) -> str:
    for item in answer.output:
        if item.type == "message":
            for content in item.content:
                if content.type == "refusal":
                    return content.refusal or "refused without a word"
    if answer.incomplete_details is not None and answer.incomplete_details.reason == "content_filter":
        return "stopped by the content filter"
    return ""


def _unavailable(tool: str, error: BaseException, bound_seconds: float) -> ToolUnavailable:
    match error:
        case openai.APIStatusError():
            detail = f"OpenAI answered {error.status_code} ({error.code or error.type or 'no code'})"
        case openai.APITimeoutError() | TimeoutError():
            detail = f"OpenAI did not answer within {bound_seconds:g} s"
        case openai.APIConnectionError():
            detail = f"OpenAI cannot be reached ({type(error.__cause__ or error).__name__})"
        case _:
            # The text of these errors quotes the answer, and with it the user's prompt.
            detail = f"OpenAI's answer is not what was asked for ({type(error).__name__})"
    return _no_use(tool, detail)


def _no_use(tool: str, detail: str) -> ToolUnavailable:
    log.warning("prompt_tool_unavailable", tool=tool, detail=detail)
    return ToolUnavailable(detail)
