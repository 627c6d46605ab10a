"""From the card's link to a session: launch, the way through the authorization server, and the chart."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from cds_service.clinical_notes import wants_notes, with_notes
from cds_service.companion import identity, smart
from cds_service.companion.client import ClientKeyError, Credentials
from cds_service.companion.sessions import Pending, Session, browser_of
from cds_service.companion.shared import Kept
from cds_service.companion.smart import LaunchError
from cds_service.companion.style import Style, accepted
from cds_service.companion.talk import dialogue
from cds_service.fhir.client import Deadline, FhirClient, get_bytes
from cds_service.fhir.outbound import Refused
from cds_service.gather import gather
from cds_service.state import AppState
from cds_service.tenants import Tenant
from hooks.dialogue import nobody
from hooks.wire import FhirAuthorization, HookRequest
from mappings.bundles import NotJsonError, decode
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.reader.identity import SAFE_ID

SANDBOX_CLIENT = "calcinosis-companion"
CALLBACK = "/companion/callback"
_MILLISECONDS = 8000
"""a person is waiting for a page, not an EHR for a card."""
_EARLY_SECONDS = 60
"""a token is renewed so long before it ends."""


async def begin(state: AppState, base: str, iss: str, launch: str | None, browser_secret: str) -> str:
    """The URL of the authorization server. Nothing is sent anywhere for an `iss` that is not on the list."""
    tenant = _tenant_of(state, iss)
    policy, http = state.launch_door(tenant)
    server = await smart.discover(http, policy, iss, Deadline.after(_MILLISECONDS))
    pending = Pending(
        browser_of(browser_secret), iss, launch, tenant, smart.new_verifier(), server.token, f"{base}{CALLBACK}",
        secrets.token_urlsafe(24), server.issuer, server.jwks_uri,
    )  # fmt: skip
    key = secrets.token_urlsafe(32)
    await state.sessions.await_return(key, pending)
    if tenant is not None and tenant.clinical_notes:
        server = replace(server, more=(*server.more, *smart.OF_NOTES))
    return smart.authorization_url(
        server, _client_id(tenant), pending.redirect_uri, key, pending.verifier, iss, launch, pending.nonce
    )


async def finish(state: AppState, pending: Pending, code: str) -> Session:
    """The session of a launch that came back with a code."""
    policy, http = state.launch_door(pending.tenant)
    deadline = Deadline.after(_MILLISECONDS)
    granted = await smart.exchange(
        http,
        policy,
        pending.token_endpoint,
        credentials=_credentials(pending.tenant),
        code=code,
        redirect_uri=pending.redirect_uri,
        verifier=pending.verifier,
        deadline=deadline,
    )
    if not SAFE_ID.fullmatch(granted.patient):
        raise LaunchError("The record system named no usable patient.", 502)
    user = None
    if granted.id_token is not None:
        user = await identity.user_of(
            http, policy, pending.issuer, pending.jwks_uri, pending.iss, _client_id(pending.tenant), pending.nonce,
            granted.id_token, deadline,
        )  # fmt: skip
    client = FhirClient(
        http, policy, pending.iss, granted.token, pending.tenant.fhir_version if pending.tenant else None
    )
    chart, facts = await read_chart(state, client, granted.patient, granted.scope, pending.tenant)
    return Session(
        pending.browser,
        pending.tenant,
        dialogue(state.brain_of(pending.tenant), facts),
        kept_of(chart),
        client,
        granted.scope,
        granted.encounter if granted.encounter and SAFE_ID.fullmatch(granted.encounter) else None,
        granted.banner,
        await _style(state, pending, granted.style_url),
        user=user,
        refresh=granted.refresh,
        token_endpoint=pending.token_endpoint,
        token_ends=state.sessions.now() + granted.expires_in,
    )


async def restored(state: AppState, kept: Kept, ours: Session | None) -> Session | None:
    """A session as another process left it, None when its hospital is gone. The chart is read again where this process
    has none, or something was saved since."""
    tenant = state.tenants.by_id(kept.tenant) if kept.tenant is not None else None
    if kept.tenant is not None and (tenant is None or tenant.companion is None or tenant.mode == "off"):
        return None
    session = Session(
        kept.browser, tenant, dialogue(state.brain_of(tenant), nobody()), None, None, kept.scopes, kept.encounter,
        kept.banner, kept.style, kept.given, kept.saved, kept.user, kept.refresh, kept.token_endpoint,
        kept.token_ends, kept.id, kept.page_key, kept.begun, state.sessions.now(), kept.version,
    )  # fmt: skip
    if kept.iss is None or kept.patient is None:
        return session
    policy, http = state.launch_door(tenant)
    session.client = FhirClient(http, policy, kept.iss, kept.token, tenant.fhir_version if tenant else None)
    if ours is not None and ours.saved == kept.saved:
        session.chart, session.dialogue = ours.chart, ours.dialogue
        return session
    session.chart = RawChart(kept.patient, ())
    await renew(state, session)
    await read_again(state, session)
    return session


async def renew(state: AppState, session: Session) -> None:
    """A new access token shortly before the old one ends, where the server gave a refresh token."""
    client = session.client
    if client is None or session.refresh is None or state.sessions.now() < session.token_ends - _EARLY_SECONDS:
        return
    policy, http = state.launch_door(session.tenant)
    token, session.refresh = session.refresh, None
    granted = await smart.refresh(
        http,
        policy,
        session.token_endpoint,
        credentials=_credentials(session.tenant),
        token=token,
        deadline=Deadline.after(_MILLISECONDS),
    )
    if granted is None or (granted.patient and session.chart and granted.patient != session.chart.patient_id):
        return
    session.client = FhirClient(client.http, client.policy, client.base, granted.token, client.version)
    session.scopes = granted.scope or session.scopes
    session.refresh = granted.refresh or token
    session.token_ends = state.sessions.now() + granted.expires_in
    await state.sessions.changed(session)


def without_patient(state: AppState, browser: str) -> Session:
    """A conversation about nobody: it starts from nothing."""
    return Session(browser, None, dialogue(state.brain, nobody()))


async def read_chart(
    state: AppState, client: FhirClient, patient_id: str, scope: str, tenant: Tenant | None
) -> tuple[RawChart, PatientFacts]:
    """The chart as far as the granted scopes allow, and its facts; what they refuse is named as unread. With notes as a
    hook reads them."""
    deadline, brain = Deadline.after(_MILLISECONDS), state.brain_of(tenant)
    authorization = FhirAuthorization(client.token or "", scope, patient=patient_id)
    request = HookRequest(
        "patient-view", "companion", patient_id, None, None, {}, fhir_server=client.base, authorization=authorization
    )
    chart = await gather(
        request,
        client=client,
        deadline=deadline,
        version=client.version,
        zone=tenant.zone if tenant else None,
    )
    facts = await asyncio.to_thread(brain.reader.read, chart)
    if tenant is not None and tenant.clinical_notes and wants_notes(brain.assess(facts)):
        chart = await with_notes(chart, authorization, client, deadline)
        facts = await asyncio.to_thread(brain.reader.read, chart)
    return chart, facts


async def read_again(state: AppState, session: Session) -> None:
    """The chart anew, after something was saved; the saved answers are the chart's own now."""
    if session.client is None or session.chart is None:
        return
    patient_id, scope = session.chart.patient_id, session.scopes or ""
    chart, facts = await read_chart(state, session.client, patient_id, scope, session.tenant)
    session.chart, session.dialogue = kept_of(chart), dialogue(state.brain_of(session.tenant), facts)


