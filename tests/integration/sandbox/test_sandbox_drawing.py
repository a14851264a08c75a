"""Drawn files are what they say they are, and follow from their description alone."""

from __future__ import annotations

import io

import av
import pytest
from PIL import Image

from sandbox.drawing import DrawingSpec, render
from sandbox.drawing.film import FRAMES_PER_SECOND, SECONDS
from sandbox.drawing.scene import PLACES, scene_for


def spec(prompt: str = "a cat", seed: int = 1, index: int = 0, file_format: str = "png") -> DrawingSpec:
    return DrawingSpec("image", prompt, seed, index, 96, 64, file_format)  # type: ignore[arg-type]


@pytest.mark.parametrize("file_format", ["png", "jpeg", "webp"])
def test_pictures_are_real_files_of_the_asked_size(file_format: str) -> None:
    with Image.open(io.BytesIO(render(spec(file_format=file_format)))) as picture:
        picture.load()
        assert (picture.format or "").lower() == file_format
        assert picture.size == (96, 64)


def test_pictures_differ_by_prompt_seed_and_index_and_by_nothing_else() -> None:
    specs = [spec(), spec(prompt="a dog"), spec(seed=2), spec(index=1)]
    assert len({render(each) for each in specs}) == len(specs)
    assert render(specs[0]) == render(spec())


@pytest.mark.parametrize(
    "prompt", [*PLACES, "кот ночью", "лодка на закате", "маяк", "воздушный шар", "birds", "a house"]
)
@pytest.mark.parametrize("size", [(64, 64), (1024, 64), (64, 1024)])
def test_every_motif_fits_every_proportion(prompt: str, size: tuple[int, int]) -> None:
    drawn = render(DrawingSpec("image", prompt, 3, 0, *size, "jpeg"))
    assert Image.open(io.BytesIO(drawn)).size == size


def test_words_decide_what_is_seen() -> None:
    scene = scene_for("Рыжий кот на крыше ночью", 1)
    assert (scene.place, scene.time_of_day, scene.subject) == ("city", "night", "cat")
    assert scene_for("a category of things", 1).subject != "cat"


def test_film_plays_in_a_browser() -> None:
    drawn = render(DrawingSpec("video", "sea", 1, 0, 96, 64, "mp4"))
    assert drawn.index(b"moov") < drawn.index(b"mdat")
    with av.open(io.BytesIO(drawn), mode="r") as container:
        stream = container.streams.video[0]
        assert (stream.codec_context.name, stream.codec_context.pix_fmt) == ("h264", "yuv420p")
        frames = [bytes(frame.planes[0]) for frame in container.decode(stream)]
    assert len(frames) == round(SECONDS * FRAMES_PER_SECOND)
    assert frames[0] != frames[-1]


def test_a_portrait_without_its_reference_is_still_a_picture() -> None:
    drawn = render(DrawingSpec("avatar", "sea", 1, 0, 96, 96, "jpeg", reference="gone"))
    assert Image.open(io.BytesIO(drawn)).size == (96, 96)
