"""Clients over TLS, with certificates of the test's own."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import grpc
import pytest
import trustme
from triptych.v1 import history_service_pb2

from clients import sdk
from tests.unit.clients.scripted import ScriptedServer, client_of, scripted_server


@pytest.fixture
async def tls_server(tmp_path: Path) -> AsyncIterator[ScriptedServer]:
    authority = trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    certificate = authority.issue_cert("127.0.0.1")
    chain = b"".join(each.bytes() for each in certificate.cert_chain_pems)
    async with scripted_server(grpc.ssl_server_credentials([(certificate.private_key_pem.bytes(), chain)])) as server:
        yield server


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_trusted_certificate(tls_server: ScriptedServer, tmp_path: Path, kind: str) -> None:
    tls_server.will(history_service_pb2.GetHeadResponse(position=7))
    caller = client_of(kind, f"https://{tls_server.address}", token="secret", ca_file=tmp_path / "ca.pem")
    assert await caller.call("get_head") == 7
    await caller.close()
    assert tls_server.metadata[0]["authorization"] == "Bearer secret"


@pytest.mark.parametrize("kind", ["async", "sync"])
async def test_a_certificate_that_nobody_vouches_for(tls_server: ScriptedServer, kind: str) -> None:
    caller = client_of(kind, f"https://{tls_server.address}", token="secret")
    with pytest.raises(sdk.Unreachable, match="TLS failed"):
        await caller.call("get_head")
    await caller.close()
    assert not tls_server.requests
