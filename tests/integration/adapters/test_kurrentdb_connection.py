"""Reaching a KurrentDB: what its connection string may hold."""

from __future__ import annotations

from pathlib import Path
from urllib.parse import quote

import pytest
import trustme

from service.adapters.eventstore.kurrentdb import KurrentEventStore
from service.config.conninfo import check_event_store
from service.ports.event_store import EventStoreUnavailable
from tests.support.kurrentdb import KurrentDBServer
from tests.support.log import read_all, write


@pytest.fixture
def certificate(tmp_path: Path) -> tuple[trustme.CA, Path]:
    authority = trustme.CA()
    file = tmp_path / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    return authority, file


async def test_credentials_are_sent_over_tls_with_any_character_in_them(
    certificate: tuple[trustme.CA, Path],
) -> None:
    authority, file = certificate
    password = "p@ss/w:rd?%41"
    async with KurrentDBServer(users={"admin": password}, authority=authority) as server:
        uri = f"kurrentdb://admin:{quote(password, safe='')}@{server.address}?tlsCaFile={file}"
        assert check_event_store(uri) == uri
        async with KurrentEventStore.open(uri) as store:
            await store.append([write("a-1", 0)])
            assert len(await read_all(store)) == 1


async def test_wrong_credentials_are_refused_without_showing_them(certificate: tuple[trustme.CA, Path]) -> None:
    authority, file = certificate
    async with KurrentDBServer(users={"admin": "right"}, authority=authority) as server:
        uri = server.secure_connection_string(file, "admin").replace("right", "hunter2")
        with pytest.raises(EventStoreUnavailable) as refused:
            async with KurrentEventStore.open(uri) as store:
                await store.head()
        assert "hunter2" not in str(refused.value)


async def test_a_certificate_file_that_is_not_there_is_said_plainly() -> None:
    with pytest.raises(EventStoreUnavailable, match="No such file"):
        async with KurrentEventStore.open("kurrentdb://admin:x@localhost:1?tlsCaFile=/no/such/file"):
            pass
