"""What can be set for the Telegram bot: environment variables that begin with ``TRIPTYCH_TELEGRAM_``.

Where the service is and which token it wants are the SDK's ``TRIPTYCH_SERVER`` and ``TRIPTYCH_TOKEN``.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TRIPTYCH_TELEGRAM_"


class TelegramSettingsError(Exception):
    """Settings that cannot be right; the message names each and what would be right."""


class TelegramSettings(BaseSettings):
    """Everything that can be set. Rates are messages a second."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    token: SecretStr = Field(description="The bot's token, from @BotFather.")
    api_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/]+)?$",
        description="Another Bot API server, such as http://localhost:8081. Empty: Telegram's own.",
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("triptych") / "telegram",
        description="Folder of dialogues, running orders and ids of files; one SQLite file a bot.",
    )
    user_id_template: str = Field(
        default="telegram-{id}",
        description="The Triptych user of a Telegram user: {id} stands for the number that Telegram gives people.",
    )
    chat_rate: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=1.0, description="Messages a second to one chat, on average."
    )
    chat_burst: Annotated[int, Field(ge=1, le=100)] = Field(
        default=3, description="How many messages to one chat may go out at once."
    )
    total_rate: Annotated[float, Field(gt=0, le=1000)] = Field(
        default=30.0, description="Messages a second to all chats."
    )

    @field_validator("user_id_template")
    @classmethod
    def _has_the_id(cls, template: str) -> str:
        if template.count("{id}") != 1 or "{" in template.replace("{id}", ""):
            raise ValueError("must contain {id} once, such as telegram-{id}")
        return template


def load_telegram_settings() -> TelegramSettings:
    """The settings of this process. Raises TelegramSettingsError."""
    known = {PREFIX + name.upper() for name in TelegramSettings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise TelegramSettingsError(f"{unknown[0]}: there is no such setting; docs/telegram.md lists those there are")
    try:
        return TelegramSettings()  # type: ignore[call-arg]  # The environment fills it.
    except ValidationError as error:
        raise TelegramSettingsError("\n".join(_sentence(each) for each in error.errors())) from None


def _sentence(problem: object) -> str:
    assert isinstance(problem, dict)
    name = f"{PREFIX}{str(problem['loc'][0]).upper()}"
    if problem["type"] == "missing":
        return f"{name}: must be set to the bot's token; @BotFather in Telegram gives one"
    return f"{name}: {str(problem['msg']).removeprefix('Value error, ')}"
