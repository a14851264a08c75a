"""Children that have to run: real processes, small ones."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from service.cli.supervise import ChildFailed, Patience, Program, Supervisor

BOUND_SECONDS = 60.0
QUICK = Patience(start_seconds=60.0, stop_seconds=60.0, first_pause_seconds=0.05, most_pause_seconds=0.1)

READY = "import json, os, sys, time; print(json.dumps({'pid': os.getpid()}), flush=True)\n"
STAYS = READY + "sys.stdin.read()"
NOTES_ITS_END = (
    "import signal, sys\n"
    "def leave(*_):\n"
    "    open(sys.argv[1], 'w').write('left')\n"
    "    sys.exit(0)\n"
    "signal.signal(signal.SIGTERM, leave)\n" + READY + "time.sleep(600)"
)
DEAF = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)\n" + READY + "time.sleep(600)"


def child(code: str, *arguments: str) -> Program:
    return Program(name="child", arguments=("-c", code, *arguments), environment=dict(os.environ))


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(BOUND_SECONDS):
        while not holds():  # noqa: ASYNC110 - a process ends without telling this loop
            await asyncio.sleep(0.01)


async def test_a_child_that_dies_is_started_again() -> None:
    async with Supervisor(QUICK) as supervisor:
        ready = await supervisor.start(child(STAYS))
        first = supervisor.pids["child"]
        assert ready == {"pid": first}
        os.kill(first, signal.SIGKILL)
        await until(lambda: supervisor.pids.get("child", first) != first)
        second = supervisor.pids["child"]
        assert psutil.pid_exists(second)
    assert not psutil.pid_exists(second)


async def test_a_child_that_does_not_start_ends_everything_at_once() -> None:
    async with Supervisor(QUICK) as supervisor:
        with pytest.raises(ChildFailed, match="child did not start and ended with exit code 3; why, it said above"):
            await supervisor.start(child("import sys; sys.exit(3)"))
        with pytest.raises(ChildFailed, match="child did not start and was ended by signal 9"):
            await supervisor.start(child("import os; os.kill(os.getpid(), 9)"))
        assert supervisor.pids == {}


async def test_a_child_that_says_nothing_is_not_waited_for_without_end() -> None:
    async with Supervisor(Patience(start_seconds=0.5)) as supervisor:
        with pytest.raises(ChildFailed, match=r"was not ready after 0\.5 seconds"):
            await supervisor.start(child("import time; time.sleep(600)"))


async def test_a_child_that_ends_too_often_ends_the_whole() -> None:
    patience = Patience(most_restarts=2, first_pause_seconds=0.01, most_pause_seconds=0.01)
    async with Supervisor(patience) as supervisor:
        await supervisor.start(child(READY + "sys.exit(7)"))
        with pytest.raises(ChildFailed) as failed:
            async with asyncio.timeout(BOUND_SECONDS):
                await supervisor.wait()
    assert str(failed.value) == (
        "child was started again 2 times within 300 seconds, and ended with exit code 7 once more; why, it said above"
    )


async def test_a_child_that_does_not_come_up_again_ends_the_whole(tmp_path: Path) -> None:
    once = "import os, sys\nif os.path.exists(sys.argv[1]): sys.exit(5)\nopen(sys.argv[1], 'w')\n" + READY
    patience = Patience(most_restarts=2, first_pause_seconds=0.01, most_pause_seconds=0.01)
    async with Supervisor(patience) as supervisor:
        await supervisor.start(child(once, str(tmp_path / "was here")))
        with pytest.raises(ChildFailed, match="2 times within 300 seconds, and did not start again once more"):
            async with asyncio.timeout(BOUND_SECONDS):
                await supervisor.wait()


async def test_children_are_told_to_stop_and_waited_for(tmp_path: Path) -> None:
    async with Supervisor(QUICK) as supervisor:
        await supervisor.start(child(NOTES_ITS_END, str(tmp_path / "note")))
    assert (tmp_path / "note").read_text() == "left"


async def test_a_child_that_does_not_stop_is_killed() -> None:
    async with Supervisor(Patience(stop_seconds=0.2)) as supervisor:
        await supervisor.start(child(DEAF))
        pid = supervisor.pids["child"]
    assert not psutil.pid_exists(pid)


async def test_a_start_that_is_cut_short_leaves_no_child(tmp_path: Path) -> None:
    slow = "import os, sys, time; open(sys.argv[1], 'w').write(str(os.getpid())); time.sleep(600)"
    note = tmp_path / "pid"
    async with Supervisor(QUICK) as supervisor:
        starting = asyncio.create_task(supervisor.start(child(slow, str(note))))
        await until(lambda: note.exists() and note.read_text() != "")
        starting.cancel()
        await asyncio.wait([starting])
        assert starting.cancelled()
    assert not psutil.pid_exists(int(note.read_text()))


async def test_what_a_child_prints_later_does_not_fill_its_pipe(tmp_path: Path) -> None:
    chatty = READY + "print('x' * 1_000_000, flush=True); open(sys.argv[1], 'w'); sys.stdin.read()"
    async with Supervisor(QUICK) as supervisor:
        await supervisor.start(child(chatty, str(tmp_path / "printed")))
        await until((tmp_path / "printed").exists)


@pytest.mark.parametrize(("restarts", "pause"), [(0, 0.5), (1, 1.0), (5, 16.0), (6, 30.0), (7, 30.0)])
def test_pauses_grow_up_to_a_bound(restarts: int, pause: float) -> None:
    assert Patience().pause_seconds(restarts) == pause
