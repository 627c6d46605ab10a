"""Resources of other FHIR releases in the shape of R4, for the types that we read.

R4 and R4B are read as they are. STU3 and R5 name some elements differently or give them another type; nothing is lost
and nothing is guessed: what has no counterpart in R4 stays where it is. Shapes: https://hl7.org/fhir/STU3/ and
https://hl7.org/fhir/R5/, pages of the single resources ("R4 Diff")."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Literal

Version = Literal["STU3", "R4", "R4B", "R5"]
_Shim = Callable[[dict[str, Any]], None]
REPLACES = "http://hl7.org/fhir/StructureDefinition/observation-replaces"
_NOT_TAKING = {"not-taking": "not-taken", "on-hold": "on-hold", "stopped": "stopped"}
"""R5 adherence codes (their finer ones begin with the same words) and the R4 status that says the same."""


def version_of(fhir_version: object) -> Version | None:
    """The release of a CapabilityStatement's fhirVersion ("4.0.1"); None when it is none that we read."""
    if not isinstance(fhir_version, str):
        return None
    if fhir_version.startswith("3."):
        return "STU3"
    if fhir_version.startswith("4.0"):
        return "R4"
    if fhir_version.startswith(("4.1", "4.3")):
        return "R4B"
    return "R5" if fhir_version.startswith("5.") else None


def as_r4(resource: Any, version: Version | None = None) -> Any:
    """The resource in R4's shape. Without a version the shape itself decides: the elements of the releases do not
    overlap. What is no resource comes back as it is; the resource given is not changed."""
    if version in ("R4", "R4B") or (type(resource) is not dict and not isinstance(resource, Mapping)):
        return resource
    kind = resource.get("resourceType")
    if not isinstance(kind, str):
        return resource
    found: dict[str, Any] | None = None
    for name, shim in _OF_VERSION[version].get(kind, ()):
        if name in resource:
            found = dict(resource) if found is None else found
            shim(found)
    contained = resource.get("contained")
    if isinstance(contained, list) and contained:
        found = dict(resource) if found is None else found
        found["contained"] = [as_r4(inner, version) for inner in contained]
    return resource if found is None else found


def _move(old: str, new: str) -> tuple[str, _Shim]:
    def shim(body: dict[str, Any]) -> None:
        if body.get(new) is None:
            body[new] = body[old]

    return old, shim


def _coded(name: str) -> tuple[str, _Shim]:
    """STU3 code -> R4 CodeableConcept."""

    def shim(body: dict[str, Any]) -> None:
        if isinstance(body[name], str):
            body[name] = {"coding": [{"code": body[name]}]}

    return name, shim


def _never(name: str, says: tuple[Any, ...], status: str) -> tuple[str, _Shim]:
    """STU3 says by an element of its own that a thing was not done; R4 says it by the status."""

    def shim(body: dict[str, Any]) -> None:
        if body[name] in says and body.get("status") != "entered-in-error":
            body["status"] = status

    return name, shim


def _comment(body: dict[str, Any]) -> None:
    notes = body.get("note")
    body["note"] = [*(notes if isinstance(notes, list) else []), {"text": body["comment"]}]
    del body["comment"]


def _related(body: dict[str, Any]) -> None:
    """STU3 Observation.related: members, sources, and the Observation that this one corrects."""
    related = body["related"]
    for entry in related if isinstance(related, list) else ():
        if not isinstance(entry, Mapping) or not isinstance(entry.get("target"), Mapping):
            continue
        if entry.get("type") in ("has-member", None):
            body["hasMember"] = [*_list(body.get("hasMember")), entry["target"]]
        elif entry["type"] == "derived-from":
            body["derivedFrom"] = [*_list(body.get("derivedFrom")), entry["target"]]
        elif entry["type"] == "replaces":
            extension = {"url": REPLACES, "valueReference": entry["target"]}
            body["extension"] = [*_list(body.get("extension")), extension]


def _requested(body: dict[str, Any]) -> None:
    """STU3 ReferralRequest.serviceRequested, a list, as one code."""
    asked = [entry for entry in _list(body["serviceRequested"]) if isinstance(entry, Mapping)]
    codings = [coding for entry in asked for coding in _list(entry.get("coding"))]
    texts = [entry["text"] for entry in asked if isinstance(entry.get("text"), str)]
    body.setdefault("code", {"coding": codings} | ({"text": ", ".join(texts)} if texts else {}))


def _suspended(body: dict[str, Any]) -> None:
    if body["status"] == "suspended":
        body["status"] = "on-hold"


def _medication(body: dict[str, Any]) -> None:
    """R5 CodeableReference."""
    medication = body["medication"]
    if not isinstance(medication, Mapping):
        return
    if isinstance(medication.get("concept"), Mapping):
        body.setdefault("medicationCodeableConcept", medication["concept"])
    elif isinstance(medication.get("reference"), Mapping):
        body.setdefault("medicationReference", medication["reference"])


