"""``python -m tools.docs write | check``.

- ``write`` makes the pages anew from the code.
- ``check`` makes them too, compares them with what is committed, and fails where they differ.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from benchmarks.page import performance_page
from tools.docs.events_page import events_page
from tools.docs.settings_page import settings_page

ROOT = Path(__file__).resolve().parents[2]
PAGES: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/events.md": events_page,
    "docs/performance.md": performance_page,
}


def write(root: Path = ROOT) -> list[str]:
    """Writes what has changed; the names of those pages."""
    changed = stale(root)
    for name in changed:
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(PAGES[name](), "utf-8")
    return changed


def stale(root: Path = ROOT) -> list[str]:
    """The pages that are missing or do not say what the code says."""
    return [name for name, make in PAGES.items() if _read(root / name) != make()]


def _read(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m tools.docs", description="The pages that are made from the code."
    )
    parser.add_argument("command", choices=["write", "check"])
    if parser.parse_args(arguments).command == "write":
        for name in write():
            print(f"{name}: written")
        return 0
    found = stale()
    for name in found:
        print(f"{name}: is stale; run 'make docs' and commit it", file=sys.stderr)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
