"""An older gallery's rows become items of this one: each row one generation, and so never twice.

A chunk of rows is read (``imports_rows.read_row``) and looked for in the log; the files of those that are new are
brought into our store, several at once; and then they are recorded one after another, in the order of the rows. A
row is recorded, or was before, or is told with its reason: whatever is interrupted in between, running again finds
what is there and goes on. Chunks bound what is held in memory.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence

import msgspec

from service.application.execute import Context, Executor, Ref
from service.application.generations import generation_ref
from service.application.imports_rows import RawRow, Reading, Row, SourceBroken, read_row
from service.domain.catalog import Catalog
from service.domain.errors import InvalidField
from service.domain.generation import importing
from service.domain.generation.events import ItemImported
from service.domain.ids import generation_stream, imports_stream
from service.domain.imports import IMPORTS, Imports
from service.ports.clock import Clock
from service.ports.event_store import EventStore, RecordedEvent
from service.ports.media_store import CollectedOutput, MediaRejected, MediaUnavailable

ROWS_AT_ONCE = 32


class Told(msgspec.Struct, frozen=True):
    """Something about a row that whoever imports should know."""

    number: int
    """Of the row, from 1."""
    import_id: str
    why: str
    again: bool = False
    """Whether it may come in another time as it is: a file or a server was away."""
    imported: bool = False
    """It is in the gallery all the same."""


class Totals(msgspec.Struct):
    """What came of the rows so far."""

    rows: int = 0
    imported: int = 0
    """Of a dry run: that would be."""
    present: int = 0
    """Came in before."""
    unread: int = 0
    """Did not come in; each was told."""
    shortened: int = 0
    """Came in, with a prompt that was cut; each was told."""


Collect = Callable[[str, str], Awaitable[CollectedOutput]]
"""``(media, generation_id)``: brings a row's file into our store. Raises MediaRejected and MediaUnavailable that name
the file."""


class Importer:
    """``executor`` None: a dry run, which looks at everything and records nothing."""

    def __init__(
        self, store: EventStore, executor: Executor | None, catalog: Catalog, clock: Clock, collect: Collect
    ) -> None:
        self._store = store
        self._executor = executor
        self._catalog = catalog
        self._clock = clock
        self._collect = collect
        self.totals = Totals()

    async def run(
        self, rows: AsyncIterator[RawRow], reading: Reading, tell: Callable[[Told], None]
    ) -> AsyncIterator[Totals]:
        """Yields the totals after each chunk. Raises SourceBroken, EventStoreUnavailable: then run it again."""
        async for chunk in _chunks(rows):
            for told in await self._chunk(chunk, reading):
                tell(told)
                self.totals.shortened += told.imported
                self.totals.unread += not told.imported
            self.totals.rows += len(chunk)
            yield self.totals

    async def _chunk(self, chunk: Sequence[RawRow], reading: Reading) -> list[Told]:
        told: list[Told] = []
        new: dict[str, Row] = {}
        read = [self._read(raw, reading) for raw in chunk]
        known = await self._known([row.item.generation_id for row in read if isinstance(row, Row)])
        for row in read:
            if isinstance(row, Told):
                told.append(row)
            elif (before := known.get(row.item.generation_id)) is not None:
                told += self._compare(row, before)
            elif (other := new.setdefault(row.item.generation_id, row)) is not row:
                told += self._compare_rows(row, other)
        collected = await asyncio.gather(*(self._bring(row) for row in new.values()))
        for row, found in zip(new.values(), collected, strict=True):
            told += [found] if isinstance(found, Told) else await self._record(row, found)
        return sorted(told, key=lambda each: each.number)

    def _read(self, raw: RawRow, reading: Reading) -> Row | Told:
        import_id = (raw.values.get(reading.columns["id"][0]) or "").strip()
        if raw.problem:
            return Told(raw.number, import_id, raw.problem)
        try:
            row = read_row(raw, reading)
            importing.check(row.item, types=self._catalog.types, now=self._clock.now())
        except InvalidField as error:
            return Told(raw.number, import_id, str(error))
        return row

    async def _known(self, generation_ids: Sequence[str]) -> Mapping[str, RecordedEvent]:
        streams = {generation_stream(each): each for each in generation_ids}
        firsts = await self._store.read_streams([*streams], limit=1) if streams else ()
        return {streams[each.stream]: each for each in firsts}

    def _compare(self, row: Row, before: RecordedEvent) -> list[Told]:
        if not isinstance(before.event, ItemImported):
            return [_told(row, "a request was made here under the name that this row would have")]
        differing = importing.differences(before.event, row.item)
        if not row.typed:
            differing = tuple(each for each in differing if each != "type")
        if differing:
            return [_told(row, f"a row with this id came in before; what differs: {', '.join(differing)}")]
        self.totals.present += 1
        return []

    def _compare_rows(self, row: Row, other: Row) -> list[Told]:
        if (row.item, row.media) != (other.item, other.media):
            return [_told(row, f"has the id of row {other.number} and is not the same")]
        self.totals.present += 1
        return []

    async def _bring(self, row: Row) -> CollectedOutput | Told:
        try:
            return await self._collect(row.media, row.item.generation_id)
        except MediaRejected as error:
            return _told(row, str(error))
        except MediaUnavailable as error:
            return _told(row, str(error), again=True)

    async def _record(self, row: Row, found: CollectedOutput) -> list[Told]:
        try:
            item = self._typed(row, found.kind)
            if self._executor is None or await self._append(self._executor, item, found):
                self.totals.imported += 1
            else:
                self.totals.present += 1
        except InvalidField as error:
            return [_told(row, str(error))]
        if row.cut_characters:
            cut = f"its prompt has {row.cut_characters} characters too many, which were cut off"
            return [Told(row.number, row.item.import_id, cut, imported=True)]
        return []

    def _typed(self, row: Row, kind: str) -> importing.OlderItem:
        """The item, of a type that the file can be of. A video among pictures whose type nobody named is a video."""
        name = row.item.generation_type
        if self._catalog.types[name].kind == kind:
            return row.item
        fitting = next((each for each, known in self._catalog.types.items() if known.kind == kind), None)
        if row.typed or kind != "video" or fitting is None:
            raise InvalidField("type", f"{name} is not for a file that is a {kind}")
        return msgspec.structs.replace(row.item, generation_type=fitting)

    async def _append(self, executor: Executor, item: importing.OlderItem, found: CollectedOutput) -> bool:
        imports: Ref[Imports] = Ref(imports_stream(item.user_id), IMPORTS)
        _, outcome = await executor.run_both(
            imports,
            generation_ref(item.generation_id, expected_new=True),
            lambda _, generation: importing.bring_in(generation, item, media=found.media, thumbnail=found.thumbnail),
            Context(actor="import", correlation_id=item.generation_id),
        )
        return outcome.changed


def _told(row: Row, why: str, *, again: bool = False) -> Told:
    return Told(row.number, row.item.import_id, why, again)


async def _chunks(rows: AsyncIterator[RawRow]) -> AsyncIterator[list[RawRow]]:
    """What was read before the source broke comes first."""
    chunk: list[RawRow] = []
    broken: SourceBroken | None = None
    try:
        async for row in rows:
            chunk.append(row)
            if len(chunk) == ROWS_AT_ONCE:
                yield chunk
                chunk = []
    except SourceBroken as error:
        broken = error
    if chunk:
        yield chunk
    if broken is not None:
        raise broken
