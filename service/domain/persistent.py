"""An immutable map whose update costs the same for ten entries as for a hundred thousand.

An account remembers every generation it ever paid for. Copying one large dict per event would make the
hundred-thousandth command slower than the first; here an update copies one of 512 small buckets.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Generic, TypeVar

V = TypeVar("V")

_BUCKETS = 512


class PersistentMap(Mapping[str, V], Generic[V]):
    """A Mapping from str; ``set`` returns a new map and leaves this one as it was."""

    __slots__ = ("_buckets", "_length")

    def __init__(self, buckets: tuple[dict[str, V], ...] = (), length: int = 0) -> None:
        self._buckets = buckets
        self._length = length

    @classmethod
    def of(cls, items: Iterable[tuple[str, V]]) -> PersistentMap[V]:
        """A map of many entries at once."""
        buckets: list[dict[str, V]] = [{} for _ in range(_BUCKETS)]
        for key, value in items:
            buckets[hash(key) % _BUCKETS][key] = value
        length = sum(map(len, buckets))
        return cls(tuple(buckets) if length else (), length)

    def set(self, key: str, value: V) -> PersistentMap[V]:
        buckets = list(self._buckets) or [{}] * _BUCKETS
        index = hash(key) % _BUCKETS
        bucket = {**buckets[index], key: value}
        grown = len(bucket) - len(buckets[index])
        buckets[index] = bucket
        return PersistentMap(tuple(buckets), self._length + grown)

    def __getitem__(self, key: str) -> V:
        if not self._buckets:
            raise KeyError(key)
        return self._buckets[hash(key) % _BUCKETS][key]

    def __iter__(self) -> Iterator[str]:
        for bucket in self._buckets:
            yield from bucket

    def __len__(self) -> int:
        return self._length
