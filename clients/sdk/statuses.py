"""From what gRPC raises to the errors of this package: the one place here that knows status codes.

The service puts its refusals into ``google.rpc.Status``: an ErrorInfo with reason and facts, a BadRequest with the
wrong fields, a RetryInfo where trying again may help. A status without an ErrorInfo was made by the transport (or by
something in between), and its text is not for people, so those get a sentence from here.
"""

from __future__ import annotations

from typing import Any, TypeVar

import grpc
from google.protobuf.message import DecodeError, Message
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from google.rpc.status_pb2 import Status
from grpc_status import rpc_status

from clients.sdk import errors
from clients.sdk.errors import Refusal, TriptychError, Violation

M = TypeVar("M", bound=Message)

_BY_REASON: dict[str, type[TriptychError]] = {
    "INSUFFICIENT_CREDITS": errors.InsufficientCredits,
    "ALREADY_REFUNDED": errors.AlreadyRefunded,
    "NOTHING_TO_REFUND": errors.NothingToRefund,
    "NOT_ENDED": errors.NotEnded,
    "NOT_CANCELLABLE": errors.NotCancellable,
}

_BY_CODE: dict[grpc.StatusCode, type[TriptychError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: errors.InvalidArgument,
    grpc.StatusCode.UNAUTHENTICATED: errors.Unauthenticated,
    grpc.StatusCode.NOT_FOUND: errors.NotFound,
    grpc.StatusCode.ALREADY_EXISTS: errors.AlreadyExists,
    grpc.StatusCode.FAILED_PRECONDITION: errors.FailedPrecondition,
    grpc.StatusCode.ABORTED: errors.Conflict,
    grpc.StatusCode.UNAVAILABLE: errors.Unavailable,
    grpc.StatusCode.RESOURCE_EXHAUSTED: errors.ResourceExhausted,
    grpc.StatusCode.DEADLINE_EXCEEDED: errors.DeadlineExceeded,
    grpc.StatusCode.INTERNAL: errors.InternalError,
    grpc.StatusCode.UNIMPLEMENTED: errors.Unimplemented,
}

_TRANSPORT_SENTENCES: dict[grpc.StatusCode, str] = {
    grpc.StatusCode.UNAVAILABLE: "Cannot reach {address} ({said}). Is Triptych running there?",
    grpc.StatusCode.DEADLINE_EXCEEDED: "{address} did not answer in time.",
    grpc.StatusCode.UNIMPLEMENTED: "{address} does not know this call: it is older than this client or not Triptych.",
    grpc.StatusCode.RESOURCE_EXHAUSTED: "{address} has too much to do, or a message was too large.",
    grpc.StatusCode.CANCELLED: "The call to {address} was cancelled.",
}


def error_from(failure: grpc.RpcError, address: str) -> TriptychError:
    """The typed error for what a call to ``address`` raised."""
    call: Any = failure  # grpc raises errors that are also calls; its types do not say so.
    code: grpc.StatusCode = call.code()
    text = call.details() or ""
    status = _status(call)
    info = _detail(status, ErrorInfo)
    if info is None:
        sentence = _TRANSPORT_SENTENCES.get(code, "{address} answered {code}: {said}")
        message = sentence.format(address=address, code=code.name, said=_last_cause(text))
        refusal = Refusal(code=code.name, message=message, facts={"transport": text})
        kind = errors.Unreachable if code is grpc.StatusCode.UNAVAILABLE else _BY_CODE.get(code, TriptychError)
        return kind(refusal)
    retry = _detail(status, RetryInfo)
    violations = _detail(status, BadRequest) or BadRequest()
    refusal = Refusal(
        code=code.name,
        message=text,
        reason=info.reason,
        facts=dict(info.metadata),
        violations=tuple(Violation(each.field, each.description) for each in violations.field_violations),
        retry_after_seconds=None if retry is None else retry.retry_delay.ToTimedelta().total_seconds(),
    )
    return _BY_REASON.get(info.reason, _BY_CODE.get(code, TriptychError))(refusal)


def _last_cause(text: str) -> str:
    """The last of the causes that the transport strings together: "Connection refused", "Domain name not found"."""
    if "handshake failed" in text.lower():
        return "TLS failed: one side may not speak it, or the certificate is not trusted"
    return text.rsplit(": ", 1)[-1].strip(" .]") or "no reason given"


def _status(call: Any) -> Status | None:
    try:
        status: Status | None = rpc_status.from_call(call)
    except (ValueError, DecodeError):
        return None  # Details that something in between has damaged; the code still stands.
    return status


def _detail(status: Status | None, kind: type[M]) -> M | None:
    for packed in status.details if status is not None else ():
        message = kind()
        try:
            if packed.Unpack(message):  # False for a detail of another kind.
                return message
        except DecodeError:
            continue
    return None
