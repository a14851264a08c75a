"""Sends calls over a synchronous channel: with deadlines, with retries, with resumption of streams that broke.

The same as ``asynchronous/transport.py``, statement by statement; only the waiting differs.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Generator
from typing import Any, TypeVar

import grpc

from clients.sdk import convert
from clients.sdk.calls.gallery import upload_requests
from clients.sdk.options import Options
from clients.sdk.results import Reference
from clients.sdk.retry import Attempts
from clients.sdk.rpc import Bookmark, Call, StreamCall, Stubs
from clients.sdk.statuses import error_from

T = TypeVar("T")


class SyncConnection:
    """A channel; threads may share it."""

    def __init__(self, options: Options) -> None:
        credentials = options.credentials()
        target = options.address.target
        if credentials is None:
            self._channel = grpc.insecure_channel(target, options.channel_options)
        else:
            self._channel = grpc.secure_channel(target, credentials, options.channel_options)
        self.stubs = Stubs(self._channel)

    def close(self) -> None:
        self._channel.close()


class SyncTransport:
    """Calls as data in, dataclasses or TriptychError out."""

    def __init__(self, options: Options, connection: SyncConnection | None = None, bookmark: Bookmark | None = None):
        self.options = options
        self.connection = connection or SyncConnection(options)
        self.bookmark = bookmark or Bookmark()

    def call(self, call: Call[T]) -> T:
        """One answer."""
        if self.options.read_your_writes:
            self.bookmark.apply(call.request)
        method = call.method(self.connection.stubs)
        answer = self._retrying(
            lambda seconds: method(call.request, timeout=seconds, metadata=self.options.metadata),
            self.options.timeout_seconds,
        )
        self.bookmark.note(answer)
        return call.convert(answer)

    def upload(self, user_id: str, content: bytes) -> Reference:
        """Sends a file."""
        method: Any = self.connection.stubs.gallery.UploadMedia
        upload_requests(user_id, content)  # Refuses what cannot be right before anything is sent.
        answer = self._retrying(
            lambda seconds: method(
                upload_requests(user_id, content), timeout=seconds, metadata=self.options.metadata
            ),
            self.options.transfer_timeout_seconds,
        )
        return convert.reference(answer)

    def stream(self, call: StreamCall[T]) -> Generator[T, None, None]:
        """All answers. A stream that broke is taken up again where the call says how."""
        request, options = call.request, self.options
        if options.read_your_writes:
            self.bookmark.apply(request)
        attempts = Attempts(
            options.retry, None if call.endless else options.transfer_timeout_seconds, resume=options.resume
        )
        method = call.method(self.connection.stubs)
        began = False
        while True:
            rpc = method(request, timeout=attempts.remaining_seconds(), metadata=options.metadata)
            try:
                for answer in rpc:
                    began = True
                    attempts.progressed()
                    self.bookmark.note(answer)
                    if call.resume is not None:
                        call.resume(request, answer)
                    yield call.convert(answer)
                return
            except grpc.RpcError as failure:
                error = error_from(failure, options.address.target)
                pause_seconds = None if began and call.resume is None else attempts.pause_after(error)
                if pause_seconds is None:
                    raise error from failure
            finally:
                rpc.cancel()
            time.sleep(pause_seconds)

    def _retrying(self, send: Callable[[float | None], Any], timeout_seconds: float) -> Any:
        attempts = Attempts(self.options.retry, timeout_seconds)
        while True:
            try:
                return send(attempts.remaining_seconds())
            except grpc.RpcError as failure:
                error = error_from(failure, self.options.address.target)
                pause_seconds = attempts.pause_after(error)
                if pause_seconds is None:
                    raise error from failure
            time.sleep(pause_seconds)


class SyncMethods:
    """What the client's topics have in common."""

    _transport: SyncTransport
