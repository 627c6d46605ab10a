"""Elements of a wrong type are named; unreadable dates are named, and what they date is kept as undated."""

from __future__ import annotations

from typing import Any

import pytest

from mappings.facts import Completeness
from mappings.reader import READ_TYPES, shape
from tests.mappings.reader.sent import CALCIUM_RESULT, read


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"code": 7}, "code: must be an object"),
        ({"status": []}, "status: must be a string"),
        ({"component": "x"}, "component: must be an array"),
        ({"note": [3]}, "note: must hold objects"),
        ({"valueQuantity": "9.4 mg/dL"}, "valueQuantity: must be an object"),
        ({"modifierExtension": [{"url": "http://example.org/not-done"}]}, "modifierExtension: not known here"),
    ],
)
def test_a_broken_resource_is_left_out_and_the_element_named(change: dict[str, Any], reason: str) -> None:
    facts = read(CALCIUM_RESULT | {"id": "broken"} | change, CALCIUM_RESULT)
    assert [(q.reference, q.reason) for q in facts.quarantined] == [("Observation/broken", reason)]
    assert [r.ref for r in facts.results if r.usable] == ["Observation/ca"]
    if "code" in change:
        nobody_knows = "results of no known test left out"
        assert facts.need("observations") == Completeness("partial", nobody_knows), "it may be any test's newest"
        return
    assert facts.need("observations") == Completeness("partial", "resources left out", has_newest=True)
    (noted,) = [r for r in facts.results if not r.usable]
    assert (noted.ref, noted.analyte, noted.problem) == ("Observation/broken", "calcium-total", "not-understood")


@pytest.mark.parametrize(
    ("change", "newest", "noted"),
    [
        ({"subject": {"display": "Mrs. N."}}, False, False),
        ({"valueQuantity": 9}, True, True),
        ({"valueQuantity": 9, "status": ["final"]}, True, True),
        ({"valueQuantity": 9, "effectiveDateTime": "?"}, False, True),
        ({"valueQuantity": 9, "status": "entered-in-error"}, True, False),
        ({"valueQuantity": 9, "status": "preliminary"}, True, False),
        ({"valueQuantity": 9, "code": {"text": "Haemoglobin A1c"}}, True, False),
        ({"valueQuantity": 9, "code": {"text": "Panel"}, "component": [{"code": {"text": "Calcium"}}]}, False, False),
        ({"valueQuantity": 9, "code": {"text": "Panel"}, "contained": [CALCIUM_RESULT]}, False, False),
        ({"valueQuantity": 9, "code": {}}, False, False),
    ],
)
def test_a_result_that_was_left_out_may_have_been_the_newest(change: dict[str, Any], newest: bool, noted: bool) -> None:
    facts = read(CALCIUM_RESULT, {k: v for k, v in (CALCIUM_RESULT | {"id": "broken"} | change).items() if v})
    assert facts.need("observations").tells_newest is newest
    assert [r.problem for r in facts.results if r.ref == "Observation/broken"] == ["not-understood"] * noted


def test_a_broken_condition_is_no_matter_of_results() -> None:
    facts = read(
        CALCIUM_RESULT, {"resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "code": 7}
    )
    assert (facts.need("observations").state, facts.need("conditions").state) == ("complete", "partial")


_ODD: tuple[object, ...] = (
    7,
    "hard nodules of the left elbow",
    [3],
    {"text": "warfarin"},
    [{"text": "calcinosis cutis", "valueString": "hard nodule", "coding": [{"display": "Calcinosis cutis"}]}],
)


@pytest.mark.parametrize("kind", READ_TYPES)
def test_an_element_that_the_type_does_not_have_says_nothing_and_breaks_nothing(kind: str) -> None:
    own = {"reference": "Patient/p"}
    resource = {"resourceType": kind, "id": "r", "status": "active", "subject": own, "patient": own}
    said = {"code": {"text": "Calcinosis cutis"}, "medicationCodeableConcept": {"text": "metoprolol 25 mg"}}
    resource |= {name: value for name, value in said.items() if name in shape.ELEMENTS[kind]}
    plain = read(resource)
    for name in {*shape.OBJECTS, *shape.TEXTS, *shape.LISTS} - shape.ELEMENTS[kind]:
        for odd in _ODD:
            assert read(resource | {name: odd}) == plain, (name, odd)


@pytest.mark.parametrize("kind", READ_TYPES)
def test_an_element_that_the_type_has_is_checked(kind: str) -> None:
    own = {"reference": "Patient/p"}
    for name in shape.ELEMENTS[kind]:
        facts = read({"resourceType": kind, "id": "r", "subject": own, "patient": own, name: 7})
        assert [q.reason.partition(":")[0] for q in facts.quarantined] == [name]


@pytest.mark.parametrize("nothing", [None, []])
def test_no_modifier_changes_nothing(nothing: object) -> None:
    facts = read(CALCIUM_RESULT | {"modifierExtension": nothing})
    assert (len(facts.results), facts.quarantined) == (1, ())


@pytest.mark.parametrize("yes", [True, "true"])
def test_a_boolean_may_come_as_a_string(yes: object) -> None:
    assert read({"resourceType": "Patient", "id": "p", "deceasedBoolean": yes}).deceased
    own = {"subject": {"reference": "Patient/p"}, "doNotPerform": yes}
    drug = {"resourceType": "MedicationRequest", "medicationCodeableConcept": {"text": "metoprolol"}, "id": "m"} | own
    ecg = {"resourceType": "ServiceRequest", "status": "active", "code": {"text": "ECG"}, "id": "s"} | own
    facts = read(drug, ecg)
    assert (facts.medications, facts.actions) == ((), ())


def test_an_unreadable_date_is_named_and_the_value_kept_undated() -> None:
    facts = read(CALCIUM_RESULT | {"effectiveDateTime": "next Tuesday"})
    assert [(q.reference, q.reason) for q in facts.quarantined] == [
        ("Observation/ca", "effectiveDateTime: not a FHIR date, read without it")
    ]
    assert [(r.ref, r.date) for r in facts.results] == [("Observation/ca", None)]


def test_a_patient_that_arrives_with_a_byte_order_mark_is_read() -> None:
    from mappings.bundles import decode

    assert decode(b"\xef\xbb\xbf" + b'{"resourceType": "Patient"}') == {"resourceType": "Patient"}
