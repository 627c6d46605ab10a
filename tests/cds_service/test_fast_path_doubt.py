"""Words that only look like a disease: the resources that hold them are read alone, wherever the bytes are cut."""

from __future__ import annotations

import json
import random
from functools import partial
from typing import Any

import orjson
import pytest

from cds_service.fast_path import is_coded
from mappings import plainbytes
from mappings.doubtful import is_meant
from mappings.prescan import _Compiled
from tests.cds_service.fast_paths import COLD, Ways, bundle, empty, ending_in, envelope, of, prefetch_of
from tests.public_data import charts


@pytest.fixture(params=[plainbytes._PART, 100], autouse=True)
def part(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """All in one part, as in a small request, and every resource in one of its own."""
    monkeypatch.setattr(plainbytes, "_PART", request.param)


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


@pytest.mark.parametrize(("code", "is_coded_so"), [({"code": "55464009"}, True), ({"display": "Lupus"}, False)])
def test_a_coded_disease_ends_the_look(
    ways: Ways, monkeypatch: pytest.MonkeyPatch, code: dict[str, str], is_coded_so: bool
) -> None:
    """Of the bytes behind it nothing is looked at; a name in words may mean something else."""
    monkeypatch.setattr(plainbytes, "_PART", 100)
    looked: list[int] = []
    found = _Compiled._seen
    monkeypatch.setattr(_Compiled, "_seen", lambda self, *span: looked.append(1) or found(self, *span))
    disease = of("Condition", code={"coding": [{"system": "http://snomed.info/sct"} | code]})
    sent = orjson.dumps(envelope(empty() | {"conditions": bundle(disease, *[COLD] * 300)}))
    concepts = (brain := ways.client.app.state.cds.brain).knowledge.criteria.ctd.concepts  # type: ignore[attr-defined]
    is_sure = partial(is_coded, brain.reader, concepts)
    concern = brain.prescan.look(sent, partial(is_meant, sent, lambda raw: True, is_sure))
    assert concern is not None and concern.meant == is_coded_so
    parts = len(plainbytes.in_parts(sent))
    assert parts > 100 and len(looked) == (2 if is_coded_so else parts)
    assert ways.same(sent) == (200, False)


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


RESULT = of("Observation", code={"text": "PR"})


def doubted(*conditions: Any, **more: Any) -> bytes:
    return orjson.dumps(envelope(empty() | {"conditions": bundle(*conditions)} | more))


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (b'"resource":', b'"resource" :\n', (200, True)),
        (b'"resource":', b'"resource":{},"resource":', (400, False)),
        (b'"resource":', b'"resource":null,"resource":', (400, False)),
        (b'"resource":', b'"res\\u006furce":', (200, False)),
        (b'"resource":', b'"search":{"resource":1},"resource":', (200, False)),
        (b'"fullUrl":', b'"x\\"resource":1,"fullUrl":', (200, False)),
        (b'"status":"final"', b'"status":"resource"', (200, False)),
        (b'"status":"final"', b'"status":"\\u003c"', (200, True)),
        (b'"status":"final"', b'"status":"a \\"resource"', (200, False)),
        (b'"status":"final"', b'"status":"\xff"', (400, False)),
        (b'"https://ehr', b'"\xff', (400, False)),
        (b'"status":"final"', b'"status":"\xc3\xa9"', (200, True)),
        (b'"status":"final"', b'"status":"a\nb"', (400, False)),
        (b'"status":"final"', b'"status":final', (400, False)),
        (b'"status":"final"', b'"contained":[{"resourceType":"Bundle","entry":[{"resource":{}}]}]', (200, False)),
        (b'"resource":{', b'"search":{', (200, False)),
        (b'"resource":{', b'"resource":7,"search":{', (200, False)),
    ],
)
def test_where_a_resource_begins_is_known_or_the_long_way_is_taken(
    ways: Ways, old: bytes, new: bytes, expected: tuple[int, bool]
) -> None:
    """Whether the odd one stands before the doubtful resource or behind it."""
    good = doubted(COLD, PROSTATE, COLD)
    assert ways.same(good) == (200, True)
    for at in (good.find(old), good.rfind(old)):
        assert ways.same(good[:at] + new + good[at + len(old) :]) == expected