def kept_of(chart: RawChart) -> RawChart:
    """What a session keeps of a chart besides its facts: who it is, for the banner. A chart of two thousand resources
    takes nine megabytes, its facts a twentieth of that."""
    return RawChart(chart.patient_id, tuple(r for r in chart.resources if r.get("resourceType") == "Patient"))


def _tenant_of(state: AppState, iss: str) -> Tenant | None:
    """The hospital of this FHIR base; None in the sandbox, for a server of this machine. LaunchError for any other."""
    tenant = state.tenants.with_fhir_server(iss)
    if tenant is not None:
        return tenant
    if state.settings.sandbox:
        try:
            state.policy.base_of(iss)
        except Refused:
            pass
        else:
            return None
    raise LaunchError("This record system is not registered here.", 403)


def _client_id(tenant: Tenant | None) -> str:
    return tenant.companion.client_id if tenant and tenant.companion else SANDBOX_CLIENT


def _credentials(tenant: Tenant | None) -> Credentials:
    try:
        return Credentials(_client_id(tenant), tenant.companion if tenant else None)
    except ClientKeyError:
        raise LaunchError("The companion is not set up for this hospital.", 500) from None


async def _style(state: AppState, pending: Pending, url: str | None) -> Style:
    """Colours of the record system (SMART style URL)."""
    if url is None:
        return ()
    policy, http = state.launch_door(pending.tenant)
    status, body = await get_bytes(http, policy, url, Deadline.after(1000), 32 * 1024)
    try:
        found: Any = decode(body) if status == 200 else None
    except NotJsonError:
        return ()
    return accepted(found) if isinstance(found, Mapping) else ()
