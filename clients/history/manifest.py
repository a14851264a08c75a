"""An export's manifest: what was exported, of which log, up to where, into which files.

``manifest.json`` is written last, and a reader trusts the files that it lists and no others. While an export is being
made, its files and a manifest of them so far are in the folder ``.unfinished``: no reader takes them for an export,
and the next run goes on with them.

The log is known by its first event and by the last one that was exported: another log has another first event, and a
log that was set back and grew anew has another one at that position.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any, Literal, get_args

from clients.history.columns import NAMES
from clients.history.errors import ExportMissing
from clients.history.source import Selection
from clients.sdk import to_dict

Format = Literal["parquet", "jsonl", "csv"]
FORMATS: tuple[Format, ...] = get_args(Format)
Partition = Literal["none", "day"]

MANIFEST = "manifest.json"
UNFINISHED = ".unfinished"
_FORM = 1


@dataclass(frozen=True, slots=True)
class Mark:
    """An event by which a log is known."""

    position: int
    event_id: str


@dataclass(frozen=True, slots=True, kw_only=True)
class PartFile:
    """One file of an export; ``path`` is relative to its folder, with slashes."""

    path: str
    rows: int
    size_bytes: int
    first_position: int
    last_position: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """What an export has. Everything of the selection up to ``position`` is in the files."""

    format: Format
    partition_by: Partition
    selection: Selection
    log_first: Mark
    last: Mark | None = None
    """The last event that was exported; None while there is none."""
    position: int
    files: tuple[PartFile, ...] = ()
    columns: tuple[str, ...] = NAMES

    @property
    def rows(self) -> int:
        return sum(file.rows for file in self.files)

    def with_file(self, file: PartFile, last: Mark) -> Manifest:
        """The same with one more file."""
        return replace(self, files=(*self.files, file), last=last, position=max(self.position, file.last_position))


def load(folder: Path) -> Manifest | None:
    """The manifest in a folder, or None. Raises ExportMissing for one that cannot be read."""
    path = folder / MANIFEST
    try:
        found = json.loads(path.read_bytes())
        if found["form"] != _FORM:
            raise ExportMissing(folder, f"{MANIFEST} has form {found['form']}; this program reads form {_FORM}.")
        return _from_json(found)
    except FileNotFoundError:
        return None
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise ExportMissing(folder, f"{MANIFEST} is not one that an export writes ({error!r}).") from error


def save(manifest: Manifest, folder: Path) -> None:
    """Writes it whole or not at all."""
    path = folder / MANIFEST
    temporary = path.with_suffix(".tmp")
    with temporary.open("w", encoding="utf-8") as file:
        json.dump(_to_json(manifest), file, indent=1)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def read_finished(folder: Path) -> Manifest:
    """The manifest of a finished export all of whose files are there. Raises ExportMissing."""
    manifest = load(folder)
    if manifest is None:
        begun = load(folder / UNFINISHED) if folder.is_dir() else None
        if begun is not None:
            raise ExportMissing(
                folder,
                f"an export was begun here and is not finished (it is at position {begun.position}). "
                f"Run `triptych history export {folder}` again to finish it.",
            )
        raise ExportMissing(folder, "there is no export here; `triptych history export` makes one.")
    check_files(manifest, folder)
    return manifest


def check_files(manifest: Manifest, folder: Path) -> None:
    """Raises ExportMissing for a file that is gone, or is not as it was written."""
    for file in manifest.files:
        size_bytes = -1
        with contextlib.suppress(FileNotFoundError):
            size_bytes = (folder / file.path).stat().st_size
        if size_bytes != file.size_bytes:
            what = "is missing" if size_bytes < 0 else f"has {size_bytes} bytes instead of {file.size_bytes}"
            raise ExportMissing(folder, f"{file.path} {what}; export into a new folder.")


def _to_json(manifest: Manifest) -> dict[str, Any]:
    fields = asdict(manifest)
    fields["selection"] = {
        name: value for name, value in asdict(manifest.selection).items() if value not in (None, (), 0)
    }
    return {"form": _FORM, "rows": manifest.rows, **to_dict(fields)}


def _from_json(found: Mapping[str, Any]) -> Manifest:
    selection: dict[str, Any] = dict(found["selection"])
    for name in ("event_types", "categories"):
        selection[name] = tuple(selection.get(name, ()))
    for name in ("start_time", "end_time"):
        if name in selection:
            selection[name] = datetime.fromisoformat(selection[name])
    return Manifest(
        format=found["format"],
        partition_by=found["partition_by"],
        selection=Selection(**selection),
        log_first=Mark(**found["log_first"]),
        last=Mark(**found["last"]) if found["last"] else None,
        position=found["position"],
        files=tuple(PartFile(**file) for file in found["files"]),
        columns=tuple(found["columns"]),
    )


def nothing() -> Manifest:
    """Of an empty log."""
    return Manifest(format="parquet", partition_by="none", selection=Selection(), log_first=Mark(0, ""), position=0)
