"""What the command line shows of an item."""

from __future__ import annotations

import io
from types import SimpleNamespace
from typing import Any

from rich.console import Console
from triptych.v1 import item_pb2

from clients.cli.results import print_item
from clients.cli.words import Words
from clients.sdk import convert


def shown(**fields: Any) -> str:
    out = Console(file=io.StringIO(), width=200)
    session: Any = SimpleNamespace(words=Words("en"), out=out)
    print_item(convert.item(item_pb2.Item(item_id="g.0", type="avatar", **fields)), session)
    return out.file.getvalue()  # type: ignore[attr-defined, no-any-return]


def test_an_item_tells_what_it_cost() -> None:
    told = shown(prompt="a fox", effective_prompt="a fox", model="imagen4", aspect_ratio="1:1", credits=5)
    assert "What: avatar, 1:1, imagen4" in told
    assert "Price: 5 credits" in told
    assert "Where from" not in told


def test_what_was_imported_tells_where_it_is_from_and_nothing_that_is_not_known() -> None:
    told = shown(imported=True)
    assert "What: avatar\n" in told
    assert "Where from: The earlier gallery" in told
    assert "Price" not in told
    assert "prompt" not in told.casefold()
