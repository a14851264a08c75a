"""Names lead to files below the folder, and nowhere else."""

from __future__ import annotations

from pathlib import Path

import pytest

from service.adapters.media.local_files import locate
from service.ports.media_store import MediaRejected


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "images" / "2023").mkdir(parents=True)
    (tmp_path / "images" / "link").symlink_to("2023")
    (tmp_path / "images" / "out").symlink_to(tmp_path)
    (tmp_path / "images" / "circle").symlink_to("circle")
    return tmp_path / "images"


@pytest.mark.parametrize("name", ["a.png", "2023/a.png", "2023/../a.png", "link/a.png", "нет.png"])
def test_what_is_below_the_folder_is_found(folder: Path, name: str) -> None:
    assert locate(folder, name).is_relative_to(folder.resolve())


def test_a_whole_path_may_lead_there_too(folder: Path) -> None:
    assert locate(folder, str(folder / "a.png")) == folder.resolve() / "a.png"


@pytest.mark.parametrize(
    "name", ["../secret", "2023/../../secret", "/etc/passwd", "out/secret", "..", "circle/a", "a\0b"]
)
def test_what_is_elsewhere_is_refused(folder: Path, name: str) -> None:
    with pytest.raises(MediaRejected):
        locate(folder, name)
