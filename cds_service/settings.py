"""Settings from `CDS_*` environment variables (docs/settings.md lists them all). Injected, never global."""

import os
import stat
from collections.abc import Iterable
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import SplitResult, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, ValidationError, model_validator

from cds_service.days import FIRST_DAY
from cds_service.errors import SettingsError
from cds_service.fhir.slots import PARALLEL

if TYPE_CHECKING:
    from sqlalchemy.engine import URL

_VARIED = 8
"""different characters that a random key has at least."""
_PUBLISHED_KEYS = frozenset({"only-for-the-demonstration-on-loopback"})
"""keys that stand in this repository (a test compares them with the deployment files)."""
_HERE = ("localhost", "127.0.0.1", "::1")
_NO_SETTINGS = frozenset({"CDS_TOKEN"})
"""variables of the command line."""


class Settings(BaseModel):
    model_config = ConfigDict(extra="ignore", frozen=True)

    profile: Literal["production", "sandbox"] = "production"
    tenants_file: Path | None = None
    database_url: str = "sqlite:///var/cds.sqlite3"
    knowledge_overlay: Path | None = None
    public_url: str | None = None
    deadline_ms: int = Field(default=2000, ge=100, le=60_000)
    fhir_parallel: int = Field(default=PARALLEL, ge=1, le=1000)
    max_body_bytes: int = Field(default=8 * 1024 * 1024, ge=1024, le=256 * 1024 * 1024)
    max_nodes: int = Field(default=2_000_000, ge=1000, le=50_000_000)
    body_timeout_ms: int = Field(default=10_000, ge=100, le=120_000)
    max_concurrent: int = Field(default=256, ge=1, le=10_000)
    max_concurrent_per_tenant: int = Field(default=128, ge=1, le=10_000)
    max_bytes_at_once: int = Field(default=64 * 1024 * 1024, ge=1024, le=16 * 1024**3)
    max_bytes_at_once_per_tenant: int = Field(default=16 * 1024 * 1024, ge=1024, le=16 * 1024**3)
    max_per_minute_per_tenant: int = Field(default=12_000, ge=1, le=1_000_000)
    keep_charts_seconds: int = Field(default=600, ge=0, le=3600)
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"
    kill_file: Path | None = None
    traces_url: str | None = None
    retention_days: int = Field(default=2190, ge=1, le=20_000)
    pseudonym_key: SecretStr | None = Field(default=None, min_length=32)
    session_key: SecretStr | None = Field(default=None, min_length=32)
    as_of: date | None = Field(default=None, ge=FIRST_DAY)
    suppression: bool | None = None
    sandbox_url: str | None = None
    """where the embedded sandbox shows its page, for the link on the start page (demo only)."""

    @model_validator(mode="before")
    @classmethod
    def _from_environment(cls, given: dict[str, Any]) -> dict[str, Any]:
        """What is not given is taken from the environment, in whatever case the names are there."""
        set_there = {name.lower(): value for name, value in os.environ.items()}
        names = {f"cds_{name}": name for name in cls.model_fields}
        return {names[name]: value for name, value in set_there.items() if name in names} | given

    @property
    def sandbox(self) -> bool:
        return self.profile == "sandbox"

    @property
    def suppresses(self) -> bool:
        """Whether repeats are held back: yes at a hospital, in the sandbox only when asked for."""
        return not self.sandbox if self.suppression is None else self.suppression


def load_settings() -> Settings:
    """The settings of the environment; SettingsError names the first variable that is wrong."""
    try:
        return Settings()
    except ValidationError as error:
        first = error.errors()[0]
        name = "CDS_" + "_".join(str(part) for part in first["loc"]).upper()
        raise SettingsError(f"{name}: {first['msg']}") from None


