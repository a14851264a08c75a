"""What the Bot API server can be told when it is started. The defaults are Telegram's own limits, as far as known."""

from __future__ import annotations

from dataclasses import dataclass, field

from sandbox.options import InvalidOption

SANDBOX_TOKEN = "7000000001:sandbox-telegram-token"  # noqa: S105 - known to everybody, opens nothing


@dataclass(frozen=True, kw_only=True)
class FloodLimits:
    """How much a bot may write before it is told to wait; 0 as a rate turns that limit off.

    Telegram asks for at most one message a second in a chat, with short bursts, and about 30 a second in all.

    Attributes:
        chat_per_second: messages and edits a second in one chat, in the long run.
        chat_burst: how many may come at once in one chat.
        per_second: the same over all chats, which is also the burst.
    """

    chat_per_second: float = 1.0
    chat_burst: int = 5
    per_second: float = 30.0

    def __post_init__(self) -> None:
        for name in ("chat_per_second", "per_second"):
            if not 0 <= getattr(self, name) <= 1_000_000:
                raise InvalidOption(name, getattr(self, name), "from 0 (no limit) to 1000000")
        if not 1 <= self.chat_burst <= 1_000_000:
            raise InvalidOption("chat_burst", self.chat_burst, "from 1 to 1000000")


@dataclass(frozen=True, kw_only=True)
class TelegramOptions:
    """Settings of one server.

    Attributes:
        host: a loopback address to listen on.
        port, control_port: 0 picks a free one.
        token: the only token that is accepted: the bot's user id, a colon, a secret.
        bot_name, bot_username: who the bot is.
        strict: refuse parameters that a method does not have (Telegram ignores them), so that a typing error shows.
        flood: when a bot is told to wait.
        callback_seconds: for how long the press of a button can be answered.
    """

    host: str = "127.0.0.1"
    port: int = 0
    control_port: int = 0
    token: str = SANDBOX_TOKEN
    bot_name: str = "Triptych"
    bot_username: str = "triptych_sandbox_bot"
    strict: bool = True
    flood: FloodLimits = field(default_factory=FloodLimits)
    callback_seconds: float = 60.0

    def __post_init__(self) -> None:
        if self.host not in ("127.0.0.1", "localhost"):
            raise InvalidOption("host", self.host, "127.0.0.1 or localhost")
        for name in ("port", "control_port"):
            if not 0 <= getattr(self, name) <= 65_535:
                raise InvalidOption(name, getattr(self, name), "from 0 (a free port) to 65535")
        bot_id, colon, secret = self.token.partition(":")
        if not (bot_id.isascii() and bot_id.isdigit() and not bot_id.startswith("0") and colon and secret):
            raise InvalidOption("token", self.token, "a number, a colon and a secret, as in 7000000001:secret")
        if "/" in self.token or len(self.token) > 80:
            raise InvalidOption("token", self.token, "at most 80 characters without a slash")
        if not 0 < self.callback_seconds <= 3600:
            raise InvalidOption("callback_seconds", self.callback_seconds, "above 0 and at most 3600")

    @property
    def bot_id(self) -> int:
        """The bot's user id, which the token begins with."""
        return int(self.token.partition(":")[0])
