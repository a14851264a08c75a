"""What a KurrentDB server says of itself: its version and the methods that it has.

The client's package does not know this service of the server (``event_store.client.server_features``), so its two
messages are described here: ``SupportedMethods {repeated SupportedMethod methods = 1; string version = 2}`` and
``SupportedMethod {string method_name = 1; string service_name = 2}``, names in lower case.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

APPEND_SESSION = ("kurrentdb.protocol.v2.streams.streamsservice", "appendsession")
"""Appends to several streams at once; since 25.1."""

_PACKAGE = "triptych.kurrentdb_features"
_STRING = descriptor_pb2.FieldDescriptorProto.TYPE_STRING
_MESSAGE = descriptor_pb2.FieldDescriptorProto.TYPE_MESSAGE
_ONE = descriptor_pb2.FieldDescriptorProto.LABEL_OPTIONAL
_MANY = descriptor_pb2.FieldDescriptorProto.LABEL_REPEATED


class ServerFeatures(NamedTuple):
    version: str
    """Such as ``25.1.0``; empty if the server does not say."""
    methods: frozenset[tuple[str, str]]
    """``(service, method)``, in lower case."""

    def supports(self, service: str, method: str) -> bool:
        return (service, method) in self.methods


def parse_features(serialized: bytes) -> ServerFeatures:
    message: Any = _supported_methods()
    message.ParseFromString(serialized)
    methods = frozenset((each.service_name.lower(), each.method_name.lower()) for each in message.methods)
    return ServerFeatures(message.event_store_server_version, methods)


def _supported_methods() -> Any:
    file = descriptor_pb2.FileDescriptorProto(name="kurrentdb_features.proto", package=_PACKAGE, syntax="proto3")
    method = file.message_type.add(name="SupportedMethod")
    method.field.add(name="method_name", number=1, type=_STRING, label=_ONE)
    method.field.add(name="service_name", number=2, type=_STRING, label=_ONE)
    methods = file.message_type.add(name="SupportedMethods")
    methods.field.add(name="methods", number=1, type=_MESSAGE, label=_MANY, type_name=f".{_PACKAGE}.SupportedMethod")
    methods.field.add(name="event_store_server_version", number=2, type=_STRING, label=_ONE)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClass(pool.FindMessageTypeByName(f"{_PACKAGE}.SupportedMethods"))()