def _adherence(body: dict[str, Any]) -> None:
    adherence = body["adherence"]
    code = adherence.get("code") if isinstance(adherence, Mapping) else None
    codings = code.get("coding") if isinstance(code, Mapping) else None
    said = [c["code"] for c in _list(codings) if isinstance(c, Mapping) and isinstance(c.get("code"), str)]
    status = next((to for start, to in _NOT_TAKING.items() if any(c.startswith(start) for c in said)), None)
    if status is not None and body.get("status") != "entered-in-error":
        body["status"] = status


def _concepts(name: str) -> tuple[str, _Shim]:
    """R5 (and later) CodeableReferences -> their concepts; a lone one stays a lone one."""

    def shim(body: dict[str, Any]) -> None:
        value = body[name]
        if isinstance(value, list):
            body[name] = [_concept(entry) for entry in value]
        else:
            body[name] = _concept(value)

    return name, shim


def _concept(value: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(value.get("concept"), Mapping):
        return value["concept"]
    if isinstance(value, Mapping) and isinstance(value.get("reference"), Mapping):
        return {"text": value["reference"].get("display")}
    return value


def _manifestations(body: dict[str, Any]) -> None:
    body["reaction"] = [
        entry | {"manifestation": [_concept(m) for m in _list(entry["manifestation"])]}
        if isinstance(entry, dict) and "manifestation" in entry
        else entry
        for entry in _list(body["reaction"])
    ]


def _ingredients(body: dict[str, Any]) -> None:
    def one(entry: Any) -> Any:
        item = entry.get("item") if isinstance(entry, Mapping) else None
        return dict(entry) | {"itemCodeableConcept": _concept(item)} if isinstance(item, Mapping) else entry

    body["ingredient"] = [one(entry) for entry in _list(body["ingredient"])]


def _structure(body: dict[str, Any]) -> None:
    """R5 bodyStructure: where no bodySite stands, the words of the reference are the site."""
    found = body["bodyStructure"]
    words = [e["display"] for e in _list(found) if isinstance(e, Mapping) and isinstance(e.get("display"), str)]
    if words and body.get("bodySite") is None:
        body["bodySite"] = [{"text": word} for word in words]


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [] if value is None else [value]


_STATUS_CODES = (_coded("clinicalStatus"), _coded("verificationStatus"), _move("assertedDate", "recordedDate"))
_CONTEXT = _move("context", "encounter")
_ORDER = (("status", _suspended), _CONTEXT)
_R5_DRUG = (("medication", _medication),)
_SHIMS: Mapping[Version, Mapping[str, tuple[tuple[str, _Shim], ...]]] = {
    "STU3": {
        "Condition": (*_STATUS_CODES, _CONTEXT),
        "AllergyIntolerance": _STATUS_CODES,
        "Observation": (("comment", _comment), ("related", _related), _CONTEXT),
        "DiagnosticReport": (_move("codedDiagnosis", "conclusionCode"), _CONTEXT),
        "Procedure": (_never("notDone", (True,), "not-done"), _CONTEXT),
        "MedicationRequest": (_CONTEXT,),
        "MedicationStatement": (_never("taken", ("n",), "not-taken"), _CONTEXT),
        "MedicationAdministration": (_never("notGiven", (True,), "not-done"), _CONTEXT),
        "ProcedureRequest": _ORDER,
        "ReferralRequest": (("serviceRequested", _requested), *_ORDER),
        "DocumentReference": (_move("created", "date"), _move("indexed", "date")),
    },
    "R5": {
        "Condition": (("bodyStructure", _structure),),
        "Observation": (("bodyStructure", _structure),),
        "DiagnosticReport": (_concepts("conclusionCode"),),
        "Procedure": (
            _move("occurrenceDateTime", "performedDateTime"),
            _move("occurrencePeriod", "performedPeriod"),
            _move("occurrenceString", "performedString"),
            _move("occurrenceAge", "performedAge"),
            _concepts("complication"),
            ("bodyStructure", _structure),
        ),
        "MedicationRequest": _R5_DRUG,
        "MedicationStatement": (*_R5_DRUG, ("adherence", _adherence)),
        "MedicationUsage": (*_R5_DRUG, ("adherence", _adherence)),
        "MedicationAdministration": (
            *_R5_DRUG,
            _move("occurenceDateTime", "effectiveDateTime"),
            _move("occurencePeriod", "effectivePeriod"),
        ),
        "MedicationDispense": _R5_DRUG,
        "Medication": (("ingredient", _ingredients),),
        "ServiceRequest": (_concepts("code"), ("bodyStructure", _structure)),
        "AllergyIntolerance": (("reaction", _manifestations),),
    },
}

_OF_VERSION: Mapping[Version | None, Mapping[str, tuple[tuple[str, _Shim], ...]]] = {
    version: {
        kind: tuple(shim for release in releases for shim in _SHIMS[release].get(kind, ()))
        for kind in {kind for release in releases for kind in _SHIMS[release]}
    }
    for version, releases in ((None, tuple(_SHIMS)), *((release, (release,)) for release in _SHIMS))
}
"""the shims of a type that may apply; without a version those of every release."""
