"""What keeps the code readable, where a machine can tell: sizes, docstrings, nothing half done, nothing swallowed."""

from __future__ import annotations

import ast
import re

import clients.sdk
from tests.architecture.modules import PROGRAMS, Module, functions, modules, public_definitions

MAX_MODULE_LINES = 300
MAX_FUNCTION_LINES = 70
# In pieces, so that this file does not find itself.
UNFINISHED = re.compile("|".join(["TO" + "DO", "FIX" + "ME", "NotImplemented" + "Error"]))


def test_modules_are_of_a_size_to_be_read() -> None:
    long = {module.path: len(module.text.splitlines()) for module in modules(*PROGRAMS)}
    assert {path: lines for path, lines in long.items() if lines > MAX_MODULE_LINES} == {}


def test_functions_fit_on_a_screen() -> None:
    long = {
        f"{module.path}: {function.name}": lines
        for module in modules(*PROGRAMS, "tests")
        for function in functions(module)
        if (lines := (function.end_lineno or 0) - function.lineno + 1) > MAX_FUNCTION_LINES
    }
    assert long == {}


def test_every_module_says_what_it_is_for() -> None:
    silent = [module.path for module in modules(*PROGRAMS) if module.tree.body and not ast.get_docstring(module.tree)]
    assert silent == []


def test_everything_public_in_the_ports_says_what_it_is_for() -> None:
    silent = [
        f"{module.path}: {name}"
        for module in modules("service/ports")
        for name, node in public_definitions(module.tree.body)
        if not ast.get_docstring(node)
    ]
    assert silent == []


def test_everything_that_the_sdk_offers_says_what_it_is_for() -> None:
    offered = set(clients.sdk.__all__)
    silent = [
        f"{module.path}: {name}"
        for module in modules("clients/sdk")
        for name, node in public_definitions(module.tree.body)
        if name.partition(".")[0] in offered and not ast.get_docstring(node)
    ]
    assert silent == []


def test_nothing_is_half_done() -> None:
    found = [
        f"{module.path}:{number}: {line.strip()}"
        for module in modules(*PROGRAMS, "tests")
        for number, line in enumerate(module.text.splitlines(), 1)
        if UNFINISHED.search(line)
    ]
    assert found == []


def test_no_error_is_swallowed() -> None:
    found = [
        f"{module.path}:{handler.lineno}"
        for module in modules(*PROGRAMS)
        for handler in ast.walk(module.tree)
        if isinstance(handler, ast.ExceptHandler) and _does_nothing(handler.body)
    ]
    assert found == []


def _does_nothing(body: list[ast.stmt]) -> bool:
    return all(
        isinstance(each, ast.Pass) or (isinstance(each, ast.Expr) and isinstance(each.value, ast.Constant))
        for each in body
    )


def test_only_the_settings_read_the_environment() -> None:
    """What else reads it (a tool, a command line's own options) is not the service."""
    readers = [
        module.path
        for module in modules("service")
        if not module.path.startswith("service/config/") and _reads_environment(module)
    ]
    assert readers == []


def _reads_environment(module: Module) -> bool:
    """Setting a default for a library that reads its own variables is no reading."""
    handed_on = {
        id(node.value)
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "setdefault"
    }
    return any(
        isinstance(node, ast.Attribute)
        and node.attr in ("environ", "getenv")
        and isinstance(node.value, ast.Name)
        and node.value.id == "os"
        and id(node) not in handed_on
        for node in ast.walk(module.tree)
    )
