"""What a call was refused with, read back from the wire the way a client does."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable
from typing import Any, NamedTuple

import grpc
import pytest
from google.rpc.error_details_pb2 import BadRequest, ErrorInfo, RetryInfo
from grpc.aio import AioRpcError
from grpc_status import rpc_status


class Refusal(NamedTuple):
    code: grpc.StatusCode
    message: str
    reason: str
    facts: dict[str, str]
    fields: dict[str, str]
    """Descriptions by field."""
    retry_after_seconds: float | None


def read_refusal(error: AioRpcError) -> Refusal:
    """The code and the details. An error without details has an empty reason."""
    details: dict[str, Any] = {}
    status = rpc_status.from_call(error)  # type: ignore[arg-type]
    for packed in status.details if status is not None else ():
        for kind in (ErrorInfo, BadRequest, RetryInfo):
            message = kind()
            if packed.Unpack(message):
                details[kind.__name__] = message
    info = details.get("ErrorInfo", ErrorInfo())
    violations = details.get("BadRequest", BadRequest()).field_violations
    retry = details.get("RetryInfo")
    return Refusal(
        code=error.code(),
        message=error.details() or "",
        reason=info.reason,
        facts=dict(info.metadata),
        fields={violation.field: violation.description for violation in violations},
        retry_after_seconds=None if retry is None else retry.retry_delay.ToTimedelta().total_seconds(),
    )


async def refusal_of(call: Awaitable[Any] | AsyncIterable[Any]) -> Refusal:
    """What a call that must not succeed is refused with; a stream is read to its end."""
    with pytest.raises(AioRpcError) as caught:
        await (call if isinstance(call, Awaitable) else _drain(call))
    return read_refusal(caught.value)


async def _drain(stream: AsyncIterable[Any]) -> None:
    async for _ in stream:
        pass
