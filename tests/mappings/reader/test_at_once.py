"""Resources of a Bundle that are looked at together: as if each were looked at alone."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import pytest

from cds_service.errors import BadRequest
from cds_service.limits import decode_request
from mappings.bundles import Apart
from mappings.dates import PartialDate, unreadable_dates
from mappings.elements import taken_apart
from mappings.reader.identity import reference_of, references
from mappings.unread import Unread
from tests.cds_service.lazy_charts import facts, late, request, resources_of
from tests.mappings.reader.test_alike import RADIOGRAPH, RENEWED, SMOKING, sodium
from tests.readers import brain_reader, forgetful

DATES = (
    "2026-01-05",
    "2026-01-05T10:00:00Z",
    "2026-01-05T10:00:00.123Z",
    "2026-01-05T10:00:00+01:00",
    "2024-02-29",
    "2023-02-29",
    "2026-13-01",
    "2026-01-05T24:00:00Z",
    "2026-01-05T25:00:00Z",
    "2026",
    "2026-01",
    " 2026-01-05 ",
    "2026-01-05T10:00",
    "2026-01-05\n2026-01-06",
    "٢٠٢٦-٠١-٠٥",
    "soon",
    "",
    "\ud800",
)


@pytest.mark.parametrize("text", DATES)
def test_a_date_can_be_read_or_not(text: str) -> None:
    found = unreadable_dates({text})
    assert found == (set() if PartialDate.parse(text) else {text})
    assert unreadable_dates({text, *DATES[:5]}) == found


def test_what_is_longer_than_any_date_is_for_the_ordinary_reading() -> None:
    assert unreadable_dates({" " * 70 + "2026"}) == {" " * 70 + "2026"}
    assert unreadable_dates(set()) == set()


@pytest.mark.parametrize("name", ["a", "A-1.b_", "x" * 256, "x" * 257, "", "a b", "é", "a/b", "a\n"])
def test_references_are_those_of_each(name: str) -> None:
    told = taken_apart(msgspec.Raw(msgspec.json.encode({"resourceType": "Condition", "id": name})))
    assert told is not None
    one = reference_of({"resourceType": "Condition", "id": name})
    known = one == f"Condition/{name}"
    assert references([told]) == ([one] if known else None)
    other = taken_apart(msgspec.Raw(b'{"resourceType":"Condition","id":"other"}'))
    assert other is not None
    assert references([other, told]) == (["Condition/other", one] if known else None)


def mixture(*more: dict[str, Any]) -> list[dict[str, Any]]:
    kinds = (SMOKING, RADIOGRAPH, RENEWED, sodium(1))
    return [one | {"id": f"a-{turn}-{at}"} for turn in range(4) for at, one in enumerate(kinds)] + list(more)


def under_one_key(resources: list[dict[str, Any]]) -> bytes:
    """All in one Bundle, whatever their types."""
    body = msgspec.json.decode(request("p", resources))
    entries = [entry for value in body["prefetch"].values() for entry in value["entry"]]
    body["prefetch"] = {"laboratory": {"resourceType": "Bundle", "entry": entries}}
    return msgspec.json.encode(body)


def test_types_in_any_mixture() -> None:
    reader, body = brain_reader(), under_one_key(mixture())
    for _ in range(2):
        sent = late(body, reader)
        assert sent is not None
        bundle = sent["prefetch"]["laboratory"]
        assert isinstance(bundle, Apart)
        assert bundle.kinds == {"Observation", "Procedure", "MedicationRequest"}
        assert [one["id"] for one in resources_of(sent)] == [
            entry["resource"]["id"] for entry in decode_request(body)["prefetch"]["laboratory"]["entry"]
        ]
        assert facts(sent, reader) == facts(decode_request(body), forgetful())


@pytest.mark.parametrize(
    "odd",
    [
        {"note": [{"text": "hard nodule on the left elbow"}]},
        {"id": "not an id"},
        {"subject": {"reference": "Patient/another"}},
        {"valueQuantity": {"value": 1e5, "unit": "mmol/L"}},
        {"effectiveDateTime": "2026"},
        {"effectiveDateTime": "soon"},
        {"issued": " " * 70 + "2026-01-01"},
    ],
)
def test_one_odd_resource_among_them(odd: dict[str, Any]) -> None:
    """The others are still taken apart."""
    reader, body = brain_reader(), under_one_key(mixture(sodium(2) | {"id": "odd"} | odd))
    for _ in range(2):
        sent = late(body, reader)
        assert sent is not None
        assert sum(isinstance(one, Unread) for one in resources_of(sent)) >= 16
        assert facts(sent, reader) == facts(decode_request(body), forgetful())


def test_a_corrected_result_replaces_one_that_is_like_another() -> None:
    """The stamps of what was not read by itself count as those of any other."""
    old = [sodium(1) | {"id": f"old-{day}", "effectiveDateTime": f"2026-01-0{day}T08:00:00Z"} for day in range(1, 9)]
    new = [one | {"id": f"new-{one['id']}", "status": "corrected", "issued": "2026-02-01T08:00:00Z"} for one in old[2:]]
    for one in new:
        one["valueQuantity"] = one["valueQuantity"] | {"value": 155}
    reader, body = brain_reader(), request("p", [*old, *new])
    sent = late(body, reader)
    assert sent is not None
    found = facts(sent, reader)
    assert found == facts(decode_request(body), forgetful())
    assert sorted(r.ref for r in found.results) == sorted(f"Observation/{one['id']}" for one in (old[0], old[1], *new))


def test_a_form_is_checked_once_for_all_charts() -> None:
    """What is written twice in another form, or beside it, is refused as ever."""
    reader, body = brain_reader(), under_one_key(mixture())
    first, second = late(body, reader), late(body, reader)
    assert first is not None and second is not None
    assert any(one.decoded_body is not None for one in resources_of(first))
    assert not any(one.decoded_body is not None for one in resources_of(second))
    assert facts(second, reader) == facts(decode_request(body), forgetful())
    code = b'"code":{"coding":[{"system":"http://loinc.org"'
    assert code in body
    for spoilt in (
        body.replace(code, code + b',"system":"http://loinc.org"', 1),
        body.replace(b'"status":', b'"identifier":[{"value":"1","value":"2"}],"status":', 1),
        body.replace(b'"status":', b'"meta":{"tag":[{"code":"1","code":"2"}]},"status":', 1),
    ):
        with pytest.raises(BadRequest):
            decode_request(spoilt)
        assert late(spoilt, reader) is None


def pressure(high: float, low: float, **more: Any) -> dict[str, Any]:
    """As the panel is written in most charts."""

    def part(code: str, name: str, value: float) -> dict[str, Any]:
        return {
            "code": {"coding": [{"system": "http://loinc.org", "code": code, "display": name}], "text": name},
            "valueQuantity": {
                "value": value,
                "unit": "mm[Hg]",
                "system": "http://unitsofmeasure.org",
                "code": "mm[Hg]",
            },
        }

    return {
        "resourceType": "Observation",
        "id": f"p-{high}-{low}",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "85354-9"}], "text": "Blood Pressure"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-05T10:00:00Z",
        "component": [part("8480-6", "Systolic", high), part("8462-4", "Diastolic", low)],
        **more,
    }


def test_panels_of_one_form_have_their_own_numbers() -> None:
    """Only of the first are the names read."""
    reader, body = brain_reader(), under_one_key([pressure(120 + turn, 70.5 + turn) for turn in range(12)])
    for _ in range(2):
        sent = late(body, reader)
        assert sent is not None
        every = resources_of(sent)
        assert len({one.form for one in every}) == 1 and every[3].number == b"123 73.5"
        found = facts(sent, reader)
        assert found == facts(decode_request(body), forgetful())
        assert len(found.results) == 24
        assert sum(one.decoded_body is not None for one in every) <= 1


PANEL = pressure(131, 82)
PART, OTHER = PANEL["component"]
ODD_PARTS = (
    [],
    [PART],
    [OTHER, PART],
    [PART, OTHER, {"code": {"text": "x"}}],
    [PART, {"code": OTHER["code"]}],
    [PART, {"code": OTHER["code"], "dataAbsentReason": {"text": "unknown"}}],
    [PART, {"code": OTHER["code"], "valueString": "82"}],
    [PART, {"code": OTHER["code"], "valueInteger": 82}],
    [PART, OTHER | {"valueString": "hard nodule on the left elbow"}],
    [PART, OTHER | {"interpretation": [{"text": "high"}]}],
    [PART, OTHER | {"referenceRange": [{"low": {"value": 60}, "high": {"value": 80}}]}],
    [PART, OTHER | {"referenceRange": [5]}],
    [PART, OTHER | {"extension": []}],
    [PART, OTHER | {"valueQuantity": {"unit": "mm[Hg]"}}],
    [PART, OTHER | {"valueQuantity": {"value": "82"}}],
    [PART, OTHER | {"valueQuantity": {"value": 1e30, "unit": "mm[Hg]"}}],
    [PART, OTHER | {"valueQuantity": {"value": 82, "comparator": ">", "unit": "mm[Hg]"}}],
    [PART, OTHER | {"code": {"coding": [{"system": "http://loinc.org", "code": "17861-6"}]}}],
    [PART, OTHER | {"code": "x"}],
    [{"valueQuantity": {"value": 5}}],
    {"code": {"text": "x"}},
    None,
)


@pytest.mark.parametrize("parts", ODD_PARTS)
@pytest.mark.parametrize("more", [{}, {"valueQuantity": {"value": 5, "unit": "1"}}, {"status": "preliminary"}])
def test_panels_of_other_parts(parts: Any, more: dict[str, Any]) -> None:
    """Every form twice, beside plain ones."""
    odd = [PANEL | more | {"component": parts, "id": f"odd-{turn}"} for turn in range(2)]
    reader, body = brain_reader(), under_one_key([pressure(120, 70), *odd, pressure(121, 71), *mixture()])
    for _ in range(2):
        sent = late(body, reader)
        assert sent is not None
        assert facts(sent, reader) == facts(decode_request(body), forgetful())


def test_a_number_of_a_panel_that_could_be_part_of_a_name() -> None:
    """What one of them said says nothing of the others."""
    told = {"code": {"text": "score"}, "valueQuantity": {"value": 5}}
    every = [
        {key: value for key, value in pressure(n, n).items() if key != "component"}
        | {"code": {"text": "pain"}, "id": f"n-{n}", "component": [told | {"valueQuantity": {"value": n}}] * 2}
        for n in range(12)
    ]
    reader, body = brain_reader(), under_one_key([*every, *every[:3]])
    for _ in range(3):
        sent = late(body, reader)
        assert sent is not None
        assert facts(sent, reader) == facts(decode_request(body), forgetful())


def test_a_bundle_that_refers_by_full_url() -> None:
    """What a panel of urine holds is none of blood, taken apart or not."""
    results = [sodium(turn) | {"id": f"u-{turn}", "code": {"text": "Calcium"}} for turn in range(8)]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "code": {"text": "Urine electrolytes"},
        "subject": {"reference": "Patient/p"},
        "effectiveDateTime": "2026-01-05",
        "result": [{"reference": f"urn:uuid:u-{turn}"} for turn in range(4)],
    }
    body = under_one_key([*results, report]).replace(b'"fullUrl":"https://e/', b'"fullUrl":"urn:uuid:')
    reader = brain_reader()
    for _ in range(2):
        sent = late(body, reader)
        assert sent is not None and isinstance(sent["prefetch"]["laboratory"], Apart)
        found = facts(sent, reader)
        assert found == facts(decode_request(body), forgetful())
        assert {r.ref for r in found.results} == {f"Observation/u-{turn}" for turn in range(4, 8)}


def found_by(search: bytes) -> bytes:
    """The mixture as a server's search gives it."""
    return under_one_key(mixture()).replace(b'}},{"fullUrl"', b'},"search":' + search + b'},{"fullUrl"')


