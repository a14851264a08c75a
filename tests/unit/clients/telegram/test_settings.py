"""Settings of the bot: what is refused, and in which words."""

from __future__ import annotations

import pytest

from clients.telegram.settings import TelegramSettingsError, load_telegram_settings

TOKEN = "1:a-secret-that-nobody-may-see"


@pytest.fixture
def environment(monkeypatch: pytest.MonkeyPatch) -> pytest.MonkeyPatch:
    monkeypatch.setenv("TRIPTYCH_TELEGRAM_TOKEN", TOKEN)
    return monkeypatch


def test_defaults(environment: pytest.MonkeyPatch) -> None:
    settings = load_telegram_settings()
    assert settings.user_id_template.format(id=5) == "telegram-5"
    assert settings.api_url == ""
    assert TOKEN not in repr(settings)


def test_a_token_is_needed(environment: pytest.MonkeyPatch) -> None:
    environment.delenv("TRIPTYCH_TELEGRAM_TOKEN")
    with pytest.raises(TelegramSettingsError, match=r"TRIPTYCH_TELEGRAM_TOKEN: must be set .*BotFather"):
        load_telegram_settings()


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("API_URL", "localhost"),
        ("CHAT_RATE", "0"),
        ("USER_ID_TEMPLATE", "everybody"),
        ("USER_ID_TEMPLATE", "{id}-{name}"),
        ("TOKNE", "1"),
    ],
)
def test_what_cannot_be_right_is_named(environment: pytest.MonkeyPatch, name: str, value: str) -> None:
    environment.setenv(f"TRIPTYCH_TELEGRAM_{name}", value)
    with pytest.raises(TelegramSettingsError, match=f"^TRIPTYCH_TELEGRAM_{name}: "):
        load_telegram_settings()
