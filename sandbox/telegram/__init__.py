"""A stand-in for Telegram's Bot API, over real HTTP, with people in it whom tests and demos play.

``python -m sandbox.telegram`` runs it; ``running_telegram`` runs it in an event loop. See ``docs/sandbox.md``.
"""

from sandbox.telegram.options import FloodLimits, TelegramOptions
from sandbox.telegram.server import TelegramServer, running_telegram

__all__ = ["FloodLimits", "TelegramOptions", "TelegramServer", "running_telegram"]