@pytest.mark.parametrize(
    "search", [b'{"mode":"match"}', b'{"mode":"match","score":1}', b'{"mode":"match","score":0.5}']
)
def test_how_an_entry_was_found_changes_nothing(search: bytes) -> None:
    reader, body = brain_reader(), found_by(search)
    assert body.count(b'"search"') > 9
    sent = late(body, reader)
    assert sent is not None and isinstance(sent["prefetch"]["laboratory"], Apart)
    assert facts(sent, reader) == facts(decode_request(body), forgetful())


@pytest.mark.parametrize("search", [b'{"mode":"match","mode":"include"}', b'{"mode":"match","score":1e999}'])
def test_what_may_not_stand_in_a_request_may_not_stand_there(search: bytes) -> None:
    body = found_by(search)
    with pytest.raises(BadRequest):
        decode_request(body)
    assert late(body, brain_reader()) is None


def test_what_was_taken_apart_is_a_mapping_that_shows_nothing() -> None:
    sent = late(under_one_key(mixture()), brain_reader())
    assert sent is not None
    one = resources_of(sent)[0]
    assert isinstance(one, Unread) and isinstance(one, Mapping)
    assert dict(one) == {**one} == one.body and "status" in one and one.get("none") is None
    assert "a-0-0" not in repr(one) + "".join(map(str, one.__rich_repr__())) and one["id"] == "a-0-0"
