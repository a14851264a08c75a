"""The v2 protocol's ``AppendSession``: one transaction over several streams, one message a stream.

The session is checked as it comes in, before anything is written: the first record that is malformed or too big fails
all of it. A stream's properties are kept as a protobuf struct; readers of the v1 protocol see them as JSON, with the
event's type (``$schema.name``) and the form of its data (``$schema.format``) among them.
"""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator
from typing import Never
from uuid import UUID, uuid4

import grpc
from google.protobuf import json_format, struct_pb2
from google.rpc import error_details_pb2
from kurrentdbclient.protos.v2.streams import errors_pb2, streams_pb2, streams_pb2_grpc

from tests.support.kurrentdb import checks, errors
from tests.support.kurrentdb.checks import StreamAppend
from tests.support.kurrentdb.errors import Context
from tests.support.kurrentdb.log import NewRecord
from tests.support.kurrentdb.node import Node

MAX_RECORD_BYTES = 16 * 1024 * 1024
MAX_APPEND_BYTES = 256 * 1024 * 1024
_SCHEMA_NAME = re.compile(r"[a-zA-Z0-9_.$:-]+")
_FORMATS = {
    streams_pb2.SCHEMA_FORMAT_JSON: "Json",
    streams_pb2.SCHEMA_FORMAT_PROTOBUF: "Protobuf",
    streams_pb2.SCHEMA_FORMAT_AVRO: "Avro",
    streams_pb2.SCHEMA_FORMAT_BYTES: "Bytes",
}


class StreamsV2Servicer(streams_pb2_grpc.StreamsServiceServicer):
    def __init__(self, node: Node) -> None:
        self._node = node

    async def AppendSession(
        self, requests: AsyncIterator[streams_pb2.AppendRequest], context: Context
    ) -> streams_pb2.AppendSessionResponse:
        if not self._node.faults.has_append_session:
            await context.abort(grpc.StatusCode.UNIMPLEMENTED, "Service is unimplemented.")
        await self._node.admit(context, v2=True)
        session = _Session(context)
        async for request in requests:
            await session.add(request)
        # To this side a call that breaks off looks as if the caller had sent all it wanted. Answering tells them
        # apart: on a broken call it fails, and then nothing is written.
        await context.send_initial_metadata(())
        if not session.appends:
            await errors.abort_v2(
                context, "STREAMS_ERROR_APPEND_SESSION_NO_REQUESTS", "The session ended without a request."
            )
        await self._node.need_leader_v2(context)
        appended = await self._append(session.appends, context)
        await self._node.lose_answer(context)
        output = [
            streams_pb2.AppendResponse(stream=each.stream, stream_revision=revision)
            for each, revision in zip(session.appends, appended.revisions, strict=True)
        ]
        return streams_pb2.AppendSessionResponse(output=output, position=appended.position)

    async def _append(self, appends: list[StreamAppend], context: Context) -> checks.Appended:
        names_mixed_failures = self._node.faults.names_mixed_failures
        try:
            return checks.append(self._node.log, appends, names_mixed_failures=names_mixed_failures)
        except checks.StreamDeleted as deleted:
            await errors.abort_v2(
                context,
                "STREAMS_ERROR_STREAM_TOMBSTONED",
                f"Stream '{deleted.stream}' has been tombstoned.",
                errors_pb2.StreamTombstonedErrorDetails(stream=deleted.stream),
            )
        except checks.WrongRevision as wrong:
            if wrong.failed is None:
                await errors.abort_v2(
                    context,
                    "SERVER_ERROR_SERVER_MALFUNCTION",
                    "Append Session failed to map error: index out of range",
                )
            stream, expected = wrong.failed.stream, wrong.failed.expected
            await errors.abort_v2(
                context,
                "STREAMS_ERROR_STREAM_REVISION_CONFLICT",
                f"Append failed due to a revision conflict on stream '{stream}'. "
                f"Expected revision: {expected}. Actual revision: {wrong.current}.",
                errors_pb2.StreamRevisionConflictErrorDetails(
                    stream=stream, expected_revision=expected, actual_revision=wrong.current
                ),
            )


