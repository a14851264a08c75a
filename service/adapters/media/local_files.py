"""Files of this machine that others name: only those below a folder, whatever the name says."""

from __future__ import annotations

from pathlib import Path

from service.ports.media_store import MediaRejected


def locate(folder: Path, name: str) -> Path:
    """The file that ``name``, relative or whole, means below ``folder``, with links followed.

    Raises MediaRejected for one that is elsewhere.
    """
    try:
        root = folder.resolve()
        path = (root / name).resolve()
    except (OSError, RuntimeError, ValueError) as error:  # too long, a circle of links, a zero byte
        raise MediaRejected("its path cannot be followed") from error
    if not path.is_relative_to(root):
        raise MediaRejected(f"its path leads out of {folder}")
    return path
