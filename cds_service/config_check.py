"""What a tenant's entry names besides its values (`check_files`), and `cds-service check-config`: what `serve` would
refuse, and how each entry of the tenants file stands, before anything is started."""

from __future__ import annotations

import os
import ssl
from collections.abc import Iterator

from cds_service.companion.client import check_client
from cds_service.keys import check_keys
from cds_service.pipeline import Brain, load_brain
from cds_service.settings import Settings, check_environment, check_production, check_serving, load_settings
from cds_service.tenants import Tenant, Tenants, load_tenants
from hooks.knowledge import Knowledge
from mappings.codelists import OverlayText
from mappings.codetypes import CodelistError


def check_files(tenant: Tenant, knowledge: Knowledge) -> None:
    """Raises ValueError when keys, certificate or secret can't be used, or an order is mapped that does not exist."""
    check_keys(tenant)
    if tenant.ca_file is not None:
        try:
            ssl.create_default_context(cafile=str(tenant.ca_file))
        except OSError:
            raise ValueError("caFile: is not a readable certificate file") from None
    if tenant.companion is not None:
        check_client(tenant.companion)
    known = orderable_ids(knowledge)
    unknown = next((name for name in sorted(tenant.orderables) if name not in known), None)
    if unknown is not None:
        raise ValueError(f"orderables: {unknown[:64]} is neither a workup nor a therapy")


def orderable_ids(knowledge: Knowledge) -> frozenset[str]:
    """The ids that a tenant may give codings of its own."""
    return frozenset(knowledge.orderables.workup) | frozenset(t.id for t in knowledge.therapies.therapies)


def checked(workers: int) -> tuple[Settings, list[str], bool]:
    """The settings, a line for each finding, and whether all is well. SettingsError says what `serve` would refuse."""
    settings = load_settings()
    if not settings.sandbox:
        check_environment(os.environ)
    check_production(settings)
    check_serving(settings, workers)
    brain = load_brain(settings.as_of, None)

    def check(tenant: Tenant) -> None:
        check_files(tenant, brain.knowledge)
        if tenant.overlay is not None:
            _check_overlay(tenant, brain)

    found = load_tenants(settings.tenants_file, settings.kill_file, check)
    lines = list(_lines(settings, found, brain.knowledge))
    return settings, lines, not found.problems


def _check_overlay(tenant: Tenant, brain: Brain) -> None:
    assert tenant.overlay is not None  # noqa: S101 - the caller looked
    try:
        brain.with_overlay(OverlayText(tenant.overlay.name, tenant.overlay.read_text(encoding="utf-8")))
    except (OSError, UnicodeDecodeError):
        raise ValueError("overlay: can't be read") from None
    except CodelistError as error:
        raise ValueError(f"overlay: {str(error).splitlines()[0]}") from None


def _lines(settings: Settings, tenants: Tenants, knowledge: Knowledge) -> Iterator[str]:
    yield f"profile {settings.profile}, knowledge {knowledge.version}: serve would start"
    for tenant in tenants.every():
        keys = "jku" if tenant.jku else "jwksFile" if tenant.jwks_file else "jwks"
        yield (
            f"tenant {tenant.id}: {tenant.mode}, {tenant.rollout} % of the patients, dialect {tenant.dialect}, "
            f"keys from {keys}, {len(tenant.fhir_servers)} FHIR server(s)"
        )
        if not tenant.fhir_servers:
            yield f"tenant {tenant.id}: note: no FHIR server, so that only prefetch is read"
        if tenant.clinical_notes or tenant.medication_statements:
            yield from (f"tenant {tenant.id}: note: {told}" for told in _asked_too(tenant))
        if tenant.allow_private_addresses:
            yield f"tenant {tenant.id}: note: its FHIR servers may resolve to private addresses"
        if tenant.zone is None:
            yield f"tenant {tenant.id}: note: no timeZone, so that its days begin with those of UTC"
        unmapped = sorted(orderable_ids(knowledge) - tenant.orderables.keys())
        if tenant.orderables and unmapped:
            yield f"tenant {tenant.id}: note: no codings of its own for {', '.join(unmapped)}"
    yield from (f"disabled: {problem}" for problem in tenants.problems)


def _asked_too(tenant: Tenant) -> Iterator[str]:
    """What reading more than our templates asks of the hospital."""
    for name, on, kinds in (
        ("clinicalNotes", tenant.clinical_notes, "DocumentReference (search) and Binary (read)"),
        ("medicationStatements", tenant.medication_statements, "MedicationStatement (search)"),
    ):
        if on and tenant.fhir_servers:
            yield f"{name}: tokens need a scope for {kinds}"
        elif on:
            yield f"{name}: has no effect without fhirServers"
