"""Checking and improving prompts, behind ``service.ports.prompt_tools``."""

from service.adapters.prompts.openai_tools import OpenAIPromptTools, OpenAISettings

__all__ = ["OpenAIPromptTools", "OpenAISettings"]
