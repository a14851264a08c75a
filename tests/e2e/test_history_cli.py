"""``triptych history`` on the log of a few weeks: what analysts read, what scripts parse, what mistakes get."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from PIL import Image

from clients.sdk import Event, Triptych, to_dict
from tests.support.history_cli import HistoryCli
from tests.support.log_server import serving_log

CATALOG = (Path(__file__).parents[2] / "service/catalog.toml").read_text("utf-8")


@pytest.fixture(scope="module")
def address() -> Iterator[str]:
    with serving_log(events=1200) as server:
        yield server.address


@pytest.fixture(scope="module")
def events(address: str) -> Sequence[Event]:
    with Triptych(address) as client:
        return list(client.replay_events())


@pytest.fixture(scope="module")
def cli(address: str) -> HistoryCli:
    return HistoryCli(address)


def test_replay_prints_a_line_an_event(cli: HistoryCli, events: Sequence[Event]) -> None:
    lines = cli.text("replay").splitlines()
    assert len(lines) == len(events)
    for line, event in zip(lines, events, strict=True):
        assert f" {event.position} " in line
        assert event.type in line
        assert event.user_id in line


def test_replay_in_json_is_the_whole_event(cli: HistoryCli, events: Sequence[Event]) -> None:
    assert cli.json("replay", "--limit", "40") == [to_dict(event) for event in events[:40]]


def test_replay_of_a_part(cli: HistoryCli, events: Sequence[Event]) -> None:
    requested = next(event for event in events if event.type == "GenerationRequested")
    user, since = requested.user_id, events[300].record_time
    assert since is not None
    found = cli.json("replay", "--user", user, "--event", "CreditsDebited", "--since", since.isoformat())
    assert [each["position"] for each in found] == [
        event.position
        for event in events
        if event.user_id == user and event.type == "CreditsDebited" and (event.record_time or since) >= since
    ]
    last = cli.json("replay", "--after", "100", "--until", "110", "--category", "generation")
    assert all(100 < each["position"] <= 110 and each["stream"].startswith("generation-") for each in last)


def test_the_environment_s_user_makes_no_part(address: str, events: Sequence[Event]) -> None:
    anna = HistoryCli(address, {"TRIPTYCH_USER": "anna"})
    assert len(anna.text("replay").splitlines()) == len(events)


def test_follow_goes_on_live() -> None:
    with serving_log(events=50) as server:
        cli = HistoryCli(server.address)
        followed = cli.json("follow", "--after", "45", "--limit", "5")
        assert [each["position"] for each in followed] == [46, 47, 48, 49, 50]


def test_types_are_counted(cli: HistoryCli, events: Sequence[Event]) -> None:
    counts = Counter(event.type for event in events)
    found = {each["name"]: each for each in cli.json("types")}
    assert {name: each["count"] for name, each in found.items() if each["count"]} == counts
    assert found["CreditsGranted"]["json_schema"]["$ref"]
    assert "A generation was paid for." in cli.text("types")


def test_export_says_what_it_did(cli: HistoryCli, events: Sequence[Event], tmp_path: Path) -> None:
    folder = tmp_path / "history"
    assert cli.text("export", folder).startswith(f"Exported {len(events):,} events in 1 new file. ")
    assert cli.text("export", folder).startswith(f"Nothing new. {folder} has {len(events):,} events")
    (again,) = cli.json("export", folder)
    assert (again["rows"], again["new_rows"], again["position"]) == (len(events), 0, events[-1].position)
    assert "another format (parquet, not csv)" in cli.refused("export", folder, "--format", "csv")
    assert "not an export" in cli.refused("export", tmp_path)
    assert "no export here" in cli.refused("sql", "select 1", "--over", tmp_path)


def test_sql_prints_tables_json_and_csv(cli: HistoryCli, events: Sequence[Event], tmp_path: Path) -> None:
    counts = sorted(Counter(event.type for event in events).items())
    query = "select type, count(*) as n from events group by 1 order by 1"
    table = [line.split() for line in cli.text("sql", query).splitlines()]
    assert table[0] == ["type", "n"]
    assert table[2:] == [[name, str(count)] for name, count in counts]
    assert cli.json("sql", query) == [{"type": name, "n": count} for name, count in counts]
    cli.run("history", "export", tmp_path, "--format", "csv")
    printed = cli.text("sql", "-", "--csv", "--over", tmp_path, stdin=query)
    assert list(csv.reader(io.StringIO(printed)))[1:] == [[name, str(count)] for name, count in counts]


def test_what_is_too_wide_for_a_table_is_printed_below_each_other(cli: HistoryCli) -> None:
    lines = cli.text("sql", "select * from events order by position limit 2").splitlines()
    assert [line.split() for line in lines if line.strip().startswith("position ")] == [
        ["position", "1"],
        ["position", "2"],
    ]
    assert max(map(len, lines)) < 1000


def test_values_of_all_kinds_are_printed(cli: HistoryCli) -> None:
    query = (
        "select 1.5::decimal(4, 2) as d, null as nothing, [1, 2] as l, {'a': 1} as s, 'nan'::double as f, "
        "date '2026-11-25' as day, timestamptz '2026-11-25 14:00Z' as t, interval 90 second as i, '\\x00'::blob as b"
    )
    assert cli.json("sql", query) == [
        {
            "d": 1.5,
            "nothing": None,
            "l": [1, 2],
            "s": {"a": 1},
            "f": None,
            "day": "2026-11-25",
            "t": "2026-11-25T14:00:00+00:00",
            "i": 90.0,
            "b": "00",
        }
    ]
    assert "2026-11-25 14:00:00" in cli.text("sql", query)


def test_sql_that_cannot_be_is_one_plain_line(cli: HistoryCli, tmp_path: Path) -> None:
    said = cli.refused("sql", "select nope from events")
    assert said.startswith('triptych: Binder Error: Referenced column "nope" not found')
    assert said.count("\n") == 1
    assert "choose one" in cli.refused("sql", "select 1", "--csv", "--json", code=2)
    cli.run("history", "export", tmp_path)
    assert "where" in cli.refused("sql", "select 1", "--over", tmp_path, "--user", "anna", code=2)


def test_plots_are_drawn_and_printed(cli: HistoryCli, events: Sequence[Event], tmp_path: Path) -> None:
    picture = tmp_path / "plot.png"
    assert cli.text("plot", "--out", picture).strip() == str(picture)
    with Image.open(picture) as opened:
        opened.load()
    printed = cli.text("plot", "generations", "--by", "week")
    assert printed.startswith("Generations asked for, per week and type\n")
    totals = [int(line.split()[-1]) for line in printed.splitlines()[2:]]
    assert sum(totals) == sum(event.type == "GenerationRequested" for event in events)
    assert max(map(len, printed.splitlines())) <= 100
    (series,) = cli.json("plot", "generations", "--by", "week")
    assert [sum(each) for each in zip(*series["values"].values(), strict=True)] == totals
    assert series["starts"][0] == printed.splitlines()[2].split()[0]
    assert ".png, .svg, .pdf" in cli.refused("plot", "--out", "plot.gif")
    assert "generations, failures, refunds, credits" in cli.refused("plot", "money", code=2)


def test_simulate_shows_the_difference(cli: HistoryCli, events: Sequence[Event], tmp_path: Path) -> None:
    taken = sum(event.payload["credits"] for event in events if event.type == "CreditsDebited")
    catalog = tmp_path / "other.toml"
    catalog.write_text(CATALOG.replace("credits_per_output = 5\n", "credits_per_output = 4\n"), "utf-8")
    (found,) = cli.json("simulate", "--catalog", catalog, "--users", "2")
    assert found["total"]["actual"]["credits_taken"] == taken
    pictures = found["types"]["imagen4"]
    assert pictures["simulated"]["credits_taken"] * 5 == pictures["actual"]["credits_taken"] * 4
    assert len(found["users"]) == 2 < found["affected_user_count"]
    printed = cli.text("simulate", "--refund-rule", "none")
    assert printed.splitlines()[0].split() == ["Accepted", "Taken", "Given", "back", "Kept", "Difference"]
    assert "all, what if" in printed


def test_simulations_that_cannot_be_are_refused(cli: HistoryCli, tmp_path: Path) -> None:
    catalog = tmp_path / "wrong.toml"
    catalog.write_text("[types.imagen4]\nprice = 1\n")
    assert "--catalog the catalog is wrong" in cli.refused("simulate", "--catalog", catalog)
    catalog.write_bytes(b"\xff\xfe")
    assert "no text in UTF-8" in cli.refused("simulate", "--catalog", catalog, code=2)
    assert "--refund-rule 'generous'" in cli.refused("simulate", "--refund-rule", "generous")
    assert "--catalog FILE, --refund-rule RULE" in cli.refused("simulate", code=2)


def test_project_runs_a_class_of_one_s_own(
    cli: HistoryCli, events: Sequence[Event], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "counting.py").write_text(
        "class Counting:\n"
        "    seen = 0\n"
        "    def apply(self, event):\n"
        "        self.seen += 1\n"
        "    def result(self):\n"
        "        return {'seen': self.seen}\n"
        "class Failing:\n"
        "    def apply(self, event):\n"
        "        raise RuntimeError('no [idea]')\n"
    )
    assert cli.text("project", "counting.py:Counting").split() == ["seen", str(len(events))]
    assert cli.json("project", "counting.py:Counting") == [{"seen": len(events)}]
    said = cli.refused("project", "counting.py:Failing")
    assert "raised RuntimeError at position 1 (CreditsGranted): no [idea]" in said
    result = cli.run("history", "project", "counting.py:Failing", "--traceback", code=1)
    assert "counting.py" in result.stderr
    assert "in apply" in result.stderr
    assert "clients/history" not in result.stderr
    assert "has no Nobody" in cli.refused("project", "counting.py:Nobody")


@pytest.mark.parametrize(
    ("arguments", "said", "code"),
    [
        (["replay", "--since", "2026-11-25T14:00"], "--since '2026-11-25T14:00' has no time zone", 2),
        (["replay", "--until", "2999-01-01T00:00Z"], "--until 2999-01-01T00:00:00+00:00 is in the future", 1),
        (["replay", "--until", "99999999"], "--until must be 0 to", 1),
        (["replay", "--after", "99999999"], "--after must be 0 to", 1),
        (["replay", "--event", "GenerationLost"], "--event 'GenerationLost' is not an event type", 1),
        (["replay", "--category", "users"], "--category 'users' is not a category", 1),
        (["replay", "--type", "poem"], "--type 'poem' is not a known type", 1),
        (["follow", "--after", "99999999"], "--after must be 0 to", 1),
    ],
)
def test_a_selection_that_cannot_be_is_refused(cli: HistoryCli, arguments: list[str], said: str, code: int) -> None:
    assert said in cli.refused(*arguments, code=code)


def test_failures_are_json_when_results_are(cli: HistoryCli) -> None:
    error = json.loads(cli.refused("sql", "selec 1", "--json"))["error"]
    assert error["kind"] == "QueryFailed"
    assert "selec" in error["message"]
