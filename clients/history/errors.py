"""What working with history fails with, besides TriptychError from the service.

HistoryError
├── LibraryMissing      library: the extra ``analysts`` is not installed
├── ExportRefused       folder: it holds another export, another log's, or something else
├── ExportMissing       folder: no finished export is there, or not all of it
├── QueryFailed         DuckDB did not take the SQL, or could not carry it out
├── FormatUnknown       name: a picture's file that has no known ending
├── ProjectionUnusable  name: it cannot be loaded, or is not a projection
└── ProjectionFailed    position, type: it raised; the cause is ``__cause__``
"""

from __future__ import annotations

from pathlib import Path


class HistoryError(Exception):
    """Something about history could not be done; the message is a plain sentence."""


class LibraryMissing(HistoryError):
    """A library of the extra ``analysts`` is not installed."""

    def __init__(self, library: str) -> None:
        super().__init__(f"This needs {library}, which is not installed: pip install 'triptych[analysts]'.")
        self.library = library


class ExportRefused(HistoryError):
    """Nothing was written, because what is in the folder is not what this would go on with."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder}: {why}")
        self.folder = folder


class ExportMissing(HistoryError):
    """There is no finished export in the folder, or files of it are gone."""

    def __init__(self, folder: Path, why: str) -> None:
        super().__init__(f"{folder}: {why}")
        self.folder = folder


class QueryFailed(HistoryError):
    """The SQL cannot be carried out; the message is DuckDB's."""


class FormatUnknown(HistoryError):
    """A file's ending that names no format of pictures."""

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(f"{name}: end the name in one of {', '.join(known)}.")
        self.name = name


class ProjectionUnusable(HistoryError):
    """What was named is not a projection, or cannot be loaded. Why is ``__cause__`` where its code raised."""

    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"{name}: {why}")
        self.name = name


class ProjectionFailed(HistoryError):
    """A projection raised. ``position`` and ``type`` are those of the event that it was given, 0 and "" for none."""

    def __init__(self, name: str, method: str, cause: BaseException, position: int = 0, type: str = "") -> None:
        where = f" at position {position} ({type})" if position else ""
        said = f": {cause}" if str(cause) else ""
        super().__init__(f"{name}.{method} raised {cause.__class__.__name__}{where}{said}")
        self.position = position
        self.type = type
