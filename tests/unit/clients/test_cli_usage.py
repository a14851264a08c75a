"""The command line as it is typed: help, common options, mistakes. No service is needed for these."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import grpc
import pytest
import typer
from triptych.v1 import credit_service_pb2, history_service_pb2
from typer.testing import CliRunner

from clients.cli import problems
from clients.cli.main import app
from clients.cli.session import Common, Session, command
from clients.sdk import NotFound
from clients.sdk.errors import Refusal
from tests.unit.clients.scripted import Bare, ScriptedServer

NOWHERE = ["--server", "127.0.0.1:1"]


@pytest.fixture
def runner(monkeypatch: pytest.MonkeyPatch) -> CliRunner:
    for name in ("TRIPTYCH_USER", "TRIPTYCH_SERVER", "TRIPTYCH_TOKEN", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    return CliRunner()


def command_paths(group: Any = None, path: tuple[str, ...] = ()) -> list[list[str]]:
    """Every command, as it is typed."""
    found: list[list[str]] = []
    group = group or typer.main.get_command(app)
    for name, each in group.commands.items():
        inner = hasattr(each, "commands")
        found += command_paths(each, (*path, name)) if inner else [[*path, name]]
    return found


@pytest.mark.parametrize("path", command_paths(), ids=" ".join)
def test_every_command_has_help_an_example_and_the_common_options(runner: CliRunner, path: list[str]) -> None:
    result = runner.invoke(app, [*path, "--help"], env={"COLUMNS": "200"})
    assert result.exit_code == 0
    assert f"triptych {' '.join(path)}" in result.stdout
    assert "Example" in result.stdout
    for option in ("--user", "--server", "--token", "--language", "--json"):
        assert option in result.stdout


@pytest.mark.parametrize(
    "typed", [["frobnicate"], ["generate"], ["gallery", "--no-such"], ["credits", "grant", "many"]]
)
def test_what_is_typed_wrongly_is_a_usage_error(runner: CliRunner, typed: list[str]) -> None:
    result = runner.invoke(app, typed)
    assert result.exit_code == 2
    assert "Traceback" not in result.output


def test_a_user_has_to_be_named(runner: CliRunner) -> None:
    result = runner.invoke(app, ["gallery"])
    assert (result.exit_code, result.stdout) == (2, "")
    assert "--user NAME, or TRIPTYCH_USER" in result.stderr


def test_an_address_that_cannot_be_one(runner: CliRunner) -> None:
    result = runner.invoke(app, ["types", "--server", "a b"])
    assert result.exit_code == 2
    assert "--server must be host:port" in result.stderr


def test_nobody_there(runner: CliRunner) -> None:
    result = runner.invoke(app, ["types", *NOWHERE])
    assert (result.exit_code, result.stdout) == (3, "")
    assert result.stderr.startswith("triptych: Cannot reach 127.0.0.1:1 (")


def test_failures_are_json_when_results_are(runner: CliRunner) -> None:
    result = runner.invoke(app, ["--json", "types", *NOWHERE])
    assert (result.exit_code, result.stdout) == (3, "")
    error = json.loads(result.stderr)["error"]
    assert (error["kind"], error["code"]) == ("Unreachable", "UNAVAILABLE")


async def test_a_request_without_an_answer_can_be_sent_again(runner: CliRunner, server: ScriptedServer) -> None:
    lost = Bare(grpc.StatusCode.UNAVAILABLE, "Socket closed")
    server.will(history_service_pb2.GetHeadResponse(position=7), *[[lost]] * 5)
    typed = ["generate", "a fox", "--user", "anna", "--request-id", "order-1", "--server", server.address]
    result = await asyncio.to_thread(runner.invoke, app, typed)
    assert result.exit_code == 3
    assert "it is never charged twice: --request-id order-1" in result.stderr


async def test_queries_wait_for_what_the_command_before_did(runner: CliRunner, server: ScriptedServer) -> None:
    account = credit_service_pb2.GetAccountResponse()
    account.account.balance = 5
    server.will(history_service_pb2.GetHeadResponse(position=7), account)
    typed = ["credits", "balance", "--user", "anna", "--server", server.address]
    result = await asyncio.to_thread(runner.invoke, app, typed)
    assert (result.exit_code, result.stdout[:19]) == (0, "Balance: 5 credits ")
    assert server.requests[1].at_least_position == 7


def test_version(runner: CliRunner) -> None:
    assert runner.invoke(app, ["--version"]).stdout.startswith("0.")


@pytest.fixture
def told() -> list[Common]:
    return []


@pytest.fixture
def small_app(told: list[Common]) -> typer.Typer:
    """A command that notes its common options, and one that fails as told."""
    small = typer.Typer()

    @small.callback()
    def before(ctx: typer.Context) -> None:
        ctx.obj = Common(user="before", server="before:1")

    @command(small)
    def note(session: Session) -> None:
        told.append(session.common)

    @command(small)
    def fail(session: Session, how: str) -> None:
        endings: dict[str, BaseException] = {
            "refused": NotFound(Refusal(code="NOT_FOUND", message="There is no item 'x'.")),
            "interrupted": KeyboardInterrupt(),
            "usage": problems.Usage("Say it otherwise."),
            "file": PermissionError(13, "Permission denied", "fox.png"),
            "exit": typer.Exit(1),
        }
        raise endings[how]

    return small


def test_options_behind_the_command_win(runner: CliRunner, small_app: typer.Typer, told: list[Common]) -> None:
    assert runner.invoke(small_app, ["note", "--user", "behind", "--json"]).exit_code == 0
    assert (told[0].user, told[0].server, told[0].as_json) == ("behind", "before:1", True)


@pytest.mark.parametrize(
    ("how", "code", "sentence"),
    [
        ("refused", 1, "triptych: There is no item 'x'.\n"),
        ("interrupted", 130, ""),
        ("usage", 2, "triptych: Say it otherwise.\n"),
        ("file", 1, "triptych: fox.png: Permission denied\n"),
        ("exit", 1, ""),
    ],
)
def test_endings(runner: CliRunner, small_app: typer.Typer, how: str, code: int, sentence: str) -> None:
    result = runner.invoke(small_app, ["fail", how])
    assert (result.exit_code, result.stdout, result.stderr) == (code, "", sentence)
