"""What only the source text says: docstrings under attributes, comments as headings, who makes which event."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any


def attribute_docstrings(cls: type) -> Mapping[str, str]:
    """The string that stands below each attribute of the class, where there is one."""
    body = _class_body(cls)
    found = {}
    for attribute, below in pairwise(body):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[attribute.target.id] = inspect.cleandoc(below.value.value)
    return found


def _class_body(cls: type) -> list[ast.stmt]:
    (definition,) = ast.parse(textwrap.dedent(inspect.getsource(cls))).body
    assert isinstance(definition, ast.ClassDef)
    return definition.body


def headings(cls: type) -> Mapping[str, str]:
    """For each attribute that begins a group: the comment that stands directly above it, on a line of its own."""
    lines = textwrap.dedent(inspect.getsource(cls)).splitlines()
    found = {}
    for statement in _class_body(cls):
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            above = lines[statement.lineno - 2].strip()
            if above.startswith("# "):
                found[statement.target.id] = above.removeprefix("# ")
    return found


def makers(folder: Path, names: set[str]) -> Mapping[str, list[str]]:
    """For each of these classes the functions under ``folder`` that make one, as ``module.function``."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for path in sorted(folder.rglob("*.py")):
        for function in ast.parse(path.read_text("utf-8")).body:
            if isinstance(function, ast.FunctionDef):
                for name in sorted(names & set(_named(function.body))):
                    found[name].append(f"{path.stem}.{function.name}")
    return found


def _named(node: Any) -> Iterator[str]:
    """Names in code that runs; not those that only look at what is there: patterns, isinstance, annotations."""
    match node:
        case list():
            for each in node:
                yield from _named(each)
        case ast.MatchClass() | ast.Call(func=ast.Name(id="isinstance")):
            return
        case ast.Attribute(attr=name) | ast.Name(id=name):
            yield name
        case ast.AnnAssign(value=value):
            yield from _named(value)
        case ast.AST():
            for each in ast.iter_child_nodes(node):
                yield from _named(each)
