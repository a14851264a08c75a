"""Links: one sign-in each, files for a time, nothing that was changed on the way; pieces of files."""

from __future__ import annotations

from pathlib import Path

import pytest

from clients.web.files import Piece, Unsatisfiable, piece_of
from clients.web.links import BadLink, MediaLinks, SignInLinks
from clients.web.pages.signing_in import local_path
from clients.web.settings import WebSettings, WebSettingsError, load_web_settings, secret_of

SECRET = "a secret that is long enough for this"


def test_a_sign_in_link_works_once_also_after_a_restart(tmp_path: Path) -> None:
    links = SignInLinks(SECRET, tmp_path, 900)
    token = links.issue("anna")
    assert links.check(token) == "anna"
    assert links.use(token) == "anna"
    for again in (links, SignInLinks(SECRET, tmp_path, 900)):
        with pytest.raises(BadLink):
            again.use(token)
        with pytest.raises(BadLink):
            again.check(token)
    assert links.use(links.issue("anna")) == "anna"


def test_a_sign_in_link_of_another_secret_or_changed_is_refused(tmp_path: Path) -> None:
    links = SignInLinks(SECRET, tmp_path, 900)
    for token in (SignInLinks("another" + SECRET, tmp_path, 900).issue("anna"), links.issue("anna")[:-1], "x"):
        with pytest.raises(BadLink):
            links.use(token)


def test_a_sign_in_link_that_has_run_out_is_refused(tmp_path: Path) -> None:
    token = SignInLinks(SECRET, tmp_path, 900).issue("anna")
    with pytest.raises(BadLink):
        SignInLinks(SECRET, tmp_path, -1).use(token)


def test_a_link_is_issued_to_a_user_only(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="1 to 128"):
        SignInLinks(SECRET, tmp_path, 900).issue("anna smith")


def test_the_address_of_a_file_stays_the_same_for_a_period_and_then_runs_out() -> None:
    links = MediaLinks(SECRET, 3600)
    path = links.path("anna", "item", "thumbnail", now=7200.0)
    assert path == links.path("anna", "item", "thumbnail", now=10_799.0)
    assert path != links.path("anna", "item", "original", now=7200.0)
    token = path.removeprefix("/media/")
    assert links.read(token, now=14_399.0).name == "item"
    with pytest.raises(BadLink):
        links.read(token, now=14_401.0)
    with pytest.raises(BadLink):
        links.read(token[:-2], now=7200.0)


@pytest.mark.parametrize(
    ("header", "piece"),
    [
        (None, None),
        ("bytes=0-", Piece(0, 99)),
        ("bytes=10-19", Piece(10, 19)),
        ("bytes=90-500", Piece(90, 99)),
        ("bytes=-10", Piece(90, 99)),
        ("bytes=-500", Piece(0, 99)),
        ("bytes=0-1,5-6", None),
        ("bytes=a-b", None),
        ("bytes=-", None),
        ("items=0-1", None),
    ],
)
def test_ranges(header: str | None, piece: Piece | None) -> None:
    assert piece_of(header, 100) == piece


@pytest.mark.parametrize("header", ["bytes=100-", "bytes=9-3", "bytes=-0"])
def test_ranges_outside_of_the_file(header: str) -> None:
    with pytest.raises(Unsatisfiable):
        piece_of(header, 100)


def test_only_addresses_of_ours_are_gone_back_to() -> None:
    assert local_path("/?type=video") == "/?type=video"
    assert [local_path(path) for path in ("//evil.example", "/\\evil.example", "https://evil.example", "/a\nb")] == [
        "/"
    ] * 4


def test_a_secret_is_drawn_once_and_kept_for_its_owner_only(tmp_path: Path) -> None:
    settings = WebSettings(data_dir=tmp_path / "web")
    secret = secret_of(settings)
    assert len(secret) >= 32
    assert secret_of(settings) == secret
    assert (tmp_path / "web" / "secret").stat().st_mode & 0o077 == 0


def test_settings_that_cannot_be_right_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRIPTYCH_WEB_PORT", "http")
    with pytest.raises(WebSettingsError, match="TRIPTYCH_WEB_PORT"):
        load_web_settings()
    monkeypatch.setenv("TRIPTYCH_WEB_PORT", "8080")
    monkeypatch.setenv("TRIPTYCH_WEB_PROT", "1")
    with pytest.raises(WebSettingsError, match="TRIPTYCH_WEB_PROT"):
        load_web_settings()
    monkeypatch.delenv("TRIPTYCH_WEB_PROT")
    monkeypatch.setenv("TRIPTYCH_WEB_SECRET", "short")
    with pytest.raises(WebSettingsError, match="at least 32"):
        secret_of(load_web_settings())
