"""Which processes there can be, and how they find each other."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import pytest
import trustme

from service.bootstrap import CannotStart, Databases
from service.bootstrap.checks import check_settings
from service.cli.processes import address_for_clients, api_settings
from service.config import Settings


@pytest.fixture(autouse=True)
def no_settings_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRIPTYCH_")]:
        monkeypatch.delenv(name)


def settings(**given: Any) -> Settings:
    return Settings(**{"roles": "api,projector", **given})


def problems(**given: Any) -> list[str]:
    try:
        check_settings(settings(**given))
    except CannotStart as error:
        return list(error.problems)
    return []


@pytest.fixture
def tls(tmp_path: Path) -> dict[str, Path]:
    pair = trustme.CA().issue_cert("triptych.example")
    certificate, key = tmp_path / "certificate", tmp_path / "key"
    certificate.write_bytes(b"".join(each.bytes() for each in pair.cert_chain_pems))
    key.write_bytes(pair.private_key_pem.bytes())
    return {"api_tls_cert_file": certificate, "api_tls_key_file": key}


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections")
def test_roles_in_any_combination() -> None:
    for roles in ("api", "web", "projector,web", "api,web"):
        assert problems(roles=roles) == []
    assert problems(processes=4) == []
    assert problems(api_shared_port=True) == []


def test_several_processes_are_for_the_api() -> None:
    (problem,) = problems(processes=2, roles="projector")
    assert problem == "TRIPTYCH_PROCESSES: is for the role api, which is not on; add it to TRIPTYCH_ROLES, or set 1"


@pytest.mark.parametrize("given", [{"processes": 2}, {"api_shared_port": True}])
def test_a_system_that_does_not_spread_connections_is_told(
    monkeypatch: pytest.MonkeyPatch, given: dict[str, Any]
) -> None:
    monkeypatch.setattr("service.api.shared_port.sys.platform", "darwin")
    (problem,) = problems(**given)
    assert "does not spread connections over processes that listen on one port (Linux does)" in problem
    assert problems() == []


def test_with_tls_the_web_gallery_has_to_be_told_the_apis_name(
    monkeypatch: pytest.MonkeyPatch, tls: dict[str, Path]
) -> None:
    assert problems(**tls) == []
    (problem,) = problems(roles="api,web", **tls)
    assert problem.startswith("TRIPTYCH_SERVER: is missing; with TLS the role web has to know the API by the name")
    monkeypatch.setenv("TRIPTYCH_SERVER", "https://triptych.example:50051")
    assert problems(roles="api,web", **tls) == []


def test_an_api_child_has_what_its_parent_has_found_out() -> None:
    databases = Databases("host=/sockets dbname=log", "host=/sockets dbname=views", embedded=True)
    given = settings(processes=2, api_port=0, data_dir="/data", health_port=8090)
    different: dict[str, Any] = {name.lower(): value for name, value in api_settings(given, databases, 7).items()}
    child = Settings(**different)
    assert sorted(child.roles) == ["api"]
    assert (child.processes, child.api_port, child.api_shared_port) == (1, 7, True)
    assert (child.event_store, child.read_models) == databases[:2]
    assert child.data_dir == Path("/data")
    assert child.health_port == 0, "the parent listens on the one that was set"
    assert "HEALTH_PORT" not in api_settings(settings(processes=2), databases, 7)


@pytest.mark.parametrize(
    ("host", "listens_on", "reached_at"),
    [
        ("127.0.0.1", "127.0.0.1:50051", "127.0.0.1:50051"),
        ("0.0.0.0", "0.0.0.0:50051", "127.0.0.1:50051"),
        ("::", "[::]:50051", "[::1]:50051"),
        ("pictures.example", "pictures.example:50051", "pictures.example:50051"),
        ("127.0.0.1", "", ""),
    ],
)
def test_clients_on_this_machine_reach_the_api(
    monkeypatch: pytest.MonkeyPatch, host: str, listens_on: str, reached_at: str
) -> None:
    given = settings(api_host=host)
    assert address_for_clients(given, listens_on) == reached_at
    monkeypatch.setenv("TRIPTYCH_SERVER", "elsewhere.example")
    assert address_for_clients(given, listens_on) == ""
