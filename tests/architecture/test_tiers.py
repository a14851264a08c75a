"""The tests' own order: each folder is a tier, the core is tested as such, and unit tests need no server."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from tests.architecture.modules import ROOT, Module, functions, imported, modules

TIERS = {"architecture", "contract", "e2e", "golden", "integration", "simulation", "soak", "support", "unit"}
SERVERS = {"psycopg", "uvicorn", "tests.support.postgres", "tests.support.system", "tests.support.sandbox"}


def test_every_test_belongs_to_a_tier() -> None:
    folders = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.rglob("*.py"))}
    assert folders <= TIERS
    assert sorted((ROOT / "tests").glob("test_*.py")) == []


def test_every_module_of_the_core_that_does_something_has_unit_tests() -> None:
    tested = {name for module in modules("tests/unit") for name in imported(module)}
    core = [module for module in modules("service/domain", "service/application") if any(functions(module))]
    # A module that only its neighbours use is a part of them.
    parts = {name for module in core for name in imported(module) if _folder(name) == _folder(module.name)}
    assert [module.name for module in core if module.name not in tested | parts] == []


def _folder(module_name: str) -> str:
    return module_name.rpartition(".")[0]


def test_unit_tests_start_no_servers() -> None:
    found = [
        f"{module.path}: {name}"
        for module in modules("tests/unit")
        for name in sorted(set(imported(module)) & SERVERS)
    ]
    assert found == []


def test_unit_tests_are_where_their_subject_is() -> None:
    """``tests/unit`` has the service's folders; beside them stand those of other programs and of the tests."""
    folders = {path.parent.relative_to(ROOT / "tests/unit") for path in (ROOT / "tests/unit").rglob("test_*.py")}
    strays = [
        str(folder)
        for folder in sorted(folders)
        if not any((ROOT / home / folder).is_dir() for home in ("service", ".", "tests"))
    ]
    assert strays == []


def test_waits_in_tests_are_for_something() -> None:
    """A pause inside a loop looks again; one on its own hopes that the machine is quick enough."""
    found = [
        f"{module.path}:{line}"
        for module in modules("tests")
        if "/test_" in module.path and not _on_virtual_time(module)
        for line in _blind_pauses(module.tree)
    ]
    assert found == []


def _on_virtual_time(module: Module) -> bool:
    """There a pause of minutes is over at once, and exact."""
    return any(name.startswith("tests.simulation") or name.endswith("virtually") for name in imported(module))


def _blind_pauses(node: ast.AST) -> Iterator[int]:
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.While | ast.For | ast.AsyncFor):
            continue
        if isinstance(child, ast.Call) and _pauses(child):
            yield child.lineno
        yield from _blind_pauses(child)


def _pauses(call: ast.Call) -> bool:
    return (
        isinstance(call.func, ast.Attribute)
        and call.func.attr == "sleep"
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id in ("asyncio", "time")
        and not (isinstance(call.args[0], ast.Constant) and call.args[0].value == 0)
    )
