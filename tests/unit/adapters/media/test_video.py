from __future__ import annotations

import io
from collections.abc import Sequence

import av
import pytest
from PIL import Image

from service.adapters.media.kinds import KINDS, kind_of
from service.adapters.media.pictures import Damaged
from service.adapters.media.video import examine_video

MP4 = KINDS["video/mp4"]
MANY = 10_000_000


def film(colours: Sequence[str], size: tuple[int, int] = (64, 36)) -> bytes:
    """A real MP4 of ten frames a second, one of each colour."""
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10)
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        for colour in colours:
            frame = av.VideoFrame.from_image(Image.new("RGB", size, colour))  # type: ignore[no-untyped-call]
            container.mux(stream.encode(frame))
        container.mux(stream.encode())
    return target.getvalue()


def test_length_size_and_poster() -> None:
    content = film(["white"] * 20)
    assert kind_of(content[:8192]) == MP4
    seen = examine_video(io.BytesIO(content), MP4, max_pixels=MANY)
    assert (seen.width, seen.height) == (64, 36)
    assert seen.duration_seconds == pytest.approx(2.0, abs=0.2)
    assert (seen.thumbnail.width, seen.thumbnail.height) == (64, 36)


@pytest.mark.parametrize(("colours", "bright"), [(["black"] * 5 + ["white"] * 5, True), (["black"] * 60, False)])
def test_a_fade_in_is_no_poster_unless_there_is_nothing_else(colours: list[str], bright: bool) -> None:
    seen = examine_video(io.BytesIO(film(colours)), MP4, max_pixels=MANY)
    with Image.open(io.BytesIO(seen.thumbnail.content)) as poster:
        pixel = poster.convert("L").getpixel((0, 0))
    assert isinstance(pixel, int)
    assert (pixel > 128) is bright


@pytest.mark.parametrize("keep", [0.3, 0.9])
def test_what_is_cut_off_is_damaged(keep: float) -> None:
    content = film(["white"] * 20)
    with pytest.raises(Damaged):
        examine_video(io.BytesIO(content[: int(len(content) * keep)]), MP4, max_pixels=MANY)


def test_sound_alone_is_no_video() -> None:
    target = io.BytesIO()
    with av.open(target, "w", format="mp4") as container:
        stream = container.add_stream("aac", rate=44_100)
        frame = av.AudioFrame(format="fltp", layout="mono", samples=1024)
        frame.sample_rate = 44_100
        for plane in frame.planes:
            plane.update(bytes(plane.buffer_size))
        container.mux(stream.encode(frame))
        container.mux(stream.encode())
    with pytest.raises(Damaged, match="no picture track"):
        examine_video(target, MP4, max_pixels=MANY)


def test_frames_with_too_many_pixels_are_not_decoded() -> None:
    with pytest.raises(Damaged, match="pixels a frame"):
        examine_video(io.BytesIO(film(["white"])), MP4, max_pixels=100)
