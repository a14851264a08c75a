"""Files as the web gallery serves them from a running service: kept whole, and fetched in pieces."""

from __future__ import annotations

from pathlib import Path

import httpx
import pytest

from clients.sdk import AsyncTriptych
from clients.web.app import build_app
from clients.web.files import FileCache
from clients.web.settings import WebSettings
from tests.support.system import RunningSystem

SECRET = "s" * 32


@pytest.mark.parametrize("max_file_bytes", [2**20, 0], ids=["kept whole", "in pieces"])
async def test_a_browser_gets_the_pieces_that_it_asks_for(
    system: RunningSystem, triptych: AsyncTriptych, anna: str, tmp_path: Path, max_file_bytes: int
) -> None:
    made = await triptych.generate(anna, "imagen4", "a lighthouse")
    item_id = made.require_success().items[0].item_id
    file = tmp_path / "lighthouse"
    await triptych.download(anna, item_id, file)
    whole = file.read_bytes()

    app = build_app(WebSettings(data_dir=tmp_path / "web"), SECRET, triptych)
    web = app.state.web
    web.files = FileCache(max_file_bytes)
    address = web.media_links.path(anna, item_id, "original")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://gallery") as browser:
        for _ in range(2):  # The second time it is known.
            plain = await browser.get(address)
            assert (plain.status_code, plain.content) == (200, whole)
            piece = await browser.get(address, headers={"range": "bytes=100-299"})
            assert (piece.status_code, piece.content) == (206, whole[100:300])
            assert piece.headers["content-range"] == f"bytes 100-299/{len(whole)}"
            end = await browser.get(address, headers={"range": "bytes=-50"})
            assert (end.status_code, end.content) == (206, whole[-50:])
            behind = await browser.get(address, headers={"range": f"bytes={len(whole)}-"})
            assert (behind.status_code, behind.headers["content-range"]) == (416, f"bytes */{len(whole)}")
            kept = await browser.get(address, headers={"if-none-match": plain.headers["etag"]})
            assert (kept.status_code, kept.content) == (304, b"")
    assert (web.files.get((anna, item_id, "original")) is None) is (max_file_bytes == 0)
