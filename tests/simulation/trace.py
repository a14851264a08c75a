"""The story of a run: what happened when, as lines and as a digest that two runs can be compared by."""

from __future__ import annotations

import hashlib
import sys
from collections import Counter
from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager
from typing import Any

import structlog

from tests.simulation.loop import VirtualLoop


class Trace:
    """``counts`` adds up what happened by kind, for the report. With ``keep`` the lines can be read afterwards."""

    def __init__(self, loop: VirtualLoop, *, keep: bool) -> None:
        self.counts: Counter[str] = Counter()
        self.lines: list[str] = []
        self._loop = loop
        self._keep = keep
        self._hash = hashlib.sha256()

    def tell(self, kind: str, text: str) -> None:
        """Something happened. ``kind`` is counted."""
        self.counts[kind] += 1
        line = f"{self._loop.time():9.3f}  {kind:<18} {text}"
        self._hash.update(line.encode())
        if self._keep:
            self.lines.append(line)

    @property
    def digest(self) -> str:
        return self._hash.hexdigest()

    @contextmanager
    def with_logs(self) -> Iterator[None]:
        """The service's own log lines become part of the story (not of the digest), and go nowhere else."""

        def take(_logger: object, method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
            if self._keep:
                self.lines.append(f"{self._loop.time():9.3f}  log.{method:<14} {_sentence(event)}")
            raise structlog.DropEvent

        before = structlog.get_config()
        structlog.configure(processors=[take], wrapper_class=structlog.make_filtering_bound_logger(0))
        try:
            yield
        finally:
            structlog.configure(**before)


def _sentence(event: MutableMapping[str, Any]) -> str:
    error = sys.exc_info()[1] if event.pop("exc_info", None) else None
    facts = " ".join(f"{key}={value}" for key, value in event.items() if key != "event")
    return f"{event.get('event')} {facts}" + (f" {type(error).__name__}: {error}" if error is not None else "")
