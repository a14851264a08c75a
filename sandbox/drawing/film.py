"""Short real video: H.264 in MP4, 4:2:0, with the index in front so that a browser starts at once.

However long a clip was asked for, it lasts ``SECONDS``: the sandbox stands for the vendor's protocol, not for its
patience. The picture is at most 640 pixels long. It has no sound.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Final

import av

from sandbox.drawing.paint import paint
from sandbox.drawing.scene import Scene

SECONDS: Final = 1.5
FRAMES_PER_SECOND: Final = 16
MAX_SIDE: Final = 640


def film(scene: Scene, width: int, height: int) -> bytes:
    """An MP4 file of the moving scene; ``width`` and ``height`` are made smaller to fit ``MAX_SIDE``."""
    scale = min(1.0, MAX_SIDE / max(width, height))
    width, height = (max(16, round(side * scale / 2) * 2) for side in (width, height))
    with tempfile.TemporaryDirectory(prefix="triptych-film-") as folder:
        # A real file, because moving the index to the front makes FFmpeg open its own output a second time.
        target = Path(folder, "film.mp4")
        _encode(scene, width, height, target)
        return target.read_bytes()


def _encode(scene: Scene, width: int, height: int, target: Path) -> None:
    frames = round(SECONDS * FRAMES_PER_SECOND)
    with av.open(str(target), mode="w", format="mp4", options={"movflags": "faststart"}) as container:
        # One thread: the same frames then give the same bytes, whatever the machine.
        stream = container.add_stream(
            "libx264", rate=FRAMES_PER_SECOND, options={"preset": "ultrafast", "crf": "26", "threads": "1"}
        )
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        for number in range(frames):
            picture = paint(scene, width, height, time=number / frames)
            frame = av.VideoFrame.from_image(picture)  # type: ignore[no-untyped-call]
            for packet in stream.encode(frame):
                container.mux(packet)
        for packet in stream.encode():
            container.mux(packet)
