"""The services we offer, one id per hook, and the discovery document.

Prefetch templates keep to the subset of CDS Hooks 2.0.1: a read, or a search by token equality with `_count`; no
FHIRPath, no `_include`, no chains, no modifiers. Observations are asked for by category, as servers such as Epic's
demand. Keys are stable across releases.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from msgspec import Struct

from mappings.facts import Need

SPECIFICATION = "2.0.1"
_PATIENT = "{{context.patientId}}"

PREFETCH: Mapping[str, tuple[Need, str]] = {
    "patient": ("patient", f"Patient/{_PATIENT}"),
    "conditions": ("conditions", f"Condition?patient={_PATIENT}&_count=200"),
    "laboratory": ("observations", f"Observation?patient={_PATIENT}&category=laboratory&_sort=-date&_count=200"),
    "examinations": ("observations", f"Observation?patient={_PATIENT}&category=exam&_sort=-date&_count=200"),
    "vitals": ("observations", f"Observation?patient={_PATIENT}&category=vital-signs&_sort=-date&_count=50"),
    "answers": (
        "observations",
        f"Observation?patient={_PATIENT}&category=social-history,survey,imaging,procedure&_sort=-date&_count=200",
    ),
    "reports": ("diagnosticReports", f"DiagnosticReport?patient={_PATIENT}&_sort=-date&_count=100"),
    "medications": ("medications", f"MedicationRequest?patient={_PATIENT}&_count=200"),
    "allergies": ("allergies", f"AllergyIntolerance?patient={_PATIENT}&_count=100"),
    "procedures": ("procedures", f"Procedure?patient={_PATIENT}&_sort=-date&_count=100"),
    "orders": ("serviceRequests", f"ServiceRequest?patient={_PATIENT}&status=draft,active,on-hold&_count=100"),
}
"""key -> (data need it serves, template)."""

RESOURCE_NEEDS: Mapping[str, Need] = {
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "observations",
    "DiagnosticReport": "diagnosticReports",
    "MedicationRequest": "medications",
    "MedicationStatement": "medications",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
}

_USAGE = (
    "Needs the patient's Conditions and Observations, by prefetch or by read access to the FHIR server; medications, "
    "allergies, reports, procedures and orders make the answer fuller. For licensed clinicians; not a diagnosis, and "
    "silence is not reassurance."
)


class HookService(Struct, frozen=True):
    id: str
    hook: str
    title: str
    description: str
    usage: str = _USAGE


SERVICES: Mapping[str, HookService] = {
    service.id: service
    for service in (
        HookService(
            "calcinosis-patient-view",
            "patient-view",
            "Possible dystrophic calcinosis cutis",
            "Shows possible dystrophic calcinosis cutis in a patient with a connective tissue disease, hard nodules "
            "and a normal serum calcium: the basis, the missing workup and the options that fit this patient.",
        ),
        HookService(
            "calcinosis-encounter-start",
            "encounter-start",
            "Possible dystrophic calcinosis cutis (encounter start)",
            "The same as at patient-view, for clients that fire at the start of an encounter.",
        ),
        HookService(
            "calcinosis-order-select",
            "order-select",
            "Calcinosis: conflicts of a selected order",
            "Checks a drafted drug, biopsy or imaging order of a patient with known or suspected calcinosis against "
            "the same rules; quiet when nothing is wrong.",
        ),
        HookService(
            "calcinosis-order-sign",
            "order-sign",
            "Calcinosis: conflicts of an order to be signed",
            "The same as at order-select, when orders are signed.",
        ),
    )
}
HOOKS: frozenset[str] = frozenset(service.hook for service in SERVICES.values())


def discovery(services: Iterable[HookService] = tuple(SERVICES.values())) -> dict[str, Any]:
    """The document of GET /cds-services."""
    templates = {key: template for key, (_, template) in PREFETCH.items()}
    return {
        "services": [
            {
                "hook": service.hook,
                "id": service.id,
                "title": service.title,
                "description": service.description,
                "prefetch": templates,
                "usageRequirements": service.usage,
                "version": SPECIFICATION,
                "hookVersion": "1.0",
            }
            for service in services
        ]
    }
