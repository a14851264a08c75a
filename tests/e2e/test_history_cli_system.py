"""History of the whole service, as processes on PostgreSQL: looking back in time, following live, simulating."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from clients.sdk import Triptych
from tests.support.history_cli import HistoryCli
from tests.support.system import RunningSystem, new_user

BOUND_SECONDS = 60.0


@pytest.fixture
def user(system: RunningSystem) -> str:
    """Who was granted 100 credits, spent 5 on a picture, and was granted 50 more."""
    user = new_user()
    with Triptych(system.address, timeout_seconds=BOUND_SECONDS) as client:
        client.grant_credits(user, 100, grant_id="first")
        client.generate(user, "imagen4", "a red fox").require_success()
        client.grant_credits(user, 50, grant_id="second")
    return user


@pytest.fixture
def cli(system: RunningSystem) -> HistoryCli:
    return HistoryCli(system.address)


def test_gallery_and_credits_as_they_were(cli: HistoryCli, user: str, system: RunningSystem) -> None:
    with Triptych(system.address) as client:
        client.get_head()  # From here on, answers include all that was done before.
        second, debit, first = client.list_ledger_entries(user)
    balances = {
        str(first.position): 100,
        str(debit.position): 95,
        str(second.position): 145,
        second.create_time.isoformat() if second.create_time else "": 145,
        "today": 145,
    }
    for moment, balance in balances.items():
        found = json.loads(cli.run("credits", "balance", "--user", user, "--as-of", moment, "--json").stdout)
        assert found["balance"] == balance, moment
    statement = cli.run("credits", "statement", "--user", user, "--as-of", str(debit.position), "--json").stdout
    assert [entry["amount"] for entry in json.loads(statement)["items"]] == [-5, 100]
    for moment, count in {str(debit.position): 0, str(second.position): 1}.items():
        page = json.loads(cli.run("gallery", "--user", user, "--as-of", moment, "--json").stdout)
        assert len(page["items"]) == count
    assert "All 0" in cli.run("gallery", "--user", user, "--as-of", str(first.position)).stdout
    assert "Nothing here" in cli.run("gallery", "--user", user, "--as-of", "yesterday").stdout


def test_moments_that_cannot_be_are_refused(cli: HistoryCli, user: str) -> None:
    for command in (["gallery"], ["credits", "balance"], ["credits", "statement"]):
        zoneless = cli.run(*command, "--user", user, "--as-of", "2026-11-25T14:00", code=2)
        assert "--as-of '2026-11-25T14:00' has no time zone" in zoneless.stderr
        future = cli.run(*command, "--user", user, "--as-of", "2999-01-01T00:00Z", code=1)
        assert "--as-of 2999-01-01T00:00:00+00:00 is in the future" in future.stderr


def test_what_a_user_did_is_exported_queried_and_simulated(cli: HistoryCli, user: str, tmp_path: Path) -> None:
    cli.run("history", "export", tmp_path / "export", "--user", user)
    query = "select sum(balance_effect) as balance, count(distinct model) as models from events"
    assert cli.json("sql", query, "--over", tmp_path / "export") == [{"balance": 145, "models": 1}]
    assert cli.json("sql", query, "--user", user) == [{"balance": 145, "models": 1}]
    generations = cli.json("sql", "select state, credits_taken from generations", "--user", user)
    assert generations == [{"state": "succeeded", "credits_taken": 5}]


def test_simulating_changes_nothing(cli: HistoryCli, user: str, system: RunningSystem) -> None:
    with Triptych(system.address) as client:
        head = client.get_head()  # From here on, answers include all that was done before.
        before = client.list_ledger_entries(user)
        (found,) = cli.json("simulate", "--refund-rule", "none", "--until", str(head))
        assert found["total"]["actual"]["accepted_count"] > 0
        assert client.list_ledger_entries(user).items == before.items
        of_user = client.replay_events(head, user_id=user)
        assert list(of_user) == []


def test_follow_prints_what_happens_as_it_happens(system: RunningSystem) -> None:
    user = new_user()
    with Triptych(system.address) as client:
        head = client.get_head()
        command = [str(Path(sys.executable).parent / "triptych"), "history", "follow", "--json", "--user", user]
        with subprocess.Popen(
            [*command, "--server", system.address, "--after", str(head), "--limit", "2"],
            stdout=subprocess.PIPE,
            text=True,
        ) as following:
            assert following.stdout is not None
            for credits in (10, 20):
                client.grant_credits(user, credits)
                event = json.loads(following.stdout.readline())
                assert (event["type"], event["payload"]["credits"]) == ("CreditsGranted", credits)
            assert following.wait(BOUND_SECONDS) == 0
