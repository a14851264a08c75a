"""The command line against the running service: what people read, what scripts parse."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from PIL import Image
from typer.testing import CliRunner

from clients.cli.main import app
from clients.sdk import Triptych
from tests.support.system import RunningSystem, new_user

BOUND_SECONDS = 60.0
ID = r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}"


class Cli:
    """Commands of one user. Output is that of a pipe."""

    def __init__(self, address: str) -> None:
        self.user = new_user()
        self._runner = CliRunner()
        self._environment = {
            "TRIPTYCH_SERVER": address,
            "TRIPTYCH_USER": self.user,
            "TRIPTYCH_TOKEN": "",
            "LC_ALL": "C.UTF-8",
            "COLUMNS": "80",
        }

    def run(self, *arguments: str | Path, code: int = 0) -> Any:
        """The result; its exit code must be ``code``."""
        result = self._runner.invoke(app, [str(each) for each in arguments], env=self._environment)
        assert result.exit_code == code, (arguments, result.exit_code, result.stdout, result.stderr)
        assert "Traceback" not in result.stderr
        assert "\x1b" not in result.output
        return result

    def text(self, *arguments: str | Path) -> str:
        return str(self.run(*arguments).stdout)

    def json(self, *arguments: str | Path) -> Any:
        (line,) = self.run(*arguments, "--json").stdout.splitlines()
        return json.loads(line)

    def refused(self, *arguments: str | Path, code: int = 1) -> str:
        """What stderr says of a command that is refused; stdout stays empty."""
        result = self.run(*arguments, code=code)
        assert result.stdout == ""
        return str(result.stderr)


@pytest.fixture
def cli(system: RunningSystem) -> Cli:
    cli = Cli(system.address)
    cli.run("credits", "grant", "100", "--grant-id", "first", "--note", "welcome")
    return cli


def test_a_picture_is_asked_for_watched_and_saved(cli: Cli, tmp_path: Path) -> None:
    result = cli.run("generate", "a red fox in the snow", "-o", tmp_path)
    (file,) = tmp_path.iterdir()
    assert Image.open(file).format == "PNG"
    assert re.search(r"^✓ Done in .*, 1 of 1 delivered$", result.stdout, re.MULTILINE)
    assert "  Prompt: a red fox in the snow\n" in result.stdout
    assert "  Improved: a red fox in the snow" in result.stdout
    assert "  It cost 5 credits.\n" in result.stdout
    assert "  Balance: 95 credits.\n" in result.stdout
    assert f"  {file}\n" in result.stdout
    # Which states came by on the way depends on how quick it was.
    assert all(line.endswith(" ...") for line in result.stderr.splitlines())


def test_the_same_for_a_program(cli: Cli, tmp_path: Path) -> None:
    typed = ("generate", "a fox", "-n", "2", "--own-words", "--request-id", "order-1", "-o", tmp_path / "fox.png")
    first, again = cli.json(*typed), cli.json(*typed)
    assert (first["state"], first["delivered_count"], first["effective_prompt"]) == ("succeeded", 2, "a fox")
    assert (first["created"], again["created"]) == (True, False)
    assert first["generation_id"] == again["generation_id"]
    assert first["files"] == [str(tmp_path / "fox-1.png"), str(tmp_path / "fox-2.png")]
    assert cli.json("credits", "balance")["balance"] == 90
    shown = cli.json("show", first["generation_id"])
    assert shown == {name: value for name, value in first.items() if name not in ("created", "files")}


def test_what_fails_is_said_in_one_sentence_with_what_became_of_the_credits(cli: Cli) -> None:
    result = cli.run("generate", "a forbidden fox", code=1)
    assert result.stdout.splitlines() == [
        "✗ The request did not pass the content rules: change the description or the photo and try again.",
        "  Prompt: a forbidden fox",
        "  Everything came back: 5 credits.",
        "  Balance: 100 credits.",
    ]
    russian = cli.run("generate", "a forbidden fox", "--language", "ru", code=1).stdout
    assert russian.startswith("✗ Запрос не прошёл проверку правил")
    assert "  Вернулось всё: 5 кредитов.\n" in russian


def test_what_came_only_in_part(cli: Cli) -> None:
    told = cli.text("generate", "two foxes [sandbox:two-of-four]", "-n", "4")
    assert "2 of 4 delivered" in told
    assert "20 credits were taken, 10 credits came back for what was not delivered." in told


def test_an_avatar_and_a_video(cli: Cli, tmp_path: Path) -> None:
    photo = tmp_path / "me.jpg"
    Image.linear_gradient("L").convert("RGB").save(photo)
    assert cli.json("generate", "as a chef", "-t", "avatar", "-r", photo)["state"] == "succeeded"
    video = cli.json("generate", "waves", "-t", "video", "-o", tmp_path / "waves.mp4")
    assert (tmp_path / "waves.mp4").stat().st_size == video["items"][0]["media"]["size_bytes"]
    # 80 columns: nothing is longer, ids are whole.
    table = cli.text("gallery")
    assert "👤 Photos with me 1 · 🎨 Images 0 · 🎥 Video 1" in table
    assert max(len(line) for line in table.splitlines()) <= 80
    assert video["items"][0]["item_id"] in table
    assert "👤 Фото со мной 1" in cli.text("gallery", "--language", "ru")


def test_the_gallery_is_curated(cli: Cli, tmp_path: Path) -> None:
    made = cli.json("generate", "a fox", "-n", "3")
    first, second, third = (item["item_id"] for item in made["items"])

    def listed(*options: str) -> list[str]:
        return [item["item_id"] for item in cli.json("gallery", *options)["items"]]

    assert cli.text("favorite", first) == f"{first}  a favourite\n"
    assert cli.text("trash", second) == f"{second}  in the trash\n"
    assert listed() == [third, first]
    assert listed("--favorites") == [first]
    assert listed("--trash") == [second]
    assert listed("--search", "fox", "--type", "imagen4") == [third, first]
    assert cli.text("gallery", "--search", "elephant").endswith("Nothing here.\n")
    older = re.search(r"^Older: (--older \S+)$", cli.text("gallery", "--page-size", "1"), re.MULTILINE)
    assert older is not None
    assert listed("--page-size", "1", *older.group(1).split()) == [first]
    assert cli.text("restore", second) == f"{second}  back in the gallery\n"
    assert cli.text("unfavorite", first) == f"{first}  no longer a favourite\n"
    assert f"🖼 {second}\n  Prompt: a fox\n" in cli.text("show", second)
    saved = cli.run("download", first, second, "-o", tmp_path).stdout
    assert len(saved.splitlines()) == 2
    assert len(list(tmp_path.iterdir())) == 2


def test_one_item_that_is_not_there_does_not_keep_the_others(cli: Cli) -> None:
    item_id = cli.json("generate", "a fox")["items"][0]["item_id"]
    result = cli.run("favorite", item_id.replace(".0", ".7"), item_id, code=1)
    assert result.stdout == f"{item_id}  a favourite\n"
    assert result.stderr == f"triptych: There is no item '{item_id.replace('.0', '.7')}'.\n"


def test_credits(cli: Cli) -> None:
    assert cli.text("credits", "grant", "100", "--grant-id", "first", "--note", "welcome").startswith(
        "This grant was made before; nothing was given a second time.\n"
    )
    cli.run("generate", "a forbidden fox", code=1)
    made = cli.json("generate", "a fox")
    statement = cli.text("credits", "statement")
    amounts = re.findall(r"([+-]\d+) +(\d+) +(\w+)", statement)
    assert amounts == [
        ("-5", "95", "Payment"),
        ("+5", "100", "Refund"),
        ("-5", "95", "Payment"),
        ("+100", "100", "Grant"),
    ]
    assert "Refund, it failed, imagen4" in statement
    assert made["generation_id"] in statement
    refund = ("refund", made["generation_id"], "--reason", "six fingers", "--actor", "olga")
    assert cli.text(*refund).startswith("Given back: 5 credits.\nBalance: 100 credits (")
    assert "olga refunded this generation by hand" in cli.refused(*refund)
    error = json.loads(cli.refused(*refund, "--json"))["error"]
    assert (error["kind"], error["facts"]["note"]) == ("AlreadyRefunded", "six fingers")
    assert cli.json("credits", "statement", "--page-size", "1")["items"][0]["amount"] == 5


def test_what_can_be_asked_for(cli: Cli) -> None:
    assert [each["type"] for each in cli.json("types")["types"]] == ["avatar", "imagen4", "video"]
    assert "5 кредитов" in cli.text("types", "--language", "ru")


def test_a_request_that_is_not_waited_for(cli: Cli) -> None:
    told = cli.run("generate", "a fox", "--no-wait")
    found = re.search(ID, told.stdout)
    assert found is not None
    assert f"triptych watch {found.group()}" in told.stderr
    states = [json.loads(line)["state"] for line in cli.run("watch", found.group(), "--json").stdout.splitlines()]
    assert states[-1] == "succeeded"
    assert "✓ Done" in cli.text("watch", found.group())
    listed = cli.json("generations")["items"]
    assert [each["generation_id"] for each in listed] == [found.group()]
    assert cli.json("generations", "--unfinished")["items"] == []
    assert "It is too late to cancel" in cli.refused("cancel", found.group())


def test_a_generation_is_cancelled_while_it_waits(cli: Cli) -> None:
    asked = cli.json("generate", "a fox [sandbox:stuck-in-queue]", "--no-wait")
    cli.run("cancel", asked["generation_id"])
    # Where the vendor takes its time to decide, the end comes a little later.
    cancelled = cli.run("watch", asked["generation_id"], code=1).stdout
    assert cancelled.startswith("✗ Cancelled\n")
    assert "Everything came back: 5 credits." in cancelled


def test_what_is_refused(cli: Cli, tmp_path: Path) -> None:
    text = tmp_path / "me.jpg"
    text.write_text("not a picture")
    assert cli.refused("generate", "a fox", "-n", "5") == "triptych: --count must be 1 to 4, not 5\n"
    assert cli.refused("generate", "").startswith("triptych: PROMPT is empty")
    assert cli.refused("generate", "a fox", "-t", "poster").startswith("triptych: --type ")
    assert cli.refused("generate", "a fox", "-a", "7:3").startswith("triptych: --aspect-ratio ")
    assert cli.refused("generate", "me", "-t", "avatar", "-r", text).startswith(
        "triptych: --reference is not a picture"
    )
    assert cli.refused("generate", "me", "-t", "avatar", code=2).startswith("triptych: --reference is missing")
    assert cli.refused("gallery", "--older", "x").startswith("triptych: --older or --newer ")
    assert cli.refused("gallery", "--user", "a/b").startswith("triptych: --user must be")
    assert cli.refused("credits", "grant", "--", "-5").startswith("triptych: CREDITS ")
    assert cli.refused("generate", "waves", "-t", "video", "-n", "1", "--user", new_user()) == (
        "triptych: This costs 40 credits and the balance is 0 credits: 40 credits missing. Nothing was taken.\n"
    )
    assert cli.json("credits", "balance")["credits_debited"] == 0


def test_what_users_wrote_is_not_taken_for_markup(cli: Cli, system: RunningSystem) -> None:
    prompt = "[bold]fox[/bold] :fox: \x1b[31mred\x1b[0m"
    with Triptych(system.address, timeout_seconds=BOUND_SECONDS) as client:
        client.generate(cli.user, "imagen4", prompt, enhance_prompt=False)
    assert "[bold]fox[/bold] :fox: �[31mred" in cli.text("gallery")
