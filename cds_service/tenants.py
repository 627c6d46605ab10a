"""Tenants: the hospitals that may call, each with its issuer, keys, audience, FHIR servers and switches.

One validated file (YAML or JSON). A tenant that is wrong is disabled and named, the others run; the file is read again
when it changes, so that a tenant can be switched off without a restart.
"""

import hashlib
import json
import logging
import time
from collections.abc import Callable, Mapping
from datetime import UTC, tzinfo
from functools import cached_property
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from msgspec import Struct, field
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cds_service.errors import SettingsError
from cds_service.fhir.outbound import Policy, Refused
from hooks.dialects import load_dialects
from mappings.codelists import Coding

NOBODY = "-"
"""stands for the tenant of a call without a token (the sandbox, the companion's pages)."""
_LOG = logging.getLogger("cds_service")
ALGORITHMS = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512")
"""asymmetric only; "none" and HMAC are not in any list."""
_CHECK_SECONDS = 5.0
_SCHEMES: tuple[str, ...] = ("https",)
"""of FHIR servers: a bearer token goes over TLS only."""


def _is_base(url: str, schemes: tuple[str, ...] = ("https",)) -> bool:
    """Whether a URL could be called at all: the door lets none out with a user, a fragment or an odd path, and a query
    would stand in the middle of what is put behind a base."""
    try:
        Policy(bases=(url,)).base_of(url)
    except (Refused, ValueError):
        return False
    return urlsplit(url).scheme in schemes and "?" not in url


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True, defer_build=True)


def zone_named(name: str) -> tzinfo:
    """Raises ZoneInfoNotFoundError or ValueError. UTC needs no table of the machine."""
    return UTC if name == "UTC" else ZoneInfo(name)


class LocalCoding(_Strict):
    system: str
    code: str
    display: str = ""


