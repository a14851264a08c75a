"""Exports: whole or not there, resumable, of one log, and the same in every format."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import filelock
import pytest

from clients.history import manifest as manifests
from clients.history.columns import COLUMNS
from clients.history.errors import ExportMissing, ExportRefused
from clients.history.export import Asked, export
from clients.history.manifest import FORMATS, MANIFEST, UNFINISHED, Format, Partition
from clients.history.source import Selection
from clients.history.sql import over_export
from clients.sdk import Event, Triptych, to_dict
from tests.support.log_server import LogServer, serving_log


class Interrupted(Exception):
    """What stops an export in these tests."""


def rows_of(folder: Path) -> list[dict[str, Any]]:
    names = [column.name for column in COLUMNS]
    with over_export(folder) as database:
        answer = database.query(f"select {', '.join(names)} from events order by position")
        return [dict(zip(answer.columns, row, strict=True)) for row in answer.rows]


def expected(events: Sequence[Event]) -> list[dict[str, Any]]:
    return [{column.name: column.value(event) for column in COLUMNS} for event in events]


def comparable(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [row | {"data": json.loads(row["data"])} for row in rows]


def content_of(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and path.name != ".lock"
    }


@pytest.mark.parametrize("partition_by", ["none", "day"])
@pytest.mark.parametrize("format", FORMATS)
def test_every_format_has_every_event_whole(
    client: Triptych, events: Sequence[Event], tmp_path: Path, format: Format, partition_by: Partition
) -> None:
    exported = export(client, tmp_path, Asked(format=format, partition_by=partition_by))
    assert exported.new_rows == len(events)
    assert comparable(rows_of(tmp_path)) == comparable(expected(events))
    days = {str(each.record_time.date()) for each in events if each.record_time}
    folders = {path.name for path in tmp_path.iterdir() if path.is_dir()}
    assert folders == ({f"day={day}" for day in days} if partition_by == "day" else set())
    assert not (tmp_path / UNFINISHED).exists()


def test_json_lines_have_data_as_an_object(client: Triptych, events: Sequence[Event], tmp_path: Path) -> None:
    export(client, tmp_path, Asked(format="jsonl"))
    (file,) = tmp_path.glob("*.jsonl")
    lines = [json.loads(line) for line in file.read_text("utf-8").splitlines()]
    assert [line["data"] for line in lines] == [to_dict(each.payload) for each in events]
    assert lines[0]["time"] == to_dict(events[0].record_time)


def test_run_again_it_appends_what_is_new(tmp_path: Path) -> None:
    with serving_log(events=200) as server, Triptych(server.address) as client:
        export(client, tmp_path)
        before = content_of(tmp_path)
        assert (export(client, tmp_path).new_rows, content_of(tmp_path)) == (0, before)
        server.append(150)
        exported = export(client, tmp_path)
        assert (exported.new_rows, exported.new_files, exported.resumed) == (150, 1, False)
        after = content_of(tmp_path)
        assert {name: after[name] for name in before if name != MANIFEST} == {
            name: content for name, content in before.items() if name != MANIFEST
        }
        assert comparable(rows_of(tmp_path)) == comparable(expected(list(client.replay_events())))


def interrupt_after(batches: int) -> Any:
    left = iter(range(batches))

    def on_progress(position: int, event_count: int) -> None:
        if next(left, None) is None:
            raise Interrupted

    return on_progress


def test_interrupted_it_is_no_export_and_goes_on(client: Triptych, events: Sequence[Event], tmp_path: Path) -> None:
    with pytest.raises(Interrupted):
        export(client, tmp_path, Asked(format="csv"), interrupt_after(1), rows_per_file=300)
    assert {path.name for path in tmp_path.iterdir()} <= {UNFINISHED, ".lock"}
    with pytest.raises(ExportMissing, match="not finished"):
        rows_of(tmp_path)
    kept = content_of(tmp_path / UNFINISHED)
    assert len(kept) > 2
    exported = export(client, tmp_path, rows_per_file=300)
    assert (exported.resumed, exported.new_rows) == (True, len(events))
    now = content_of(tmp_path)
    assert {name: now.get(name) for name in kept if name != MANIFEST} == {
        name: content for name, content in kept.items() if name != MANIFEST
    }
    assert comparable(rows_of(tmp_path)) == comparable(expected(events))


@pytest.mark.parametrize("moved", [0, 1, 3])
def test_interrupted_while_files_are_moved_it_goes_on(
    client: Triptych, events: Sequence[Event], tmp_path: Path, moved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    replace, left = Path.replace, iter(range(moved))

    def until_interrupted(path: Path, target: Path) -> Path:
        if path.suffix == ".parquet" and next(left, None) is None:
            raise Interrupted
        return replace(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "replace", until_interrupted)
        with pytest.raises(Interrupted):
            export(client, tmp_path, rows_per_file=300)
    assert len(list(tmp_path.glob("*.parquet"))) == moved
    assert manifests.load(tmp_path) is None
    assert export(client, tmp_path, rows_per_file=300).new_rows == len(events)
    assert comparable(rows_of(tmp_path)) == comparable(expected(events))


def test_another_log_is_refused_and_nothing_changed(client: Triptych, tmp_path: Path) -> None:
    export(client, tmp_path)
    before = content_of(tmp_path)
    with (
        serving_log(seed=2, events=200) as other,
        Triptych(other.address) as stranger,
        pytest.raises(ExportRefused, match="another log"),
    ):
        export(stranger, tmp_path)
    assert content_of(tmp_path) == before


def test_a_log_that_was_set_back_is_refused(client: Triptych, tmp_path: Path) -> None:
    export(client, tmp_path)
    with (
        serving_log(events=700) as earlier,
        Triptych(earlier.address) as stranger,
        pytest.raises(ExportRefused, match="set back"),
    ):
        export(stranger, tmp_path)


def test_an_export_stays_what_it_was(client: Triptych, events: Sequence[Event], tmp_path: Path) -> None:
    user = next(each.user_id for each in events if each.type == "CreditsDebited")
    export(client, tmp_path, Asked(selection=Selection(user_id=user)))
    assert {row["user_id"] for row in rows_of(tmp_path)} == {user}
    assert export(client, tmp_path).new_rows == 0
    for other in (
        Asked(format="csv"),
        Asked(partition_by="day"),
        Asked(selection=Selection(user_id=user, event_types=("CreditsDebited",))),
    ):
        with pytest.raises(ExportRefused, match="another"):
            export(client, tmp_path, other)


def test_an_end_is_for_one_run(client: Triptych, events: Sequence[Event], tmp_path: Path) -> None:
    middle = events[500].record_time
    export(client, tmp_path, Asked(selection=Selection(end_time=middle)))
    assert [row["position"] for row in rows_of(tmp_path)] == [
        each.position for each in events if each.record_time is not None and middle and each.record_time < middle
    ]
    export(client, tmp_path)
    assert len(rows_of(tmp_path)) == len(events)


def test_a_folder_with_something_else_in_it_is_left_alone(client: Triptych, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("mine")
    with pytest.raises(ExportRefused, match="not an export"):
        export(client, tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_nothing_is_appended_to_what_is_damaged(client: Triptych, tmp_path: Path) -> None:
    export(client, tmp_path, Asked(selection=Selection(until_position=500)))
    (file,) = tmp_path.glob("*.parquet")
    file.unlink()
    before = content_of(tmp_path)
    with pytest.raises(ExportMissing, match="is missing"):
        export(client, tmp_path)
    assert content_of(tmp_path) == before


def test_two_at_once_do_not_meet(client: Triptych, tmp_path: Path) -> None:
    with filelock.FileLock(tmp_path / ".lock"), pytest.raises(ExportRefused, match="another export"):
        export(client, tmp_path)


def damages(folder: Path) -> Iterator[str]:
    """Damages an export in one way after the other; what is said of each."""
    (file,) = folder.glob("*.parquet")
    content = file.read_bytes()
    file.write_bytes(content[:-1])
    yield f"{len(content) - 1} bytes"
    file.unlink()
    yield "is missing"
    (folder / MANIFEST).write_text("{}")
    yield "not one that an export writes"
    (folder / MANIFEST).unlink()
    yield "no export here"


def test_a_damaged_export_is_not_read(client: Triptych, tmp_path: Path) -> None:
    export(client, tmp_path)
    for said in damages(tmp_path):
        with pytest.raises(ExportMissing, match=said):
            rows_of(tmp_path)


@pytest.mark.parametrize("name", ["it's 100% [1]", "a*b?", "ночь"])
def test_folders_may_have_any_name(client: Triptych, events: Sequence[Event], tmp_path: Path, name: str) -> None:
    export(client, tmp_path / name)
    assert len(rows_of(tmp_path / name)) == len(events)


def test_an_empty_log_leaves_nothing_behind(tmp_path: Path) -> None:
    with serving_log() as server, Triptych(server.address) as client:
        assert export(client, tmp_path / "export").manifest is None
    assert not (tmp_path / "export").exists()


def test_a_selection_of_nothing_is_an_export_of_nothing(client: Triptych, tmp_path: Path) -> None:
    exported = export(client, tmp_path, Asked(selection=Selection(user_id="nobody")))
    assert exported.manifest is not None
    assert rows_of(tmp_path) == []


def test_the_log_is_read_from_where_the_export_ends(log_server: LogServer, client: Triptych, tmp_path: Path) -> None:
    export(client, tmp_path)
    told: list[int] = []
    export(client, tmp_path, on_progress=lambda position, count: told.append(count))
    assert sum(told) == 0
