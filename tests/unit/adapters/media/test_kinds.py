from __future__ import annotations

import httpx
import pytest

from service.adapters.media.addresses import check_url, is_public
from service.adapters.media.kinds import HEAD_BYTES, kind_of, looks_like
from service.ports.media_store import MediaRejected
from tests.support.vendors import picture_bytes


@pytest.mark.parametrize(("codec", "extension"), [("PNG", "png"), ("JPEG", "jpg"), ("WEBP", "webp")])
def test_pictures_are_known_by_their_bytes(codec: str, extension: str) -> None:
    kind = kind_of(picture_bytes(codec)[:HEAD_BYTES])
    assert kind is not None
    assert (kind.kind, kind.extension) == ("image", extension)


@pytest.mark.parametrize(
    ("head", "name"),
    [
        (b"", "an empty file"),
        (b"plain words", "text/plain"),
        (("я" * HEAD_BYTES).encode()[: HEAD_BYTES - 1], "text/plain"),
        (b"\xef\xbb\xbf  <!DOCTYPE HTML><p>", "text/html"),
        (b"<html lang=en>", "text/html"),
        (b'{"detail": 1}', "application/json"),
        (b"\x00\x01\x02", "unknown data"),
        (b"\xff\xfe\xfd", "unknown data"),
        (picture_bytes("GIF"), "image/gif"),
    ],
)
def test_everything_else_has_a_name_for_a_person(head: bytes, name: str) -> None:
    assert kind_of(head) is None
    assert looks_like(head) == name


@pytest.mark.parametrize("address", ["8.8.8.8", "2606:4700::1111", "::ffff:8.8.8.8"])
def test_public_addresses(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "0.0.0.0", "100.64.0.1"),
        *("224.0.0.1", "::1", "fe80::1%eth0", "fd00::1", "::ffff:127.0.0.1", "::"),
    ],
)
def test_addresses_of_ours(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("url", ["file:///etc/hostname", "gopher://x/", "https:///x", "data:,x", "/x"])
def test_only_http_urls_with_a_host(url: str) -> None:
    with pytest.raises(MediaRejected):
        check_url(httpx.URL(url))
