"""The TLS side: a CA of our own, made anew for every sandbox, and a certificate for the loopback names.

The vendor's client always speaks https and can only be told the host, so the sandbox must have a certificate that the
client can be made to trust (``SSL_CERT_FILE``, or a context with the CA file). Private keys never touch the disk for
longer than the standard library needs to read them.
"""

from __future__ import annotations

import ssl
from pathlib import Path

import trustme


class Certificates:
    """A certificate authority and the contexts that follow from it."""

    def __init__(self) -> None:
        self._authority = trustme.CA(organization_name="Triptych sandbox")

    def server_context(self) -> ssl.SSLContext:
        """For a server on localhost or 127.0.0.1."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self._authority.issue_cert("localhost", "127.0.0.1").configure_cert(context)
        return context

    def client_context(self) -> ssl.SSLContext:
        """For a client that trusts the usual authorities and this one."""
        context = ssl.create_default_context()
        self._authority.configure_trust(context)
        return context

    def write(self, path: Path) -> None:
        """Writes the CA certificate (PEM), whole or not at all."""
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(path.name + ".new")
        beside.write_bytes(self._authority.cert_pem.bytes())
        beside.replace(path)
