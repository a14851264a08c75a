"""The vendors' adapters, from the settings.

Their libraries take longer to load than all the rest: only what runs a worker imports this module.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

from service.adapters.media import HttpMediaCollector, ObjectMediaStore
from service.adapters.prompts.openai_tools import OpenAIPromptTools, OpenAISettings
from service.adapters.providers.fal import FalProvider, FalSettings
from service.adapters.tls import trust
from service.bootstrap.media import make_collector
from service.config import Settings
from service.domain.catalog import Catalog


@dataclass(frozen=True, kw_only=True)
class Vendors:
    """What only workers need."""

    provider: FalProvider
    prompt_tools: OpenAIPromptTools
    collector: HttpMediaCollector


@asynccontextmanager
async def open_vendors(
    settings: Settings, catalog: Catalog, media: ObjectMediaStore, threads: ThreadPoolExecutor, *, salt: str
) -> AsyncIterator[Vendors]:
    tls = trust(settings.ca_file)
    provider = FalProvider(
        settings.fal_key.get_secret_value(), tls=tls, settings=FalSettings(queue_host=settings.fal_queue_host)
    )
    effort = settings.openai_reasoning_effort
    prompt_tools = OpenAIPromptTools(
        settings.openai_api_key.get_secret_value(),
        salt=salt,
        settings=OpenAISettings(
            base_url=settings.openai_base_url,
            model=settings.openai_model,
            reasoning_effort="" if effort == "default" else effort,
            moderation_model=settings.openai_moderation_model,
            moderation_timeout_seconds=settings.moderation_timeout_seconds,
            enhancement_timeout_seconds=settings.enhancement_timeout_seconds,
            max_prompt_characters=catalog.max_prompt_characters,
        ),
    )
    collector = make_collector(settings, media, threads)
    async with AsyncExitStack() as stack:
        for each in (provider, prompt_tools, collector):
            stack.push_async_callback(each.aclose)
        yield Vendors(provider=provider, prompt_tools=prompt_tools, collector=collector)
