"""The command line as a process: Ctrl-C, pipes that close, exit codes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from clients.sdk import Triptych
from tests.support.system import RunningSystem, new_user

BOUND_SECONDS = 60.0


@contextmanager
def started(system: RunningSystem, user_id: str, *arguments: str) -> Iterator[subprocess.Popen[str]]:
    """``triptych`` with its output in pipes."""
    environment = {
        **os.environ,
        "TRIPTYCH_SERVER": system.address,
        "TRIPTYCH_USER": user_id,
        "LC_ALL": "C.UTF-8",
        "PYTHONUNBUFFERED": "1",
    }
    process = subprocess.Popen(
        [str(Path(sys.executable).parent / "triptych"), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def test_ctrl_c_ends_the_watching_and_not_the_generation(system: RunningSystem) -> None:
    user_id = new_user()
    with Triptych(system.address, timeout_seconds=BOUND_SECONDS) as client:
        client.grant_credits(user_id, 100)
        with started(system, user_id, "generate", "a fox [sandbox:stuck-in-queue]") as process:
            assert process.stderr is not None
            assert process.stderr.readline().endswith(" ...\n")  # It was taken on, and is watched.
            process.send_signal(signal.SIGINT)
            stdout, stderr = process.communicate(timeout=BOUND_SECONDS)
        assert (process.returncode, stdout) == (130, "")
        told = re.search(r"^It goes on being made. To see it: triptych watch (\S+)$", stderr, re.MULTILINE)
        assert told is not None, stderr
        assert "Traceback" not in stderr
        assert not client.get_generation(told.group(1)).ended
        client.cancel_generation(told.group(1))


def test_a_gallery_is_watched_until_ctrl_c(system: RunningSystem) -> None:
    user_id = new_user()
    with (
        Triptych(system.address, timeout_seconds=BOUND_SECONDS) as client,
        started(system, user_id, "watch", "--json") as process,
    ):
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["caught_up"] is True
        client.grant_credits(user_id, 100)
        made = client.generate(user_id, "imagen4", "a fox").require_success()
        change = json.loads(process.stdout.readline())
        assert [item["item_id"] for item in change["items"]] == [made.items[0].item_id]
        process.send_signal(signal.SIGINT)
        assert process.wait(BOUND_SECONDS) == 130


def test_a_reader_that_leaves_is_no_failure(system: RunningSystem) -> None:
    user_id = new_user()
    with Triptych(system.address, timeout_seconds=BOUND_SECONDS) as client:
        client.grant_credits(user_id, 100)
        client.generate(user_id, "imagen4", "a fox", output_count=4)
    for arguments in (["gallery"], ["gallery", "--json"]):
        with started(system, user_id, *arguments) as process:
            assert process.stdout is not None
            process.stdout.close()
            assert process.stderr is not None
            assert "Traceback" not in process.stderr.read()
            assert process.wait(BOUND_SECONDS) in (0, 1)


def test_the_shell_completes_commands() -> None:
    done = subprocess.run(
        [str(Path(sys.executable).parent / "triptych")],
        env={**os.environ, "COMP_WORDS": "triptych ga", "COMP_CWORD": "1", "_TRIPTYCH_COMPLETE": "complete_bash"},
        capture_output=True,
        text=True,
        timeout=BOUND_SECONDS,
        check=False,
    )
    assert done.stdout.split() == ["gallery"]
