"""Which addresses files are fetched from.

A url that comes from outside could name a machine of ours: a database, a cloud's metadata service (server-side
request forgery, OWASP). The vendor is known and its answers are authenticated; still only http and https are
followed, and only to public addresses. Names are looked up before the request, and the address that was connected
to is looked at after it, before anything of the answer is read: a name may resolve to something else the second time.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket

import httpx

from service.ports.media_store import MediaRejected, MediaUnavailable


def is_public(address: str) -> bool:
    """True for an IP address that belongs to the public internet."""
    parsed = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(parsed, ipaddress.IPv6Address) and parsed.ipv4_mapped is not None:
        parsed = parsed.ipv4_mapped
    return parsed.is_global and not parsed.is_multicast


def check_url(url: httpx.URL) -> None:
    """Raises MediaRejected for what is not an http(s) url with a host."""
    if url.scheme not in ("http", "https") or not url.host:
        raise MediaRejected(f"its url is no http or https url but begins with {url.scheme[:20] or 'nothing'!r}")


async def check_host(url: httpx.URL) -> None:
    """Looks the host up. Raises MediaRejected for one with a private address, MediaUnavailable for an unknown one."""
    loop = asyncio.get_running_loop()
    try:
        found = await loop.getaddrinfo(url.host, url.port or 443, type=socket.SOCK_STREAM)
    except OSError as error:
        raise MediaUnavailable(f"{url.host} cannot be looked up ({error})") from error
    for *_, address in found:
        if not is_public(str(address[0])):
            raise _private(url.host)


def check_peer(response: httpx.Response) -> None:
    """Looks at the address that answered. Raises MediaRejected for a private one."""
    stream = response.extensions.get("network_stream")
    address = stream.get_extra_info("server_addr") if stream is not None else None
    if not address or not is_public(str(address[0])):
        raise _private(response.url.host)


def _private(host: str) -> MediaRejected:
    return MediaRejected(f"its url leads to {host}, which is not on the public internet")
