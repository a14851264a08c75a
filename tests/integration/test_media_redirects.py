"""Fetching from a server that sends one elsewhere, packs its answers, or is not where its name said."""

from __future__ import annotations

import gzip
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from service.adapters.media import addresses
from service.adapters.media.fetcher import Fetcher, FetchLimits
from service.ports.media_store import MediaRejected
from tests.support.fal_queue import BOUND_SECONDS
from tests.support.vendors import picture_bytes

PICTURE = picture_bytes("PNG", (64, 64))
ZEROS = bytes(20 * 2**20)


class Wayward(BaseHTTPRequestHandler):
    """``/hops/N`` leads on N times to the picture; ``/file`` to a local file; ``/packed`` to gzip."""

    protocol_version = "HTTP/1.1"

    def do_GET(self) -> None:
        _, name, *rest = self.path.split("/")
        if name == "hops" and int(rest[0]) > 0:
            self._answer(302, b"", Location=f"/hops/{int(rest[0]) - 1}")
        elif name == "file":
            self._answer(302, b"", Location="file:///etc/hostname")
        elif name == "packed":
            self._answer(200, gzip.compress(PICTURE + ZEROS), **{"Content-Encoding": "gzip"})
        else:
            self._answer(200, PICTURE)

    def _answer(self, status: int, body: bytes, **headers: str) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """Quiet."""


@pytest.fixture(scope="module")
def server_url() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Wayward) as server:
        server.daemon_threads = True
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join(BOUND_SECONDS)


async def fetcher(*, allow_private_addresses: bool) -> AsyncIterator[Fetcher]:
    limits = FetchLimits(
        max_bytes=2**20, idle_timeout_seconds=BOUND_SECONDS, allow_private_addresses=allow_private_addresses
    )
    with ThreadPoolExecutor(1) as threads:
        fetcher = Fetcher(tls=ssl.create_default_context(), threads=threads, limits=limits)
        yield fetcher
        await fetcher.aclose()


@pytest.fixture
async def trusting() -> AsyncIterator[Fetcher]:
    async for each in fetcher(allow_private_addresses=True):
        yield each


@pytest.fixture
async def wary() -> AsyncIterator[Fetcher]:
    async for each in fetcher(allow_private_addresses=False):
        yield each


@pytest.mark.parametrize("hops", [0, 1, 5])
async def test_a_few_redirects_are_followed(trusting: Fetcher, server_url: str, hops: int) -> None:
    fetched = await trusting.fetch(f"{server_url}/hops/{hops}")
    fetched.file.seek(0)
    assert fetched.file.read() == PICTURE
    fetched.close()


async def test_more_redirects_are_not(trusting: Fetcher, server_url: str) -> None:
    with pytest.raises(MediaRejected, match="more than 5 times"):
        await trusting.fetch(f"{server_url}/hops/6")


async def test_a_redirect_leads_to_no_other_scheme(trusting: Fetcher, server_url: str) -> None:
    with pytest.raises(MediaRejected, match="no http or https url"):
        await trusting.fetch(f"{server_url}/file")


async def test_what_counts_is_the_unpacked_size(trusting: Fetcher, server_url: str) -> None:
    with pytest.raises(MediaRejected, match="larger than 1048576 bytes"):
        await trusting.fetch(f"{server_url}/packed")


async def test_a_name_that_leads_elsewhere_the_second_time_is_noticed(
    wary: Fetcher, server_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def looks_public(url: httpx.URL) -> None:
        """The lookup before the request saw a public address; the connection then goes to loopback."""

    monkeypatch.setattr(addresses, "check_host", looks_public)
    with pytest.raises(MediaRejected, match="public internet"):
        await wary.fetch(f"{server_url}/picture")
