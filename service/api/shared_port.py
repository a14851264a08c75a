"""A port that several API processes listen on: the kernel spreads connections over them (SO_REUSEPORT).

Whoever sets it may share a port with any other process of the same user that sets it, so that of two services by
accident on one port both would get calls. Therefore the parent takes the port first, for itself alone, and opens it
to its children only then. It never listens, and so is never given a connection.

Only Linux spreads connections; other systems know the option and give all connections to one listener.
"""

from __future__ import annotations

import socket
import sys
from collections.abc import Iterator
from contextlib import contextmanager

from service.api.server import CannotListen


def can_share_ports() -> bool:
    """Whether this system spreads connections over those who listen on one port."""
    return sys.platform == "linux" and hasattr(socket, "SO_REUSEPORT")


@contextmanager
def reserved_port(host: str, port: int) -> Iterator[int]:
    """The port, taken for our children until the block ends; 0 takes a free one. Raises CannotListen."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
    except socket.gaierror as error:
        raise CannotListen(f"TRIPTYCH_API_HOST: there is no address {host!r} ({error.strerror})") from error
    with socket.socket(family, kind, protocol) as holder:
        try:
            _bind(holder, address)
        except OSError as error:
            raise CannotListen(
                f"cannot listen on {host}:{port}: the port is taken, or the address is not this machine's "
                f"({error.strerror})"
            ) from error
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        yield int(holder.getsockname()[1])


def _bind(holder: socket.socket, address: tuple[object, ...]) -> None:
    """Alone first, which keeps out another parent at the same moment.

    If that fails, it may be only for connections of a service that ran here a minute ago; those are let pass, while
    whoever listens is still in the way.
    """
    try:
        holder.bind(address)
    except OSError:
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        holder.bind(address)
