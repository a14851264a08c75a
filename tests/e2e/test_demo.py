"""``triptychd demo`` ends by itself with exit code 0, and says so when something it tells is not so."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from clients.sdk import Triptych
from demo import story
from demo.stage import NotTrue, Stage
from tests.support.postgres import short_folder
from tests.support.system import RunningSystem

pytestmark = pytest.mark.timeout(300)


def test_the_demo_tells_the_truth_and_ends() -> None:
    with short_folder() as folder:
        done = subprocess.run(
            [str(Path(sys.executable).parent / "triptychd"), "demo"],
            env={**os.environ, "XDG_CACHE_HOME": str(folder)},
            capture_output=True,
            text=True,
            timeout=280,
            check=False,
        )
    assert done.returncode == 0, done.stdout + done.stderr
    for chapter in range(1, 10):
        assert f"\n{chapter}. " in done.stdout
    assert "claims were true" in done.stdout
    assert "20 credits were taken and 10 came back" in done.stdout


def test_a_missing_file_makes_it_fail(system: RunningSystem, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The story is played with a media folder in which nothing is."""
    monkeypatch.setattr(story, "USER", f"anna-{tmp_path.name}")
    with Triptych(system.address) as client, pytest.raises(NotTrue, match="on disk"):
        story.tell(Stage(), client, tmp_path)
