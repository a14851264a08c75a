"""Settings as a list: each is described, and each number has bounds in its unit."""

from __future__ import annotations

import pytest
from pydantic import SecretStr
from pydantic.fields import FieldInfo

from service.config import ROLES, Settings, parse_tokens
from service.config.expected import expected

FIELDS = Settings.model_fields.items()


@pytest.mark.parametrize(("name", "field"), FIELDS, ids=lambda value: value if isinstance(value, str) else "")
def test_each_is_described_and_bounded(name: str, field: FieldInfo) -> None:
    assert field.description
    assert field.description.endswith(".")
    if field.annotation in (int, float):
        rules = [attribute for rule in field.metadata for attribute in ("ge", "gt", "le") if hasattr(rule, attribute)]
        assert len(rules) == 2, f"{name} needs a lower and an upper bound"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("api_port", "a whole number from 0 to 65535"),
        ("lease_seconds", "a number above 0 and at most 86400"),
        ("pass_unmoderated", "true or false"),
        ("log_format", "one of: text, json"),
        ("roles", f"any of these, separated by commas: {', '.join(ROLES)}"),
        ("data_dir", "a path"),
        ("ca_file", "a path"),
        ("fal_key", "text"),
        ("api_host", "text"),
    ],
)
def test_what_is_expected_in_words(name: str, words: str) -> None:
    assert expected(Settings.model_fields[name]) == words


def test_defaults_are_valid() -> None:
    # Pydantic does not check defaults by itself.
    Settings.model_validate(Settings().model_dump())


def test_tokens_are_told_apart_by_name() -> None:
    parsed = parse_tokens(SecretStr(" bot:0123456789abcdef ,, billing:with:colons:in:it "))
    assert parsed == {"bot": "0123456789abcdef", "billing": "with:colons:in:it"}


def test_no_tokens() -> None:
    assert parse_tokens(SecretStr("")) == {}
