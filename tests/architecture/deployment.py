"""The files under which Triptych is deployed, read as data: what they set, and what they run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.architecture.modules import ROOT

KUBERNETES = ROOT / "deploy" / "kubernetes"
VARIABLE = re.compile(r"\bTRIPTYCH_[A-Z0-9_]+")


class Container(NamedTuple):
    """One container of a file. ``arguments`` are what follows ``triptychd``; None for another program."""

    where: str
    arguments: list[str] | None
    variables: frozenset[str]


def compose() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8"))
    return loaded


def manifests() -> Iterator[tuple[Path, dict[str, Any]]]:
    """Every object that is applied, with the file that it stands in."""
    for path in sorted(KUBERNETES.glob("*.yaml")):
        if path.name != "kustomization.yaml":
            for document in yaml.safe_load_all(path.read_text("utf-8")):
                yield path, document


def pods() -> Iterator[tuple[str, dict[str, Any]]]:
    """``kind/name`` and the pod's specification."""
    for _, each in manifests():
        if each["kind"] in ("Deployment", "Job"):
            yield f"{each['kind']}/{each['metadata']['name']}", each["spec"]["template"]["spec"]


def containers() -> Iterator[Container]:
    """Ours, of all files."""
    for name, service in compose()["services"].items():
        if service.get("image") == "triptych":
            ours = "entrypoint" not in service
            yield Container(
                f"compose.yaml: {name}", service["command"] if ours else None, frozenset(service["environment"])
            )
    for name, pod in pods():
        for each in pod["containers"]:
            variables = frozenset(entry["name"] for entry in each["env"])
            yield Container(name, None if "command" in each else each["args"], variables)
