"""The fast path of a silent patient answers and records what the long way does; everything odd goes the long way."""

from __future__ import annotations

import json
import random
from typing import Any

import orjson
import pytest

from tests.cds_service.fast_paths import (
    COLD,
    TEMPLATES,
    Ways,
    bundle,
    empty,
    ending_in,
    envelope,
    of,
    prefetch_of,
)
from tests.mutants import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts

WEIGHT = of("Observation", code={"text": "Body weight"}, valueQuantity={"value": 70.50, "unit": "kg"})


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"conditions": bundle(COLD), "vitals": bundle(WEIGHT)},
        {"conditions": bundle(COLD, total=1), "vitals": bundle(total=0)},
        {"patient": {"resourceType": "Patient", "id": "p", "link": [{"type": "seealso"}]}},
        {"patient": None},
        {"patient": {"resourceType": "Patient", "id": "p", "gender": "other", "deceasedBoolean": True}},
        {"patient": {"resourceType": "Patient", "id": "p", "birthDate": "19700"}},
        {"laboratory": bundle(WEIGHT, link=[{"relation": "next", "url": "https://ehr.example.org/next"}])},
        {"conditions": bundle(COLD, {"resourceType": "Practitioner", "id": "x"})},
        {"conditions": bundle(), "reports": bundle()},
        {"allergies": bundle(of("AllergyIntolerance", code={"coding": [{"code": "4711", "display": "Birch"}]}))},
        {"medications": bundle(of("MedicationRequest", medicationReference={"display": "Aspirin"}))},
    ],
)
def test_regular_requests_take_the_short_way(ways: Ways, change: dict[str, Any]) -> None:
    body = json.dumps(envelope(empty() | change)).encode()
    assert ways.same(body) == (200, True)
    assert ways.same(json.dumps(envelope(empty() | change), indent=3).encode()) == (200, True)
    without = {key: value for key, value in (empty() | change).items() if key not in ("orders", "vitals", "patient")}
    assert ways.same(orjson.dumps(envelope(without))) == (200, True)
    assert ways.same(orjson.dumps(ending_in("context", envelope(empty() | change)))) == (200, True)
    encounter = envelope(empty() | change) | {"hook": "encounter-start"}
    assert ways.same(orjson.dumps(encounter), "/cds-services/calcinosis-encounter-start") == (200, True)


