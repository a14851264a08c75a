"""What only the source text says: docstrings under attributes, comments as headings, who makes which event."""

from __future__ import annotations

import ast
import functools
import gc
import inspect
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any


@functools.cache
def parse(path: Path) -> ast.Module:
    """The module in a file.

    Without garbage collection meanwhile: before 3.11.8, Python fails here with a SystemError if something that is
    collected comes back to the parser, as warnings with their tracebacks do.
    """
    collects = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_text("utf-8"))
    finally:
        if collects:
            gc.enable()


def attribute_docstrings(cls: type) -> Mapping[str, str]:
    """The string that stands below each attribute of the class, where there is one."""
    found = {}
    for attribute, below in pairwise(_definition(cls).body):
        if (
            isinstance(attribute, ast.AnnAssign)
            and isinstance(attribute.target, ast.Name)
            and isinstance(below, ast.Expr)
            and isinstance(below.value, ast.Constant)
            and isinstance(below.value.value, str)
        ):
            found[attribute.target.id] = inspect.cleandoc(below.value.value)
    return found


def headings(cls: type) -> Mapping[str, str]:
    """For each attribute that begins a group: the comment that stands directly above it, on a line of its own."""
    lines = _file(cls).read_text("utf-8").splitlines()
    found = {}
    for statement in _definition(cls).body:
        if isinstance(statement, ast.AnnAssign) and isinstance(statement.target, ast.Name):
            above = lines[statement.lineno - 2].strip()
            if above.startswith("# "):
                found[statement.target.id] = above.removeprefix("# ")
    return found


def _file(cls: type) -> Path:
    path = sys.modules[cls.__module__].__file__
    assert path is not None
    return Path(path)


def _definition(cls: type) -> ast.ClassDef:
    """Of a class at the top of its module."""
    return next(
        each for each in parse(_file(cls)).body if isinstance(each, ast.ClassDef) and each.name == cls.__name__
    )


def makers(folder: Path, names: set[str]) -> Mapping[str, list[str]]:
    """For each of these classes the functions under ``folder`` that make one, as ``module.function``."""
    found: dict[str, list[str]] = {name: [] for name in names}
    for path in sorted(folder.rglob("*.py")):
        for function in parse(path).body:
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
