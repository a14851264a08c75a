"""What a sandbox can be told when it is started. The defaults are right for a demo; tests raise ``speed``."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

MEBIBYTE = 1024 * 1024


class InvalidOption(ValueError):
    """An option has a value that cannot work.

    Attributes:
        option: the option's name.
        value: what was given.
        expected: what would be right.
    """

    def __init__(self, option: str, value: object, expected: str) -> None:
        super().__init__(f"{option} is {value!r}; it must be {expected}.")
        self.option = option
        self.value = value
        self.expected = expected


@dataclass(frozen=True, kw_only=True)
class SandboxOptions:
    """Settings of one sandbox.

    Attributes:
        host: a loopback address to listen on; the sandbox has no business on a network.
        fal_port, openai_port, control_port: 0 picks a free one.
        fal_key, openai_api_key: the only keys that are accepted.
        ca_file: where the CA certificate (PEM) is written; a temporary file that goes away if not given.
        speed: 1 is a believable pace (seconds a picture); 1000 is as good as at once.
        picture_side: the longer side of drawn pictures, in pixels.
        validate_at: when wrong arguments are refused. The vendor's queue takes anything and the model refuses
            it later ("result"); "submit" refuses at once.
        jobs_kept: how many jobs are remembered; the oldest are forgotten.
        drawn_bytes_kept: how many bytes of drawn pictures and video are kept; the rest is drawn again.
        draw_threads: how many pictures are drawn at a time.
    """

    host: str = "127.0.0.1"
    fal_port: int = 0
    openai_port: int = 0
    control_port: int = 0
    fal_key: str = "sandbox-fal-key"
    openai_api_key: str = "sandbox-openai-key"
    ca_file: Path | None = None
    speed: float = 1.0
    picture_side: int = 1024
    validate_at: Literal["submit", "result"] = "result"
    jobs_kept: int = 50_000
    drawn_bytes_kept: int = 256 * MEBIBYTE
    draw_threads: int = 2

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "localhost"):
            raise InvalidOption("host", self.host, "127.0.0.1 or localhost")
        for name in ("fal_port", "openai_port", "control_port"):
            if not 0 <= getattr(self, name) <= 65_535:
                raise InvalidOption(name, getattr(self, name), "from 0 (a free port) to 65535")
        if not 0 < self.speed <= 1_000_000:
            raise InvalidOption("speed", self.speed, "above 0 and at most 1000000")
        if not 64 <= self.picture_side <= 2048:
            raise InvalidOption("picture_side", self.picture_side, "from 64 to 2048 pixels")
        if self.validate_at not in ("submit", "result"):
            raise InvalidOption("validate_at", self.validate_at, "submit or result")
        for name in ("jobs_kept", "drawn_bytes_kept", "draw_threads"):
            if getattr(self, name) < 1:
                raise InvalidOption(name, getattr(self, name), "at least 1")
