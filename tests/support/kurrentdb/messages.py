"""Records as messages of the v1 protocol, and back."""

from __future__ import annotations

import time
from uuid import UUID

from google.protobuf.timestamp_pb2 import Timestamp
from kurrentdbclient.protos.v1 import shared_pb2, streams_pb2

from tests.support.kurrentdb.log import NewRecord, Record
from tests.support.kurrentdb.pages import Position

JSON = "application/json"
OCTETS = "application/octet-stream"
_SIGN_BIT = 1 << 63


def event(record: Record, *, uuid_as_text: bool) -> streams_pb2.ReadResp:
    recorded = streams_pb2.ReadResp.ReadEvent.RecordedEvent(
        id=uuid_message(record.event_id, as_text=uuid_as_text),
        stream_identifier=shared_pb2.StreamIdentifier(stream_name=record.stream.encode()),
        stream_revision=record.revision,
        commit_position=record.position,
        prepare_position=record.position,
        data=record.data,
        custom_metadata=record.metadata,
        metadata={
            "type": record.type,
            "created": str(record.created_ticks),
            "content-type": JSON if record.is_json else OCTETS,
        },
    )
    return streams_pb2.ReadResp(event=streams_pb2.ReadResp.ReadEvent(event=recorded, commit_position=record.position))


def checkpoint(position: Position) -> streams_pb2.ReadResp:
    return streams_pb2.ReadResp(
        checkpoint=streams_pb2.ReadResp.Checkpoint(
            commit_position=position.commit, prepare_position=position.prepare, timestamp=_now()
        )
    )


def caught_up_all(position: Position | None) -> streams_pb2.ReadResp:
    caught_up = streams_pb2.ReadResp.CaughtUp(timestamp=_now())
    if position is not None:
        caught_up.position.commit_position, caught_up.position.prepare_position = position
    return streams_pb2.ReadResp(caught_up=caught_up)


def caught_up_stream(revision: int) -> streams_pb2.ReadResp:
    caught_up = streams_pb2.ReadResp.CaughtUp(timestamp=_now())
    if revision >= 0:
        caught_up.stream_revision = revision
    return streams_pb2.ReadResp(caught_up=caught_up)


def fell_behind(position: Position) -> streams_pb2.ReadResp:
    message = streams_pb2.ReadResp.FellBehind(timestamp=_now())
    message.position.commit_position, message.position.prepare_position = position
    return streams_pb2.ReadResp(fell_behind=message)


def confirmation(subscription_id: UUID) -> streams_pb2.ReadResp:
    return streams_pb2.ReadResp(
        confirmation=streams_pb2.ReadResp.SubscriptionConfirmation(subscription_id=str(subscription_id))
    )


def stream_not_found(stream: str) -> streams_pb2.ReadResp:
    identifier = shared_pb2.StreamIdentifier(stream_name=stream.encode())
    return streams_pb2.ReadResp(stream_not_found=streams_pb2.ReadResp.StreamNotFound(stream_identifier=identifier))


def proposed(message: streams_pb2.BatchAppendReq.ProposedMessage) -> NewRecord:
    """Raises KeyError for metadata without type or content-type."""
    return NewRecord(
        event_id=uuid_of(message.id),
        type=message.metadata["type"],
        is_json=message.metadata["content-type"] == JSON,
        data=message.data,
        metadata=message.custom_metadata,
        stored_metadata_bytes=len(message.custom_metadata),
    )


def uuid_of(message: shared_pb2.UUID) -> UUID:
    if message.WhichOneof("value") == "string":
        return UUID(message.string)
    both = message.structured
    return UUID(int=((both.most_significant_bits % 2**64) << 64) | both.least_significant_bits % 2**64)


def uuid_message(value: UUID, *, as_text: bool) -> shared_pb2.UUID:
    if as_text:
        return shared_pb2.UUID(string=str(value))
    most, least = value.int >> 64, value.int % 2**64
    return shared_pb2.UUID(
        structured=shared_pb2.UUID.Structured(
            most_significant_bits=_signed(most), least_significant_bits=_signed(least)
        )
    )


def _signed(bits: int) -> int:
    return bits - 2 * _SIGN_BIT if bits & _SIGN_BIT else bits


def _now() -> Timestamp:
    nanoseconds = time.time_ns()
    return Timestamp(seconds=nanoseconds // 10**9, nanos=nanoseconds % 10**9)
