"""The code on the SDK's pages is run as it stands there, against the running service."""

from __future__ import annotations

import asyncio
import os
import re
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clients.sdk import AsyncTriptych, Generation, Triptych
from tests.support.system import RunningSystem, new_user

DOCS = Path(__file__).parents[2] / "docs"
BOUND_SECONDS = 60.0


def python_of(page: str) -> list[str]:
    return re.findall(r"^```python\n(.*?)^```$", (DOCS / page).read_text("utf-8"), re.MULTILINE | re.DOTALL)


def test_the_page_on_the_sdk(system: RunningSystem, tmp_path: Path) -> None:
    user_id = new_user()
    printed = []
    for block in python_of("sdk.md"):
        done = subprocess.run(
            [sys.executable, "-c", block.replace('"anna"', repr(user_id))],
            env=os.environ | {"TRIPTYCH_SERVER": system.address},
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=2 * BOUND_SECONDS,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        printed.append(done.stdout)
    first, second = printed
    assert first.splitlines()[-1] == "90"
    assert {path.name for path in tmp_path.iterdir()} == {"fox-0.png", "fox-1.png"}
    assert second.splitlines()[-1].startswith("succeeded")


class RefundPage:
    """The program of ``docs/refunds.md``, and what it told of certain generations."""

    def __init__(self, position_file: Path, generations: list[Generation]) -> None:
        self.program: dict[str, Any] = {"__name__": "refunds"}
        exec("\n".join(python_of("refunds.md")), self.program)
        self.position_file = position_file
        self._ids = [generation.generation_id for generation in generations]
        self._lines: list[str] = []

    def report(self, line: str) -> None:
        self._lines.append(line)

    @property
    def told(self) -> list[str]:
        """What was said of these generations, each with its place among them in front, by place."""
        lines = [line.partition(": ") for line in self._lines]
        return sorted(f"{self._ids.index(name)} {words}" for name, _, words in lines if name in self._ids)

    def begin_after(self, position: int) -> None:
        self._lines.clear()
        self.program["save_position"](self.position_file, position)

    async def until_handled(self, position: int) -> None:
        load: Callable[[Path], int] = self.program["load_position"]
        async with asyncio.timeout(BOUND_SECONDS):
            while load(self.position_file) < position:  # noqa: ASYNC110 - a file has no event to wait for
                await asyncio.sleep(0.05)


async def test_the_page_on_refunds(system: RunningSystem, tmp_path: Path) -> None:
    user_id = new_user()
    async with AsyncTriptych(system.address, timeout_seconds=BOUND_SECONDS) as client:
        await client.grant_credits(user_id, 100)
        start = await client.get_head()
        made = [
            await client.generate(user_id, "imagen4", "a forbidden fox"),
            await client.generate(user_id, "imagen4", "a fox [sandbox:two-of-four]", output_count=4),
            await client.generate(user_id, "imagen4", "a fox"),
        ]
        assert (await client.get_account(user_id)).balance == 85
        ends = client.replay_events(start, user_id=user_id, types=["GenerationSucceeded", "GenerationFailed"])
        last = [event.position async for event in ends][-1]

        page = RefundPage(tmp_path / "refunds.position", made)
        page.begin_after(start)
        follower = asyncio.create_task(page.program["follow"](client, page.position_file, page.report))
        await page.until_handled(last)
        follower.cancel()
        await asyncio.wait({follower})
        assert page.told == [
            "0 all 5 credits had come back by themselves",
            "1 gave back 10 credits, the balance is 95",
        ]

        # The same events again, as after a crash before the position was stored: nothing is given twice.
        page.begin_after(start)
        with Triptych(system.address, timeout_seconds=BOUND_SECONDS) as blocking:
            await asyncio.to_thread(page.program["catch_up"], blocking, page.position_file, page.report)
        await page.until_handled(last)
        assert [line.split(" at ")[0] for line in page.told] == [
            "0 all 5 credits had come back by themselves",
            "1 refund-flow gave it back",
        ]
        assert page.told[1].endswith(": not all was delivered")
        assert (await client.get_account(user_id)).balance == 95