def check_production(settings: Settings) -> None:
    """Refuses what is fine in the sandbox and dangerous at a hospital, and what would silence every card without a word
    in either; SettingsError says which setting."""
    if settings.kill_file is not None and settings.kill_file.is_dir():  # as an empty variable's is: "."
        raise SettingsError("CDS_KILL_FILE is empty or a folder: no card would be shown to anybody")
    if settings.sandbox:
        return
    if settings.tenants_file is None:
        raise SettingsError("CDS_TENANTS_FILE is not set: in production every caller is a registered tenant")
    if not settings.tenants_file.is_file():
        raise SettingsError("CDS_TENANTS_FILE is not a readable file")
    if settings.tenants_file.stat().st_mode & stat.S_IWOTH:
        raise SettingsError("CDS_TENANTS_FILE can be written by everybody on this machine: it decides who may call")
    if settings.as_of is not None:
        raise SettingsError("CDS_AS_OF is set: a fixed date is for the sandbox only")
    if settings.sandbox_url is not None:
        raise SettingsError("CDS_SANDBOX_URL is set: the embedded sandbox is not for production")
    public = _split(settings.public_url or "")
    if public.scheme != "https" or not public.hostname or public.username or public.query or public.fragment:
        raise SettingsError("CDS_PUBLIC_URL must be the public https URL of this service")
    if settings.kill_file is not None and not settings.kill_file.parent.is_dir():
        raise SettingsError("CDS_KILL_FILE lies in a folder that does not exist: the switch would never work")
    traces = _split(settings.traces_url or "https://none")
    if traces.username or not traces.hostname or (traces.scheme != "https" and traces.hostname not in _HERE):
        raise SettingsError("CDS_TRACES_URL must be the https URL of a collector, without a password")
    if settings.suppression is False:
        raise SettingsError("CDS_SUPPRESSION is false: in production a dismissed card stays dismissed")
    _check_key(settings)
    _check_database(settings)


def _split(address: str) -> SplitResult:
    """An empty one for what is no address: a bracket that isn't closed, a port that is none."""
    try:
        found = urlsplit(address)
        _ = found.port  # read when it is asked for, not before
    except ValueError:
        return urlsplit("")
    return found


def _check_key(settings: Settings) -> None:
    key = settings.pseudonym_key.get_secret_value() if settings.pseudonym_key is not None else None
    if key is None and settings.database_url.startswith("postgres"):
        raise SettingsError(
            "CDS_PSEUDONYM_KEY is not set: on PostgreSQL the key of the hashes must not lie beside them"
        )
    if key is not None and len(set(key)) < _VARIED:
        raise SettingsError("CDS_PSEUDONYM_KEY repeats a few characters: it must be random")
    if key in _PUBLISHED_KEYS:
        raise SettingsError("CDS_PSEUDONYM_KEY is the one of the demonstration, which everybody can read")
    session = settings.session_key.get_secret_value() if settings.session_key is not None else None
    if session is not None and len(set(session)) < _VARIED:
        raise SettingsError("CDS_SESSION_KEY repeats a few characters: it must be random")
    if session in _PUBLISHED_KEYS:
        raise SettingsError("CDS_SESSION_KEY is the one of the demonstration, which everybody can read")


def _check_database(settings: Settings) -> None:
    """The database as far as its URL says; an unusable URL is named when the store is opened."""
    url = _parsed(settings.database_url)
    if url is None:
        return
    mode = url.query.get("sslmode")
    if mode in ("disable", "allow") and (url.host or "") not in ("", *_HERE):
        raise SettingsError(
            f"CDS_DATABASE_URL says sslmode={mode}: what is kept would go over the network in the clear"
        )


def _in_memory(database_url: str) -> bool:
    url = _parsed(database_url)
    if url is None:
        return False
    name = url.database or ""
    return url.get_backend_name() == "sqlite" and (not name or ":memory:" in name or url.query.get("mode") == "memory")


def _parsed(database_url: str) -> "URL | None":
    """None for what is no URL of a database."""
    from sqlalchemy.engine import make_url  # a third of a second, which commands without a database need not spend
    from sqlalchemy.exc import ArgumentError

    try:
        return make_url(database_url)
    except (ArgumentError, ValueError):  # ValueError: a port that is no number
        return None


def check_environment(names: Iterable[str]) -> None:
    """In production a variable that looks like a setting and is none (a slip of the pen) would silently do nothing;
    SettingsError names it."""
    known = {f"CDS_{name.upper()}" for name in Settings.model_fields} | _NO_SETTINGS
    for name in sorted(names):
        if name.startswith("CDS_") and name not in known:
            raise SettingsError(f"{name[:80]} is no setting of this service")


def check_serving(settings: Settings, workers: int) -> None:
    """What only the command `serve` knows; SettingsError says what is wrong."""
    if workers < 1:
        raise SettingsError("--workers must be at least 1")
    if not settings.sandbox:
        if _in_memory(settings.database_url):
            raise SettingsError("CDS_DATABASE_URL is in memory: evaluations and used tokens would be forgotten")
        if workers > 1 and settings.database_url.startswith("sqlite"):
            raise SettingsError("CDS_DATABASE_URL is SQLite with --workers above 1: several processes need PostgreSQL")
