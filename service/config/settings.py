"""What can be set, and what each value may be.

They come from environment variables that begin with ``TRIPTYCH_`` and, below those, from the TOML file that
``TRIPTYCH_SETTINGS_FILE`` names (keys without the prefix, in lower case). A name that does not exist and a value that
cannot be right are refused at start. ``docs/settings.md`` is generated from the descriptions here.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import Field, SecretStr, field_validator, model_validator
from pydantic_settings import (
    BaseSettings,
    NoDecode,
    PydanticBaseSettingsSource,
    SettingsConfigDict,
    TomlConfigSettingsSource,
)

from service.config import values
from service.config.conninfo import check_conninfo, check_event_store

PREFIX = "TRIPTYCH_"
FILE_VARIABLE = "TRIPTYCH_SETTINGS_FILE"
ROLES = ("api", "projector", "worker", "webhook", "web")

Seconds = Annotated[float, Field(gt=0, le=86_400)]
Port = Annotated[int, Field(ge=0, le=65_535)]
Role = Literal["api", "projector", "worker", "webhook", "web"]


class Settings(BaseSettings):
    """Everything that can be set. Sizes in bytes, times in seconds."""

    model_config = SettingsConfigDict(
        env_prefix=PREFIX, frozen=True, extra="forbid", env_ignore_empty=True, hide_input_in_errors=True
    )

    # Where things are kept
    data_dir: Path = Field(
        default_factory=lambda: user_data_path("triptych"),
        description="Folder of everything that is kept on this machine: the embedded database, media, secrets.",
    )
    event_store: str = Field(
        default="",
        repr=False,  # May have a password in it, as the next one.
        description="Event store: postgresql://user:password@host:port/database, or KurrentDB as "
        "kurrentdb://user:password@host:port (docs/kurrentdb.md). Empty: an embedded PostgreSQL in the data folder.",
    )
    read_models: str = Field(
        default="",
        repr=False,
        description="PostgreSQL for the read models. Empty: the database of the event store; with KurrentDB an "
        "embedded PostgreSQL in the data folder.",
    )
    media_url: str = Field(
        default="",
        description="Where pictures and video are kept: file:///folder, s3://bucket/prefix, gs://bucket/prefix or "
        "az://container/prefix. Empty: the folder 'media' in the data folder.",
    )
    catalog_file: Path | None = Field(
        default=None, description="TOML file of types, models, prices and limits. Empty: the one that is built in."
    )

    # What this process does
    roles: Annotated[frozenset[Role], NoDecode] = Field(
        default=frozenset({"api", "projector", "worker"}),
        description="What this process does: any of api, projector, worker, webhook, web, separated by commas. "
        "The web gallery is a process of its own, which this one starts.",
    )
    processes: int = Field(
        default=1,
        ge=1,
        le=64,
        description="How many processes of the role api share its port, for one of them uses one core (Linux). They "
        "are started and watched by this one, which has the other roles.",
    )

    # The API
    api_host: str = Field(
        default="127.0.0.1",
        description="Address the gRPC API listens on. Other than loopback only with TRIPTYCH_API_TOKENS.",
    )
    api_port: Port = Field(default=50051, description="Port of the gRPC API; 0 takes a free one.")
    api_shared_port: bool = Field(
        default=False,
        description="Let other API processes of this user listen on the same port (Linux), where something else than "
        "TRIPTYCH_PROCESSES starts them.",
    )
    api_tokens: SecretStr = Field(
        default=SecretStr(""),
        description="Who may call: name:token pairs, separated by commas; the name becomes the actor of events. "
        "Tokens have at least 16 characters. Empty: anyone on this machine.",
    )
    api_tls_cert_file: Path | None = Field(default=None, description="Certificate chain (PEM) for TLS.")
    api_tls_key_file: Path | None = Field(default=None, description="Private key (PEM) for TLS.")
    max_upload_bytes: int = Field(
        default=10 * 2**20, ge=1024, le=2**30, description="Largest reference picture that is accepted."
    )

    # The health check
    health_host: str = Field(
        default="127.0.0.1",
        description="Address of the health check's own port; 0.0.0.0 for an orchestrator's probes.",
    )
    health_port: Port | None = Field(
        default=None,
        description="Port on which a process of any role answers grpc.health.v1, without tokens and TLS; 0 takes a "
        "free one. Empty: the API's own port is the only one that has the check.",
    )

    # The webhook
    webhook_host: str = Field(default="127.0.0.1", description="Address the webhook endpoint listens on.")
    webhook_port: Port = Field(default=8081, description="Port of the webhook endpoint; 0 takes a free one.")
    webhook_public_url: str = Field(
        default="",
        description="Address under which the vendor reaches the webhook endpoint, such as https://hooks.example. "
        "Empty: no webhooks; the poller does without.",
    )
    webhook_secret: SecretStr = Field(
        default=SecretStr(""),
        description="Signs the addresses the vendor reports to; at least 16 characters and the same for all "
        "processes. Empty: drawn once and kept in the data folder.",
    )

    # fal
    fal_key: SecretStr = Field(default=SecretStr(""), description="Key for fal. The role worker needs it.")
    fal_queue_host: str = Field(default="queue.fal.run", description="Host (and port) of fal's queue.")
    fal_jwks_url: str = Field(
        default="https://rest.fal.ai/.well-known/jwks.json",
        description="Where fal publishes the keys that sign its webhooks.",
    )
    ca_file: Path | None = Field(
        default=None, description="Certificates (PEM) to trust besides the system's, for a sandbox or a proxy."
    )
    allow_private_media_urls: bool = Field(
        default=False,
        description="Fetch outputs also from loopback and private addresses. Only for a sandbox.",
    )
    max_media_bytes: int = Field(
        default=200 * 2**20, ge=2**20, le=2**32, description="Largest output that is fetched."
    )

    # OpenAI
    openai_api_key: SecretStr = Field(
        default=SecretStr(""), description="Key for OpenAI (moderation, better prompts). The role worker needs it."
    )
    openai_base_url: str = Field(default="https://api.openai.com/v1", description="Address of OpenAI's API.")
    openai_model: str = Field(default="gpt-5-mini", description="Model that improves prompts.")
    openai_reasoning_effort: str = Field(
        default="minimal",
        description="How hard that model thinks first: none, minimal, low ... as the model allows; 'default' leaves "
        "it to the model (those that do not think need that).",
    )
    openai_moderation_model: str = Field(default="omni-moderation-latest", description="Model that checks prompts.")
    moderation_timeout_seconds: Seconds = Field(default=10.0, description="How long one check may take.")
    enhancement_timeout_seconds: Seconds = Field(
        default=8.0, description="How long improving may take before the user's own words are used."
    )
    pass_unmoderated: bool = Field(
        default=False,
        description="Let prompts pass while moderation is down. Otherwise they wait, then fail and are paid back.",
    )

    # Patience
    tool_patience_seconds: Seconds = Field(
        default=120.0, description="How long a request waits for a moderation that is down."
    )
    submission_grace_seconds: Seconds = Field(
        default=120.0, description="How long a lost answer of the vendor is waited for before it is paid back."
    )
    submit_timeout_seconds: Seconds = Field(default=30.0, description="How long the vendor may take to accept.")
    max_submit_attempts: int = Field(
        default=12, ge=1, le=100, description="How often a request that surely did not arrive is sent again."
    )
    media_patience_seconds: Seconds = Field(
        default=60.0, description="How long a finished output is tried to be fetched before going on without it."
    )
    first_look_seconds: Seconds = Field(default=1.0, description="First pause between looks at the vendor.")
    most_look_seconds: Seconds = Field(default=10.0, description="Longest pause between looks at the vendor.")

    # Workers and pools
    worker_concurrency: int = Field(
        default=32, ge=1, le=1000, description="Generations that one worker has in hand at once."
    )
    lease_seconds: Seconds = Field(
        default=30.0, description="How long a worker that died holds up what it had in hand."
    )
    pool_size: int = Field(
        default=8, ge=2, le=200, description="Most connections to PostgreSQL of each of a process's pools."
    )

    # The log
    log_level: Literal["debug", "info", "warning", "error"] = Field(default="info", description="What is logged.")
    log_format: Literal["text", "json"] = Field(default="text", description="How log lines look.")

    _check_roles = field_validator("roles", mode="before")(values.names)
    _check_event_store = field_validator("event_store")(check_event_store)
    _check_read_models = field_validator("read_models")(check_conninfo)
    _check_url = field_validator("webhook_public_url", "openai_base_url", "fal_jwks_url")(values.address)
    _check_host = field_validator("fal_queue_host")(values.host_and_port)
    _check_file = field_validator("catalog_file", "ca_file", "api_tls_cert_file", "api_tls_key_file")(
        values.existing_file
    )
    _check_tokens = field_validator("api_tokens")(values.tokens)
    _check_secret = field_validator("webhook_secret")(values.secret)

    @model_validator(mode="after")
    def _check_together(self) -> Settings:
        if not self.roles:
            raise ValueError(f"{PREFIX}ROLES: name at least one of: {', '.join(ROLES)}")
        if (self.api_tls_cert_file is None) != (self.api_tls_key_file is None):
            raise ValueError(f"{PREFIX}API_TLS_CERT_FILE and {PREFIX}API_TLS_KEY_FILE: set both or neither")
        return self

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Arguments before the environment before the file."""
        file = os.environ.get(FILE_VARIABLE)
        below = (TomlConfigSettingsSource(settings_cls, Path(file)),) if file else ()
        return (init_settings, env_settings, *below)
