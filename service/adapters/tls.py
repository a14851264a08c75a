"""Whom we trust over TLS: what httpx trusts anyway, and the operator's own authority besides (a sandbox, a proxy)."""

from __future__ import annotations

import ssl
from pathlib import Path

import httpx


def trust(ca_file: Path | None = None) -> ssl.SSLContext:
    """A TLS context for clients. ``ca_file`` (PEM) adds certificates, takes none away. Raises OSError, SSLError."""
    context = httpx.create_ssl_context()
    if ca_file is not None:
        context.load_verify_locations(cafile=str(ca_file))
    return context
