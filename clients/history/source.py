"""Where events come from: a replay of a selection of the log, watched by whoever shows how far it is."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import closing
from dataclasses import dataclass, replace
from datetime import datetime

from clients.sdk import EventBatch, ReplayFilter, Triptych

BATCH_SIZE = 1000
REPLAY_TIMEOUT_SECONDS = 86_400.0
"""For a whole replay, which may be of very much. That it moves at all is watched by the connection's keepalive."""

OnProgress = Callable[[int, int], None]
"""Told the position reached, and how many events came with the last batch."""


def nobody_watches(position: int, event_count: int) -> None:
    """An OnProgress that shows nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Which events; everything that is given must hold. Times have a zone."""

    after: int = 0
    until_position: int | None = None
    """Inclusive."""
    start_time: datetime | None = None
    """Inclusive."""
    end_time: datetime | None = None
    """Exclusive."""
    event_types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    user_id: str | None = None
    generation_type: str | None = None

    def behind(self, position: int) -> Selection:
        """The part of it after a position."""
        return replace(self, after=max(self.after, position))

    def where(self) -> ReplayFilter:
        """As the SDK takes it."""
        return {
            "until_position": self.until_position,
            "start_time": self.start_time,
            "end_time": self.end_time,
            "types": self.event_types,
            "categories": self.categories,
            "user_id": self.user_id,
            "generation_type": self.generation_type,
        }


EVERYTHING = Selection()


def replay(
    client: Triptych, selection: Selection, on_progress: OnProgress = nobody_watches, *, follow: bool = False
) -> Generator[EventBatch, None, None]:
    """The selection in batches. Raises TriptychError."""
    patient = client.with_options(transfer_timeout_seconds=REPLAY_TIMEOUT_SECONDS)
    batches = patient.replay_batches(selection.after, follow=follow, batch_size=BATCH_SIZE, **selection.where())
    with closing(batches):
        for batch in batches:
            yield batch
            on_progress(batch.position, len(batch.events))
