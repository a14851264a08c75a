"""What Triptych is deployed with says what is so: names, commands, roles, ports, bounds; linters find nothing in it.

There is no Docker here: nothing is built or started. What is checked is that the files are valid and agree with the
programs.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest
import yaml
from kubernetes_validate.utils import ValidationError, latest_version, validate
from typer.main import get_command

from clients.telegram.settings import TelegramSettings
from clients.web.settings import WebSettings
from service.cli.main import app
from service.cli.supervise import Patience
from service.config.settings import ROLES, Settings
from tests.architecture import deployment
from tests.architecture.deployment import KUBERNETES, VARIABLE, Container
from tests.architecture.modules import ROOT

FILES = [ROOT / "Dockerfile", ROOT / "compose.yaml", *sorted(KUBERNETES.glob("*.yaml"))]
PRE_STOP_SECONDS = 5
OLDEST_KUBERNETES = "1.31"
KNOWN = {
    *("TRIPTYCH_SERVER", "TRIPTYCH_TOKEN"),
    *(f"TRIPTYCH_{name.upper()}" for name in Settings.model_fields),
    *(f"TRIPTYCH_WEB_{name.upper()}" for name in WebSettings.model_fields),
    *(f"TRIPTYCH_TELEGRAM_{name.upper()}" for name in TelegramSettings.model_fields),
}
OURS = [each for each in deployment.containers() if each.arguments is not None]


def program(name: str) -> str:
    """A linter of the development environment."""
    path = Path(sys.executable).with_name(name)
    if not path.exists():
        pytest.skip(f"{name} is not installed: pip install --group dev")
    return str(path)


def lint(*command: str) -> None:
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr


def test_dockerfile_is_clean() -> None:
    lint(program("hadolint"), "Dockerfile")


def test_compose_file_is_valid() -> None:
    lint(program("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", "compose.yaml")


@pytest.mark.parametrize("version", [OLDEST_KUBERNETES, latest_version()])
def test_manifests_are_valid(version: str) -> None:
    for path, manifest in deployment.manifests():
        try:
            validate(manifest, version, strict=True)
        except ValidationError as error:
            pytest.fail(f"{path.name}: {error}")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_every_variable_exists(path: Path) -> None:
    assert {name for name in VARIABLE.findall(path.read_text("utf-8")) if name not in KNOWN} == set()


@pytest.mark.parametrize("container", OURS, ids=lambda container: container.where)
def test_every_command_line_parses(container: Container) -> None:
    assert container.arguments is not None
    program: Any = get_command(app)
    name, *arguments = container.arguments
    given: dict[str, Any] = program.commands[name].make_context(name, arguments).params
    assert set((given.get("roles") or "api").split(",")) <= set(ROLES)


@pytest.mark.parametrize("prefix", ["compose.yaml", "Deployment"])
def test_every_role_is_deployed(prefix: str) -> None:
    commands = [each.arguments or [] for each in OURS if each.where.startswith(prefix)]
    roles = {command[command.index("--roles") + 1] for command in commands if "--roles" in command}
    assert roles == set(ROLES)


def test_workers_have_their_keys_and_listeners_their_addresses() -> None:
    needed = {
        "worker": {"TRIPTYCH_FAL_KEY", "TRIPTYCH_OPENAI_API_KEY"},
        "api": {"TRIPTYCH_API_HOST", "TRIPTYCH_API_TOKENS"},
        "webhook": {"TRIPTYCH_WEBHOOK_HOST", "TRIPTYCH_WEBHOOK_SECRET"},
        "web": {"TRIPTYCH_WEB_HOST", "TRIPTYCH_WEB_SECRET", "TRIPTYCH_TOKEN"},
    }
    for container in OURS:
        for role, variables in needed.items():
            if role in (container.arguments or []):
                assert variables <= container.variables, container.where


def test_ports_are_those_of_the_settings() -> None:
    dockerfile = (ROOT / "Dockerfile").read_text("utf-8")
    health = int(re.findall(r"TRIPTYCH_HEALTH_PORT=(\d+)", dockerfile)[0])
    ports = {
        "grpc": Settings.model_fields["api_port"].default,
        "health": health,
        "webhook": Settings.model_fields["webhook_port"].default,
        "web": WebSettings.model_fields["port"].default,
    }
    exposed = {int(port) for line in re.findall(r"^EXPOSE (.+)$", dockerfile, re.M) for port in line.split()}
    assert exposed == set(ports.values())
    for name, pod in deployment.pods():
        for each in pod["containers"]:
            for port in each.get("ports", ()):
                wanted = ports[port["name"] if port["name"] in ports else each["name"]]
                assert port["containerPort"] == wanted, name
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                assert probe not in each or each[probe]["grpc"]["port"] == health, name


def test_containers_have_time_to_stop() -> None:
    longest = Patience().stop_seconds + PRE_STOP_SECONDS
    for name, pod in deployment.pods():
        assert name.startswith("Job/") or pod["terminationGracePeriodSeconds"] >= longest, name
    shared = deployment.compose()["x-triptych"]
    assert int(shared["stop_grace_period"].removesuffix("s")) >= longest


def test_containers_may_do_little() -> None:
    for name, pod in deployment.pods():
        assert pod["securityContext"]["runAsNonRoot"] is True, name
        assert pod["automountServiceAccountToken"] is False, name
        for each in pod["containers"]:
            assert each["securityContext"]["readOnlyRootFilesystem"] is True, name
            assert {"requests", "limits"} == set(each["resources"]), name


def test_every_manifest_is_applied() -> None:
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text("utf-8"))["resources"]
    assert sorted(listed) == sorted(path.name for path in KUBERNETES.glob("*.yaml") if path.stem != "kustomization")


def test_every_secret_is_explained() -> None:
    page = (ROOT / "docs" / "deployment.md").read_text("utf-8")
    keys = {
        entry["valueFrom"]["secretKeyRef"]["key"]
        for _, pod in deployment.pods()
        for each in pod["containers"]
        for entry in each["env"]
        if "valueFrom" in entry
    }
    assert {key for key in keys if f"`{key}`" not in page} == set()
    example = (ROOT / "deploy" / "compose.env.example").read_text("utf-8")
    asked = set(re.findall(r"\$\{([A-Z_]+)", (ROOT / "compose.yaml").read_text("utf-8")))
    assert asked == set(re.findall(r"^([A-Z_]+)=", example, re.M))


def test_the_image_holds_what_the_package_has() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    packages = {name.split("/")[0] for name in project["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]}
    copied = set(re.findall(r"^COPY (?!--)(\w+) \w+$", (ROOT / "Dockerfile").read_text("utf-8"), re.M))
    let_in = set(re.findall(r"^!(\w+)$", (ROOT / ".dockerignore").read_text("utf-8"), re.M))
    assert packages == copied == let_in
