"""Telling a server in another process what to do: one more method on its port, that takes and gives JSON.

``await set_faults("127.0.0.1:2113", lost_answers=1)``.
"""

from __future__ import annotations

from typing import Any

import grpc
import msgspec

from tests.support.kurrentdb.errors import Context
from tests.support.kurrentdb.faults import Faults

_SERVICE = "triptych.tests.KurrentDBControl"
_TIMEOUT_SECONDS = 30.0


def control_handler(faults: Faults) -> grpc.GenericRpcHandler:
    async def set_on_server(request: dict[str, Any], context: Context) -> Faults:
        changed = msgspec.convert(msgspec.to_builtins(faults) | request, Faults)
        for name in Faults.__struct_fields__:
            setattr(faults, name, getattr(changed, name))
        return faults

    handler = grpc.unary_unary_rpc_method_handler(
        set_on_server, request_deserializer=msgspec.json.decode, response_serializer=msgspec.json.encode
    )
    return grpc.method_handlers_generic_handler(_SERVICE, {"Set": handler})


async def set_faults(address: str, **changes: object) -> Faults:
    """Changes what is named; all as it is then."""
    async with grpc.aio.insecure_channel(address) as channel:
        call = channel.unary_unary(
            f"/{_SERVICE}/Set",
            request_serializer=msgspec.json.encode,
            response_deserializer=lambda raw: msgspec.json.decode(raw, type=Faults),
        )
        faults = await call(changes, timeout=_TIMEOUT_SECONDS)
    assert isinstance(faults, Faults)
    return faults
