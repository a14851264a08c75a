"""Who may call the API, as it is written in one setting: ``name:token,name:token``."""

from __future__ import annotations

from collections.abc import Mapping

from pydantic import SecretStr

MIN_TOKEN_LENGTH = 16


def parse_tokens(value: SecretStr) -> Mapping[str, str]:
    """``{name: token}``. Raises ValueError that names the entry, never a token."""
    tokens: dict[str, str] = {}
    entries = [entry.strip() for entry in value.get_secret_value().split(",") if entry.strip()]
    for number, entry in enumerate(entries, 1):
        name, colon, token = entry.partition(":")
        if not colon or not name or len(token) < MIN_TOKEN_LENGTH:
            raise ValueError(
                f"entry {number} must be name:token with a token of at least {MIN_TOKEN_LENGTH} characters"
            )
        if name in tokens:
            raise ValueError(f"entry {number} has the same name as one before it; every caller needs its own")
        tokens[name] = token
    return tokens