def test_words_of_one_name_in_one_resource_and_in_two(ways: Ways) -> None:
    one, other = of("Condition", code={"text": "systemic"}), of("Condition", 2, code={"text": "sclerosis"})
    assert ways.same(doubted(one, COLD, other)) == (200, True)
    both = of("Condition", code={"coding": [{"display": "systemic"}], "text": "sclerosis"})
    assert ways.same(doubted(COLD, both)) == (200, True)
    between = {"code": {"text": "systemic"}, "contained": [{"resource": "x" * 200}], "note": [{"text": "sclerosis"}]}
    assert not ways.same(doubted(COLD, of("Condition", **between)))[1]


def test_a_word_of_two_letters_in_one_resource_and_in_two(ways: Ways) -> None:
    one, other = of("Condition", code={"text": "discoid eczema"}), of("Condition", 2, code={"text": "LE swelling"})
    assert ways.same(doubted(one, COLD, other)) == (200, True)
    assert ways.same(doubted(one, COLD)) == ways.same(doubted(COLD, other)) == (200, True)
    assert not ways.same(doubted(COLD, of("Condition", code={"text": "discoid LE"})))[1]
    between = {"code": {"text": "discoid"}, "contained": [{"resource": "x" * 200}], "note": [{"text": "LE"}]}
    assert not ways.same(doubted(COLD, of("Condition", **between)))[1]


def test_who_names_a_doubtful_result(ways: Ways) -> None:
    """Its own address is no matter, any other resource is."""
    entry = {"fullUrl": "https://ehr.example.org/Observation/Observation-1", "resource": RESULT}
    sent = {"resourceType": "Bundle", "entry": [{"resource": of("Observation", 2)}, entry]}
    assert ways.same(orjson.dumps(envelope(empty() | {"laboratory": sent}))) == (200, True)
    for name in ("Observation-1", "https://ehr.example.org/Observation/Observation-1", "Observation-1/_history/2"):
        report = of("DiagnosticReport", result=[{"reference": name}])
        named = envelope(empty() | {"laboratory": sent, "reports": bundle(report)})
        assert ways.same(orjson.dumps(named)) == (200, False)
    often = {str(number): "Observation-1" for number in range(5)}
    for extension, short in ((often, True), ({"result": often}, False)):
        named = envelope(empty() | {"laboratory": sent}, extension=extension)
        assert ways.same(orjson.dumps(named)) == (200, short)
    escaped = of("DiagnosticReport", result=[{"reference": "Observation-7"}])
    named = envelope(empty() | {"laboratory": sent, "reports": bundle(escaped)})
    assert ways.same(orjson.dumps(named).replace(b"Observation-7", b"Observation-\\u0031")) == (200, False)


@pytest.mark.parametrize("kind", ["DiagnosticReport", "Observation"])
@pytest.mark.parametrize("member", ["result", "hasMember", "related", "derivedFrom", "note"])
def test_only_by_its_members_does_a_report_or_panel_make_a_doubtful_result_its_own(
    ways: Ways, kind: str, member: str
) -> None:
    """Whatever else names it, in whatever form, the two readings agree; the rest of the chart is far away."""
    named = {"reference": "Observation/Observation-1"}
    entry = {"target": named} if member == "related" else {"text": "Observation-1"} if member == "note" else named
    naming = of(kind, 2, code={"text": "Histology of skin"}, **{member: [entry]})
    sent = empty() | {"laboratory": bundle(RESULT, *[of("Observation", n) for n in range(3, 60)], naming)}
    short = member in ("derivedFrom", "note")
    assert ways.same(orjson.dumps(envelope(sent))) == (200, short)


def test_of_two_doubtful_results_none_names_the_other(ways: Ways) -> None:
    two = [RESULT, RESULT | {"id": "second"}]
    assert ways.same(orjson.dumps(envelope(empty() | {"laboratory": bundle(*two)}))) == (200, True)
    for more, short in (
        ({"note": [{"text": "as Observation-1"}]}, True),
        ({"hasMember": [{"reference": "Observation/Observation-1"}]}, False),
        ({"related": [{"target": {"reference": "Observation/Observation-1"}}]}, False),
    ):
        two[1] = RESULT | {"id": "second"} | more
        assert ways.same(orjson.dumps(envelope(empty() | {"laboratory": bundle(*two)}))) == (200, short)
    nameless = {key: value for key, value in RESULT.items() if key != "id"}
    assert ways.same(orjson.dumps(envelope(empty() | {"laboratory": bundle(nameless)}))) == (200, False)
