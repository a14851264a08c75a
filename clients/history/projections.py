"""Projections of one's own: any class with ``apply(event)``, run over history.

    class Revenue:
        def __init__(self): self.credits = 0
        def apply(self, event):
            if event.type == "CreditsDebited": self.credits += event.payload["credits"]
        def result(self): return self.credits

``apply`` is given every event (``clients.sdk.Event``) once, in order. ``result`` may be left out; then the projection
itself is the result. A class attribute ``event_types`` with names of types makes the service send no others.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from clients.history.errors import ProjectionFailed, ProjectionUnusable
from clients.history.source import OnProgress, Selection, nobody_watches, replay
from clients.sdk import Triptych


class Projection:
    """A projection that was loaded, under the name that it was asked for by."""

    def __init__(self, name: str, made: Any) -> None:
        self.name = name
        self._made = made

    @property
    def event_types(self) -> tuple[str, ...]:
        """The types of events that it wants; empty for all."""
        return tuple(getattr(self._made, "event_types", ()))

    def run(self, client: Triptych, selected: Selection, on_progress: OnProgress = nobody_watches) -> Any:
        """Applies everything that is selected and returns the result. Raises ProjectionFailed, TriptychError."""
        if self.event_types and not selected.event_types:
            selected = replace(selected, event_types=self.event_types)
        for batch in replay(client, selected, on_progress):
            for event in batch.events:
                try:
                    self._made.apply(event)
                except Exception as error:
                    raise ProjectionFailed(self.name, "apply", error, event.position, event.type) from error
        if not hasattr(self._made, "result"):
            return self._made
        try:
            return self._made.result()
        except Exception as error:
            raise ProjectionFailed(self.name, "result", error) from error


def load(name: str, folder: Path) -> Projection:
    """The projection ``module:Class``, or ``file.py:Class``; modules are also looked for in ``folder``.

    Raises ProjectionUnusable.
    """
    where, colon, class_name = name.rpartition(":")
    if not colon or not where or not class_name:
        raise ProjectionUnusable(name, "name it module:Class, such as my_module:Revenue, or file.py:Class.")
    made_by = getattr(_module(name, where, folder), class_name, None)
    if made_by is None:
        raise ProjectionUnusable(name, f"{where} has no {class_name}.")
    made = _unless_it_raises(name, made_by)
    if not callable(getattr(made, "apply", None)):
        raise ProjectionUnusable(name, f"{class_name} has no method apply(event).")
    return Projection(name, made)


def _module(name: str, where: str, folder: Path) -> Any:
    if where.endswith(".py"):
        return _from_file(name, folder / where)
    if str(folder) not in sys.path:
        sys.path.insert(0, str(folder))
    try:
        return importlib.import_module(where)
    except ModuleNotFoundError as error:
        if error.name is not None and (where == error.name or where.startswith(f"{error.name}.")):
            raise ProjectionUnusable(name, f"there is no module {where} in {folder}, nor installed.") from None
        raise ProjectionUnusable(name, f"{where} cannot be imported: {error}") from error
    except Exception as error:
        raise ProjectionUnusable(name, f"{where} cannot be imported: {_told(error)}") from error


def _from_file(name: str, path: Path) -> Any:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None or not path.is_file():
        raise ProjectionUnusable(name, f"there is no file {path}.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module  # As an import would: dataclasses look for their module there.
    loader = spec.loader
    _unless_it_raises(name, lambda: loader.exec_module(module))
    return module


def _unless_it_raises(name: str, do: Callable[[], Any]) -> Any:
    try:
        return do()
    except Exception as error:
        raise ProjectionUnusable(name, f"it cannot be made: {_told(error)}") from error


def _told(error: Exception) -> str:
    return f"{error.__class__.__name__}: {error}"