class _Session:
    """What came in so far."""

    def __init__(self, context: Context) -> None:
        self.appends: list[StreamAppend] = []
        self._context = context
        self._streams: set[str] = set()
        self._size = 0

    async def add(self, request: streams_pb2.AppendRequest) -> None:
        if why := _wrong_with_request(request):
            await self._refuse("AppendRequest", *why)
        if request.stream.lower() in self._streams:
            await errors.abort_v2(
                self._context,
                "STREAMS_ERROR_STREAM_ALREADY_IN_APPEND_SESSION",
                f"Stream '{request.stream}' is in this session already.",
                errors_pb2.StreamAlreadyInAppendSessionErrorDetails(stream=request.stream),
            )
        self._streams.add(request.stream.lower())
        records = tuple([await self._record(request.stream, record) for record in request.records])
        expected = request.expected_revision if request.HasField("expected_revision") else checks.ANY
        self.appends.append(StreamAppend(request.stream, expected, records))

    async def _record(self, stream: str, record: streams_pb2.AppendRecord) -> NewRecord:
        if why := _wrong_with_record(record):
            await self._refuse("AppendRequest", *why)
        is_json = record.schema.format == streams_pb2.SCHEMA_FORMAT_JSON
        properties = struct_pb2.Struct(fields=record.properties)
        if not is_json:
            properties.fields["$schema.format"].string_value = _FORMATS[record.schema.format]
        new = NewRecord(
            event_id=UUID(record.record_id) if record.HasField("record_id") else uuid4(),
            type=record.schema.name,
            is_json=is_json,
            data=record.data,
            metadata=_as_json(properties, record.schema.name, _FORMATS[record.schema.format]),
            stored_metadata_bytes=properties.ByteSize(),
        )
        await self._weigh(stream, new)
        return new

    async def _weigh(self, stream: str, new: NewRecord) -> None:
        size = len(new.data) + new.stored_metadata_bytes + len(new.type)
        if size > MAX_RECORD_BYTES:
            await errors.abort_v2(
                self._context,
                "STREAMS_ERROR_APPEND_RECORD_SIZE_EXCEEDED",
                f"The size of record {new.event_id} ({size} bytes) exceeds the maximum of {MAX_RECORD_BYTES} bytes.",
                errors_pb2.AppendRecordSizeExceededErrorDetails(
                    stream=stream, record_id=str(new.event_id), size=size, max_size=MAX_RECORD_BYTES
                ),
            )
        self._size += size
        if self._size > MAX_APPEND_BYTES:
            await errors.abort_v2(
                self._context,
                "STREAMS_ERROR_APPEND_TRANSACTION_SIZE_EXCEEDED",
                f"The transaction ({self._size} bytes) exceeds the maximum of {MAX_APPEND_BYTES} bytes.",
                errors_pb2.AppendTransactionSizeExceededErrorDetails(size=self._size, max_size=MAX_APPEND_BYTES),
            )

    async def _refuse(self, message: str, field: str, why: str) -> Never:
        violation = error_details_pb2.BadRequest.FieldViolation(field=field, description=why)
        await errors.abort_v2(
            self._context,
            "SERVER_ERROR_BAD_REQUEST",
            f"The '{message}' is invalid: {why}",
            error_details_pb2.BadRequest(field_violations=[violation]),
        )


def _wrong_with_request(request: streams_pb2.AppendRequest) -> tuple[str, str] | None:
    if request.stream in ("", "$$"):
        return "Stream", f"a stream may not be called {request.stream!r}"
    if request.expected_revision < 0 and request.expected_revision not in (-1, -2, -4):
        return "ExpectedRevision", "it must be 0 or more, or NoStream (-1), Any (-2), Exists (-4)"
    if not request.records:
        return "Records", "a stream's part must have at least one record"
    return None


def _wrong_with_record(record: streams_pb2.AppendRecord) -> tuple[str, str] | None:
    if record.HasField("record_id") and not _is_uuid(record.record_id):
        return "RecordId", "it must be a UUID other than zero"
    if record.schema.format not in _FORMATS:
        return "Schema.Format", "it must be given"
    if not _SCHEMA_NAME.fullmatch(record.schema.name):
        return "Schema.Name", f"it may have letters, digits and _.$:- only, not {record.schema.name!r}"
    if "" in record.properties:
        return "Properties", "a property must have a name"
    return None


def _is_uuid(text: str) -> bool:
    try:
        return UUID(text).int != 0
    except ValueError:
        return False


def _as_json(properties: struct_pb2.Struct, type_name: str, schema_format: str) -> bytes:
    shown: dict[str, object] = {
        name: value.string_value if value.HasField("string_value") else json_format.MessageToDict(value)
        for name, value in properties.fields.items()
    }
    shown |= {"$schema.name": type_name, "$schema.format": schema_format}
    return json.dumps(shown, ensure_ascii=False).encode()
