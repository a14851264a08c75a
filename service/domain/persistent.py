"""An immutable map whose update costs the same for ten entries as for a hundred thousand.

An account remembers every generation it ever paid for. Copying one large dict per event would make the
hundred-thousandth command slower than the first; here an update copies one of 512 small buckets.

Which bucket a key is in depends on the key alone, in every process and for ever, so buckets can be kept and given
back one by one (``of_buckets``): a bucket may be any Mapping, also one that is only read when it is looked into.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Generic, TypeVar
from zlib import crc32

V = TypeVar("V")

BUCKETS = 512


class PersistentMap(Mapping[str, V], Generic[V]):
    """A Mapping from str; ``set`` returns a new map and leaves this one as it was."""

    __slots__ = ("_buckets", "_length")

    def __init__(self, buckets: tuple[Mapping[str, V], ...] = (), length: int = 0) -> None:
        self._buckets = buckets
        self._length = length

    @classmethod
    def of(cls, items: Iterable[tuple[str, V]]) -> PersistentMap[V]:
        """A map of many entries at once."""
        buckets: list[dict[str, V]] = [{} for _ in range(BUCKETS)]
        for key, value in items:
            buckets[_index(key)][key] = value
        length = sum(map(len, buckets))
        return cls(tuple(buckets) if length else (), length)

    @classmethod
    def of_buckets(cls, buckets: Sequence[Mapping[str, V]], length: int) -> PersistentMap[V]:
        """A map of the ``buckets`` of another one, which had so many entries. Raises ValueError for another number of
        buckets."""
        if len(buckets) not in (0, BUCKETS):
            raise ValueError(f"a map has {BUCKETS} buckets or none, not {len(buckets)}")
        return cls(tuple(buckets), length)

    @property
    def buckets(self) -> Sequence[Mapping[str, V]]:
        """BUCKETS of them; none of a map that was always empty."""
        return self._buckets

    def set(self, key: str, value: V) -> PersistentMap[V]:
        buckets = list(self._buckets) or [{}] * BUCKETS
        index = _index(key)
        bucket = {**buckets[index], key: value}
        grown = len(bucket) - len(buckets[index])
        buckets[index] = bucket
        return PersistentMap(tuple(buckets), self._length + grown)

    def __getitem__(self, key: str) -> V:
        if not self._buckets:
            raise KeyError(key)
        return self._buckets[_index(key)][key]

    def __iter__(self) -> Iterator[str]:
        for bucket in self._buckets:
            yield from bucket

    def __len__(self) -> int:
        return self._length


def _index(key: str) -> int:
    return crc32(key.encode(errors="surrogatepass")) % BUCKETS
