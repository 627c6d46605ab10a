"""The deployment files: read by real linters, checked against their schemas, and against what the service is."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.settings import Settings

ROOT = Path(__file__).parents[2]
DOCKER = ROOT / "docker"
COMPOSE = sorted(DOCKER.glob("compose*.yaml"))
MANIFESTS = sorted((DOCKER / "kubernetes").glob("*.yaml"))


def tool(name: str) -> str:
    found = Path(sys.executable).with_name(name)
    path = str(found) if found.exists() else shutil.which(name)
    if path is None:
        pytest.skip(f"{name} is not installed here")
    return path


def run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def documents(path: Path) -> list[dict[str, Any]]:
    return [d for d in yaml.safe_load_all(path.read_text(encoding="utf-8")) if d]


def test_hadolint() -> None:
    run(tool("hadolint"), "--failure-threshold", "warning", str(DOCKER / "Dockerfile"))


@pytest.mark.parametrize("path", COMPOSE, ids=lambda p: p.name)
def test_compose_fits_its_schema(path: Path) -> None:
    run(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(path))


@pytest.mark.parametrize("path", MANIFESTS, ids=lambda p: p.name)
def test_manifests_fit_the_kubernetes_schemas(path: Path) -> None:
    run(tool("kubernetes-validate"), "--strict", str(path))


def _environments() -> list[tuple[str, str]]:
    found = [
        (path.name, name)
        for path in COMPOSE
        for service in documents(path)[0]["services"].values()
        for name in service.get("environment", {})
    ]
    for document in (d for path in MANIFESTS for d in documents(path)):
        if document["kind"] == "ConfigMap":
            found += [("kubernetes", name) for name in document["data"]]
        if document["kind"] == "Deployment":
            for container in document["spec"]["template"]["spec"]["containers"]:
                found += [("kubernetes", item["name"]) for item in container.get("env", [])]
    return [(where, name) for where, name in found if name.startswith("CDS_")]


def test_every_setting_that_the_files_name_exists() -> None:
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields}
    assert len(_environments()) >= 10
    assert [item for item in _environments() if item[1] not in known] == []


def test_the_workloads_have_no_rights_and_limits() -> None:
    deployment = next(d for path in MANIFESTS for d in documents(path) if d["kind"] == "Deployment")
    pod = deployment["spec"]["template"]["spec"]
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for container in pod["containers"]:
        assert container["securityContext"] == {
            "allowPrivilegeEscalation": False,
            "readOnlyRootFilesystem": True,
            "capabilities": {"drop": ["ALL"]},
        }
        assert {"limits", "requests"} <= container["resources"].keys()
        assert {"startupProbe", "readinessProbe", "livenessProbe"} <= container.keys()
    for path in COMPOSE:
        for name, service in documents(path)[0]["services"].items():
            if service["image"] == "calcinosis-cds":
                assert service["read_only"] is True and service["cap_drop"] == ["ALL"], f"{path.name}: {name}"


def test_no_secret_of_a_hospital_is_in_the_files() -> None:
    production = (DOCKER / "compose.production.yaml").read_text(encoding="utf-8")
    manifests = "".join(path.read_text(encoding="utf-8") for path in MANIFESTS)
    for text in (production, manifests):
        assert not re.search(r"postgresql://\w+:\w+@", text)
        assert not re.search(r"PASSWORD:\s*\w", text)
    assert "USER 10001" in (DOCKER / "Dockerfile").read_text(encoding="utf-8")


def test_commands_of_the_files_exist() -> None:
    from cds_service.cli import _parser

    commands = [
        service["command"]
        for path in COMPOSE
        for service in documents(path)[0]["services"].values()
        if service.get("command", [""])[0] == "cds-service"
    ]
    assert len(commands) >= 3
    for command in commands:
        assert callable(_parser().parse_args(command[1:]).command)
