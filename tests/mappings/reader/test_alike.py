"""Resources that are alike but for when they were and which number was measured are read once, others told apart."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from mappings.elements import Condition, Observation, Told, numbers_of, taken_apart
from tests.cds_service.lazy_charts import facts, late, request, resources_of, same_both_ways, unread, weight
from tests.readers import brain_reader, forgetful


def sodium(number: int, **changed: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": f"na-{number}",
        "meta": {"lastUpdated": "2026-01-02T00:00:00Z", "profile": ["http://hl7.org/x"]},
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": {"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Calcium"}]},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": f"20{10 + number}-03-0{1 + number % 9}",
        "valueQuantity": {"value": 9 + number / 10, "unit": "mg/dL"},
        "referenceRange": [{"low": {"value": 8.5, "unit": "mg/dL"}, "high": {"value": 10.5, "unit": "mg/dL"}}],
        **changed,
    }


@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"issued": "2026-01-03T00:00:00Z", "status": "corrected"},
        {"valueQuantity": {"value": 9.4, "comparator": "<", "unit": "mg/dL"}},
        {"valueQuantity": {"value": 2.35, "unit": "mmol/L", "code": "mmol/L"}},
        {"valueQuantity": {"value": -0.0, "unit": "mg/dL"}},
        {"valueQuantity": {"unit": "mg/dL"}},
        {"effectiveDateTime": "2026-02-31"},
        {"effectiveDateTime": "2026", "issued": "never"},
        {"subject": {"reference": "Patient/q"}},
        {"subject": {"reference": "Patient/p", "display": "P"}},
        {"interpretation": [{"coding": [{"code": "H"}]}]},
        {"referenceRange": []},
        {"status": "preliminary"},
        {"note": [{"text": "haemolysed"}]},
    ],
)
def test_one_that_differs_among_many_alike(changed: dict[str, Any]) -> None:
    resources = [sodium(number) for number in range(1, 10)]
    resources[4] |= changed
    same_both_ways(brain_reader(), forgetful(), "p", resources)
    same_both_ways(brain_reader(), forgetful(), "p", [resources[4], *resources[:4], *resources[5:]])


def test_results_of_one_form_have_their_own_numbers_and_dates() -> None:
    sent = late(request("p", [sodium(number) for number in range(1, 10)]), brain_reader())
    assert sent is not None
    found = facts(sent, brain_reader()).results
    assert [(str(r.low), str(r.date)[:4], r.ref) for r in found] == [
        (f"{9 + n / 10:g}", f"20{10 + n}", f"Observation/na-{n}") for n in range(1, 10)
    ]


SNOMED = "http://snomed.info/sct"
SMOKING = {
    "resourceType": "Observation",
    "meta": {"lastUpdated": "2026-01-02T00:00:00Z"},
    "status": "final",
    "category": [{"coding": [{"code": "social-history"}]}],
    "code": {"coding": [{"system": "http://loinc.org", "code": "72166-2"}], "text": "Tobacco smoking status"},
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2026-01-01",
    "valueCodeableConcept": {"coding": [{"system": SNOMED, "code": "8517006"}], "text": "Former smoker"},
}
RADIOGRAPH = {
    "resourceType": "Procedure",
    "meta": {"lastUpdated": "2026-01-02T00:00:00Z"},
    "status": "completed",
    "code": {"text": "X-ray of the left elbow for SLE"},
    "subject": {"reference": "Patient/p"},
    "performedPeriod": {"start": "2025-11-01", "end": "2025-11-02"},
    "reasonReference": [{"reference": "Condition/1", "display": "lump"}],
}
RENEWED = {
    "resourceType": "MedicationRequest",
    "status": "active",
    "intent": "order",
    "medicationCodeableConcept": {"text": "Diltiazem 60 mg"},
    "subject": {"reference": "Patient/p"},
    "authoredOn": "2025-10-01",
    "dosageInstruction": [{"text": "1 tablet twice a day"}],
}


@pytest.mark.parametrize("said", [SMOKING, RADIOGRAPH, RENEWED], ids=["smoking", "radiograph", "renewed"])
@pytest.mark.parametrize(
    "changed",
    [
        {},
        {"meta": {"lastUpdated": "2019-01-02T00:00:00Z"}},
        {"meta": {"lastUpdated": "soon"}},
        {"meta": {"security": [{"code": "R"}]}},
        {"status": "entered-in-error"},
        {"status": "stopped"},
        {"status": "corrected", "issued": "2026-02-01T00:00:00Z"},
        {"intent": "proposal"},
        {"subject": {"reference": "Patient/q"}},
        {"effectiveDateTime": "2024", "performedDateTime": "2024", "authoredOn": "2024"},
        {"effectiveDateTime": "2026-02-31", "performedDateTime": "2026-02-31", "authoredOn": "2026-02-31"},
        {"effectiveDateTime": None, "authoredOn": None},
        {"performedPeriod": {"end": "2025-05-05"}},
        {"performedPeriod": {"start": "2025-05-05", "end": "2020-05-05"}},
        {"performedPeriod": {}},
        {"valueCodeableConcept": {"text": "Never smoker"}},
        {"valueString": "hard nodule on the left elbow for 3 months"},
        {"bodySite": [{"text": "right knee"}]},
        {"note": [{"text": "calcified nodules for 2 years"}]},
        {"code": {"text": "Urine"}},
        {"dosageInstruction": [{"text": "2 tablets twice a day"}]},
        {"medicationCodeableConcept": {"text": ""}},
    ],
)
def test_one_that_differs_among_many_that_say_the_same(said: dict[str, Any], changed: dict[str, Any]) -> None:
    resources = [said | {"id": f"a-{number}"} for number in range(12)]
    for number, resource in enumerate(resources):
        for name in ("effectiveDateTime", "authoredOn"):
            if name in resource:
                resource[name] = f"20{10 + number}-03-01T10:00:00Z"
    resources[4] = {name: value for name, value in (resources[4] | changed).items() if value is not None}
    same_both_ways(brain_reader(), forgetful(), "p", resources)
    same_both_ways(brain_reader(), forgetful(), "p", [resources[4] | {"id": "a-"}, *resources])


@pytest.mark.parametrize("said", [SMOKING, RADIOGRAPH, RENEWED, sodium(1)])
def test_the_second_is_not_even_decoded(said: dict[str, Any]) -> None:
    reader = brain_reader()
    sent = late(request("p", [said | {"id": f"a-{number}"} for number in range(12)]), reader)
    assert sent is not None
    assert facts(sent, reader) == facts(sent, forgetful())
    every = resources_of(sent)
    assert sum(one.decoded_body is not None for one in every) == 1


def test_members_of_panels_of_urine_are_no_others() -> None:
    panels = [
        {
            "resourceType": "DiagnosticReport",
            "id": f"r-{number}",
            "status": "final",
            "code": {"text": name},
            "subject": {"reference": "Patient/p"},
            "effectiveDateTime": "2025-03-04",
            "result": [{"reference": f"Observation/na-{number}"}],
        }
        for number, name in enumerate(["Blood", "Urine panel", "Urine panel", "Panel", "Urine panel", "Panel", "Blood"])
    ]
    resources = [*(sodium(number, code={"text": "Calcium"}) for number in range(1, 10)), *panels]
    reader = brain_reader()
    same_both_ways(reader, forgetful(), "p", resources)
    sent = late(request("p", resources), reader)
    assert sent is not None
    assert [r.ref for r in facts(sent, reader).results] == [
        f"Observation/na-{n}" for n in (1, 2, 3, 4, 5, 6, 7, 8, 9) if n not in (1, 2, 4)
    ]


def test_silence_learned_in_a_chart_counts_in_it() -> None:
    """The first weight is read; the others of the same chart need not be."""
    reader = brain_reader()
    told = {name: value for name, value in weight().items() if name != "note"}
    sent = late(request("p", [told | {"id": f"w-{number}"} for number in range(8)]), reader)
    assert sent is not None and not unread(sent)
    facts(sent, reader)
    assert unread(sent) == 8


OBSERVATION = (
    b'{"resourceType":"Observation","id":"1","code":{"text":"x"},"subject":{"reference":"Patient/p"},'
    b'"valueQuantity":{"value":5,"unit":"kg"},"issued":"2026-01-01"}'
)


@pytest.mark.parametrize(
    ("there", "instead"),
    [
        (b'"resourceType":"Observation",', b""),
        (b'{"resourceType":"Observation",', b"{" + b" " * 29),
        (b'"Observation"', b'"Procedure"'),
        (b'"id":"1"', b'"id":"1","id":"1"'),
        (b'"id":"1"', b'"id": "1"'),
        (b'"id":"1"', b'"id":"\\u0031"'),
        (b'"id":"1"', b'"id":1'),
        (b'"id":"1",', b""),
        (b'"unit":"kg"', b'"unit":"kg","unit":"g"'),
        (b'"unit":"kg"', b'"kind":"kg"'),
        (b'{"reference":"Patient/p"}', b'{"name":"p"}'),
        (b'"issued"', b'"note":[],"issued"'),
        (b"}", b""),
    ],
)
def test_what_is_not_taken_apart(there: bytes, instead: bytes) -> None:
    assert isinstance(taken_apart(msgspec.Raw(OBSERVATION)), Observation)
    assert taken_apart(msgspec.Raw(OBSERVATION.replace(there, instead, 1))) is None


def said(told: Told) -> bytes:
    return told.alike([told])[0]


def test_what_is_alike() -> None:
    told = taken_apart(msgspec.Raw(OBSERVATION))
    assert told is not None and numbers_of([told]) == [b"5"]
    for there, instead, alike in (
        (b'"id":"1"', b'"id":"2"', True),
        (b":5,", b":7.5,", True),
        (b"2026-01-01", b"2025-01-01T00:00:00Z", True),
        (b"kg", b"g", False),
        (b'"x"', b'"y"', False),
        (b'"valueQuantity":{"value":5,"unit":"kg"},', b"", False),
    ):
        other = taken_apart(msgspec.Raw(OBSERVATION.replace(there, instead, 1)))
        assert other is not None and (said(other) == said(told)) is alike
    plain = b'{"resourceType":"Condition","id":"1","code":{"text":"x"},"subject":{"reference":"Patient/p"}}'
    assert isinstance(taken_apart(msgspec.Raw(plain)), Condition)
