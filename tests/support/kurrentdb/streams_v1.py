"""The v1 protocol's streams service: reading, subscribing, appending to one stream, deleting."""

from __future__ import annotations

from collections.abc import AsyncIterator

import grpc
from google.protobuf import any_pb2, empty_pb2
from google.protobuf.message import Message
from kurrentdbclient.protos.google.rpc import code_pb2
from kurrentdbclient.protos.v1 import shared_pb2, status_pb2, streams_pb2, streams_pb2_grpc

from tests.support.kurrentdb import checks, deleting, errors, messages
from tests.support.kurrentdb.checks import ANY, EXISTS, StreamAppend
from tests.support.kurrentdb.errors import Context
from tests.support.kurrentdb.log import NO_STREAM
from tests.support.kurrentdb.node import Node
from tests.support.kurrentdb.reading import Reader

MAX_RECORD_BYTES = 16 * 1024 * 1024
_EXPECTED = {"any": ANY, "no_stream": NO_STREAM, "stream_exists": EXISTS}
Responses = AsyncIterator[streams_pb2.BatchAppendResp]


class StreamsV1Servicer(streams_pb2_grpc.StreamsServicer):
    def __init__(self, node: Node) -> None:
        self._node = node

    async def Read(self, request: streams_pb2.ReadReq, context: Context) -> AsyncIterator[streams_pb2.ReadResp]:
        await self._node.admit(context)
        await self._node.need_leader_v1(context)
        async for message in Reader(self._node, request.options, context).run():
            yield message

    async def BatchAppend(self, requests: AsyncIterator[streams_pb2.BatchAppendReq], context: Context) -> Responses:
        """Parts of a batch come with the same correlation id; the final one has it written."""
        await self._node.admit(context)
        batches: dict[str, StreamAppend] = {}
        async for request in requests:
            key = request.correlation_id.SerializeToString().hex()
            begun = batches.get(key)
            try:
                records = tuple(messages.proposed(each) for each in request.proposed_messages)
            except KeyError as missing:
                yield _error(request, code_pb2.INVALID_ARGUMENT, shared_pb2.BadRequest(message=f"no {missing}"))
                continue
            if begun is None:
                begun = StreamAppend(_stream(request.options.stream_identifier), _expected(request.options), ())
            batches[key] = batch = StreamAppend(begun.stream, begun.expected, begun.records + records)
            if any(len(each.data) + len(each.metadata) + len(each.type) > MAX_RECORD_BYTES for each in records):
                too_big = shared_pb2.MaximumAppendSizeExceeded(maxAppendSize=MAX_RECORD_BYTES)
                yield _error(request, code_pb2.INVALID_ARGUMENT, too_big)
                continue
            if request.is_final:
                del batches[key]
                await self._node.need_leader_v1(context)
                response = self._append(request, batch)
                await self._node.lose_answer(context)
                yield response

    def _append(self, request: streams_pb2.BatchAppendReq, batch: StreamAppend) -> streams_pb2.BatchAppendResp:
        try:
            appended = checks.append(self._node.log, [batch], names_mixed_failures=True)
        except checks.StreamDeleted:
            identifier = shared_pb2.StreamIdentifier(stream_name=batch.stream.encode())
            return _error(request, code_pb2.NOT_FOUND, shared_pb2.StreamDeleted(stream_identifier=identifier))
        except checks.WrongRevision as wrong:
            return _error(request, code_pb2.ALREADY_EXISTS, _wrong_expected_version(batch.expected, wrong.current))
        position = shared_pb2.AllStreamPosition(commit_position=appended.position, prepare_position=appended.position)
        return streams_pb2.BatchAppendResp(
            correlation_id=request.correlation_id,
            stream_identifier=request.options.stream_identifier,
            success=streams_pb2.BatchAppendResp.Success(current_revision=appended.revisions[0], position=position),
        )

    async def Delete(self, request: streams_pb2.DeleteReq, context: Context) -> streams_pb2.DeleteResp:
        position = await self._delete(request.options, context, hard=False)
        return streams_pb2.DeleteResp(
            position=streams_pb2.DeleteResp.Position(commit_position=position, prepare_position=position)
        )

    async def Tombstone(self, request: streams_pb2.TombstoneReq, context: Context) -> streams_pb2.TombstoneResp:
        position = await self._delete(request.options, context, hard=True)
        return streams_pb2.TombstoneResp(
            position=streams_pb2.TombstoneResp.Position(commit_position=position, prepare_position=position)
        )

    async def _delete(
        self,
        options: streams_pb2.DeleteReq.Options | streams_pb2.TombstoneReq.Options,
        context: Context,
        *,
        hard: bool,
    ) -> int:
        await self._node.admit(context)
        await self._node.need_leader_v1(context)
        stream = _stream(options.stream_identifier)
        chosen = options.WhichOneof("expected_stream_revision")
        if chosen is None:
            await context.abort(grpc.StatusCode.INVALID_ARGUMENT, "an expected stream revision is required")
        expected = options.revision if chosen == "revision" else _EXPECTED[chosen]
        try:
            return deleting.delete(self._node.log, stream, expected, hard=hard)
        except checks.StreamDeleted:
            await errors.stream_deleted_v1(context, stream)
        except deleting.CannotDelete as wrong:
            await errors.wrong_expected_version_v1(context, stream, expected, wrong.current)


def _stream(identifier: shared_pb2.StreamIdentifier) -> str:
    return identifier.stream_name.decode()


def _expected(options: streams_pb2.BatchAppendReq.Options) -> int:
    chosen = options.WhichOneof("expected_stream_position")
    if chosen is None:
        raise ValueError("an expected stream position is required")
    return options.stream_position if chosen == "stream_position" else _EXPECTED[chosen]


def _error(
    request: streams_pb2.BatchAppendReq, code: code_pb2.Code.ValueType, detail: Message
) -> streams_pb2.BatchAppendResp:
    packed = any_pb2.Any()
    packed.Pack(detail)
    return streams_pb2.BatchAppendResp(
        correlation_id=request.correlation_id,
        stream_identifier=request.options.stream_identifier,
        error=status_pb2.Status(code=code, message=type(detail).__name__, details=packed),
    )


def _wrong_expected_version(expected: int, current: int) -> shared_pb2.WrongExpectedVersion:
    empty = empty_pb2.Empty()
    wrong = shared_pb2.WrongExpectedVersion()
    if current == NO_STREAM:
        wrong.current_no_stream.CopyFrom(empty)
    else:
        wrong.current_stream_revision = current
    if expected == NO_STREAM:
        wrong.expected_no_stream.CopyFrom(empty)
    elif expected == EXISTS:
        wrong.expected_stream_exists.CopyFrom(empty)
    else:
        wrong.expected_stream_position = expected
    return wrong
