"""What the servers of one sandbox share."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from sandbox.background import Background
from sandbox.faults import FaultBoard
from sandbox.jobs import JobStore
from sandbox.media import Studio
from sandbox.options import SandboxOptions
from sandbox.runner import Runner
from sandbox.webhooks import WebhookKeys, Webhooks


@dataclass(frozen=True)
class World:
    """One sandbox's state. ``counters`` counts requests by endpoint, as ``fal.submit`` or ``openai.moderations``."""

    options: SandboxOptions
    background: Background
    faults: FaultBoard
    jobs: JobStore
    studio: Studio
    runner: Runner
    keys: WebhookKeys
    webhooks: Webhooks
    counters: Counter[str]
