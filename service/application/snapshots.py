"""Snapshots of long streams: made in the background, used when a stream is loaded cold, never trusted blindly.

- One is made whenever a stream has grown by SPACING events since the last one, or by a tenth where that is more: the
  state of a long account is large, and written so seldom the work stays in proportion to what happens.
- One is used only if the same code folded it (a hash of that code stands with it) and the log still has the very
  event in its place; whatever else is wrong with it, the stream is folded from the beginning instead.
- When they cannot be reached they are left alone for a while. Commands never wait for them longer than a moment.
"""

from __future__ import annotations

import asyncio
import hashlib
import inspect
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any, Generic, NamedTuple, TypeVar
from uuid import UUID

import msgspec
import structlog
from cachetools import LRUCache

from service.application import account_state
from service.domain import account, persistent
from service.ports.event_store import EventStore
from service.ports.snapshots import Snapshot, SnapshotStore, SnapshotsUnavailable

S = TypeVar("S")

SPACING = 200
PATIENCE_SECONDS = 1.0
AWAY_SECONDS = 30.0
MOST_WAITING = 100
_log = structlog.get_logger(__name__)


class StateCodec(NamedTuple, Generic[S]):
    """How a category's states are kept."""

    version: str
    """Changes with the code that folds and the code that encodes."""
    encode: Callable[[S], bytes]
    decode: Callable[[bytes], S]


class Folded(NamedTuple):
    """A state right after the event of its stream that has this version and id; ``position`` is a place in the log
    up to which it is known to be whole."""

    state: Any
    version: int
    position: int
    event_id: UUID


def _version_of(*modules: Any) -> str:
    return hashlib.sha256("\n".join(map(inspect.getsource, modules)).encode()).hexdigest()[:16]


CODECS: Mapping[str, StateCodec[Any]] = {
    account.ACCOUNT.category: StateCodec(
        _version_of(account, persistent, account_state), account_state.encode_account, account_state.decode_account
    )
}
"""By category. A generation's stream is short."""


class Snapshots:
    def __init__(
        self,
        kept: SnapshotStore,
        store: EventStore,
        *,
        spacing: int = SPACING,
        codecs: Mapping[str, StateCodec[Any]] = CODECS,
    ) -> None:
        self._kept = kept
        self._store = store
        self._spacing = spacing
        self._codecs = codecs
        self._versions: LRUCache[str, int] = LRUCache(50_000)
        self._waiting: OrderedDict[str, tuple[StateCodec[Any], Folded]] = OrderedDict()
        self._work = asyncio.Event()
        self._away_until = 0.0

    async def load(self, category: str, stream: str) -> Folded | None:
        """The newest state that can be believed; None for none."""
        codec = self._codecs.get(category)
        if codec is None or asyncio.get_running_loop().time() < self._away_until:
            return None
        try:
            async with asyncio.timeout(PATIENCE_SECONDS):
                found = await self._kept.load(stream)
        except (SnapshotsUnavailable, TimeoutError) as error:
            self._stay_away(error)
            return None
        if found is None or found.state_version != codec.version or not await self._is_of_this_log(found):
            return None
        try:
            state = codec.decode(found.state)
        except (msgspec.DecodeError, ValueError) as error:
            _log.warning("snapshot_unreadable", stream=stream, version=found.version, error=str(error))
            return None
        self._versions[stream] = found.version
        return Folded(state, found.version, found.position, found.event_id)

    async def _is_of_this_log(self, found: Snapshot) -> bool:
        events = await self._store.read_stream(found.stream, after_version=found.version - 1, limit=1)
        same = [each.event_id for each in events] == [found.event_id]
        if not same:
            _log.warning("snapshot_of_another_log", stream=found.stream, version=found.version)
        return same

    def offer(self, category: str, stream: str, folded: Folded) -> None:
        """A newer state; kept some time soon if the last one is far behind it. Costs nothing now."""
        codec = self._codecs.get(category)
        grown = folded.version - self._versions.get(stream, 0)
        if codec is None or grown < max(self._spacing, folded.version // 10):
            return
        self._waiting[stream] = (codec, folded)
        if len(self._waiting) > MOST_WAITING:
            self._waiting.popitem(last=False)
        self._work.set()

    async def run(self) -> None:
        """Keeps what is offered, for ever."""
        while True:
            await self._work.wait()
            self._work.clear()
            await self.keep_offered()

    async def keep_offered(self) -> None:
        """Keeps what has been offered until now."""
        while self._waiting:
            stream, (codec, folded) = self._waiting.popitem(last=False)
            await self._keep(stream, codec, folded)

    async def _keep(self, stream: str, codec: StateCodec[Any], folded: Folded) -> None:
        # In a thread: a long account takes a while, and commands do not wait for it. States never change.
        state = await asyncio.to_thread(codec.encode, folded.state)
        snapshot = Snapshot(
            stream=stream,
            version=folded.version,
            position=folded.position,
            event_id=folded.event_id,
            state_version=codec.version,
            state=state,
        )
        try:
            await self._kept.save(snapshot)
        except SnapshotsUnavailable as error:
            self._stay_away(error)
            return
        self._versions[stream] = folded.version

    def _stay_away(self, error: Exception) -> None:
        self._away_until = asyncio.get_running_loop().time() + AWAY_SECONDS
        _log.warning("snapshots_away", error=str(error) or type(error).__name__, for_seconds=AWAY_SECONDS)
