"""Every oddity of real EHRs' resources that we know of, by name: what stands in them, and what must come of it."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from mappings.bundles import decode
from mappings.facts import PatientFacts, Result
from mappings.raw import RawChart
from tests.charts import COMPLETE
from tests.faults.chart import CALCIUM, LOINC, PATIENT, body, lab
from tests.faults.vendors import Resource
from tests.spec.harness import reader


def read(*resources: Any) -> PatientFacts:
    return reader().read(RawChart("p", (PATIENT, *resources), COMPLETE))


def one(resource: Any) -> Result:
    (found,) = read(resource).results
    return found


def _is(
    analyte: str | None = "calcium-total", usable: bool = True, problem: str | None = None
) -> Callable[[Any], None]:
    def check(resource: Any) -> None:
        found = one(resource)
        assert (found.analyte, found.usable, found.problem) == (analyte, usable, problem)

    return check


def _dated(day: str) -> Callable[[Any], None]:
    def check(resource: Any) -> None:
        found = one(resource)
        assert found.usable
        assert str(found.date) == day

    return check


def _undated(resource: Any) -> None:
    facts = read(resource)
    assert [r.date for r in facts.results] == [None]
    assert "not a FHIR date" in facts.quarantined[0].reason


def _named(reason: str) -> Callable[[Any], None]:
    def check(resource: Any) -> None:
        facts = read(resource, lab("other", 9.1))
        assert [str(r.low) for r in facts.results] == ["9.1"], "the others are read"
        assert any(reason in q.reason for q in facts.quarantined)

    return check


def _ignored(resource: Any) -> None:
    facts = read(resource, lab("other", 9.1))
    assert [str(r.low) for r in facts.results] == ["9.1"]


def _lesion(resource: Any) -> None:
    (lesion,) = read(resource).lesions
    assert (lesion.kind, lesion.hardness) == ("nodule", "definite")


def _warfarin(resource: Any) -> None:
    assert [m.drugs for m in read(resource).medications] == [{"warfarin"}]


def coded(*codings: dict[str, Any]) -> dict[str, Any]:
    return {"coding": list(codings)}


DAR = {"extension": [{"url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason", "valueCode": "unknown"}]}
LOCAL = {"system": "urn:oid:1.2.840.114350.1.13.0.1.7.2.768282", "code": "1540", "display": "CALCIUM"}
MOLES = {"code": coded({"system": LOINC, "code": "2000-8"})}
SENTENCE = {"valueQuantity": None, "valueString": "Heavy growth of commensals"}
RTF = r"{\rtf1\ansi{\fonttbl{\f0 Arial;}}\f0\fs20 Stony-hard nodule on the left elbow\par}"
EXAM = {"code": {"text": "Skin examination"}, "valueQuantity": None}
ORDER = body("MedicationRequest", "m", status="active", intent="order")
WARFARIN = {"text": "Warfarin 5 mg"}


def clean(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if value is not None}


RESOURCES: dict[str, tuple[Any, Callable[[Any], None]]] = {
    "Epic: standard and local code in one coding list": (lab(code=coded(LOCAL, CALCIUM["coding"][0])), _is()),
    "Epic: OID instead of the URI of LOINC": (
        lab(code=coded({"system": "urn:oid:2.16.840.1.113883.6.1", "code": "17861-6"})),
        _is(),
    ),
    "Epic: a local code alone, with its display": (lab(code=coded(LOCAL)), _is()),
    "Epic: ids longer than 64 characters": (lab("e" * 120), _is()),
    "Epic: elements that FHIR does not know": (lab(epicExtra={"a": [1]}), _is()),
    "Oracle: data-absent-reason inside coding": (lab(code=coded(DAR, CALCIUM["coding"][0])), _is()),
    "Oracle: only a data-absent-reason as code": (lab(code=coded(DAR)), _ignored),
    "Oracle: comments in RTF": (clean(lab("e", note=[{"text": RTF}], **EXAM)), _lesion),
    "Oracle: LOINC of cholesterol with a microbiology sentence": (
        clean(lab(code=coded({"system": LOINC, "code": "2093-3"}), **SENTENCE)),
        _is("lipids", usable=False, problem="not-understood"),
    ),
    "Argonaut: no unit": (lab(unit=None), _is(usable=False, problem="unit-unknown")),
    "Argonaut: the wrong unit": (lab(9.4, unit="mmol/L", **MOLES), _is(usable=False, problem="implausible")),
    "athenaPractice: a value without unit or system": (lab(unit=""), _is(usable=False, problem="unit-mismatch")),
    "CQL engine: Quantity with unit and no code": (lab(), _is()),
    "dateTime without zone": (lab(effectiveDateTime="2026-05-20T09:00:00"), _dated("2026-05-20")),
    "dateTime with minutes only": (lab(effectiveDateTime="2026-05-20T09:00"), _dated("2026-05-20")),
    "dateTime of 24:00": (lab(effectiveDateTime="2026-05-20T24:00:00"), _dated("2026-05-20")),
    "dateTime with a blank": (lab(effectiveDateTime="2026-05-20 09:00:00"), _dated("2026-05-20")),
    "dateTime finer than a microsecond": (
        lab(effectiveDateTime="2026-05-20T09:00:00.123456789Z"),
        _dated("2026-05-20"),
    ),
    "dateTime of a year": (lab(effectiveDateTime="2026"), _dated("2026")),
    "dateTime of a month": (lab(effectiveDateTime="2026-05"), _dated("2026-05")),
    "dateTime that is none": (lab(effectiveDateTime="20 May"), _undated),
    "ids with underscore": (lab("a_b"), _is()),
    "empty strings": (lab(language="", issued=""), _is()),
    "missing status": (clean(lab(status=None)), _named("status missing")),
    "missing code": (clean(lab(code=None)), _ignored),
    "a status nobody knows": (lab(status="resulted"), _named("status resulted")),
    "a comparator nobody knows": (
        lab(valueQuantity={"value": 9.4, "unit": "mg/dL", "comparator": "about"}),
        _is(usable=False, problem="comparator-unknown"),
    ),
    "an unknown resource type": ({"resourceType": "Banana", "id": "b"}, _ignored),
    "an entry that is no resource": ("text", _named("not a FHIR resource")),
    "a drug by CodeableConcept": (ORDER | {"medicationCodeableConcept": WARFARIN}, _warfarin),
    "a drug by contained reference": (
        ORDER
        | {"medicationReference": {"reference": "#x"}}
        | {"contained": [{"resourceType": "Medication", "id": "x", "code": WARFARIN}]},
        _warfarin,
    ),
    "a drug by the display of its reference": (
        ORDER | {"medicationReference": {"reference": "Medication/x", "display": "Warfarin 5 mg"}},
        _warfarin,
    ),
}


@pytest.mark.parametrize("oddity", RESOURCES)
def test_of_resources(oddity: str) -> None:
    resource, check = RESOURCES[oddity]
    check(resource)


def test_the_precision_of_a_number_is_kept_and_its_zeros_change_nothing() -> None:
    """A model library writes 9.40 as 9.4; both are the same number here, and 0.1 + 0.2 never becomes 0.3000…04."""
    text = b'{"resourceType":"Observation","id":"o","status":"final","subject":{"reference":"Patient/p"},"code":'
    text += (
        b'{"coding":[{"system":"http://loinc.org","code":"17861-6"}]},"valueQuantity":{"value":9.40,"unit":"mg/dL"}}'
    )
    found = one(decode(text))
    assert (found.low, str(found.low)) == (Decimal("9.4"), "9.4")
