"""The v1 protocol's ``Read``: a stream or ``$all``, forwards or backwards, so many events or a subscription."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Never

import grpc
from kurrentdbclient.protos.v1 import streams_pb2

from tests.support.kurrentdb import errors, filters, messages, pages
from tests.support.kurrentdb.errors import Context
from tests.support.kurrentdb.filters import InvalidFilter, visible_to_all
from tests.support.kurrentdb.log import DELETED, NO_STREAM, Record
from tests.support.kurrentdb.node import Node
from tests.support.kurrentdb.pages import Position
from tests.support.kurrentdb.stream_subscription import StreamSubscription
from tests.support.kurrentdb.subscriptions import AllSubscription, Filter

Options = streams_pb2.ReadReq.Options
Messages = AsyncIterator[streams_pb2.ReadResp]


class Reader:
    """Answers one call."""

    def __init__(self, node: Node, options: Options, context: Context) -> None:
        self._log = node.log
        self._faults = node.faults
        self._options = options
        self._context = context
        self._uuid_as_text = options.uuid_option.WhichOneof("content") == "string"

    async def run(self) -> Messages:
        answer = await self._choose()
        try:
            async for message in answer:
                yield message
        except pages.InvalidPosition as wrong:
            if self._options.WhichOneof("count_option") == "subscription":
                await self._refuse("Trying to read from an invalid position.")
            await errors.unknown_read_result(self._context, self._result_kind, "InvalidPosition", str(wrong))
        except pages.BeyondTheEnd as wrong:
            await errors.unknown_read_result(self._context, self._result_kind, "Error", str(wrong))

    async def _choose(self) -> Messages:
        options = self._options
        if not options.HasField("uuid_option"):
            await self._refuse("'uuidOption' is a required argument")
        if options.resolve_links:
            await self._context.abort(grpc.StatusCode.UNIMPLEMENTED, "this server resolves no links")
        of_all = options.WhichOneof("stream_option") == "all"
        subscribes = options.WhichOneof("count_option") == "subscription"
        backwards = options.read_direction == Options.Backwards
        filtered = options.WhichOneof("filter_option") == "filter"
        if (subscribes and backwards) or (filtered and not of_all):
            await self._refuse("The combination of stream, count, direction and filter is invalid.")
        if not of_all:
            return self._subscribe_to_stream() if subscribes else self._read_stream(backwards)
        try:
            if subscribes:
                return self._subscribe_to_all()
            return self._read_all(backwards)
        except InvalidFilter as wrong:
            await self._refuse(str(wrong))

    def _subscribe_to_all(self) -> Messages:
        chosen = self._options.all.WhichOneof("all_option")
        after = Position.of(self._log.last_position) if chosen == "end" else None
        if chosen == "position":
            after = self._given_position()
        return AllSubscription(
            self._log, self._faults, after, uuid_as_text=self._uuid_as_text, filter=self._filter()
        ).run()

    def _filter(self) -> Filter | None:
        if self._options.WhichOneof("filter_option") != "filter":
            return None
        chosen = self._options.filter
        if chosen.checkpointIntervalMultiplier == 0:
            raise InvalidFilter("the checkpoint interval multiplier must be 1 or more")
        window = filters.window(chosen, pages.PAGE_SIZE)
        return Filter(filters.allows(chosen), window, window * chosen.checkpointIntervalMultiplier)

    def _subscribe_to_stream(self) -> Messages:
        chosen = self._options.stream.WhichOneof("revision_option")
        stream = self._options.stream.stream_identifier.stream_name.decode()
        after = self._log.last_revision(stream) if chosen == "end" else NO_STREAM
        if chosen == "revision":
            after = self._options.stream.revision
        return StreamSubscription(self._log, self._faults, stream, after, uuid_as_text=self._uuid_as_text).run()

    def _read_all(self, backwards: bool) -> Messages:
        chosen = self._options.all.WhichOneof("all_option")
        start = self._given_position() if chosen == "position" else Position.of(0)
        if chosen == "end":
            start = Position.of(self._log.end)
        if self._options.WhichOneof("filter_option") != "filter":
            return self._pages(backwards, start, visible_to_all, pages.UNBOUNDED)
        window = filters.window(self._options.filter, pages.PAGE_SIZE)
        return self._pages(backwards, start, filters.allows(self._options.filter), window)

    def _given_position(self) -> Position:
        given = self._options.all.position
        return Position(given.commit_position, given.prepare_position)

    async def _pages(self, backwards: bool, start: Position, allows: filters.Allows, window: int) -> Messages:
        read_page = pages.backwards if backwards else pages.forwards
        left = self._options.count
        while left > 0:
            page = read_page(self._log, start, allows, count=min(left, pages.PAGE_SIZE), window=window)
            for record in page.records:
                yield self._event(record)
            left -= len(page.records)
            start = page.next
            if page.at_end:
                return

    async def _read_stream(self, backwards: bool) -> Messages:
        stream = self._options.stream.stream_identifier.stream_name.decode()
        records = self._log.streams.get(stream, [])
        if self._log.last_revision(stream) == DELETED:
            await errors.stream_deleted_v1(self._context, stream)
        if not records or self._log.is_soft_deleted(stream):
            yield messages.stream_not_found(stream)
            return
        chosen = self._options.stream.WhichOneof("revision_option")
        start = 0 if chosen == "start" else len(records) - 1
        if chosen == "revision":
            start = self._options.stream.revision
        first = self._log.truncate_before(stream)
        if backwards:
            wanted = range(min(start, len(records) - 1), first - 1, -1)
        else:
            wanted = range(max(start, first), len(records))
        for revision in wanted[: self._options.count]:
            yield self._event(records[revision])

    def _event(self, record: Record) -> streams_pb2.ReadResp:
        return messages.event(record, uuid_as_text=self._uuid_as_text)

    @property
    def _result_kind(self) -> str:
        return "FilteredReadAllResult" if self._options.WhichOneof("filter_option") == "filter" else "ReadAllResult"

    async def _refuse(self, why: str) -> Never:
        await self._context.abort(grpc.StatusCode.INVALID_ARGUMENT, why)
