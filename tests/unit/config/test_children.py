"""What children are set up with."""

from __future__ import annotations

import os

import pytest

from service.config.children import named_server, service_environment, web_environment


@pytest.fixture
def surroundings(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith("TRIPTYCH_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "TRIPTYCH_FAL_KEY": "a key",
        "TRIPTYCH_API_PORT": "50051",
        "TRIPTYCH_WEB_PORT": "8080",
        "LANG": "C.UTF-8",
    }.items():
        monkeypatch.setenv(name, value)


@pytest.mark.usefixtures("surroundings")
def test_a_service_has_the_settings_of_its_parent_but_for_what_is_changed() -> None:
    environment = service_environment({"API_PORT": "7", "ROLES": "api"})
    ours = {name: value for name, value in environment.items() if name.startswith("TRIPTYCH_")}
    assert ours == {
        "TRIPTYCH_FAL_KEY": "a key",
        "TRIPTYCH_API_PORT": "7",
        "TRIPTYCH_WEB_PORT": "8080",
        "TRIPTYCH_ROLES": "api",
    }
    assert environment["LANG"] == "C.UTF-8"
    assert os.environ["TRIPTYCH_API_PORT"] == "50051"


@pytest.mark.usefixtures("surroundings")
def test_the_web_gallery_gets_none_of_the_services_secrets() -> None:
    environment = web_environment(server="127.0.0.1:7", token="a token")
    ours = {name: value for name, value in environment.items() if name.startswith("TRIPTYCH_")}
    assert ours == {
        "TRIPTYCH_WEB_PORT": "8080",
        "TRIPTYCH_SERVER": "127.0.0.1:7",
        "TRIPTYCH_TOKEN": "a token",
    }
    assert environment["LANG"] == "C.UTF-8"
    assert "TRIPTYCH_SERVER" not in web_environment(server="", token="")


@pytest.mark.usefixtures("surroundings")
def test_the_operators_server_and_token_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assert named_server() == ""
    monkeypatch.setenv("TRIPTYCH_SERVER", "https://triptych.example")
    monkeypatch.setenv("TRIPTYCH_TOKEN", "theirs")
    environment = web_environment(server="127.0.0.1:7", token="ours")
    assert environment["TRIPTYCH_SERVER"] == named_server() == "https://triptych.example"
    assert environment["TRIPTYCH_TOKEN"] == "theirs"
