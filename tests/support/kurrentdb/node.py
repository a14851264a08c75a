"""What a node knows of itself: who leads, what version it is, who may call it.

Every servicer asks the node before it does anything: ``admit`` (a name and a password, where the node has users) and
whether this call must go to the leader.
"""

from __future__ import annotations

import asyncio
import base64
from typing import Any
from uuid import UUID, uuid4

import grpc
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from kurrentdbclient.protos.v1 import gossip_pb2, gossip_pb2_grpc, shared_pb2

from tests.support.kurrentdb import errors
from tests.support.kurrentdb.errors import Context
from tests.support.kurrentdb.faults import Faults
from tests.support.kurrentdb.log import TransactionLog

_FEATURES_SERVICE = "event_store.client.server_features.ServerFeatures"
_STREAMS = "event_store.client.streams.streams"
_METHODS = (("read", _STREAMS), ("batchappend", _STREAMS), ("delete", _STREAMS), ("tombstone", _STREAMS))
_APPEND_SESSION = ("appendsession", "kurrentdb.protocol.v2.streams.streamsservice")


class Node:
    """One member of a cluster (of one, unless it ``follows``)."""

    def __init__(self, log: TransactionLog, faults: Faults, users: dict[str, str] | None) -> None:
        self.log = log
        self.faults = faults
        self.host = "127.0.0.1"
        self.port = 0
        self.id: UUID = uuid4()
        self._users = users

    async def admit(self, context: Context, *, v2: bool = False) -> None:
        """Ends the call of one who may not make it. Without users, everybody may."""
        if self._users is None:
            return
        header = _metadata(context).get("authorization")
        if header is None:
            await errors.access_denied(context, v2=v2, operation="streams")
        if not self._knows(header):
            await context.abort(grpc.StatusCode.UNAUTHENTICATED, "Unauthenticated")

    async def need_leader_v1(self, context: Context) -> None:
        """Ends the call if it says that it wants the leader, and this is not the leader."""
        wants = _metadata(context).get("requires-leader", "").lower() == "true"
        if wants and self.faults.take_follower_call():
            host, port = self.leader
            await errors.not_leader_v1(context, host, port)

    async def need_leader_v2(self, context: Context) -> None:
        if self.faults.take_follower_call():
            host, port = self.leader
            await errors.not_leader_v2(context, host, port, str(self.id))

    async def lose_answer(self, context: Context) -> None:
        """Called when an append took effect, before its caller is told."""
        if not self.faults.take_lost_answer():
            return
        if self.faults.lost_how == "unavailable":
            await errors.lost_answer(context)
        await asyncio.Event().wait()  # for ever; the call's end cancels it

    @property
    def leader(self) -> tuple[str, int]:
        return self.faults.follows or (self.host, self.port)

    def _knows(self, header: str | bytes) -> bool:
        assert self._users is not None
        text = header if isinstance(header, str) else header.decode()
        scheme, _, encoded = text.partition(" ")
        if scheme != "Basic":
            return False
        name, _, password = base64.b64decode(encoded).decode().partition(":")
        return self._users.get(name) == password


class GossipServicer(gossip_pb2_grpc.GossipServicer):
    def __init__(self, node: Node) -> None:
        self._node = node

    async def Read(self, request: shared_pb2.Empty, context: Context) -> gossip_pb2.ClusterInfo:
        state = gossip_pb2.MemberInfo.VNodeState
        node = self._node
        if node.faults.follows is None:
            return gossip_pb2.ClusterInfo(members=[_member(node.host, node.port, state.Leader)])
        leader = _member(*node.faults.follows, state.Leader)
        return gossip_pb2.ClusterInfo(members=[leader, _member(node.host, node.port, state.Follower)])


def _member(host: str, port: int, state: gossip_pb2.MemberInfo.VNodeState.ValueType) -> gossip_pb2.MemberInfo:
    end_point = gossip_pb2.EndPoint(address=host, port=port)
    return gossip_pb2.MemberInfo(
        instance_id=shared_pb2.UUID(string=str(uuid4())), state=state, is_alive=True, http_end_point=end_point
    )


def features_handler(node: Node) -> grpc.GenericRpcHandler:
    """The client's package has no definitions for this service; they are made here, as the server publishes them."""

    async def get_supported_methods(request: shared_pb2.Empty, context: Context) -> Any:
        methods = [*_METHODS, *([_APPEND_SESSION] if node.faults.has_append_session else [])]
        return SupportedMethods(
            event_store_server_version=node.faults.version,
            methods=[{"method_name": method, "service_name": service} for method, service in methods],
        )

    handler: Any = grpc.unary_unary_rpc_method_handler(
        get_supported_methods,
        request_deserializer=shared_pb2.Empty.FromString,
        response_serializer=lambda message: message.SerializeToString(),
    )
    return grpc.method_handlers_generic_handler(_FEATURES_SERVICE, {"GetSupportedMethods": handler})


def _supported_methods() -> Any:
    field = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="tests/serverfeatures.proto", package="tests.serverfeatures")
    file.syntax = "proto3"
    method = file.message_type.add(name="SupportedMethod")
    method.field.add(name="method_name", number=1, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    method.field.add(name="service_name", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    method.field.add(name="features", number=3, type=field.TYPE_STRING, label=field.LABEL_REPEATED)
    methods = file.message_type.add(name="SupportedMethods")
    methods.field.add(
        name="methods",
        number=1,
        type=field.TYPE_MESSAGE,
        label=field.LABEL_REPEATED,
        type_name=".tests.serverfeatures.SupportedMethod",
    )
    methods.field.add(name="event_store_server_version", number=2, type=field.TYPE_STRING, label=field.LABEL_OPTIONAL)
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    descriptor = pool.FindMessageTypeByName("tests.serverfeatures.SupportedMethods")
    return message_factory.GetMessageClass(descriptor)


SupportedMethods = _supported_methods()


def _metadata(context: Context) -> dict[str, Any]:
    return dict(context.invocation_metadata() or ())
