"""The project's own modules, parsed once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from tools.docs.source import parse

ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = ("service", "clients", "sandbox", "demo", "tools")

Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


class Module(NamedTuple):
    path: str
    """From the root of the project."""
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """As it is imported."""
        return self.path.removesuffix(".py").replace("/", ".")


def modules(*folders: str) -> Iterator[Module]:
    """All modules under these folders of the project."""
    for folder in folders:
        for path in sorted((ROOT / folder).rglob("*.py")):
            yield _read(path)


@functools.cache
def _read(path: Path) -> Module:
    return Module(path.relative_to(ROOT).as_posix(), path.read_text("utf-8"), parse(path))


def functions(module: Module) -> Iterator[Function]:
    """Every function of a module, methods and inner ones too."""
    for node in ast.walk(module.tree):
        if isinstance(node, Function):
            yield node


def public_definitions(body: list[ast.stmt], prefix: str = "") -> Iterator[tuple[str, Definition]]:
    """Classes and functions without an underscore, and what is public in those classes: ``(name, node)``."""
    for node in body:
        if isinstance(node, Definition) and not node.name.startswith("_"):
            yield prefix + node.name, node
            if isinstance(node, ast.ClassDef):
                yield from public_definitions(node.body, f"{node.name}.")


def imported(module: Module) -> Iterator[str]:
    """Names of modules that a module imports; of ``from a import b`` both ``a`` and ``a.b``, for b may be one."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
