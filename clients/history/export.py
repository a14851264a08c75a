"""Exports: the log, or a selection of it, as files in a folder. Run again, an export appends what is new.

    .unfinished/part.parquet.tmp      being written
    .unfinished/events-...parquet     closed; listed in .unfinished/manifest.json
    events-...parquet                 part of the export; listed in manifest.json

New files are made under ``.unfinished``. Only when everything up to the log's end is there, they are moved into
place and then ``manifest.json`` is replaced. Whatever interrupts this, the next run goes on: files that are listed as
closed are kept, also when they were moved already, and what is not listed is thrown away.
"""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from clients.history import manifest as manifests
from clients.history.columns import NAMES
from clients.history.errors import ExportRefused
from clients.history.libraries import library
from clients.history.manifest import MANIFEST, UNFINISHED, Format, Manifest, Mark, PartFile, Partition
from clients.history.parts import ROWS_PER_FILE, Parts
from clients.history.source import EVERYTHING, OnProgress, Selection, nobody_watches, replay
from clients.sdk import Triptych

_LOCK = ".lock"


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What an export is to be; None is as before, and for a new one Parquet, in one folder, of everything."""

    format: Format | None = None
    partition_by: Partition | None = None
    selection: Selection | None = None
    """Its ends (``until_position``, ``end_time``) are for this run only."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Exported:
    """What came of it. ``manifest`` is None when the log is empty."""

    manifest: Manifest | None
    new_rows: int
    new_files: int
    resumed: bool
    """Whether it went on with what an earlier run had left unfinished."""


def export(
    client: Triptych,
    folder: Path,
    asked: Asked | None = None,
    on_progress: OnProgress = nobody_watches,
    *,
    rows_per_file: int = ROWS_PER_FILE,
) -> Exported:
    """Writes what is new. Raises ExportRefused, ExportMissing, LibraryMissing, TriptychError, OSError."""
    asked = asked or Asked()
    first = _mark_at(client, Selection())
    if first is None:
        return Exported(manifest=None, new_rows=0, new_files=0, resumed=False)
    _check_folder(folder)
    with _locked(folder):
        finished, staged = manifests.load(folder), manifests.load(folder / UNFINISHED)
        if finished is not None:
            manifests.check_files(finished, folder)
        before = staged or finished or _begin(asked, first)
        _check_same_log(client, folder, before, first)
        _check_same_export(folder, before, asked)
        if asked.selection is not None:
            ends = asked.selection
            selection = replace(before.selection, until_position=ends.until_position, end_time=ends.end_time)
        else:
            selection = before.selection
        _clear_unlisted(folder / UNFINISHED, before)
        after = _append(client, folder / UNFINISHED, before, selection, on_progress, rows_per_file)
        _publish(folder, after)
    old = finished.files if finished is not None else ()
    return Exported(
        manifest=after,
        new_rows=after.rows - sum(file.rows for file in old),
        new_files=len(after.files) - len(old),
        resumed=staged is not None,
    )


def _check_folder(folder: Path) -> None:
    """Refuses what is not an export's folder, before anything is made in it."""
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    if names - {_LOCK} and not names & {MANIFEST, UNFINISHED}:
        raise ExportRefused(folder, "this folder has something in it that is not an export; name a new or empty one.")


def _begin(asked: Asked, first: Mark) -> Manifest:
    selection = replace(asked.selection or EVERYTHING, until_position=None, end_time=None)
    return Manifest(
        format=asked.format or "parquet",
        partition_by=asked.partition_by or "none",
        selection=selection,
        log_first=first,
        position=selection.after,
    )


def _mark_at(client: Triptych, selection: Selection) -> Mark | None:
    """The first event of a selection."""
    events = client.replay_events(selection.after, batch_size=1, until_position=selection.until_position)
    with closing(events):
        return next((Mark(event.position, event.event_id) for event in events), None)


def _check_same_log(client: Triptych, folder: Path, before: Manifest, first: Mark) -> None:
    same = before.log_first == first
    if same and before.last is not None:
        at = before.last.position
        same = at <= client.get_head() and before.last == _mark_at(client, Selection(after=at - 1, until_position=at))
    if not same:
        raise ExportRefused(
            folder,
            "this export is of another log than the one that this server has (or the log was set back since). "
            "Nothing was changed; export into a new folder.",
        )


def _check_same_export(folder: Path, before: Manifest, asked: Asked) -> None:
    differing: list[tuple[str, Any, Any]] = []
    if asked.format not in (None, before.format):
        differing.append(("format", before.format, asked.format))
    if asked.partition_by not in (None, before.partition_by):
        differing.append(("partition", before.partition_by, asked.partition_by))
    if before.columns != NAMES:
        differing.append(("columns", len(before.columns), len(NAMES)))
    if differing:
        what, was, now = differing[0]
        raise ExportRefused(
            folder, f"this export has another {what} ({was}, not {now}). Leave that out, or name a new folder."
        )
    wanted = asked.selection and replace(asked.selection, until_position=None, end_time=None)
    if wanted not in (None, EVERYTHING, before.selection):
        raise ExportRefused(
            folder, "this export is of another selection of events. Leave the selection out, or name a new folder."
        )


def _append(
    client: Triptych,
    unfinished: Path,
    before: Manifest,
    selection: Selection,
    on_progress: OnProgress,
    rows_per_file: int,
) -> Manifest:
    """Writes everything behind ``before.position`` into ``unfinished``, and returns the manifest with it."""
    now = before
    manifests.save(now, unfinished)

    def note(part: PartFile, last: Mark) -> None:
        nonlocal now
        now = now.with_file(part, last)
        manifests.save(now, unfinished)

    reached = before.position
    with Parts(unfinished, before.format, before.partition_by, note, rows_per_file=rows_per_file) as parts:
        for batch in replay(client, selection.behind(before.position), on_progress):
            parts.add(batch.events)
            reached = max(reached, batch.position)
    now = replace(now, position=reached)
    manifests.save(now, unfinished)
    return now


def _clear_unlisted(unfinished: Path, listed: Manifest) -> None:
    """Throws away what an interrupted run did not get to list: it will be written again."""
    unfinished.mkdir(exist_ok=True)
    keep = {MANIFEST, *(file.path for file in listed.files)}
    for path in unfinished.rglob("*"):
        if path.is_file() and path.relative_to(unfinished).as_posix() not in keep:
            path.unlink()


def _publish(folder: Path, manifest: Manifest) -> None:
    unfinished = folder / UNFINISHED
    for file in manifest.files:
        made = unfinished / file.path
        if made.exists():  # Else an earlier run has moved it.
            (folder / file.path).parent.mkdir(exist_ok=True)
            made.replace(folder / file.path)
    manifests.check_files(manifest, folder)
    manifests.save(manifest, folder)
    shutil.rmtree(unfinished)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Keeps two exports out of one folder."""
    filelock = library("filelock")
    folder.mkdir(parents=True, exist_ok=True)
    try:
        with filelock.FileLock(folder / _LOCK, timeout=0):
            yield
    except filelock.Timeout as error:
        raise ExportRefused(folder, "another export is writing here just now; wait for its end.") from error
