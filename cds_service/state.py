"""What the routes of one application share."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

import httpx
from fastapi import Request

from cds_service.errors import SettingsError
from cds_service.fhir.client import FhirClient
from cds_service.fhir.door import Policy, Refused
from cds_service.metrics import Metrics
from cds_service.pipeline import Brain
from cds_service.settings import Settings
from hooks.wire import HookRequest
from mappings.codelists import OverlayText


@dataclass(frozen=True, slots=True)
class AppState:
    settings: Settings
    brain: Brain
    policy: Policy
    http: httpx.AsyncClient
    metrics: Metrics = field(default_factory=Metrics)

    def public_url(self, request: Request) -> str:
        """The base of our own links: as configured, else (sandbox) as called."""
        return self.settings.public_url or str(request.base_url).rstrip("/")

    def fhir_client(self, request: HookRequest) -> FhirClient | None:
        """A client for the EHR's server, when the request names one that we may call."""
        if request.fhir_server is None:
            return None
        token = request.authorization.access_token if request.authorization else None
        if token is None and not self.settings.sandbox:
            return None
        try:
            self.policy.base_of(request.fhir_server)
        except Refused:
            return None
        return FhirClient(self.http, self.policy, request.fhir_server, token)


def state_of(request: Request) -> AppState:
    state: AppState = request.app.state.cds
    return state


def read_overlay(path: Path | None) -> OverlayText | None:
    """The hospital's own codes (CDS_KNOWLEDGE_OVERLAY)."""
    if path is None:
        return None
    try:
        return OverlayText(path.name, path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"CDS_KNOWLEDGE_OVERLAY can't be read: {type(error).__name__}") from None