class CompanionClient(_Strict):
    """How the companion is registered with the hospital's authorization server."""

    client_id: str = Field(alias="clientId", min_length=1)
    client_secret_file: Path | None = Field(default=None, alias="clientSecretFile")
    client_key_file: Path | None = Field(default=None, alias="clientKeyFile")
    """a private JWK; its public half is at /companion/jwks.json."""
    authorization_servers: tuple[str, ...] = Field(default=(), alias="authorizationServers")
    """base URLs of the authorize and token endpoints, where they do not lie below a FHIR server."""

    @model_validator(mode="after")
    def _one_proof(self) -> "CompanionClient":
        if self.client_secret_file is not None and self.client_key_file is not None:
            raise ValueError("clientSecretFile and clientKeyFile exclude each other")
        return self

    @field_validator("authorization_servers")
    @classmethod
    def _https_only(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not all(map(_is_base, urls)):
            raise ValueError("must be https base URLs")
        return tuple(url.rstrip("/") for url in urls)


class Tenant(_Strict):
    """One entry of the tenants file; the names of the file are the aliases."""

    id: str = Field(pattern=r"^[A-Za-z0-9_\-]{1,64}$")
    issuer: str = Field(min_length=1)
    audience: str
    algorithms: tuple[str, ...] = ("ES384", "RS384")
    jwks: dict[str, Any] | None = None
    jwks_file: Path | None = Field(default=None, alias="jwksFile")
    jku: str | None = None
    tenant: str | None = None
    client_id: str | None = Field(default=None, alias="clientId")
    fhir_servers: tuple[str, ...] = Field(default=(), alias="fhirServers")
    allow_private_addresses: bool = Field(default=False, alias="allowPrivateAddresses")
    ca_file: Path | None = Field(default=None, alias="caFile")
    dialect: str = "generic-2.0"
    orderables: dict[str, tuple[LocalCoding, ...]] = Field(default_factory=dict)
    overlay: Path | None = None
    language: Literal["en"] = "en"
    """of the cards; they are written in English only, and a tenant that asks for more is told so."""
    units: Literal["conventional", "si"] = "conventional"
    time_zone: str = Field(default="UTC", alias="timeZone")
    fhir_version: Literal["STU3", "R4", "R4B", "R5"] | None = Field(default=None, alias="fhirVersion")
    medication_statements: bool = Field(default=False, alias="medicationStatements")
    """whether its prefetch of the medications lacks statements, so that these are read beside it."""
    clinical_notes: bool = Field(default=False, alias="clinicalNotes")
    """whether notes are read of a patient with a connective tissue disease and no lesion."""
    frame_ancestors: tuple[str, ...] = Field(default=(), alias="frameAncestors")
    cors_origins: tuple[str, ...] = Field(default=(), alias="corsOrigins")
    mode: Literal["live", "silent", "off"] = "live"
    rollout: int = Field(default=100, ge=0, le=100)
    client_remembers_overrides: bool = Field(default=False, alias="clientRemembersOverrides")
    max_per_minute: int | None = Field(default=None, ge=1, alias="maxPerMinute")
    max_concurrent: int | None = Field(default=None, ge=1, alias="maxConcurrent")
    retention_days: int = Field(default=2190, ge=1, le=20_000, alias="retentionDays")
    fail_silent: bool = Field(default=False, alias="failSilent")
    companion: CompanionClient | None = None

    @field_validator("algorithms")
    @classmethod
    def _asymmetric(cls, algorithms: tuple[str, ...]) -> tuple[str, ...]:
        wrong = [a for a in algorithms if a not in ALGORITHMS]
        if wrong or not algorithms:
            raise ValueError(f"must be some of {', '.join(ALGORITHMS)}")
        return algorithms

    @field_validator("dialect")
    @classmethod
    def _known_dialect(cls, name: str) -> str:
        known = load_dialects().dialects
        if name not in known:
            raise ValueError(f"must be one of {', '.join(sorted(known))}")
        return name

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, name: str) -> str:
        try:
            zone_named(name)
        except (ZoneInfoNotFoundError, ValueError, OSError):
            raise ValueError("must be an IANA time zone that this machine knows") from None
        return name

    @field_validator("audience", "jku")
    @classmethod
    def _https(cls, url: str | None) -> str | None:
        if url is not None and not _is_base(url.partition("?")[0]):
            raise ValueError("must be an https URL")
        return url.rstrip("/") if url else url

    @field_validator("cors_origins", "frame_ancestors")
    @classmethod
    def _origins(cls, origins: tuple[str, ...]) -> tuple[str, ...]:
        """Exact https origins; http only for this very machine, as a developer's page has it."""
        for origin in origins:
            parts = urlsplit(origin)
            here = parts.scheme == "http" and parts.hostname in ("localhost", "127.0.0.1")
            if "*" in origin or not parts.hostname or not (parts.scheme == "https" or here):
                raise ValueError("must be exact https origins, without *")
            if origin != f"{parts.scheme}://{parts.netloc}" or "@" in origin or any(c in origin for c in " ;,'\""):
                raise ValueError("must be origins: scheme, host and port, nothing more")
        return origins

    @field_validator("fhir_servers")
    @classmethod
    def _servers(cls, urls: tuple[str, ...]) -> tuple[str, ...]:
        if not all(_is_base(url, _SCHEMES) for url in urls):
            raise ValueError("must be https base URLs")
        return tuple(url.rstrip("/") for url in urls)

    @model_validator(mode="after")
    def _one_key_source(self) -> "Tenant":
        if sum(source is not None for source in (self.jwks, self.jwks_file, self.jku)) != 1:
            raise ValueError("exactly one of jwks, jwksFile, jku is required")
        return self

    @property
    def zone(self) -> tzinfo | None:
        """Where dateTimes without a zone were written; None when the file does not say, so that they stay marked."""
        return zone_named(self.time_zone) if "time_zone" in self.model_fields_set else None

    @cached_property
    def key_source(self) -> str:
        """Where the keys come from, inline ones included, as a digest."""
        source = json.dumps([self.jwks, str(self.jwks_file), self.jku], sort_keys=True)
        return hashlib.sha256(source.encode()).hexdigest()

    @property
    def policy(self) -> Policy:
        return Policy(bases=self.fhir_servers, allow_private=self.allow_private_addresses)

    @property
    def launch_policy(self) -> Policy:
        """Where the companion may go: the FHIR servers and the registered authorization servers."""
        more = self.companion.authorization_servers if self.companion else ()
        return Policy(bases=(*self.fhir_servers, *more), allow_private=self.allow_private_addresses)

    @property
    def codings(self) -> Mapping[str, tuple[Coding, ...]]:
        return {k: tuple(Coding(c.system, c.code, c.display) for c in v) for k, v in self.orderables.items()}


