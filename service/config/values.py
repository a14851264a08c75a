"""Checks of single values: each gives the value back in its best form, or raises ValueError with what is right."""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import SecretStr

from service.config.tokens import parse_tokens

MIN_SECRET_LENGTH = 16


def names(value: object) -> object:
    """Names separated by commas, as a set; what is no text is left as it is."""
    if isinstance(value, str):
        return frozenset(part.strip() for part in value.split(",") if part.strip())
    return value


def address(value: str) -> str:
    """An http address, or nothing; without a slash at its end."""
    if value and not re.fullmatch(r"https?://[^\s/?#]+(/[^\s?#]*)?", value):
        raise ValueError("must be an address such as https://host or https://host:port/path, without ? and #")
    return value.rstrip("/")


def host_and_port(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9.-]+(:\d{1,5})?|\[[0-9A-Fa-f:]+\](:\d{1,5})?", value):
        raise ValueError("must be a host name with an optional port, such as queue.fal.run")
    return value


def existing_file(value: Path | None) -> Path | None:
    if value is not None and not value.is_file():
        raise ValueError(f"there is no file {str(value)!r}")
    return value


def tokens(value: SecretStr) -> SecretStr:
    parse_tokens(value)
    return value


def secret(value: SecretStr) -> SecretStr:
    if value.get_secret_value() and len(value.get_secret_value()) < MIN_SECRET_LENGTH:
        raise ValueError(f"must have at least {MIN_SECRET_LENGTH} characters")
    return value
