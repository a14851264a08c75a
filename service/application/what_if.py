"""What if prices or rules had been others: replays real history under them (``simulation.py``) and compares.

Two things the log cannot tell. Users would have behaved differently; and a request that was refused then left no
event, so what would have been accepted beyond the log is not known. Nothing is written.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import cast

import msgspec

from service.application.history import History, Selection
from service.application.owners import OwnedEvent
from service.application.simulation import TYPES, Rules, Simulation
from service.domain.account import CreditsRefunded
from service.domain.catalog import Catalog, CatalogError, parse_catalog
from service.domain.errors import InvalidField
from service.domain.generation.events import GenerationEvent
from service.domain.ids import generation_stream
from service.domain.refund_rules import find_rule
from service.ports.event_store import EventStore

MAX_CATALOG_CHARACTERS = 100_000
BATCH_SIZE = 1000


class Progress(msgspec.Struct, frozen=True):
    """How far a simulation is, in positions."""

    position: int
    until: int


class WhatIf:
    def __init__(self, history: History, store: EventStore, catalog: Catalog) -> None:
        self._history = history
        self._store = store
        self._catalog = catalog

    async def simulate(
        self,
        *,
        catalog_toml: str = "",
        refund_rule: str = "",
        until_position: int = 0,
        end_time: datetime | None = None,
    ) -> AsyncIterator[Progress | Simulation]:
        """Replays the log, from its beginning to ``until_position`` (0: its end), telling how far it is; the last
        thing is the Simulation itself. An empty catalog is today's, an empty rule the usual one.

        Raises InvalidField.
        """
        simulation = Simulation(Rules(self._parse(catalog_toml), find_rule(refund_rule)))
        until = until_position or await self._history.head()
        selection = Selection(until_position=until_position, end_time=end_time, types=TYPES)
        async for batch in self._history.replay(selection, batch_size=BATCH_SIZE):
            for owned in batch.events:
                simulation.apply(owned)
                event = owned.recorded.event
                if isinstance(event, CreditsRefunded) and event.cause == "manual":
                    await self._by_hand(simulation, owned, event)
            simulation.comparison.position = batch.position
            yield Progress(batch.position, until)
        yield simulation

    def _parse(self, catalog_toml: str) -> Catalog:
        if not catalog_toml:
            return self._catalog
        if len(catalog_toml) > MAX_CATALOG_CHARACTERS:
            raise InvalidField("catalog_toml", f"must be at most {MAX_CATALOG_CHARACTERS} characters")
        try:
            return parse_catalog(catalog_toml)
        except CatalogError as error:
            raise InvalidField("catalog_toml", str(error)) from error

    async def _by_hand(self, simulation: Simulation, owned: OwnedEvent, event: CreditsRefunded) -> None:
        stream = await self._store.read_stream(generation_stream(event.generation_id))
        before = [cast(GenerationEvent, each.event) for each in stream if each.position < owned.recorded.position]
        paid = simulation.paid(event.generation_id, before)
        if paid is not None:
            simulation.refund_by_hand(owned, event, paid)
