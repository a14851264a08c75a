"""Connection strings of the event store."""

from __future__ import annotations

import pytest

from service.config.conninfo import check_conninfo, check_event_store, names_kurrentdb


@pytest.mark.parametrize(
    "value",
    [
        "kurrentdb://localhost:2113?tls=false",
        "kurrentdb+discover://admin:p%40ss@cluster.example:2113",
        "esdb://admin:changeit@a:1,b:2,c:3?nodePreference=leader",
    ],
)
def test_kurrentdb_is_known_by_its_schemes(value: str) -> None:
    assert names_kurrentdb(value)
    assert check_event_store(value) == value


@pytest.mark.parametrize("value", ["", "postgresql://u:p@h:1/d", "host=h dbname=d"])
def test_anything_else_is_postgresqls(value: str) -> None:
    assert not names_kurrentdb(value)
    assert check_event_store(value) == value


@pytest.mark.parametrize(
    ("value", "says"),
    [
        ("kurrentdb://admin:hunter2@host?tls=maybe", "'maybe' not one of: true, false"),
        ("kurrentdb://admin:hunter2@host?colour=red", "unknown field in connection query string: COLOUR"),
        ("kurrentdb://host:2113", "username and password are required"),
        ("kurrentdb://admin:hunter2@?tls=false", "no targets specified"),
        ("kurrentdb://admin:hunter2/@host", "username and password are required"),
        ("kurrentdb://admin:hunter2@host?nodePreference=follower", "nodePreference must be leader"),
        ("mongodb://admin:hunter2@host", "or kurrentdb://user:password@host:port"),
    ],
)
def test_what_is_wrong_is_said_without_the_password(value: str, says: str) -> None:
    with pytest.raises(ValueError, match=says) as refused:
        check_event_store(value)
    assert "hunter2" not in str(refused.value)


def test_read_models_are_in_postgresql_only() -> None:
    with pytest.raises(ValueError, match="must be postgresql://"):
        check_conninfo("kurrentdb://localhost:2113?tls=false")
