"""What the Telegram bot says: its own phrases beside those of all galleries."""

from __future__ import annotations

from clients.words import words_of

WORDS = words_of(__name__)
