"""Settings: every one documented, every insecure one refused in one line that names it."""

from __future__ import annotations

import os
import re
import subprocess
from pathlib import Path

import pytest
import yaml

from cds_service.cli import main
from cds_service.errors import SettingsError
from cds_service.settings import Settings, check_environment, check_production, check_serving, load_settings
from cds_service.tenants import Tenant
from tests.cds_clients import tenant
from tests.serving import environment, program

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


INSECURE: dict[str, list[object]] = {
    "profile": ["test"],
    "tenants_file": [None, Path("/nowhere/tenants.yaml"), Path("/")],
    "database_url": [
        "sqlite://",
        "sqlite:///:memory:",
        "sqlite+pysqlite://",
        "sqlite:///file::memory:?uri=true",
        "sqlite:///file:x?mode=memory&uri=true",
        "postgresql://cds@db.hospital.example/cds?sslmode=disable",
        "postgresql://cds@db.hospital.example/cds?sslmode=allow",
    ],
    "public_url": [
        None,
        "",
        "http://cds.example.org",
        "https://user:pw@cds.example.org",
        "https://",
        "https://cds.example.org/?x=1",
        "cds.example.org",
    ],
    "deadline_ms": [0, 600_000],
    "fhir_parallel": [0, 100_000],
    "max_bytes_at_once": [0, 10**15],
    "max_bytes_at_once_per_tenant": [0, 10**15],
    "max_body_bytes": [0, 10**12],
    "max_nodes": [0, 10**12],
    "body_timeout_ms": [0, 10**9],
    "max_concurrent": [0, 10**9],
    "max_concurrent_per_tenant": [0, 10**9],
    "max_per_minute_per_tenant": [0, 10**12],
    "keep_charts_seconds": [-1, 10**9],
    "kill_file": [Path("/nowhere/kill"), "", Path(__file__).parent],
    "traces_url": ["http://collector.example.org/v1/traces", "https://u:pw@collector.example.org", "collector"],
    "retention_days": [0, 10**9],
    "pseudonym_key": ["short", "a" * 40, "only-for-the-demonstration-on-loopback"],
    "session_key": ["short", "b" * 40],
    "as_of": ["2026-06-01"],
    "suppression": [False],
    "sandbox_url": ["http://127.0.0.1:8081"],
}
HARMLESS = {
    "knowledge_overlay": "a file of codes; one that can't be read or is wrong is refused when it is loaded",
    "log_level": "a closed list, and no level prints content (tests/security/test_canaries.py runs at DEBUG)",
}
GOOD_KEY = "a-key-for-this-test-only-0123456789"


def test_the_table_speaks_of_every_setting() -> None:
    assert INSECURE.keys() | HARMLESS.keys() == Settings.model_fields.keys()


