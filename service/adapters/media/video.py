"""Video: does it play, how long, how large, and its poster frame. Through FFmpeg's libraries (PyAV), in a thread.

The demuxer is named, so that a file cannot choose one that opens other files or addresses.
"""

from __future__ import annotations

from typing import IO

import av
from av.container import InputContainer
from av.video.frame import VideoFrame
from PIL import Image, ImageStat

from service.adapters.media.kinds import FileKind
from service.adapters.media.pictures import Damaged, Examined, thumbnail_of

_MOST_FRAMES_FOR_POSTER = 48
_DARK_LEVEL = 16.0
"""Mean brightness (0 to 255) below which a frame is taken for a fade-in."""


def examine_video(file: IO[bytes], kind: FileKind, *, max_pixels: int) -> Examined:
    """Opens a video and decodes its first frames. Raises Damaged."""
    file.seek(0)
    try:
        with av.open(file, mode="r", format=kind.codec, metadata_errors="ignore") as container:
            return _examine(container, max_pixels)
    except (av.FFmpegError, OSError, ValueError, EOFError) as error:
        raise Damaged(f"cannot be played ({type(error).__name__})") from error


def _examine(container: InputContainer, max_pixels: int) -> Examined:
    if not container.streams.video:
        raise Damaged("has no picture track")
    stream = container.streams.video[0]
    if stream.width * stream.height > max_pixels:
        raise Damaged(f"has {stream.width * stream.height} pixels a frame; at most {max_pixels} are taken")
    poster = _poster(container)
    if stream.duration is not None and stream.time_base is not None:
        duration_seconds = float(stream.duration * stream.time_base)
    else:
        duration_seconds = (container.duration or 0) / av.time_base
    if duration_seconds <= 0:
        raise Damaged("has no length")
    return Examined(
        width=poster.width,
        height=poster.height,
        duration_seconds=round(duration_seconds, 3),
        thumbnail=thumbnail_of(poster),
    )


def _poster(container: InputContainer) -> Image.Image:
    """The first frame that is not dark, else the first one."""
    first: Image.Image | None = None
    for number, frame in enumerate(container.decode(video=0)):
        picture = _upright(frame)
        if ImageStat.Stat(picture.convert("L")).mean[0] >= _DARK_LEVEL:
            return picture
        first = first or picture
        if number + 1 >= _MOST_FRAMES_FOR_POSTER:
            break
    if first is None:
        raise Damaged("has no frames")
    return first


def _upright(frame: VideoFrame) -> Image.Image:
    picture: Image.Image = frame.to_image()  # type: ignore[no-untyped-call]
    return picture.rotate(frame.rotation, expand=True) if frame.rotation else picture
