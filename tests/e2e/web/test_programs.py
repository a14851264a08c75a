"""``triptych web-link``, ``triptych-web`` and ``make up`` as programs: the link that they print works, once."""

from __future__ import annotations

import json
import os
import subprocess
import sys

import httpx

from demo.processes import running
from tests.support.postgres import short_folder

SECRET = "a secret of thirty-two characters"


def _run(module: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    surroundings = {name: value for name, value in os.environ.items() if not name.startswith("TRIPTYCH_")}
    return subprocess.run(
        [sys.executable, "-m", module, *arguments],
        env={**surroundings, **settings},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_a_link_is_printed_for_people_and_for_programs() -> None:
    settings = {"TRIPTYCH_WEB_SECRET": SECRET, "TRIPTYCH_WEB_PUBLIC_URL": "https://pictures.example"}
    done = _run("clients.cli", "web-link", "anna", **settings)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("https://pictures.example/sign-in/")
    done = _run("clients.cli", "web-link", "anna", "--json", **settings)
    assert json.loads(done.stdout)["good_for_seconds"] == 900


def test_what_cannot_be_right_is_told_in_a_sentence() -> None:
    done = _run("clients.cli", "web-link", "anna smith", TRIPTYCH_WEB_SECRET=SECRET)
    assert done.returncode == 2
    assert "a user id has 1 to 128" in done.stderr
    done = _run("clients.web", TRIPTYCH_WEB_SECRET="short")
    assert done.returncode == 2
    assert "TRIPTYCH_WEB_SECRET: must have at least 32 characters" in done.stderr


def test_up_prints_a_link_that_opens_the_gallery_once() -> None:
    with short_folder() as folder:
        arguments = ["--json", "--telegram", "--port", "0", "--folder", str(folder / "up")]
        with running("demo.up", arguments, environment={}, log_file=folder / "up.log") as up:
            link = up.ready["link"]
            assert up.ready["bot"] == "triptych_sandbox_bot"
            assert httpx.get(up.ready["chat"], timeout=60).status_code == 200
            with httpx.Client(base_url=up.ready["url"], headers={"accept-language": "ru"}, timeout=60) as browser:
                assert browser.get("/").status_code == 401
                assert "Открыть мою галерею" in browser.get(link).text
                assert browser.post(link, headers={"sec-fetch-site": "cross-site"}).status_code == 403
                assert browser.post(link).headers["location"] == "/"
                page = browser.get("/").text
                assert "500 кредитов" in page
                assert "По описанию" in page
            with httpx.Client(timeout=60) as other:
                assert other.get(link).status_code == 410
                assert other.post(link).status_code == 410
