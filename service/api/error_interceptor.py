"""Ends every call that raised with the status of ``errors.status_for``. The outermost interceptor, so that what
the others raise is told the same way.

Cancellation passes through untouched, and so does a handler's own abort (the health service has one).
"""

from __future__ import annotations

import inspect
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import aclosing
from typing import Any, TypeAlias

import grpc
from grpc import HandlerCallDetails, RpcMethodHandler
from grpc.aio import AbortError, ServerInterceptor, ServicerContext
from grpc_status.rpc_status import to_status

from service.api.errors import status_for

Handler: TypeAlias = "RpcMethodHandler[Any, Any]"  # Subscriptable for type checkers only.
Continuation: TypeAlias = "Callable[[HandlerCallDetails], Awaitable[Handler | None]]"
Behavior = Callable[[Any, ServicerContext[Any, Any]], Any]


class ErrorInterceptor(ServerInterceptor):
    """Knows how to end a call; what with, ``errors.py`` knows."""

    def __init__(self) -> None:
        # By method: what was found for it, and that guarded. A server has a few dozen, and finds the same ones again.
        self._guarded: dict[str, tuple[Handler, Handler]] = {}

    async def intercept_service(
        self, continuation: Continuation, handler_call_details: HandlerCallDetails
    ) -> Handler | None:
        method = handler_call_details.method
        try:
            handler = await continuation(handler_call_details)
        except Exception as error:  # noqa: BLE001 - told to the caller, and logged if it is a defect
            return grpc.stream_stream_rpc_method_handler(_refuse(error, method))
        # No handler: there is no such method, and gRPC says UNIMPLEMENTED itself.
        if handler is None:
            return None
        known = self._guarded.get(method)
        if known is None or known[0] is not handler:
            known = self._guarded[method] = (handler, _guarded(handler, method))
        return known[1]


def _guarded(handler: Handler, method: str) -> Handler:
    make: Callable[..., Handler]
    match handler.request_streaming, handler.response_streaming:
        case False, False:
            make, behavior = grpc.unary_unary_rpc_method_handler, _single(handler.unary_unary, method)
        case True, False:
            make, behavior = grpc.stream_unary_rpc_method_handler, _single(handler.stream_unary, method)
        case False, True:
            make, behavior = grpc.unary_stream_rpc_method_handler, _stream(handler.unary_stream, method)
        case _:
            make, behavior = grpc.stream_stream_rpc_method_handler, _stream(handler.stream_stream, method)
    return make(
        behavior,
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def _single(behavior: Any, method: str) -> Behavior:
    async def guarded(request: Any, context: ServicerContext[Any, Any]) -> Any:
        try:
            return await behavior(request, context)
        except AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - told to the caller, and logged if it is a defect
            return await _abort(context, error, method)

    return guarded


def _stream(behavior: Any, method: str) -> Behavior:
    async def guarded(request: Any, context: ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        try:
            answers = behavior(request, context)
            if inspect.isawaitable(answers):  # A handler that writes to the context instead of yielding.
                await answers
                return
            async with aclosing(answers):
                async for answer in answers:
                    yield answer
        except AbortError:
            raise
        except Exception as error:  # noqa: BLE001 - told to the caller, and logged if it is a defect
            await _abort(context, error, method)

    return guarded


def _refuse(error: Exception, method: str) -> Behavior:
    async def refuse(requests: Any, context: ServicerContext[Any, Any]) -> None:
        await _abort(context, error, method)

    return refuse


async def _abort(context: ServicerContext[Any, Any], error: Exception, method: str) -> None:
    await context.abort_with_status(to_status(status_for(error, method=method)))
