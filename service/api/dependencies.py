"""What the API stands on; the composition root fills it in."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Protocol

from service.application.credits import Credits
from service.application.curation import Curation
from service.application.generations import Generations
from service.application.history import History
from service.application.what_if import WhatIf
from service.domain.catalog import Catalog
from service.ports.media_store import MediaStore
from service.ports.projections import ChangeFeed, PositionWaiter, ProjectionStatus
from service.ports.read_models import CreditQueries, GalleryQueries, GenerationQueries, PastQueries


class ProjectionControl(Protocol):
    async def statuses(self) -> Sequence[ProjectionStatus]:
        """Every build that serves, is being built or has stopped, by name and build."""
        ...

    async def skip(self, projection: str, position: int, *, actor: str, reason: str) -> None:
        """Lets a stopped projection go on after the event at ``position``.

        Raises PreconditionFailed when it is not stopped there (any more)."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Core:
    """Commands and queries. ``stopping`` is each server's own: it is set when its streams have to end."""

    generations: Generations
    credits: Credits
    curation: Curation
    history: History
    what_if: WhatIf
    catalog: Catalog
    media: MediaStore
    gallery_queries: GalleryQueries
    generation_queries: GenerationQueries
    credit_queries: CreditQueries
    past: PastQueries
    waiter: PositionWaiter
    feed: ChangeFeed
    projections: ProjectionControl
    max_upload_bytes: int = 10 * 2**20
    max_wait_seconds: float = 30.0
    """How long a call may wait for a projection or the vendor, however late its own deadline is."""
    stopping: asyncio.Event = field(default_factory=asyncio.Event)
