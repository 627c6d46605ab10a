"""Settings: every one documented, every insecure one refused in one line that names it."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from cds_service.errors import SettingsError
from cds_service.settings import Settings, check_production, load_settings
from cds_service.tenants import Tenant

DOC = (Path(__file__).parents[2] / "docs/settings.md").read_text()


def test_every_setting_is_documented_and_nothing_else() -> None:
    named = set(re.findall(r"^\| `(CDS_\w+)`", DOC, re.M))
    assert named == {f"CDS_{name.upper()}" for name in Settings.model_fields}


def test_defaults_are_those_of_the_table() -> None:
    for name, default in re.findall(r"^\| `CDS_(\w+)` \| `([^`]+)`", DOC, re.M):
        assert str(Settings.model_fields[name.lower()].default) == default, name


def test_every_key_of_a_tenant_is_documented() -> None:
    table = DOC.split("## Tenants file")[1].split("##")[0]
    named = {key for row in re.findall(r"^\| (`.*?) \|", table, re.M) for key in re.findall(r"`(\w+)`", row)}
    assert named == {field.alias or name for name, field in Tenant.model_fields.items()}


@pytest.fixture
def tenants(tmp_path: Path) -> Path:
    file = tmp_path / "tenants.yaml"
    file.write_text("tenants: []\n")
    return file


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"tenants_file": None}, "CDS_TENANTS_FILE"),
        ({"tenants_file": Path("/nowhere/tenants.yaml")}, "CDS_TENANTS_FILE"),
        ({"as_of": "2026-06-01"}, "CDS_AS_OF"),
        ({"public_url": None}, "CDS_PUBLIC_URL"),
        ({"public_url": "http://cds.example.org"}, "CDS_PUBLIC_URL"),
        ({"public_url": "https://user:pw@cds.example.org"}, "CDS_PUBLIC_URL"),
        ({"public_url": "https://"}, "CDS_PUBLIC_URL"),
        ({"sandbox_url": "http://127.0.0.1:8081"}, "CDS_SANDBOX_URL"),
        ({"suppression": False}, "CDS_SUPPRESSION"),
        ({"database_url": "postgresql://cds@db/cds"}, "CDS_PSEUDONYM_KEY"),
        ({"pseudonym_key": "a" * 40}, "CDS_PSEUDONYM_KEY"),
    ],
)
def test_production_refuses_what_is_insecure(tenants: Path, changes: dict[str, object], named: str) -> None:
    good = {"tenants_file": tenants, "public_url": "https://cds.example.org"}
    check_production(Settings(**good))  # type: ignore[arg-type]
    with pytest.raises(SettingsError, match=named):
        check_production(Settings(**(good | changes)))  # type: ignore[arg-type]
    check_production(Settings(**(good | changes), profile="sandbox"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [("CDS_DEADLINE_MS", "soon"), ("CDS_PROFILE", "test"), ("CDS_AS_OF", "June"), ("CDS_PSEUDONYM_KEY", "tiny-secret")],
)
def test_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as error:
        load_settings()
    assert "tiny-secret" not in str(error.value), "a secret is not repeated"


_PRODUCTION = {"CDS_TENANTS_FILE": "tenants.yaml", "CDS_PUBLIC_URL": "https://cds.example.org"}


@pytest.mark.parametrize(
    ("environment", "named"),
    [
        ({}, "CDS_TENANTS_FILE"),
        ({**_PRODUCTION, "CDS_TENANTS_FILE": "/nowhere"}, "CDS_TENANTS_FILE"),
        ({**_PRODUCTION, "CDS_AS_OF": "2026-06-01"}, "CDS_AS_OF"),
        ({**_PRODUCTION, "CDS_DATABASE_URL": "sqlite://"}, "CDS_DATABASE_URL"),
        ({**_PRODUCTION, "WORKERS": "2"}, "CDS_DATABASE_URL"),
        ({"CDS_PROFILE": "sandbox", "CDS_DATABASE_URL": "mysql://x:secret@y/z"}, "CDS_DATABASE_URL"),
    ],
)
def test_serve_refuses_in_one_line_with_code_2(environment: dict[str, str], named: str, tmp_path: Path) -> None:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CDS_")}
    if "tenants.yaml" in environment.get("CDS_TENANTS_FILE", ""):
        (tmp_path / "tenants.yaml").write_text("tenants: []\n")
    workers = environment.get("WORKERS", "1")
    command = [str(Path(sys.executable).with_name("cds-service")), "serve", "--port", "0", "--workers", workers]
    done = subprocess.run(command, env=clean | environment, cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert named in done.stderr
    assert "secret" not in done.stderr
