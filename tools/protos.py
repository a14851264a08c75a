"""The contract's tool chain: ``python -m tools.protos generate | check | breaking | baseline``.

- ``generate`` writes Python code and types from ``protos/`` into ``gen/``, which is committed and never edited.
- ``check`` requires that the contract is formatted and passes its lint, and that generating again gives what is
  committed, byte for byte.
- ``breaking`` compares the contract with ``protos/baseline.binpb``, the contract of the last release. (The last
  commit would be no help: in a fresh clone that is the change itself, so the comparison could never fail.)
- ``baseline`` makes today's contract the one to compare with; done once for each release.

Generators come from the pinned environment, so the same sources give the same code on every machine.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from importlib.resources import files
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PROTOS = ROOT / "protos"
BASELINE = PROTOS / "baseline.binpb"
GENERATED = ROOT / "gen"
TIMEOUT_SECONDS = 300

PACKAGE_FILES = {
    "triptych/__init__.py": '"""Generated from protos/ by tools/protos.py; not to be edited."""\n',
    "triptych/py.typed": "",
    "triptych/v1/__init__.py": '"""Generated from protos/triptych/v1 by tools/protos.py; not to be edited."""\n',
}


class ToolFailed(Exception):
    """A tool found something wrong; the message is what it said."""


def generate(target: Path, protos: Path = PROTOS) -> None:
    """Writes the code for every file of the contract under ``target`` and removes what no longer belongs there."""
    sources = sorted(protos.rglob("*.proto"))
    target.mkdir(parents=True, exist_ok=True)
    for stale in _generated_files(target):
        (target / stale).unlink()
    _run(
        sys.executable,
        "-m",
        "grpc_tools.protoc",
        f"--proto_path={protos}",
        f"--proto_path={files('grpc_tools') / '_proto'}",
        f"--python_out={target}",
        f"--grpc_python_out={target}",
        f"--mypy_out={target}",
        f"--mypy_grpc_out={target}",
        *(str(source) for source in sources),
    )
    for name, text in PACKAGE_FILES.items():
        (target / name).parent.mkdir(parents=True, exist_ok=True)
        (target / name).write_text(text)


def find_stale(generated: Path = GENERATED, protos: Path = PROTOS) -> list[str]:
    """Names of generated files that are not what ``protos`` would give: changed, missing or left over."""
    with tempfile.TemporaryDirectory(prefix="triptych-gen-") as folder:
        fresh = Path(folder)
        generate(fresh, protos)
        names = _generated_files(fresh) | _generated_files(generated)
        return sorted(name for name in names if _read(fresh / name) != _read(generated / name))


def check() -> None:
    """Raises ToolFailed unless the contract is formatted, passes its lint and ``gen/`` is fresh."""
    _buf("format", "--diff", "--exit-code")
    _buf("lint")
    if stale := find_stale():
        raise ToolFailed(f"not what protos/ gives: {', '.join(stale)}\nrun: python -m tools.protos generate")


def find_breaking(against: Path = BASELINE, module: Path = ROOT) -> None:
    """Raises ToolFailed, with a line for each, if the contract in ``module`` breaks callers of ``against``."""
    if not against.exists():
        raise ToolFailed(f"{against} is missing\nrun: python -m tools.protos baseline")
    _buf("breaking", "--against", str(against), folder=module)


def make_baseline() -> None:
    """Makes today's contract the one that later ones are compared with."""
    _buf("build", "--exclude-source-info", "-o", str(BASELINE))


def _generated_files(folder: Path) -> set[str]:
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {path.as_posix() for path in found if "__pycache__" not in path.parts}


def _read(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def _buf(*arguments: str, folder: Path = ROOT) -> None:
    _run(str(Path(sys.executable).parent / "buf"), *arguments, folder=folder)


def _run(*command: str, folder: Path = ROOT) -> None:
    """Runs a tool of the environment, whose folder comes first in PATH so that protoc finds its plugins there."""
    environment = os.environ | {"PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        command,
        cwd=folder,
        env=environment,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        timeout=TIMEOUT_SECONDS,
        check=False,
    )
    if done.returncode != 0:
        raise ToolFailed(done.stdout.strip() or f"{command[0]} ended with code {done.returncode}")


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tools.protos", description=(__doc__ or "").splitlines()[0])
    actions = {
        "generate": lambda: generate(GENERATED),
        "check": check,
        "breaking": find_breaking,
        "baseline": make_baseline,
    }
    parser.add_argument("action", choices=actions)
    try:
        actions[parser.parse_args(arguments).action]()
    except ToolFailed as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
