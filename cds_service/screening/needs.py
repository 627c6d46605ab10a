"""How complete an export is, by data need: what was never exported is unavailable, never empty.

A need counts as read when the export holds any resource of its types; where a line or a file was lost, everybody's
need is partial, since nobody can say whose line it was."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from mappings.facts import NEEDS, Completeness, Need

_BESIDE: Mapping[str, Need] = {
    "ClinicalImpression": "diagnosticReports",
    "Composition": "diagnosticReports",
    "QuestionnaireResponse": "diagnosticReports",
    "List": "medications",
    "Immunization": "procedures",
    "EpisodeOfCare": "conditions",
    "AdverseEvent": "allergies",
}
"""types that are read where they are; an export of these alone does not hold what the need is of."""
NEED_OF_TYPE: Mapping[str, Need] = {
    **_BESIDE,
    "Patient": "patient",
    "Condition": "conditions",
    "Observation": "observations",
    "DiagnosticReport": "diagnosticReports",
    "DocumentReference": "diagnosticReports",
    "MedicationRequest": "medications",
    "MedicationOrder": "medications",
    "MedicationStatement": "medications",
    "MedicationUsage": "medications",
    "MedicationAdministration": "medications",
    "MedicationDispense": "medications",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures",
    "ServiceRequest": "serviceRequests",
    "ProcedureRequest": "serviceRequests",
    "ReferralRequest": "serviceRequests",
}
"""the resource types that the reader reads, and the need each one serves."""
LINES_LOST = "lines left out"
FILE_LOST = "a file could not be read to its end"


def completeness_of(exported: Collection[str], lost: Mapping[str, str] | None = None) -> dict[Need, Completeness]:
    """The state of every need. `exported`: resource types that the export holds, or that were asked for and came
    empty. `lost`: resource type, or "*" when it is not known, to the reason why some of it is missing."""
    given = {NEED_OF_TYPE[kind] for kind in exported if kind in NEED_OF_TYPE and kind not in _BESIDE}
    partial = {NEED_OF_TYPE[kind]: reason for kind, reason in (lost or {}).items() if kind in NEED_OF_TYPE}
    everything = (lost or {}).get("*")
    return {need: _state(need in given, partial.get(need, everything)) for need in NEEDS}


def _state(given: bool, lost: str | None) -> Completeness:
    if not given:
        return Completeness("unavailable", lost or "not in the export")
    # of an export that lost a line every patient would else have no calcium
    return Completeness("partial", lost, lost == LINES_LOST) if lost else Completeness("complete")
