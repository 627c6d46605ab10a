"""The short way of a silent patient answers and records what the long way does; everything odd goes the long way."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson
import pytest
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.pipeline import load_brain
from cds_service.settings import Settings
from cds_service.store import EvaluationRecord
from cds_service.visit import Visit
from tests.mappings.reader.test_silence import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts

PATH = "/cds-services/calcinosis-patient-view"
KEYS = {
    "Condition": "conditions", "Observation": "laboratory", "DiagnosticReport": "reports",
    "MedicationRequest": "medications", "AllergyIntolerance": "allergies", "Procedure": "procedures",
    "ServiceRequest": "orders",
}  # fmt: skip
TEMPLATES = (
    "patient", "conditions", "laboratory", "examinations", "vitals", "answers", "reports", "medications", "allergies",
    "procedures", "orders",
)  # fmt: skip


class Ways:
    """One application, asked twice: as it is, and with the short way closed."""

    def __init__(self, client: TestClient, monkeypatch: pytest.MonkeyPatch) -> None:
        self.client, self.patch = client, monkeypatch
        self.records: list[EvaluationRecord] = []
        self.glanced = 0
        memory = client.app.state.cds.memory  # type: ignore[attr-defined]
        record, glance = memory.record, Visit._glance

        async def recorded(found: EvaluationRecord) -> None:
            self.records.append(found)
            await record(found)

        def counted(visit: Visit, body: bytes) -> Any:
            found = glance(visit, body)
            self.glanced += found is not None
            return found

        monkeypatch.setattr(memory, "record", recorded)
        self.open = counted

    def ask(self, body: bytes, short: bool, path: str = PATH) -> tuple[int, Any, list[EvaluationRecord]]:
        self.records.clear()
        self.patch.setattr(Visit, "_glance", self.open if short else lambda *_: None)
        answer = self.client.post(path, content=body, headers={"content-type": "application/json"})
        return answer.status_code, answer.json(), [_comparable(found) for found in self.records]

    def same(self, body: bytes, path: str = PATH) -> tuple[int, bool]:
        """Asserts that both ways say the same; the status, and whether the short way was taken."""
        before = self.glanced
        short, long = self.ask(body, True, path), self.ask(body, False, path)
        if self.glanced > before:
            assert short == long
        return short[0], self.glanced > before


def _comparable(record: EvaluationRecord) -> EvaluationRecord:
    return msgspec.structs.replace(record, id="", at_ms=0, milliseconds=0.0)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    settings = Settings(profile="sandbox", max_body_bytes=200_000_000, keep_charts_seconds=0)
    brain = load_brain()
    brain.prescan.prepare()
    with TestClient(create_app(settings, brain=brain), client=("127.0.0.1", 5000)) as client:
        yield client


@pytest.fixture
def ways(client: TestClient, monkeypatch: pytest.MonkeyPatch) -> Ways:
    return Ways(client, monkeypatch)


def envelope(prefetch: dict[str, Any] | None, patient: str = "p", **more: Any) -> dict[str, Any]:
    context = {"userId": "Practitioner/1", "patientId": patient, "encounterId": "e1"}
    return {"hook": "patient-view", "hookInstance": "c6e8", "context": context, "prefetch": prefetch} | more


def bundle(*resources: Any, **more: Any) -> dict[str, Any]:
    entries = [{"fullUrl": f"https://ehr.example.org/{n}", "resource": r} for n, r in enumerate(resources)]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries} | more


def of(kind: str, number: int = 1, **more: Any) -> dict[str, Any]:
    return {
        "resourceType": kind,
        "id": f"{kind}-{number}",
        "subject": {"reference": "Patient/p"},
        "status": "final",
    } | more


def empty() -> dict[str, Any]:
    person = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-02-03"}
    return dict.fromkeys(TEMPLATES) | {"patient": person}


def prefetch_of(resources: list[Any]) -> dict[str, Any]:
    found: dict[str, list[Any]] = {}
    for resource in resources:
        key = KEYS.get(str(resource.get("resourceType")))
        if key:
            found.setdefault(key, []).append(resource)
    person = next((r for r in resources if r.get("resourceType") == "Patient"), None)
    return dict.fromkeys(TEMPLATES) | {key: bundle(*rs) for key, rs in found.items()} | {"patient": person}


WEIGHT = of("Observation", code={"text": "Body weight"}, valueQuantity={"value": 70.50, "unit": "kg"})
COLD = of("Condition", code={"text": "Common cold"})


@pytest.mark.parametrize(
    "change",
    [
        {},
        {"conditions": bundle(COLD), "vitals": bundle(WEIGHT)},
        {"patient": None},
        {"patient": {"resourceType": "Patient", "id": "p", "gender": "other", "deceasedBoolean": True}},
        {"patient": {"resourceType": "Patient", "id": "somebody-else"}},
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
        {"laboratory": {"entry": []}},
        {"conditions": {"resourceType": "Bundle", "entry": [{"fullUrl": "x"}]}},
        {"patient": {"resourceType": "Bundle", "entry": []}},
        {"conditions": {"resourceType": "Patient", "id": "p"}},
        {"patient": {"resourceType": "Patient", "id": 7}},
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


def ending_in(last: str, request: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in request.items() if key != last} | {last: request[last]}


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


PROSTATE = of("Condition", code={"text": "Prostate enlarged on PR"})
SAID = (
    "Prostate enlarged on PR", "PR", "RA", "lupus anticoagulant", "mother has lupus", "no lupus", "rule out SLE",
    "overlap", "Right atrium (RA) dilated", "DM", "Sjögren negative", "wolf",
)  # fmt: skip


@pytest.mark.parametrize(
    "conditions",
    [
        [PROSTATE],
        [COLD] * 300 + [PROSTATE],
        [PROSTATE | {"id": "x"}, COLD, PROSTATE | {"id": "y"}],
        [PROSTATE, of("Observation", code={"text": "PR interval"}, valueQuantity={"value": 160, "unit": "ms"})],
    ],
)
def test_words_that_only_look_like_a_disease(ways: Ways, conditions: list[Any]) -> None:
    """They are read alone, and the rest of the chart is not."""
    sent = envelope(empty() | {"conditions": bundle(*conditions)})
    named = orjson.dumps(sent)
    assert ways.client.app.state.cds.brain.may_concern(named)  # type: ignore[attr-defined]
    assert ways.same(named) == (200, True)
    assert ways.same(orjson.dumps(ending_in("context", sent))) == (200, True)
    assert ways.same(json.dumps(sent, indent=3).encode()) == (200, True)


@pytest.mark.parametrize(
    "conditions",
    [
        [of("Condition", code={"text": "SLE"})],
        [of("Condition", code={"text": "no lupus"})],
        [of("Condition", code={"coding": [{"system": "http://snomed.info/sct", "code": "55464009"}]}), PROSTATE],
        [PROSTATE | {"id": str(number)} for number in range(6)],
        [PROSTATE | {"subject": {"reference": "Patient/other"}}],
        [of("MedicationRequest", medicationReference={"reference": "Medication/1"}, note=[{"text": "PR"}])],
        [of("Observation", code={"text": "PR"}, specimen={"reference": "Specimen/1"})],
        [of("Observation", code={"text": "PR"}), of("DiagnosticReport", result=[{"reference": "Observation-1"}])],
        [of("Encounter", reasonCode=[{"text": "PR"}])],
    ],
)
def test_what_names_one_or_rests_on_others_takes_the_long_way(ways: Ways, conditions: list[Any]) -> None:
    named = orjson.dumps(envelope(empty() | {"conditions": bundle(COLD, *conditions)}))
    assert ways.same(named) == (200, False)


def test_words_of_the_envelope_are_no_doubt(ways: Ways) -> None:
    sent = envelope(empty() | {"conditions": bundle(PROSTATE)}, extension={"note": "SLE"})
    assert ways.same(orjson.dumps(sent)) == (200, False)


@pytest.mark.parametrize("seed", range(8))
def test_doubtful_words_anywhere_in_a_chart(ways: Ways, seed: int) -> None:
    pick = random.Random(seed)
    found = next(charts("synthea-smart"))
    resources = found.resources[:120]
    for at in pick.sample(range(len(resources)), 2):
        resource = dict(resources[at])
        name = pick.choice(("code", "note", "display", "conclusion"))
        words = pick.choice(SAID)
        resource[name] = [{"text": words}] if name == "note" else words if name == "conclusion" else {"text": words}
        resources[at] = resource
    ways.same(orjson.dumps(envelope(prefetch_of(resources), found.patient_id), default=str))


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