@pytest.mark.parametrize(
    "change",
    [
        {"conditions": bundle(of("Condition", code={"text": "SLE"}))},
        {"conditions": bundle(of("Condition", subject={"reference": "Patient/other"}))},
        {"conditions": bundle(of("Condition", subject=None))},
        {"conditions": bundle(of("Condition", code="cold"))},
        {"conditions": bundle(of("Condition", note="cold"), of("Condition", 2, note=[1]))},
        {"conditions": bundle({"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]})},
        {"conditions": {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "forbidden"}]}},
        {"conditions": bundle(WEIGHT)},
        {"conditions": "none"},
        {"conditions": {}},
        {"conditions": {"response": "200", "resource": {}}},
        {"conditions": bundle(COLD, total=2)},
        {"conditions": {"resourceType": "Bundle", "total": 2}},
        {"laboratory": bundle(WEIGHT, issues={"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]})},
        {"patient": {"resourceType": "Patient", "id": "p", "link": [{"type": "replaced-by"}]}},
        {"laboratory": {"entry": []}},
        {"conditions": {"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]}},
        {"patient": {"resourceType": "Bundle", "entry": []}},
        {"conditions": {"resourceType": "Patient", "id": "p"}},
        {"patient": {"resourceType": "Patient", "id": 7}},
        {"patient": {"resourceType": "Patient", "id": "somebody-else"}},
        {"myConditions": bundle(COLD)},
        {"allergies": bundle(of("AllergyIntolerance", code={"coding": [{"code": "4711"}]}))},
        {"allergies": bundle(of("AllergyIntolerance", code={"code": "4711", "text": "Penicillin"}))},
        {"medications": bundle(of("MedicationRequest", medicationCodeableConcept={"coding": [{"code": "4711"}]}))},
        {"medications": bundle(of("MedicationRequest", medicationReference={"reference": "Medication/1"}))},
    ],
)
def test_everything_odd_takes_the_long_way(ways: Ways, change: dict[str, Any]) -> None:
    assert not ways.same(orjson.dumps(envelope(empty() | change)))[1]
    assert not ways.same(orjson.dumps(ending_in("context", envelope(empty() | change))))[1]


def test_an_unanswered_question_is_told(ways: Ways) -> None:
    left = {key: value for key, value in empty().items() if key not in ("conditions", "laboratory")}
    assert ways.same(orjson.dumps(envelope(left))) == (412, False)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b'"hook":', b'"hook":"order-sign","hook":'),
        (b'"hook":', b'"hook":"patient-view","hook":'),
        (b'"context":', b'"context":{"patientId":"q"},"context":'),
        (b'"patientId":', b'"patientId":"q","patientId":'),
        (b'"prefetch":', b'"prefetch":{},"prefetch":'),
        (b'"vitals":null', b'"vitals":null,"vitals":null'),
        (b'"vitals":null', b'"vitals":null,"patient":null'),
        (b'"gender":"female"', b'"gender":"male","gender":"female"'),
        (b'"hookInstance":"c6e8"', b'"hookInstance":7'),
        (b'"patientId":"p"', b'"patientId":"p/q"'),
        (b'"hookInstance":', b'"extension":1e9999,"hookInstance":'),
        (b'"vitals":null', b'"vitals":nul'),
        (b'"birthDate":"1970-02-03"', b'"birthDate":"1970-02-03","deceasedBoolean":true,"deceasedBoolean":false'),
        (b'"id":"p"', b'"id":null,"id":"p"'),
        (b'"id":"p"', b'"id":"p","id":null'),
        (b"}}", b"}"),
    ],
)
@pytest.mark.parametrize("last", ["prefetch", "context"])
def test_bad_requests_are_refused_all_the_same(ways: Ways, old: bytes, new: bytes, last: str) -> None:
    good = orjson.dumps(ending_in(last, envelope(empty())))
    assert old in good
    assert ways.same(good.replace(old, new, 1)) == (400, False)


def test_members_behind_the_prefetch_count_too(ways: Ways) -> None:
    good = orjson.dumps(envelope(empty()))
    assert good.endswith(b"}}")
    for more, status in (
        (b',"context":{"patientId":"q"}', 400), (b',"hook":"order-sign"', 400), (b',"prefetch":{}', 400),
        (b',"extension":{"prefetch":{}}', 200), (b',"extension":{"a":1,"a":2}', 400), (b"{}", 400), (b",", 400),
        (b"]", 400), (b'x"', 400),
    ):  # fmt: skip
        assert ways.same(good[:-1] + more + b"}")[0] == status
    nested = envelope(empty(), extension={"prefetch": {"patient": None}})
    assert ways.same(orjson.dumps(ending_in("prefetch", nested))) == (200, True)
    assert ways.same(good[:-1] + b"]") == ways.same(good[:-1]) == (400, False)
    for spaced in (good + b"\n", b" " + good, b"\xef\xbb\xbf" + good, good.replace(b'"prefetch":', b'"prefetch" : ')):
        assert ways.same(spaced)[0] == 200


def test_letters_that_are_no_utf8(ways: Ways) -> None:
    good = orjson.dumps(envelope(empty() | {"conditions": bundle(COLD)}))
    for part in (b"cold", b"ehr.example", b"female"):
        assert ways.same(good.replace(part, part[:1] + b"\xff" + part[1:])) == (400, False)


def test_a_key_twice_in_what_is_not_read_is_no_matter(ways: Ways) -> None:
    """Neither of two values names a disease, so that it does not matter which of them counts."""
    good = orjson.dumps(envelope(empty() | {"conditions": bundle(COLD)}))
    assert ways.same(good.replace(b'"Common cold"', b'"Common cold","text":"SLE"')) == (400, False)
    status, answer, _ = ways.ask(good.replace(b'"Common cold"', b'"Common cold","text":"Influenza"'), True)
    assert (status, answer) == (200, {"cards": []})


def test_a_key_twice_deep_in_the_patient_is_no_matter(ways: Ways) -> None:
    """Of the patient only sex, birth and death are taken."""
    twice = b'"gender":"female","extension":[{"url":"a","url":"b"}]'
    good = orjson.dumps(envelope(empty()))
    before = ways.glanced
    assert ways.ask(good.replace(b'"gender":"female"', twice), True)[:2] == (200, {"cards": []})
    assert ways.glanced > before
    assert ways.same(good.replace(b'"gender":"female"', twice + b',"birthDate":"1971"')) == (400, False)
    assert ways.same(good.replace(b'"resourceType":"Patient"', b'"resourceType":"Group"')) == (200, False)


@pytest.mark.parametrize("name", ["synthea-smart", "vendor-captures", "stu3-smart"])
def test_public_charts_and_mutants(ways: Ways, name: str) -> None:
    for seed, (found, _) in enumerate(zip(charts(name), range(3), strict=False)):
        for resources in (found.resources[:150], mutated(found.resources[:150], seed)):
            ways.same(orjson.dumps(envelope(prefetch_of(resources), found.patient_id), default=str))


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_chart_and_mutants_of_it(ways: Ways, name: str) -> None:
    pick = random.Random(name)
    for seed, found in enumerate(charts(name)):
        for turn in range(4):
            resources = mutated(found.resources, seed * 10 + turn) if turn else found.resources
            prefetch = prefetch_of(resources)
            for key in pick.sample(TEMPLATES, pick.choice((0, 0, 2))):
                del prefetch[key]
            ways.same(orjson.dumps(envelope(prefetch, found.patient_id), default=str))
