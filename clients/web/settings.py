"""What can be set for the web gallery: environment variables that begin with ``TRIPTYCH_WEB_``.

Where the service is and which token it wants are the SDK's ``TRIPTYCH_SERVER`` and ``TRIPTYCH_TOKEN``.
"""

from __future__ import annotations

import os
import secrets
from pathlib import Path
from typing import Annotated

from platformdirs import user_data_path
from pydantic import Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

PREFIX = "TRIPTYCH_WEB_"
SECRET_BYTES = 32
Seconds = Annotated[int, Field(ge=10, le=366 * 86_400)]


class WebSettingsError(Exception):
    """Settings that cannot be right; the message names each and what would be right."""


class WebSettings(BaseSettings):
    """Everything that can be set. Times in seconds, sizes in bytes."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, env_ignore_empty=True, hide_input_in_errors=True
    )

    host: str = Field(default="127.0.0.1", description="Address to listen on.")
    port: Annotated[int, Field(ge=0, le=65_535)] = Field(default=8080, description="Port; 0 takes a free one.")
    public_url: str = Field(
        default="",
        pattern=r"^(https?://[^\s/]+)?$",
        description="Where people reach it, such as https://pictures.example. Empty: http://HOST:PORT. "
        "With https, cookies are sent over TLS only.",
    )
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("triptych") / "web",
        description="Folder of the secret and of the sign-in links that were used.",
    )
    secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs links and sessions, at least 32 characters. Empty: one is drawn and kept in the folder.",
    )
    sign_in_seconds: Seconds = Field(default=900, description="How long a sign-in link may be used, once.")
    session_seconds: Seconds = Field(default=30 * 86_400, description="How long somebody stays signed in.")
    media_seconds: Seconds = Field(default=3_600, description="How long the address of a file is good, at least.")
    max_upload_bytes: Annotated[int, Field(ge=2**20, le=2**30)] = Field(
        default=20 * 2**20, description="Largest reference picture."
    )

    @property
    def url(self) -> str:
        """The address that links begin with, without a slash at the end."""
        return self.public_url or f"http://{'localhost' if self.host in ('0.0.0.0', '::') else self.host}:{self.port}"  # noqa: S104

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")


def load_web_settings() -> WebSettings:
    """The settings of this process. Raises WebSettingsError."""
    known = {PREFIX + name.upper() for name in WebSettings.model_fields}
    unknown = sorted(name for name in os.environ if name.startswith(PREFIX) and name not in known)
    if unknown:
        raise WebSettingsError(f"{unknown[0]}: there is no such setting; docs/web.md lists those there are")
    try:
        return WebSettings()
    except ValidationError as error:
        problems = [f"{PREFIX}{str(each['loc'][0]).upper()}: {each['msg']}" for each in error.errors()]
        raise WebSettingsError("\n".join(problems)) from None


def secret_of(settings: WebSettings) -> str:
    """The secret that was set, or the one of the folder, drawn when first asked for. Raises WebSettingsError."""
    given = settings.secret.get_secret_value()
    if given:
        if len(given) < SECRET_BYTES:
            raise WebSettingsError(f"{PREFIX}SECRET: must have at least {SECRET_BYTES} characters, not {len(given)}")
        return given
    path = settings.data_dir / "secret"
    try:
        settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
        # Written under another name first: whoever starts at the same time sees it whole or not at all.
        part = path.with_name(f".secret.{secrets.token_hex(8)}")
        with os.fdopen(os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.write(secrets.token_hex(SECRET_BYTES))
        try:
            os.link(part, path)
        except FileExistsError:
            return path.read_text("utf-8").strip()
        finally:
            part.unlink()
        return path.read_text("utf-8").strip()
    except OSError as error:
        raise WebSettingsError(f"{PREFIX}DATA_DIR: cannot keep a secret in {path}: {error.strerror}") from error
