"""Where the store is: a folder, or a bucket at S3, Google or Azure; in memory for tests. All through obstore."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obstore.exceptions import BaseError
from obstore.store import from_url

if TYPE_CHECKING:
    from obstore.store import ObjectStore

_BUCKETS = ("s3", "s3a", "gs", "az", "adl", "abfs", "abfss", "azure")
_REQUEST_TIMEOUT = "60s"
_MOST_RETRIES = 3
_RETRY_TIMEOUT = timedelta(seconds=60)


class MediaUrlInvalid(ValueError):
    """The setting that says where media are kept cannot be right. ``url`` is what it says."""

    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"media are to be kept at {url!r}: {why}; give file:///folder, s3://bucket/prefix, gs://bucket/prefix or "
            "az://container/prefix"
        )
        self.url = url


def open_location(url: str) -> ObjectStore:
    """The store at ``url``; a folder is made if it is not there. Keys for buckets come from the vendor's usual
    environment variables. Raises MediaUrlInvalid; does not try whether a bucket can be reached."""
    scheme = urlsplit(url).scheme
    try:
        if scheme == "file":
            return from_url(url, mkdir=True)
        if scheme == "memory":
            return from_url(url)
        if scheme in _BUCKETS:
            return from_url(
                url,
                client_options={"timeout": _REQUEST_TIMEOUT},
                retry_config={"max_retries": _MOST_RETRIES, "retry_timeout": _RETRY_TIMEOUT},
            )
    except (BaseError, ValueError, OSError) as error:
        # The libraries' texts go on with their internals after the first line.
        raise MediaUrlInvalid(url, str(error).splitlines()[0] if str(error) else type(error).__name__) from error
    raise MediaUrlInvalid(url, f"{scheme or 'no'} scheme is not known" if scheme else "it has no scheme")
