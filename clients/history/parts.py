"""The files of an export while they are written: one at a time, in the log's order.

A file ends when it has enough rows, or, with ``partition_by`` day, when the day (UTC) does; times follow positions in
the log, so a day never comes back. It has a temporary name until it is closed. Rows are held in memory only until
there are enough of them for a row group.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from clients.history.columns import json_line, record_batch, schema
from clients.history.libraries import library
from clients.history.manifest import Format, Mark, PartFile, Partition
from clients.sdk import Event

ROWS_PER_GROUP = 20_000
ROWS_PER_FILE = 500_000

OnPart = Callable[[PartFile, Mark], None]


class _RowWriter(Protocol):
    def write(self, events: Sequence[Event]) -> None: ...

    def close(self) -> None: ...


class _Parquet:
    def __init__(self, path: Path) -> None:
        self._schema = schema()
        self._writer = library("pyarrow.parquet").ParquetWriter(path, self._schema, compression="zstd")

    def write(self, events: Sequence[Event]) -> None:
        self._writer.write_batch(record_batch(events, self._schema))

    def close(self) -> None:
        self._writer.close()


class _Csv:
    def __init__(self, path: Path) -> None:
        self._schema = schema()
        self._writer = library("pyarrow.csv").CSVWriter(path, self._schema)

    def write(self, events: Sequence[Event]) -> None:
        self._writer.write_batch(record_batch(events, self._schema))

    def close(self) -> None:
        self._writer.close()


class _JsonLines:
    def __init__(self, path: Path) -> None:
        self._file = path.open("w", encoding="utf-8", newline="\n")

    def write(self, events: Sequence[Event]) -> None:
        self._file.writelines(json_line(event) + "\n" for event in events)

    def close(self) -> None:
        self._file.close()


_WRITERS: dict[Format, Callable[[Path], _RowWriter]] = {"parquet": _Parquet, "csv": _Csv, "jsonl": _JsonLines}


class Parts:
    """Writes events into files under ``folder``; ``on_part`` is told of each one that is closed.

    Use it with ``with``. If that is left by an exception, what is not closed is thrown away.
    """

    def __init__(
        self,
        folder: Path,
        format: Format,
        partition_by: Partition,
        on_part: OnPart,
        *,
        rows_per_file: int = ROWS_PER_FILE,
    ) -> None:
        self._folder = folder
        self._format = format
        self._by_day = partition_by == "day"
        self._on_part = on_part
        self._rows_per_file = rows_per_file
        self._pending: list[Event] = []
        self._day = ""
        self._writer: _RowWriter | None = None
        self._rows = 0
        self._first: Event | None = None
        self._last: Event | None = None

    def __enter__(self) -> Parts:
        return self

    def __exit__(self, kind: type[BaseException] | None, *exception: object) -> None:
        if kind is None:
            self._end_file()
        elif self._writer is not None:
            self._writer.close()
            self._temporary.unlink(missing_ok=True)

    def add(self, events: Sequence[Event]) -> None:
        """The next events."""
        for event in events:
            day = _day_of(event) if self._by_day else ""
            if day != self._day or self._rows + len(self._pending) >= self._rows_per_file:
                self._end_file()
                self._day = day
            self._pending.append(event)
            if len(self._pending) >= ROWS_PER_GROUP:
                self._write_pending()

    @property
    def _temporary(self) -> Path:
        return self._folder / f"part.{self._format}.tmp"

    def _write_pending(self) -> None:
        if not self._pending:
            return
        if self._writer is None:
            self._writer = _WRITERS[self._format](self._temporary)
            self._first = self._pending[0]
        self._writer.write(self._pending)
        self._rows += len(self._pending)
        self._last = self._pending[-1]
        self._pending = []

    def _end_file(self) -> None:
        self._write_pending()
        if self._writer is None or self._first is None or self._last is None:
            return
        self._writer.close()
        first, last = self._first.position, self._last.position
        name = f"events-{first:012d}-{last:012d}.{self._format}"
        path = self._folder / f"day={self._day}" / name if self._by_day else self._folder / name
        path.parent.mkdir(exist_ok=True)
        with self._temporary.open("rb") as file:
            os.fsync(file.fileno())
        self._temporary.replace(path)
        part = PartFile(
            path=path.relative_to(self._folder).as_posix(),
            rows=self._rows,
            size_bytes=path.stat().st_size,
            first_position=first,
            last_position=last,
        )
        self._writer, self._first, self._rows = None, None, 0
        self._on_part(part, Mark(last, self._last.event_id))


def _day_of(event: Event) -> str:
    return event.record_time.date().isoformat() if event.record_time is not None else "unknown"
