"""Addresses and options as people write them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from clients.sdk import InvalidOption, Triptych
from clients.sdk.options import options_from, parse_address


@pytest.mark.parametrize(
    ("text", "target", "tls"),
    [
        ("localhost", "localhost:50051", False),
        ("localhost:9", "localhost:9", False),
        (" 10.0.0.1:65535 ", "10.0.0.1:65535", False),
        ("::1", "[::1]:50051", False),
        ("[::1]", "[::1]:50051", False),
        ("[::1]:9", "[::1]:9", False),
        ("http://triptych.example", "triptych.example:50051", False),
        ("https://triptych.example", "triptych.example:443", True),
        ("https://triptych.example:8443/", "triptych.example:8443", True),
        ("unix:/run/triptych.sock", "unix:/run/triptych.sock", False),
        ("dns:///triptych.example:9", "dns:///triptych.example:9", False),
    ],
)
def test_addresses(text: str, target: str, tls: bool) -> None:
    address = parse_address(text)
    assert (address.target, address.tls) == (target, tls)


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "a b",
        "localhost:",
        ":9",
        "localhost:x",
        "localhost:0",
        "localhost:65536",
        "a/b",
        "https://",
        "https://a/b",
        "https://me@a",
    ],
)
def test_addresses_that_cannot_be(text: str) -> None:
    with pytest.raises(InvalidOption, match="address: must be host:port or https://host:port"):
        parse_address(text)


@pytest.mark.parametrize(
    ("host", "loopback"),
    [("localhost", True), ("127.0.0.1:9", True), ("::1", True), ("10.0.0.1:9", False), ("a.example", False)],
)
def test_no_proxy_for_this_machine(host: str, loopback: bool) -> None:
    options = options_from(host, "", None, {})
    assert (("grpc.enable_http_proxy", 0) in options.channel_options) is loopback


def test_the_environment_stands_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPTYCH_SERVER", "triptych.example:9")
    monkeypatch.setenv("TRIPTYCH_TOKEN", "secret")
    options = options_from(None, None, None, {})
    assert options.address.target == "triptych.example:9"
    assert options.metadata == (("authorization", "Bearer secret"),)
    assert "secret" not in repr(options)
    given = options_from("localhost", "", None, {})
    assert given.address.target == "localhost:50051"
    assert given.metadata == ()


@pytest.mark.parametrize(
    ("arguments", "option"),
    [
        ({"timeout_seconds": 0}, "timeout_seconds"),
        ({"transfer_timeout_seconds": -1.0}, "transfer_timeout_seconds"),
        ({"token": "a\nb"}, "token"),
        ({"token": "ключ"}, "token"),
        ({"ca_file": "ca.pem"}, "ca_file"),
        ({"address": "https://localhost", "ca_file": "no-such-file.pem"}, "ca_file"),
    ],
)
def test_options_that_cannot_be(arguments: dict[str, Any], option: str, tmp_path: Path) -> None:
    with pytest.raises(InvalidOption) as caught:
        Triptych(**({"address": "localhost:1"} | arguments))
    assert caught.value.option == option
