"""What the routes of one application share."""

from __future__ import annotations

import ssl
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
from fastapi import Request
from msgspec import Struct, field

from cds_service.async_store import AsyncStore
from cds_service.auth import Authenticator, Caller
from cds_service.chart_cache import ChartCache
from cds_service.companion.sessions import Sessions
from cds_service.config_check import check_files
from cds_service.errors import SettingsError
from cds_service.fhir.client import FhirClient
from cds_service.fhir.outbound import Policy, Refused, open_client
from cds_service.metrics import Metrics
from cds_service.overload import Rates, Room, Slots
from cds_service.pipeline import Brain
from cds_service.scheduler import Scheduler
from cds_service.settings import Settings
from cds_service.store import StoreError
from cds_service.tenants import Tenant, Tenants
from hooks.wire import HookRequest
from mappings.codelists import OverlayText
from mappings.codetypes import CodelistError
from mappings.versions import Version

if TYPE_CHECKING:
    from cds_service.store import Store

_LOOPBACK = ("127.0.0.1", "::1", "testclient")
"""the last is the name that the test client gives itself; no network address looks like it."""


class AppState(Struct, frozen=True):
    """Made once by `create_app` and handed to every route."""

    settings: Settings
    brain: Brain
    policy: Policy
    http: httpx.AsyncClient
    tenants: Tenants
    authenticator: Authenticator
    async_store: AsyncStore
    slots: Slots
    rates: Rates
    scheduler: Scheduler
    room: Room
    sessions: Sessions
    charts: ChartCache
    metrics: Metrics = field(default_factory=Metrics)
    clients: dict[object, httpx.AsyncClient] = field(default_factory=dict)

    brains: dict[Path, tuple[tuple[int, int], Brain]] = field(default_factory=dict)
    local_brains: dict[tuple[Path | None, tzinfo], tuple[Brain, Brain]] = field(default_factory=dict)
    """each that is used in a time zone, with what it was made of."""

    def brain_of(self, tenant: Tenant | None) -> Brain:
        """Our own codes, or with the overlay that the tenant has; it was read when the tenants file was. The day is
        that of the hospital's time zone, where that is known."""
        if tenant is None:
            return self.brain
        found = self.brains.get(tenant.overlay) if tenant.overlay is not None else None
        brain = found[1] if found is not None else self.brain
        zone = tenant.zone
        if zone is None or self.settings.as_of is not None:
            return brain
        made = self.local_brains.get((tenant.overlay, zone))
        if made is None or made[0] is not brain:
            made = self.local_brains[tenant.overlay, zone] = brain, brain.in_zone(zone)
        return made[1]

    def check(self, tenant: Tenant) -> None:
        """Raises ValueError when a file that the tenant names can't be used; reads its overlay when it changed."""
        check_files(tenant, self.brain.knowledge)
        if tenant.overlay is None:
            return
        try:
            status = tenant.overlay.stat()
            stamp = (status.st_mtime_ns, status.st_size)
            known = self.brains.get(tenant.overlay)
            if known is None or known[0] != stamp:
                text = OverlayText(tenant.overlay.name, tenant.overlay.read_text(encoding="utf-8"))
                self.brains[tenant.overlay] = (stamp, self.brain.with_overlay(text))
        except (OSError, UnicodeDecodeError):
            raise ValueError("overlay: can't be read") from None
        except CodelistError as error:
            raise ValueError(f"overlay: {str(error).splitlines()[0]}") from None

    def public_url(self, request: Request) -> str:
        """The base of our own links: as configured, else (sandbox) as called."""
        return self.settings.public_url or str(request.base_url).rstrip("/")

    def fhir_client(self, request: HookRequest, tenant: Tenant | None) -> FhirClient | None:
        """A client for the EHR's server, when the request names one that this tenant allows."""
        if request.fhir_server is None:
            return None
        token = request.authorization.access_token if request.authorization else None
        if token is None and not self.settings.sandbox:
            return None
        policy, http = self.policy, self.http
        if tenant is not None:
            policy, http = tenant.policy, self._client_of(tenant)
        try:
            server = policy.server(request.fhir_server)
        except Refused:
            return None
        version = tenant.fhir_version if tenant is not None else None
        return FhirClient(http, policy, server, token, version, reader=self.brain_of(tenant).reader)

    def release(self, request: HookRequest, tenant: Tenant | None) -> Version | None:
        """The FHIR release as which the chart of a request is read; None: each resource's own shape decides."""
        if tenant is not None and tenant.fhir_version is not None:
            return tenant.fhir_version
        client = self.fhir_client(request, tenant)
        return client.capability.version if client is not None else None

    def launch_door(self, tenant: Tenant | None) -> tuple[Policy, httpx.AsyncClient]:
        """Where the companion's own requests may go, and the client that goes there."""
        if tenant is None:
            return self.policy, self.http
        return tenant.launch_policy, self._client_of(tenant, tenant.launch_policy)

    def _client_of(self, tenant: Tenant, policy: Policy | None = None) -> httpx.AsyncClient:
        """One HTTP client for each policy of a tenant, kept open."""
        policy = policy or tenant.policy
        key = (tenant.id, policy, tenant.ca_file)
        found = self.clients.get(key)
        if found is None:
            context = ssl.create_default_context(cafile=str(tenant.ca_file)) if tenant.ca_file else None
            found = self.clients[key] = open_client(policy, context, parallel=self.settings.fhir_parallel)
        return found

    async def close(self) -> None:
        await self.http.aclose()
        for client in self.clients.values():
            await client.aclose()
        self.scheduler.close()
        self.async_store.close()

    async def caller(self, request: Request) -> Caller | None:
        """The verified caller; None only in the sandbox, for a call from this machine. Raises Unauthorized."""
        headers = [value.decode("latin-1") for name, value in request.scope["headers"] if name == b"authorization"]
        if self.settings.sandbox and (not headers or self.tenants.path is None):
            host = request.client.host if request.client else ""
            if host in _LOOPBACK:
                return None
        return await self.authenticator.authenticate(headers, request.scope["path"])


def state_of(request: Request) -> AppState:
    state: AppState = request.app.state.cds
    return state


def open_store(settings: Settings) -> Store:
    """The database of the settings. SettingsError when it can't be used; the sandbox then does without a file."""
    from cds_service.store import Store

    key = settings.pseudonym_key.get_secret_value() if settings.pseudonym_key else None
    try:
        return Store(settings.database_url, key)
    except StoreError as error:
        if settings.sandbox and "database_url" not in settings.model_fields_set:
            return Store("sqlite://", key)
        raise SettingsError(str(error)) from None
