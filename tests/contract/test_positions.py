"""Callers read their own writes: every command's answer has a position, and every query takes one."""

from __future__ import annotations

import pytest
from google.protobuf.descriptor import MethodDescriptor
from triptych.v1 import credit_service_pb2, gallery_service_pb2, generation_service_pb2

METHODS: list[MethodDescriptor] = [
    method
    for module in (credit_service_pb2, gallery_service_pb2, generation_service_pb2)
    for service in module.DESCRIPTOR.services_by_name.values()
    for method in service.methods
]
QUERIES = ("Get", "List", "Count", "Stream", "Watch", "Download")
# The catalog is no read model, and a watch of the gallery goes on from a position instead of waiting for one.
WITHOUT = {"ListTypes", "WatchItems"}
# Keeps a file and writes no event.
WITHOUT_EVENT = {"UploadMedia"}


def is_query(method: MethodDescriptor) -> bool:
    return method.name.startswith(QUERIES)


@pytest.mark.parametrize("method", [each for each in METHODS if is_query(each)], ids=lambda method: method.name)
def test_query_takes_a_position(method: MethodDescriptor) -> None:
    fields = method.input_type.fields_by_name
    assert ("at_least_position" in fields) == (method.name not in WITHOUT)


@pytest.mark.parametrize("method", [each for each in METHODS if not is_query(each)], ids=lambda method: method.name)
def test_command_answers_with_a_position(method: MethodDescriptor) -> None:
    assert ("position" in method.output_type.fields_by_name) == (method.name not in WITHOUT_EVENT)
