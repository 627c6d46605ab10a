"""Draft orders: the resources an accepted suggestion creates. Plain dicts here; their shape is validated against
fhir.resources R4B in the tests and once at start-up (`check_templates`)."""

from __future__ import annotations

from typing import Any

from hooks.assessment.sites import shown
from hooks.model import Assessment, WorkupItem
from mappings.codelists import Coding
from mappings.facts import Site

_REASON_TYPES = ("Condition/", "Observation/", "DiagnosticReport/", "DocumentReference/")
_MAX_REASONS = 6


def service_request(
    assessment: Assessment, item: WorkupItem, codings: tuple[Coding, ...], label: str, note: str, *, with_site: bool
) -> dict[str, Any]:
    """A ServiceRequest: status draft, intent proposal, for this patient, with the reasons it rests on."""
    draft: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "priority": "urgent" if assessment.card == "urgent" else "routine",
        "code": {"coding": [_coding(c) for c in codings], "text": label},
        "subject": {"reference": assessment.patient},
        "authoredOn": assessment.as_of.isoformat(),
        "note": [{"text": note}],
    }
    reasons = _reasons(assessment)
    if reasons:
        draft["reasonReference"] = [{"reference": reference} for reference in reasons]
    sites = item.sites or assessment.criteria.lesion.body_sites
    if with_site and sites:
        draft["bodySite"] = [_body_site(site) for site in dict.fromkeys(sites)]
    return draft


def medication_request(
    assessment: Assessment, codings: tuple[Coding, ...], name: str, dose: str, note: str
) -> dict[str, Any]:
    """A MedicationRequest: status draft, intent proposal, the dose as text, never pre-selected."""
    draft: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "proposal",
        "medicationCodeableConcept": {"coding": [_coding(c) for c in codings], "text": name},
        "subject": {"reference": assessment.patient},
        "authoredOn": assessment.as_of.isoformat(),
        "dosageInstruction": [{"text": dose}],
        "note": [{"text": note}],
    }
    reasons = _reasons(assessment)
    if reasons:
        draft["reasonReference"] = [{"reference": r} for r in reasons if r.startswith(("Condition/", "Observation/"))]
    return draft


def finding(assessment: Assessment, code_text: str, value: str, note: str) -> dict[str, Any]:
    """An Observation that a clinician records by accepting it; the next call reads it."""
    return {
        "resourceType": "Observation",
        "status": "final",
        "category": [
            {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/observation-category", "code": "exam"}]}
        ],
        "code": {"text": code_text},
        "subject": {"reference": assessment.patient},
        "effectiveDateTime": assessment.as_of.isoformat(),
        "valueString": value,
        "note": [{"text": note}],
    } | ({"bodySite": _body_site(assessment.criteria.lesion.body_sites[0])} if assessment.criteria.lesion.body_sites else {})


def _reasons(assessment: Assessment) -> list[str]:
    criteria = assessment.criteria
    every = (*criteria.ctd.evidence, *criteria.lesion.evidence)
    return [r for r in dict.fromkeys(every) if r.startswith(_REASON_TYPES)][:_MAX_REASONS]


def _body_site(site: Site) -> dict[str, Any]:
    """Copied from the lesion: its own code when the chart had one, else words with the side."""
    body: dict[str, Any] = {"text": shown(site)}
    if site.code:
        coding = {"system": "http://snomed.info/sct", "code": site.code}
        body["coding"] = [coding | ({"display": site.display} if site.display else {})]
    return body


def _coding(coding: Coding) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display}
