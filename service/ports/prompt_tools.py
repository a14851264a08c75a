"""Checking and improving prompts."""

from __future__ import annotations

from typing import Protocol

import msgspec


class ModerationVerdict(msgspec.Struct, frozen=True, tag=True):
    """What the moderation says of a prompt; ``categories`` are the vendor's names of what it found."""

    allowed: bool
    categories: tuple[str, ...] = ()
    model: str = ""


class ImprovedPrompt(msgspec.Struct, frozen=True, tag=True):
    """Better words for what the user meant, and the model that found them."""

    prompt: str
    model: str


class ImprovementRefused(msgspec.Struct, frozen=True, tag=True):
    """The model would not rewrite it; the user's own words are used (moderation has passed them)."""

    detail: str


class ToolUnavailable(msgspec.Struct, frozen=True, tag=True):
    """No usable answer: down, slow, or not what was asked for."""

    detail: str


class PromptTools(Protocol):
    """Checks prompts, and improves them."""

    async def moderate(self, prompt: str, *, user_id: str) -> ModerationVerdict | ToolUnavailable:
        """Is the prompt allowed? Bounded in time by the adapter's settings."""
        ...

    async def improve(
        self, prompt: str, *, generation_type: str, user_id: str
    ) -> ImprovedPrompt | ImprovementRefused | ToolUnavailable:
        """A better prompt with the same meaning. Bounded to seconds by the adapter's settings."""
        ...
