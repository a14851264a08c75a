"""What docs/api.md shows runs, and what it lists is all there is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterator

from triptych.v1 import (
    admin_service_pb2,
    credit_service_pb2,
    gallery_service_pb2,
    generation_service_pb2,
    history_service_pb2,
)

from service.api.errors import RULES
from service.domain.errors import DomainError
from tests.support.api import Api
from tools.protos import ROOT

PAGE = (ROOT / "docs/api.md").read_text()
ROW = re.compile(r"^\| `([A-Z_]+)` \| `([A-Z_]+)` \|", re.MULTILINE)


def every_kind(kind: type[Exception]) -> Iterator[type[Exception]]:
    """The class and all below it."""
    yield kind
    for each in kind.__subclasses__():
        yield from every_kind(each)


async def test_python_on_the_page_runs(api: Api) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    told: list[tuple[object, ...]] = []
    names = {"ADDRESS": api.address, "print": lambda *values: told.append(values)}
    await asyncio.to_thread(exec, code, names)
    ((generation_id, debited, position),) = told
    assert (len(str(generation_id)), debited) == (36, 5)
    assert isinstance(position, int)


def test_every_reason_is_on_the_page_with_its_code() -> None:
    listed = dict(ROW.findall(PAGE))
    expected = {"INTERNAL": "INTERNAL"}
    for parent, rule in RULES:
        for kind in every_kind(parent):
            reason = getattr(kind, "reason", rule.reason)
            expected[reason] = rule.code.name
    assert listed == expected
    assert {kind.reason for kind in every_kind(DomainError) if kind is not DomainError} <= listed.keys()  # type: ignore[attr-defined]


def test_every_method_is_on_the_page() -> None:
    for module in (
        admin_service_pb2,
        credit_service_pb2,
        gallery_service_pb2,
        generation_service_pb2,
        history_service_pb2,
    ):
        for service in module.DESCRIPTOR.services_by_name.values():
            (row,) = re.findall(rf"^\| `{service.name}` \| (.*) \|$", PAGE, re.MULTILINE)
            assert re.findall(r"`(\w+)`", row) == [method.name for method in service.methods]
