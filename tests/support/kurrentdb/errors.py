"""How failures look on the wire.

The v1 protocol has a status code, a sentence, and trailers such as ``exception: wrong-expected-version``. The v2
protocol has a ``google.rpc.Status`` whose details begin with an ``ErrorInfo``; the status code of each error is an
annotation of its enum value in the protocol's definitions, which is where it is read from here.
"""

from __future__ import annotations

from typing import Any, Never

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from kurrentdbclient.protos.kurrent.rpc import errors_pb2 as server_errors_pb2
from kurrentdbclient.protos.kurrent.rpc import rpc_pb2
from kurrentdbclient.protos.v2.streams import errors_pb2 as streams_errors_pb2

Context = grpc.aio.ServicerContext[Any, Any]
_CODES = {code.value[0]: code for code in grpc.StatusCode}
_PREFIXES = (("STREAMS_ERROR_", "streams"), ("SERVER_ERROR_", "server"))
_VALUES = {
    **streams_errors_pb2.StreamsError.DESCRIPTOR.values_by_name,
    **server_errors_pb2.ServerError.DESCRIPTOR.values_by_name,
}


async def abort_v2(context: Context, error: str, sentence: str, *details: Message) -> Never:
    """``error``: the name of the enum value, such as STREAMS_ERROR_STREAM_REVISION_CONFLICT."""
    annotation = _VALUES[error].GetOptions().Extensions[rpc_pb2.error]
    assert not annotation.has_details or details, f"{error} comes with details"
    prefix, domain = next(each for each in _PREFIXES if error.startswith(each[0]))
    status = status_pb2.Status(code=annotation.status_code, message=sentence)
    for detail in (error_details_pb2.ErrorInfo(reason=error.removeprefix(prefix), domain=domain), *details):
        status.details.add().Pack(detail)
    await context.abort(
        _CODES[annotation.status_code], sentence, (("grpc-status-details-bin", status.SerializeToString()),)
    )


async def abort_v1(context: Context, code: grpc.StatusCode, sentence: str, **trailers: str) -> Never:
    """Trailers by their names, with underscores for hyphens."""
    await context.abort(code, sentence, tuple((name.replace("_", "-"), value) for name, value in trailers.items()))


async def not_leader_v1(context: Context, host: str, port: int) -> Never:
    await abort_v1(
        context,
        grpc.StatusCode.NOT_FOUND,
        "Leader info available",
        exception="not-leader",
        leader_endpoint_host=host,
        leader_endpoint_port=str(port),
    )


async def not_leader_v2(context: Context, host: str, port: int, node_id: str) -> Never:
    leader = server_errors_pb2.NotLeaderNodeErrorDetails.NodeInfo(host=host, port=port, node_id=node_id)
    await abort_v2(
        context,
        "SERVER_ERROR_NOT_LEADER_NODE",
        f"This server is not the leader. Send the request to the leader at {host}:{port}.",
        server_errors_pb2.NotLeaderNodeErrorDetails(current_leader=leader),
    )


async def stream_deleted_v1(context: Context, stream: str) -> Never:
    await abort_v1(
        context,
        grpc.StatusCode.FAILED_PRECONDITION,
        f"Event stream '{stream}' is deleted.",
        exception="stream-deleted",
        stream_name=stream,
    )


async def wrong_expected_version_v1(context: Context, stream: str, expected: int, actual: int) -> Never:
    await abort_v1(
        context,
        grpc.StatusCode.FAILED_PRECONDITION,
        f"Delete failed due to WrongExpectedVersion. Stream: {stream}, Expected version: {expected}, "
        f"Actual version: {actual}",
        exception="wrong-expected-version",
        stream_name=stream,
        expected_version=str(expected),
        actual_version=str(actual),
    )


async def unknown_read_result(context: Context, kind: str, result: str, why: str) -> Never:
    await context.abort(grpc.StatusCode.UNKNOWN, f"Unexpected {kind}: {result} >> {why}")


async def access_denied(context: Context, *, v2: bool, operation: str) -> Never:
    if v2:
        await abort_v2(
            context,
            "SERVER_ERROR_ACCESS_DENIED",
            f"Access denied. Insufficient permissions to perform {operation}",
            server_errors_pb2.AccessDeniedErrorDetails(operation=operation),
        )
    await abort_v1(context, grpc.StatusCode.PERMISSION_DENIED, "Access Denied", exception="access-denied")


async def lost_answer(context: Context) -> Never:
    """As when the connection broke just then."""
    await context.abort(grpc.StatusCode.UNAVAILABLE, "Socket closed")
