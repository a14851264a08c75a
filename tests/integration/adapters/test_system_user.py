"""The right to pass through closed folders, on this machine's own file system."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from service.adapters.embedded.system_user import SystemUser, let_pass
from tests.support.postgres import short_folder

NOBODY = 65534

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs it as somebody else")


def can_be_entered(folder: Path) -> bool:
    """Whether somebody else finds what is in the folder."""
    look = f"import os; os.setgid({NOBODY}); os.setuid({NOBODY}); os.stat({str(folder / 'inside')!r})"
    return subprocess.run([sys.executable, "-c", look], capture_output=True, check=False).returncode == 0


def test_closed_folder_is_opened_again_after_somebody_closed_it() -> None:
    with short_folder() as top:
        closed = top / "closed"
        (closed / "inside").mkdir(parents=True)
        for _ in range(2):
            closed.chmod(0o700)
            assert not can_be_entered(closed)
            let_pass(SystemUser(NOBODY, NOBODY, switch=True), closed / "inside")
            assert can_be_entered(closed)
