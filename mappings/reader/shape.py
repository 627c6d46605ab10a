"""The shape of a resource before it is read: elements of a wrong type make it unreadable, and are named.

An unreadable date is named too, but the resource is kept and read as undated: losing a lesion or a drug over its date
would be worse, and what is undated never supports "normal"."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from mappings.dates import PartialDate

# what `mappings/skeleton.py` checks too, without reading anything else
OBJECTS = ("code", "valueQuantity", "valueCodeableConcept", "medicationCodeableConcept", "medicationReference", "meta")
TEXTS = ("status", "conclusion", "valueString")
LISTS = (
    "component",
    "bodySite",
    "note",
    "referenceRange",
    "interpretation",
    "dosageInstruction",
    "reaction",
    "presentedForm",
    "contained",
    "content",
    "conclusionCode",
)
_VALUES = ("valueQuantity", "valueCodeableConcept", "valueString", "component", "referenceRange", "interpretation")
_DRUG = ("medicationCodeableConcept", "medicationReference", "dosageInstruction", "note", "code")
_DONE = ("code", "bodySite", "note")
_EVERYWHERE = ("status", "meta", "contained")
ELEMENTS: Mapping[str, frozenset[str]] = {
    kind: frozenset((*_EVERYWHERE, *own))
    for kind, own in {
        "Condition": _DONE,
        "Observation": (*_DONE, *_VALUES),
        "DiagnosticReport": ("code", "note", "conclusion", "conclusionCode", "presentedForm"),
        "DocumentReference": ("code", "note", "bodySite", "content"),
        "Composition": ("code", "note"),
        "ClinicalImpression": ("code", "note"),
        "QuestionnaireResponse": (),
        "MedicationRequest": _DRUG,
        "MedicationOrder": _DRUG,
        "MedicationStatement": _DRUG,
        "MedicationUsage": _DRUG,
        "MedicationAdministration": _DRUG,
        "MedicationDispense": _DRUG,
        "List": ("code", "note"),
        "AllergyIntolerance": ("code", "note", "reaction"),
        "AdverseEvent": ("code",),
        "Procedure": _DONE,
        "Immunization": ("note", "reaction"),
        "EpisodeOfCare": ("note",),
        "ServiceRequest": _DONE,
        "ProcedureRequest": _DONE,
        "ReferralRequest": _DONE,
    }.items()
}
"""which of them a type has in any release of FHIR, or is read as if it had; any other says nothing, whatever it is."""
_MODIFIER = "modifierExtension"
"""it may turn the meaning around ("not done"); FHIR forbids to go on without knowing it, and none is known here"""
_DATES = (
    "effectiveDateTime",
    "issued",
    "onsetDateTime",
    "abatementDateTime",
    "recordedDate",
    "authoredOn",
    "birthDate",
    "performedDateTime",
)


def unreadable(resource: Mapping[str, Any]) -> str | None:
    """The element that has the wrong type, with what it must be; None when the resource can be read."""
    kinds = _KINDS_OF.get(resource.get("resourceType", ""), _KINDS)
    for name, value in resource.items():
        kind = kinds.get(name)
        if kind is not None and type(value) is not kind:
            return _wrong(resource, kinds)  # or of a type that will do: the long look says
        if kind is list and not all(map(_is_object, value)):
            return _wrong(resource, kinds)
    return None


_is_object = dict.__instancecheck__
_KINDS: Mapping[str, type] = {
    **dict.fromkeys(OBJECTS, dict),
    **dict.fromkeys(TEXTS, str),
    **dict.fromkeys(LISTS, list),
    _MODIFIER: type(None),
}
_KINDS_OF: Mapping[str, Mapping[str, type]] = {
    kind: {name: how for name, how in _KINDS.items() if name in own or name == _MODIFIER}
    for kind, own in ELEMENTS.items()
}


def _wrong(resource: Mapping[str, Any], asked: Collection[str]) -> str | None:
    for name in filter(asked.__contains__, OBJECTS):
        if name in resource and not isinstance(resource[name], Mapping):
            return f"{name}: must be an object"
    for name in filter(asked.__contains__, TEXTS):
        if name in resource and not isinstance(resource[name], str):
            return f"{name}: must be a string"
    for name in filter(asked.__contains__, LISTS):
        value = resource.get(name)
        if value is not None and not isinstance(value, list | Mapping):
            return f"{name}: must be an array"
        if isinstance(value, list) and not all(isinstance(item, Mapping) for item in value):
            return f"{name}: must hold objects"
    return f"{_MODIFIER}: not known here" if resource.get(_MODIFIER) else None


def unreadable_dates(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The date elements that hold no FHIR date."""
    return tuple(
        [
            name
            for name in _DATES
            if name in resource and resource[name] is not None and PartialDate.parse(resource[name]) is None
        ]
    )
