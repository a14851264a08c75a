"""What a test can make the server do. Plain values, so that a server in another process can be told as well."""

from __future__ import annotations

from typing import Literal

import msgspec

LIVE_BUFFER = 32


class Faults(msgspec.Struct, kw_only=True):
    """Set what you need; numbers of calls count down as calls come."""

    version: str = "25.1.0"
    """What the server says it is."""
    follows: tuple[str, int] | None = None
    """Host and port of the leader, while this node is a follower of it; see also ``follower_calls``."""
    follower_calls: int = 0
    """So many calls that need the leader are answered as by a follower (that names itself as the leader)."""
    lost_answers: int = 0
    """So many appends take effect without their callers hearing of it."""
    lost_how: Literal["unavailable", "silence"] = "unavailable"
    """A lost answer is a broken connection, or nothing at all until the caller's deadline."""
    live_buffer: int = LIVE_BUFFER
    """Messages that wait for a live subscriber (of subscriptions that begin from now on)."""
    tells_fell_behind: bool = False
    """Send the message that the protocol has for it."""
    clock_offset_seconds: float = 0.0
    """Added to the node's clock."""

    def take_follower_call(self) -> bool:
        if self.follower_calls > 0:
            self.follower_calls -= 1
            return True
        return self.follows is not None

    def take_lost_answer(self) -> bool:
        if self.lost_answers > 0:
            self.lost_answers -= 1
            return True
        return False

    @property
    def names_mixed_failures(self) -> bool:
        """Since 26.0.3 an append of which a part is a repeat is told as a conflict, before as a malfunction."""
        return tuple(int(part) for part in self.version.split(".")[:3]) >= (26, 0, 3)

    @property
    def has_append_session(self) -> bool:
        return tuple(int(part) for part in self.version.split(".")[:2]) >= (25, 1)
