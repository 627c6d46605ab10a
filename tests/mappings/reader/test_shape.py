"""Elements of a wrong type are named; unreadable dates are named, and what they date is kept as undated."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import NEEDS, Completeness, PatientFacts
from mappings.raw import RawChart
from tests.spec.harness import reader

CALCIUM = {
    "resourceType": "Observation",
    "id": "ca",
    "status": "final",
    "subject": {"reference": "Patient/p"},
    "code": {"text": "Calcium"},
    "effectiveDateTime": "2026-05-20",
    "valueQuantity": {"value": 9.4, "unit": "mg/dL"},
}


def read(*resources: dict[str, Any]) -> PatientFacts:
    complete = {need: Completeness("complete") for need in NEEDS}
    return reader().read(RawChart("p", resources, complete))


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": 7}, "code: must be an object"),
        ({"status": []}, "status: must be a string"),
        ({"component": "x"}, "component: must be an array"),
        ({"note": [3]}, "note: must hold objects"),
        ({"valueQuantity": "9.4 mg/dL"}, "valueQuantity: must be an object"),
    ],
)
def test_a_broken_resource_is_left_out_and_the_element_named(change: dict[str, Any], reason: str) -> None:
    facts = read(CALCIUM | {"id": "broken"} | change, CALCIUM)
    assert [(q.reference, q.reason) for q in facts.quarantined] == [("Observation/broken", reason)]
    assert [r.ref for r in facts.results] == ["Observation/ca"]
    assert facts.need("observations") == Completeness("partial", "resources left out")


def test_an_unreadable_date_is_named_and_the_value_kept_undated() -> None:
    facts = read(CALCIUM | {"effectiveDateTime": "next Tuesday"})
    assert [(q.reference, q.reason) for q in facts.quarantined] == [
        ("Observation/ca", "effectiveDateTime: not a FHIR date, read without it")
    ]
    assert [(r.ref, r.date) for r in facts.results] == [("Observation/ca", None)]


def test_a_patient_that_arrives_with_a_byte_order_mark_is_read() -> None:
    from mappings.bundles import decode

    assert decode(b"\xef\xbb\xbf" + b'{"resourceType": "Patient"}') == {"resourceType": "Patient"}
