"""What the asynchronous and the synchronous client share: calls as data, and what a client remembers.

A method of a client is a ``Call`` (see ``calls.py``) handed to its transport: which RPC, which request, what to make
of the answer. So both clients have the same methods with the same meaning, and differ only in how they wait.

Reading one's own writes: every answer carries the place in the log that it includes. The client keeps the highest one
and gives it to every query as ``at_least_position``; the service then waits until its read model is that far.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

import grpc
from google.protobuf.message import Message
from triptych.v1.credit_service_pb2_grpc import CreditServiceStub
from triptych.v1.gallery_service_pb2_grpc import GalleryServiceStub
from triptych.v1.generation_service_pb2_grpc import GenerationServiceStub
from triptych.v1.history_service_pb2_grpc import HistoryServiceStub

from clients.sdk.errors import InvalidArgument, Refusal, Violation

T = TypeVar("T")
M = TypeVar("M", bound=Message)


class Stubs:
    """The service's methods on one channel. Typed as those of a synchronous channel; grpc.aio has the same names."""

    def __init__(self, channel: grpc.Channel) -> None:
        self.generations = GenerationServiceStub(channel)
        self.credits = CreditServiceStub(channel)
        self.gallery = GalleryServiceStub(channel)
        self.history = HistoryServiceStub(channel)


Method = Callable[[Stubs], Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Call(Generic[T]):
    """One request, one answer. It may be sent any number of times."""

    method: Method
    request: Message
    convert: Callable[[Any], T]


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamCall(Generic[T]):
    """One request, many answers.

    ``resume(request, answer)`` changes the request so that the stream goes on behind ``answer``; without it a stream
    that broke after its first answer cannot be taken up again. ``endless`` streams have no deadline.
    """

    method: Method
    request: Message
    convert: Callable[[Any], T]
    resume: Callable[[Any, Any], None] | None = None
    endless: bool = False


class Bookmark:
    """The highest position that a client was given. Shared by threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._position = 0

    @property
    def position(self) -> int:
        return self._position

    def note(self, answer: Message) -> None:
        """Remembers the position of an answer that has one."""
        position = getattr(answer, "position", 0)
        with self._lock:
            self._position = max(self._position, position)

    def apply(self, request: Message) -> None:
        """Makes a query wait for what this client has seen. Other requests are left as they are."""
        if "at_least_position" in request.DESCRIPTOR.fields_by_name:
            setattr(request, "at_least_position", self._position)  # noqa: B010 - not every message has it


def build(kind: Callable[[], M], **fields: Any) -> M:
    """A message with ``fields``; those that are None are left out. Raises InvalidArgument that names the field.

    protobuf itself refuses what no field of the type can hold (numbers that are too large, text that is no Unicode)
    without saying where.
    """
    message = kind()
    for name, value in fields.items():
        if value is None:
            continue
        try:
            if isinstance(value, list | tuple):
                getattr(message, name).extend(value)
            else:
                setattr(message, name, value)
        except (TypeError, ValueError) as error:
            description = f"cannot be {value!r:.200}"
            refusal = Refusal(
                code=grpc.StatusCode.INVALID_ARGUMENT.name,
                message=f"{name}: {description} ({error})",
                reason="INVALID_FIELD",
                violations=(Violation(name, description),),
            )
            raise InvalidArgument(refusal) from error
    return message
