"""What must be right before anything starts, beyond what each setting says for itself."""

from __future__ import annotations

import os
from importlib import resources

from service.config import Settings
from service.domain.catalog import Catalog, CatalogError, parse_catalog


class CannotStart(Exception):
    """The service cannot start as it is set up. ``problems`` has one plain sentence for each reason."""

    def __init__(self, *problems: str) -> None:
        super().__init__("\n".join(problems))
        self.problems = problems


def check_settings(settings: Settings) -> None:
    """Raises CannotStart."""
    problems = []
    if "worker" in settings.roles:
        if not settings.fal_key.get_secret_value():
            problems.append("TRIPTYCH_FAL_KEY: is missing; the role worker needs a key for fal")
        if not settings.openai_api_key.get_secret_value():
            problems.append("TRIPTYCH_OPENAI_API_KEY: is missing; the role worker needs a key for OpenAI")
    if "webhook" in settings.roles and not settings.webhook_public_url:
        problems.append(
            "TRIPTYCH_WEBHOOK_PUBLIC_URL: is missing; the role webhook needs the address at which fal reaches it"
        )
    if problems:
        raise CannotStart(*problems)


def make_data_dir(settings: Settings) -> None:
    """Sees to it that the data folder is there and can be written to. Raises CannotStart."""
    folder = settings.data_dir
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except FileExistsError:
        raise CannotStart(f"TRIPTYCH_DATA_DIR: {folder} is a file; name a folder") from None
    except OSError as error:
        raise CannotStart(f"TRIPTYCH_DATA_DIR: the folder {folder} cannot be made: {error.strerror}") from error
    if not os.access(folder, os.R_OK | os.W_OK | os.X_OK):
        raise CannotStart(f"TRIPTYCH_DATA_DIR: this user may not write to {folder}; name a folder that it may use")


def load_catalog(settings: Settings) -> Catalog:
    """The catalog that is configured, or the one that is built in. Raises CannotStart."""
    if settings.catalog_file is None:
        return parse_catalog(resources.files("service").joinpath("catalog.toml").read_text("utf-8"))
    try:
        return parse_catalog(settings.catalog_file.read_text("utf-8"))
    except (CatalogError, OSError, UnicodeDecodeError) as error:
        raise CannotStart(f"TRIPTYCH_CATALOG_FILE: {settings.catalog_file}: {error}") from error
