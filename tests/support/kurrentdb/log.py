"""The transaction log: records one after another, addressed by the byte at which they start.

A record's commit and prepare position are the same number, its own offset (implicit transactions, the only kind that
gRPC clients can write). The first bytes are an epoch, which is no event; a node that becomes leader writes one, so
there are such bytes after each restart too. So positions have gaps, and none of a user's events is at 0.

With a file the log survives the process: each append is one length-prefixed block, written with one call, so what a
killed process leaves is a prefix of whole appends and perhaps a torn block, which is cut off.
"""

from __future__ import annotations

import bisect
import os
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from pathlib import Path
from uuid import UUID, uuid4

import msgspec

EPOCH_BYTES = 219
_FIXED_RECORD_BYTES = 96
"""Everything of a record that has a fixed size: lengths, flags, positions, ids, time."""
TICKS_PER_SECOND = 10_000_000
DELETED = 2**63 - 1
"""The revision of a tombstone, and the ``$tb`` of a stream that was deleted softly."""
NO_STREAM = -1
_LENGTH_BYTES = 4


class Record(msgspec.Struct, frozen=True, array_like=True):
    """An event as it lies in the log. ``created_ticks``: 100 ns since 1970."""

    position: int
    end: int
    stream: str
    revision: int
    event_id: UUID
    type: str
    is_json: bool
    data: bytes
    metadata: bytes
    created_ticks: int


class NewRecord(msgspec.Struct, frozen=True):
    """What a client asks to have written. ``stored_metadata_bytes``: the size on disk, which for properties is not
    that of ``metadata``, the text that readers get."""

    event_id: UUID
    type: str
    is_json: bool
    data: bytes
    metadata: bytes
    stored_metadata_bytes: int


Listener = Callable[[Sequence[Record]], None]


class TransactionLog:
    """All records in order, and the same by stream. Not to be shared between threads."""

    def __init__(self, path: Path | None = None, now: Callable[[], float] = time.time) -> None:
        self.now = now
        """Seconds since 1970: the clock of the node. A test may set it back."""
        self.records: list[Record] = []
        self.streams: dict[str, list[Record]] = defaultdict(list)
        self.recent: dict[tuple[str, UUID], Record] = {}
        """Events written since the start of the node: what it recognises without being told a revision."""
        self.listeners: list[Listener] = []
        self.end = 0
        """One past the last byte written: the writer checkpoint."""
        self._starts: list[int] = []
        self._file = None if path is None else path.open("ab+", buffering=0)
        if self._file is not None:
            self._load()
        self._become_leader()

    @property
    def last_position(self) -> int:
        """Where the last event starts; -1 for none."""
        return self._starts[-1] if self._starts else -1

    def close(self) -> None:
        if self._file is not None:
            self._file.close()

    def restart(self) -> None:
        """What a restart of the node does to a log that stays in memory."""
        self.recent.clear()
        self._become_leader()

    def append(self, writes: Sequence[tuple[str, NewRecord]]) -> list[Record]:
        """One transaction; the caller has checked that it may happen."""
        block: list[Record] = []
        revisions: dict[str, int] = {}
        position = self.end
        for stream, new in writes:
            revision = revisions.get(stream, self.last_revision(stream)) + 1
            record = self._record(stream, new, revision, position)
            block.append(record)
            revisions[stream] = revision
            position = record.end
        self._commit(block)
        return block

    def tombstone(self, stream: str) -> Record:
        new = NewRecord(uuid4(), "$streamDeleted", False, b"", b"", 0)
        record = self._record(stream, new, DELETED, self.end)
        self._commit([record])
        return record

    def last_revision(self, stream: str) -> int:
        records = self.streams.get(stream)
        return records[-1].revision if records else NO_STREAM

    def truncate_before(self, stream: str) -> int:
        """The first revision that readers of the stream may see: what its metadata says (``$tb``)."""
        metadata = self.streams.get(f"$${stream}")
        if not metadata:
            return 0
        return int(msgspec.json.decode(metadata[-1].data).get("$tb", 0))

    def is_soft_deleted(self, stream: str) -> bool:
        return self.truncate_before(stream) == DELETED

    def index_of(self, position: int) -> int | None:
        """The index of the first record at or after ``position``; None if a record cannot start or end there."""
        index = bisect.bisect_left(self._starts, position)
        if position in (0, self.end) or (index < len(self._starts) and self._starts[index] == position):
            return index
        return index if index > 0 and self.records[index - 1].end == position else None

    def _record(self, stream: str, new: NewRecord, revision: int, position: int) -> Record:
        names = len(stream.encode()) + len(new.type.encode())
        size = _FIXED_RECORD_BYTES + names + len(new.data) + new.stored_metadata_bytes
        return Record(
            position=position,
            end=position + size,
            stream=stream,
            revision=revision,
            event_id=new.event_id,
            type=new.type,
            is_json=new.is_json,
            data=new.data,
            metadata=new.metadata,
            created_ticks=int(self.now() * TICKS_PER_SECOND),
        )

    def _commit(self, block: list[Record]) -> None:
        if self._file is not None:
            encoded = msgspec.msgpack.encode(block)
            self._file.write(len(encoded).to_bytes(_LENGTH_BYTES, "big") + encoded)
        self._index(block)
        for record in block:
            self.recent[record.stream, record.event_id] = record
        for listener in list(self.listeners):
            listener(block)

    def _index(self, block: list[Record]) -> None:
        for record in block:
            self.records.append(record)
            self._starts.append(record.position)
            self.streams[record.stream].append(record)
        self.end = block[-1].end

    def _become_leader(self) -> None:
        """An epoch, and the system events that every node has."""
        first = not self.records
        self.end += EPOCH_BYTES
        self._commit([self._system_record("$epoch-information", "$EpochInformation", b"{}")])
        if first:
            self._commit([self._system_record("$$$scavenges", "$metadata", b'{"$maxAge": 2592000}')])
            self._commit([self._system_record("$users", "$User", b"admin")])

    def _system_record(self, stream: str, type_name: str, data: bytes) -> Record:
        new = NewRecord(uuid4(), type_name, data.startswith(b"{"), data, b"", 0)
        return self._record(stream, new, self.last_revision(stream) + 1, self.end)

    def _load(self) -> None:
        assert self._file is not None
        self._file.seek(0)
        content = self._file.read()
        decoder = msgspec.msgpack.Decoder(list[Record])
        offset = 0
        while offset + _LENGTH_BYTES <= len(content):
            start = offset + _LENGTH_BYTES
            end = start + int.from_bytes(content[offset:start], "big")
            if end > len(content):
                break
            self._index(decoder.decode(content[start:end]))
            offset = end
        os.ftruncate(self._file.fileno(), offset)
