"""A port for several API processes: theirs alone, and connections spread over them."""

from __future__ import annotations

import socket
from contextlib import AsyncExitStack, closing

import pytest
from triptych.v1 import history_service_pb2

from service.api.server import CannotListen, ServerOptions, build_server
from service.api.shared_port import reserved_port
from tests.support.api import BOUND_SECONDS, Api, another_server


def listener(port: int) -> socket.socket:
    """With the options that gRPC sets for a child."""
    listening = socket.socket()
    for option in (socket.SO_REUSEADDR, socket.SO_REUSEPORT):
        listening.setsockopt(socket.SOL_SOCKET, option, 1)
    listening.bind(("127.0.0.1", port))
    listening.listen()
    return listening


def test_a_reserved_port_is_for_the_children_alone() -> None:
    with reserved_port("127.0.0.1", 0) as port, closing(listener(port)), closing(listener(port)):
        with pytest.raises(CannotListen, match="the port is taken"), reserved_port("127.0.0.1", port):
            pass
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("127.0.0.1", port))


def test_two_parents_at_the_same_moment_do_not_get_the_same_port() -> None:
    with (
        reserved_port("127.0.0.1", 0) as port,
        pytest.raises(CannotListen, match="the port is taken"),
        reserved_port("127.0.0.1", port),
    ):
        pass


def test_a_port_is_free_again_whatever_its_last_connections_do() -> None:
    with (
        reserved_port("127.0.0.1", 0) as port,
        closing(listener(port)) as listening,
        socket.create_connection(("127.0.0.1", port)) as client,
    ):
        listening.accept()[0].close()
        assert client.recv(1) == b""
    with reserved_port("127.0.0.1", port) as again:
        assert again == port


def test_a_host_that_is_none_is_named() -> None:
    said = r"TRIPTYCH_API_HOST: there is no address 'host\.invalid'"
    with pytest.raises(CannotListen, match=said), reserved_port("host.invalid", 0):
        pass


async def test_servers_share_a_port_only_if_they_are_told_to(api: Api) -> None:
    with reserved_port("127.0.0.1", 0) as port:
        options = ServerOptions(port=port, shared_port=True)
        async with AsyncExitStack() as stack:
            for _ in range(2):
                server = await stack.enter_async_context(another_server(api.core, options))
                assert server.address == f"127.0.0.1:{port}"
            await server.history.GetHead(history_service_pb2.GetHeadRequest(), timeout=BOUND_SECONDS)
            with pytest.raises(CannotListen, match="the port is taken"):
                await build_server(api.core, ServerOptions(port=port)).start()
