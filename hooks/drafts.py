"""Draft orders: the resources that an accepted suggestion creates, as FHIR R4 JSON.

Always a draft and a proposal, for this patient, with the reasons it rests on; a coding is never made up. The shapes are
validated with `fhir.resources.R4B` in the tests.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hooks.knowledge.card_schema import CodingEntry
from hooks.model import Assessment
from mappings import systems
from mappings.codelists import Coding
from mappings.facts import Site
from mappings.reader.identity import WITHOUT_ID

Resource = dict[str, Any]

_SNOMED = "http://snomed.info/sct"
_REASONS = ("Condition/", "Observation/", "DiagnosticReport/", "DocumentReference/")
_DRUG_REASONS = ("Condition/", "Observation/")
_MAX_REASONS = 6


def service_request(
    assessment: Assessment,
    name: str,
    codings: tuple[Coding, ...],
    note: str,
    *,
    sites: Iterable[tuple[Site, str]] = (),
    encounter_id: str | None = None,
) -> Resource:
    """A ServiceRequest. `sites` are those of the lesion, each with its words; a code only where the chart had one."""
    draft: Resource = {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "priority": "urgent" if assessment.card == "urgent" else "routine",
        "code": {"coding": [_coding(c) for c in codings], "text": name},
        **_for(assessment, encounter_id),
        "authoredOn": assessment.as_of.isoformat(),
    }
    reasons = _reasons(assessment, _REASONS)
    if reasons:
        draft["reasonReference"] = reasons
    places = [_body_site(site, words) for site, words in sites]
    if places:
        draft["bodySite"] = places
    draft["note"] = [{"text": note}]
    return draft


def medication_request(
    assessment: Assessment,
    name: str,
    codings: tuple[Coding, ...],
    dose: str,
    note: str,
    encounter_id: str | None = None,
) -> Resource:
    """A MedicationRequest with the initial dose in words."""
    draft: Resource = {
        "resourceType": "MedicationRequest",
        "status": "draft",
        "intent": "proposal",
        "medicationCodeableConcept": {"coding": [_coding(c) for c in codings], "text": name},
        **_for(assessment, encounter_id),
        "authoredOn": assessment.as_of.isoformat(),
    }
    reasons = _reasons(assessment, _DRUG_REASONS)
    if reasons:
        draft["reasonReference"] = reasons
    draft["dosageInstruction"] = [{"text": dose}]
    draft["note"] = [{"text": note}]
    return draft


def finding(
    assessment: Assessment,
    code: tuple[str, CodingEntry],
    value: tuple[str, CodingEntry | None],
    note: str,
    site: tuple[Site, str] | None = None,
    *,
    encounter_id: str | None = None,
    performer: str | None = None,
) -> Resource:
    """An examination finding that a clinician records by accepting it; the next call reads it like any other.

    Its status is final: accepting is the statement of the clinician (`performer`), and a preliminary observation is one
    that nobody may rely on yet."""
    words, coding = value
    record: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "category": [{"coding": [{"system": systems.OBSERVATION_CATEGORY, "code": "exam"}]}],
        "code": {"coding": [_coding(code[1])], "text": code[0]},
        **_for(assessment, encounter_id),
        "effectiveDateTime": assessment.as_of.isoformat(),
        "valueCodeableConcept": {"coding": [_coding(coding)], "text": words} if coding else {"text": words},
    }
    if performer is not None:
        record["performer"] = [{"reference": performer}]
    if site is not None:
        record["bodySite"] = _body_site(*site)
    record["note"] = [{"text": note}]
    return record


def _for(assessment: Assessment, encounter_id: str | None) -> Resource:
    subject: Resource = {"subject": {"reference": assessment.patient}}
    return subject | {"encounter": {"reference": f"Encounter/{encounter_id}"}} if encounter_id else subject


def _reasons(assessment: Assessment, types: tuple[str, ...]) -> list[dict[str, str]]:
    """The connective tissue disease and the lesion, as far as the element may refer to them."""
    criteria = assessment.criteria
    every = dict.fromkeys((*criteria.ctd.evidence[:2], *criteria.lesion.evidence))
    able = (ref for ref in every if ref.startswith(types) and not ref.endswith(WITHOUT_ID))
    return [{"reference": reference} for reference in able][:_MAX_REASONS]


def _body_site(site: Site, words: str) -> Resource:
    """Copied from the lesion: its own code when the chart had one, else words with the side."""
    body: Resource = {"text": words}
    if site.code:
        coding = {"system": _SNOMED, "code": site.code}
        body["coding"] = [coding | ({"display": site.display} if site.display else {})]
    return body


def _coding(coding: Coding | CodingEntry) -> dict[str, str]:
    return {"system": coding.system, "code": coding.code, "display": coding.display}