class Tenants(Struct):
    """The tenants of a file. `problems` names the disabled ones; the texts hold no key material."""

    path: Path | None
    kill_file: Path | None = None
    check: Callable[[Tenant], None] = lambda _: None
    """Raises ValueError on a tenant whose files can't be used."""
    _by_issuer: dict[str, list[Tenant]] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)
    _stamp: tuple[int, int] | None = None
    _checked: float = 0.0

    def with_issuer(self, issuer: str) -> list[Tenant]:
        self.refresh()
        return self._by_issuer.get(issuer, [])

    def with_fhir_server(self, iss: str) -> Tenant | None:
        """The tenant whose record system may launch the companion from this FHIR base."""
        self.refresh()
        for found in self._by_issuer.values():
            for tenant in found:
                if tenant.companion is not None and tenant.mode != "off" and iss in tenant.fhir_servers:
                    return tenant
        return None

    @property
    def companions(self) -> list[CompanionClient]:
        """The companion's registrations, of all tenants that are not switched off."""
        self.refresh()
        found = (t for same in self._by_issuer.values() for t in same if t.mode != "off")
        return [tenant.companion for tenant in found if tenant.companion is not None]

    def by_id(self, tenant_id: str) -> Tenant | None:
        return next((t for same in self._by_issuer.values() for t in same if t.id == tenant_id), None)

    def every(self) -> list[Tenant]:
        """All tenants of the file that are not wrong."""
        return [tenant for same in self._by_issuer.values() for tenant in same]

    @property
    def enabled(self) -> int:
        """How many may call: those of the file that are not wrong and not off."""
        return sum(t.mode != "off" for same in self._by_issuer.values() for t in same)

    @property
    def killed(self) -> bool:
        """Whether the kill file exists: then no tenant is shown anything."""
        return self.kill_file is not None and self.kill_file.exists()

    def reload(self) -> None:
        """Reads the file at the next use, changed or not (SIGHUP)."""
        self._checked, self._stamp = float("-inf"), None

    @property
    def frame_ancestors(self) -> tuple[str, ...]:
        """Who may frame our pages, of all tenants together: a page is fetched by a browser that names no tenant."""
        self.refresh()
        found = (a for same in self._by_issuer.values() for t in same for a in t.frame_ancestors if t.mode != "off")
        return tuple(dict.fromkeys(found))

    @property
    def origins(self) -> frozenset[str]:
        self.refresh()
        return frozenset(o for found in self._by_issuer.values() for t in found for o in t.cors_origins)

    @property
    def retention(self) -> dict[str, int]:
        """How many days each tenant's evaluations are kept, by tenant id."""
        self.refresh()
        return {tenant.id: tenant.retention_days for found in self._by_issuer.values() for tenant in found}

    def refresh(self) -> None:
        """Reads the file again when it changed; a file that became unreadable leaves the old tenants in place."""
        now = time.monotonic()
        if self.path is None or now - self._checked < _CHECK_SECONDS:
            return
        self._checked = now
        try:
            status = self.path.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            if stamp != self._stamp:
                self.load()
                self._stamp = stamp
        except (OSError, SettingsError):
            _LOG.error("tenants file can't be read again", extra={"reason": "tenants-file"})

    def start(self) -> None:
        """Reads the file for the first time; SettingsError when it is no list of tenants at all."""
        self.load()
        if self.path is not None:
            status = self.path.stat()
            self._stamp, self._checked = (status.st_mtime_ns, status.st_size), time.monotonic()

    def load(self) -> None:
        """Reads the file; SettingsError when it is no list of tenants at all."""
        if self.path is None:
            return
        found: dict[str, list[Tenant]] = {}
        problems: list[str] = []
        ids: set[str] = set()
        for index, entry in enumerate(_entries(self.path)):
            name = entry.get("id") if isinstance(entry, dict) else None
            where = f"tenants[{index}]" + (f" ({name})" if isinstance(name, str) else "")
            try:
                tenant = Tenant.model_validate(entry)
                self.check(tenant)
            except ValidationError as error:
                first = error.errors(include_input=False, include_url=False)[0]
                key = ".".join(str(part) for part in first["loc"])
                problems.append(f"{where}: {key or 'entry'}: {first['msg']}")
                continue
            except ValueError as error:
                problems.append(f"{where}: {error}")
                continue
            if tenant.id in ids:
                problems.append(f"{where}: id: is used twice")
                continue
            ids.add(tenant.id)
            found.setdefault(tenant.issuer, []).append(tenant)
        for issuer, same in found.items():
            unclear = _unclear(same)
            problems.extend(
                f"tenant {t.id}: issuer: another tenant has it; tenant or clientId must differ" for t in unclear
            )
            found[issuer] = [tenant for tenant in same if tenant not in unclear]
        self._by_issuer, self.problems = found, problems
        for problem in problems:
            _LOG.error("tenant disabled", extra={"reason": problem})


def _unclear(same: list[Tenant]) -> list[Tenant]:
    """Tenants of one issuer and audience whose calls can't be told apart from another's: it might get their calls."""

    def overlap(one: Tenant, other: Tenant) -> bool:
        pairs = ((one.tenant, other.tenant), (one.client_id, other.client_id))
        return one.audience == other.audience and not any(a and b and a != b for a, b in pairs)

    return [one for one in same if any(other is not one and overlap(one, other) for other in same)]


def load_tenants(
    path: Path | None, kill_file: Path | None = None, check: Callable[[Tenant], None] = lambda _: None
) -> Tenants:
    """SettingsError when the file is no list of tenants at all."""
    tenants = Tenants(path, kill_file, check)
    tenants.start()
    return tenants


def _entries(path: Path) -> list[Any]:
    import yaml

    try:
        text = path.read_text(encoding="utf-8")
        data = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
    except (OSError, ValueError, yaml.YAMLError):
        raise SettingsError("CDS_TENANTS_FILE is not readable YAML or JSON") from None
    entries = data.get("tenants") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        raise SettingsError("CDS_TENANTS_FILE has no list `tenants`")
    return entries