@pytest.mark.parametrize(("name", "value"), [(n, v) for n, values in INSECURE.items() for v in values])
def test_production_refuses_what_is_insecure(
    tenants: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    """In one line that names the setting."""
    good = {
        "tenants_file": tenants,
        "public_url": "https://cds.example.org",
        "pseudonym_key": GOOD_KEY,
        "database_url": "sqlite:////var/lib/cds/cds.sqlite3",
    }

    def start(settings: dict[str, object]) -> None:
        for variable in [v for v in os.environ if v.startswith("CDS_")]:
            monkeypatch.delenv(variable)
        for field, given in settings.items():
            if given is not None:
                monkeypatch.setenv(f"CDS_{field.upper()}", str(given))
        found = load_settings()
        check_production(found)
        check_serving(found, 1)

    start(good)
    with pytest.raises(SettingsError, match=f"CDS_{name.upper()}") as error:
        start(good | {name: value})
    assert "\n" not in str(error.value)
    assert GOOD_KEY not in str(error.value)


def test_a_key_is_needed_where_the_database_is_elsewhere(tenants: Path) -> None:
    settings = Settings(
        tenants_file=tenants, public_url="https://cds.example.org", database_url="postgresql://cds@db/cds"
    )
    with pytest.raises(SettingsError, match="CDS_PSEUDONYM_KEY"):
        check_production(settings)


def test_a_tenants_file_that_everybody_can_write_is_refused(tenants: Path) -> None:
    settings = Settings(tenants_file=tenants, public_url="https://cds.example.org")
    check_production(settings)
    tenants.chmod(0o666)
    with pytest.raises(SettingsError, match="CDS_TENANTS_FILE"):
        check_production(settings)


def test_every_key_that_this_repository_publishes_is_refused(tenants: Path) -> None:
    docker = Path(__file__).parents[2] / "docker"
    published = {
        key
        for file in docker.rglob("*.yaml")
        for key in re.findall(r"CDS_PSEUDONYM_KEY: ([\w-]+)$", file.read_text(encoding="utf-8"), re.M)
    }
    assert published
    for key in published:
        with pytest.raises(SettingsError, match="CDS_PSEUDONYM_KEY"):
            check_production(
                Settings(tenants_file=tenants, public_url="https://cds.example.org", pseudonym_key=key)  # type: ignore[arg-type]
            )


def test_a_slip_of_the_pen_is_no_setting() -> None:
    check_environment(["CDS_PROFILE", "CDS_TOKEN", "PATH"])
    with pytest.raises(SettingsError, match="CDS_SUPRESSION"):
        check_environment(["CDS_SUPRESSION"])


def test_the_sandbox_minds_none_of_it() -> None:
    check_production(Settings(profile="sandbox", as_of="2026-06-01", suppression=False))  # type: ignore[arg-type]


def test_a_kill_file_that_always_exists_is_refused_in_the_sandbox_too() -> None:
    """An empty variable names the folder we stand in, and so does a bind mount whose file is missing: every card would
    be held back, and nothing say why."""
    with pytest.raises(SettingsError, match="CDS_KILL_FILE"):
        check_production(Settings(profile="sandbox", kill_file=""))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("CDS_DEADLINE_MS", "soon"),
        ("CDS_PROFILE", "test"),
        ("CDS_AS_OF", "June"),
        ("CDS_AS_OF", "0001-01-01"),
        ("CDS_PSEUDONYM_KEY", "tiny-secret"),
    ],
)
def test_wrong_value_is_named(monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    with pytest.raises(SettingsError, match=name) as error:
        load_settings()
    assert "tiny-secret" not in str(error.value), "a secret is not repeated"


_PRODUCTION = {"CDS_TENANTS_FILE": "tenants.yaml", "CDS_PUBLIC_URL": "https://cds.example.org"}


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({}, "CDS_TENANTS_FILE"),
        ({**_PRODUCTION, "CDS_TENANTS_FILE": "/nowhere"}, "CDS_TENANTS_FILE"),
        ({**_PRODUCTION, "CDS_AS_OF": "2026-06-01"}, "CDS_AS_OF"),
        ({**_PRODUCTION, "CDS_DATABASE_URL": "sqlite://"}, "CDS_DATABASE_URL"),
        ({**_PRODUCTION, "CDS_KILLFILE": "/var/lib/cds/kill"}, "CDS_KILLFILE"),
        ({**_PRODUCTION, "WORKERS": "2"}, "CDS_DATABASE_URL"),
        ({"CDS_PROFILE": "sandbox", "CDS_DATABASE_URL": "mysql://x:secret@y/z"}, "CDS_DATABASE_URL"),
        ({**_PRODUCTION, "CDS_PUBLIC_URL": "https://[::1"}, "CDS_PUBLIC_URL"),
        ({**_PRODUCTION, "CDS_PUBLIC_URL": "https://cds.example:99999"}, "CDS_PUBLIC_URL"),
        ({**_PRODUCTION, "CDS_TRACES_URL": "https://[::1"}, "CDS_TRACES_URL"),
        (
            {**_PRODUCTION, "CDS_DATABASE_URL": "postgresql://x:secret@y:port/z", "CDS_PSEUDONYM_KEY": GOOD_KEY},
            "CDS_DATABASE_URL",
        ),
        ({"CDS_PROFILE": "sandbox", "CDS_DATABASE_URL": "postgresql://x:secret@y:port/z"}, "CDS_DATABASE_URL"),
    ],
)
def test_serve_refuses_in_one_line_with_code_2(settings: dict[str, str], named: str, tmp_path: Path) -> None:
    if "tenants.yaml" in settings.get("CDS_TENANTS_FILE", ""):
        (tmp_path / "tenants.yaml").write_text("tenants: []\n")
    workers = settings.get("WORKERS", "1")
    command = program("serve", "--port", "0", "--workers", workers)
    done = subprocess.run(command, env=environment(settings), cwd=tmp_path, capture_output=True, text=True, timeout=60)
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stderr.count(named) == 1, "named, and named once"
    assert "secret" not in done.stderr


def test_check_config_tells_how_each_tenant_stands(tmp_path: Path) -> None:
    good = tenant(id="good", orderables={"phosphate": [{"system": "urn:local", "code": "1"}]})
    bad = tenant(id="bad", issuer="https://other.example.org", language="fr")
    (tmp_path / "tenants.yaml").write_text(yaml.safe_dump({"tenants": [good, bad]}))

    def check(settings: dict[str, str]) -> subprocess.CompletedProcess[str]:
        command, clean = program("check-config"), environment(settings)
        return subprocess.run(command, env=clean, cwd=tmp_path, capture_output=True, text=True, timeout=60)

    done = check(_PRODUCTION)
    assert done.returncode == 1, done.stderr
    assert "tenant good: live, 100 % of the patients, dialect generic-2.0, keys from jwks" in done.stdout
    assert "good: note: no timeZone" in done.stdout
    assert re.search(r"good: note: no codings of its own for .*\bpth\b", done.stdout)
    assert re.search(r"disabled: tenants\[1\] \(bad\): language: .*'en'", done.stdout)
    refused = check({})
    assert refused.returncode == 2
    assert refused.stderr.startswith("refused to start: CDS_TENANTS_FILE")
    assert not (tmp_path / "var").exists(), "nothing is opened or written"


@pytest.mark.parametrize("port", ["65536", "99999", "-1", "http", "1e3"])
def test_what_is_no_port_is_refused(port: str, capsys: pytest.CaptureFixture[str]) -> None:
    """The system would listen at another port and say nothing."""
    with pytest.raises(SystemExit) as ended:
        main(["serve", f"--port={port}"])
    assert ended.value.code == 2
    assert "must be a port" in capsys.readouterr().err
