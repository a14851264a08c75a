"""Sends calls over grpc.aio: with deadlines, with retries, with resumption of streams that broke."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable
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


class AsyncConnection:
    """A channel that is opened with the first call, because it belongs to the event loop of that moment."""

    def __init__(self, options: Options) -> None:
        self._options = options
        self._credentials = options.credentials()
        self._channel: grpc.aio.Channel | None = None
        self._stubs: Any = None

    @property
    def stubs(self) -> Any:
        if self._channel is None:
            target, options = self._options.address.target, self._options.channel_options
            if self._credentials is None:
                self._channel = grpc.aio.insecure_channel(target, options)
            else:
                self._channel = grpc.aio.secure_channel(target, self._credentials, options)
            self._stubs = Stubs(self._channel)  # type: ignore[arg-type]
        return self._stubs

    async def close(self) -> None:
        if self._channel is not None:
            await self._channel.close()


class AsyncTransport:
    """Calls as data in, dataclasses or TriptychError out."""

    def __init__(self, options: Options, connection: AsyncConnection | None = None, bookmark: Bookmark | None = None):
        self.options = options
        self.connection = connection or AsyncConnection(options)
        self.bookmark = bookmark or Bookmark()

    async def call(self, call: Call[T]) -> T:
        """One answer."""
        if self.options.read_your_writes:
            self.bookmark.apply(call.request)
        method = call.method(self.connection.stubs)
        answer = await self._retrying(
            lambda seconds: method(call.request, timeout=seconds, metadata=self.options.metadata),
            self.options.timeout_seconds,
        )
        self.bookmark.note(answer)
        return call.convert(answer)

    async def upload(self, user_id: str, content: bytes) -> Reference:
        """Sends a file."""
        method = self.connection.stubs.gallery.UploadMedia
        upload_requests(user_id, content)  # Refuses what cannot be right before anything is sent.
        answer = await self._retrying(
            lambda seconds: method(
                upload_requests(user_id, content), timeout=seconds, metadata=self.options.metadata
            ),
            self.options.transfer_timeout_seconds,
        )
        return convert.reference(answer)

    async def stream(self, call: StreamCall[T]) -> AsyncGenerator[T, None]:
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
                async for answer in rpc:
                    began = True
                    attempts.progressed()
                    self.bookmark.note(answer)
                    if call.resume is not None:
                        call.resume(request, answer)
                    yield call.convert(answer)
                return
            except grpc.aio.AioRpcError as failure:
                error = error_from(failure, options.address.target)
                pause_seconds = None if began and call.resume is None else attempts.pause_after(error)
                if pause_seconds is None:
                    raise error from failure
            finally:
                rpc.cancel()
            await asyncio.sleep(pause_seconds)

    async def _retrying(self, send: Callable[[float | None], Awaitable[Any]], timeout_seconds: float) -> Any:
        attempts = Attempts(self.options.retry, timeout_seconds)
        while True:
            try:
                return await send(attempts.remaining_seconds())
            except grpc.aio.AioRpcError as failure:
                error = error_from(failure, self.options.address.target)
                pause_seconds = attempts.pause_after(error)
                if pause_seconds is None:
                    raise error from failure
            await asyncio.sleep(pause_seconds)


class AsyncMethods:
    """What the client's topics have in common."""

    _transport: AsyncTransport
