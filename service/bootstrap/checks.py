"""What must be right before anything starts, beyond what each setting says for itself."""

from __future__ import annotations

import os
import ssl
from importlib import resources

from service.adapters.tls import trust
from service.api.shared_port import can_share_ports
from service.config import Settings
from service.config.children import named_server
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
    problems += _tls_problems(settings)
    problems += _process_problems(settings)
    if "webhook" in settings.roles and not settings.webhook_public_url:
        problems.append(
            "TRIPTYCH_WEBHOOK_PUBLIC_URL: is missing; the role webhook needs the address at which fal reaches it"
        )
    if problems:
        raise CannotStart(*problems)


def _process_problems(settings: Settings) -> list[str]:
    problems = []
    if settings.processes > 1 and "api" not in settings.roles:
        problems.append(
            "TRIPTYCH_PROCESSES: is for the role api, which is not on; add it to TRIPTYCH_ROLES, or set 1"
        )
    if (settings.processes > 1 or settings.api_shared_port) and not can_share_ports():
        problems.append(
            "TRIPTYCH_PROCESSES, TRIPTYCH_API_SHARED_PORT: this system does not spread connections over processes "
            "that listen on one port (Linux does); start several services on ports of their own behind a proxy"
        )
    if {"api", "web"} <= settings.roles and settings.api_tls_key_file is not None and not named_server():
        problems.append(
            "TRIPTYCH_SERVER: is missing; with TLS the role web has to know the API by the name that its certificate "
            "is for, such as https://triptych.example:50051"
        )
    return problems


def _tls_problems(settings: Settings) -> list[str]:
    """What is wrong with the files of certificates and keys, found before the transport says it in its own way."""
    problems = []
    try:
        trust(settings.ca_file)
    except OSError as error:
        problems.append(f"TRIPTYCH_CA_FILE: {settings.ca_file} has no certificates in PEM form ({_why(error)})")
    certificate, key = settings.api_tls_cert_file, settings.api_tls_key_file
    if certificate is not None and key is not None:
        try:
            ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
        except OSError as error:
            problems.append(
                f"TRIPTYCH_API_TLS_CERT_FILE and TRIPTYCH_API_TLS_KEY_FILE: {certificate} and {key} must be a "
                f"certificate and its key in PEM form, without a passphrase ({_why(error)})"
            )
    return problems


def _why(error: OSError) -> str:
    return getattr(error, "reason", None) or error.strerror or str(error)


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
