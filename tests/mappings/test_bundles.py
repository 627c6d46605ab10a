"""Bundles apart: exact decimals, nested Bundles, outcomes beside the data, references by fullUrl."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.limits import decode_part
from mappings.bundles import NotJsonError, decode, unpack, with_resolved_urns


def test_decimals_are_exact_and_integers_stay_integers() -> None:
    body = decode(b'\xef\xbb\xbf{"value": 9.40, "count": 3}')
    assert str(body["value"]) == "9.40"
    assert isinstance(body["value"], Decimal)
    assert type(body["count"]) is int


@pytest.mark.parametrize("body", [b"", b"{", b"<html>", b'{"a": "\xff"}', b"[" * 100_000, b"[1e99999999999999999999]"])
def test_what_is_not_json_says_so_and_never_what_it_was(body: bytes) -> None:
    with pytest.raises(NotJsonError) as failed:
        decode(body)
    assert "html" not in str(failed.value)


@pytest.mark.parametrize(
    ("body", "text"),
    [
        (rb'"a \ud83d b"', "a \ufffd b"),
        (rb'"a\uDE00"', "a\ufffd"),
        (rb'"\ud83d\ud83d\ude00\ude00"', "\ufffd\U0001f600\ufffd"),
        (rb'"\\\ud83d \\ud83d"', "\\\ufffd \\ud83d"),
    ],
)
def test_half_a_letter_costs_the_letter_only(body: bytes, text: str) -> None:
    assert decode(body) == decode_part(body, 2) == text


@pytest.mark.parametrize("body", [rb'"\ud83', rb'"\uzzzz"', rb'"\ud83d', rb"\ud83d", b'"\x00\\ud83d"'])
def test_what_is_broken_besides_stays_so(body: bytes) -> None:
    with pytest.raises(NotJsonError):
        decode(body)


def bundle(*entries: Any, kind: str = "searchset", **more: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": kind, "entry": list(entries), **more}


def test_nested_bundles_outcomes_and_broken_entries() -> None:
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    inner = bundle({"resource": {"resourceType": "Condition", "id": "c"}}, kind="collection")
    found = unpack(
        bundle(
            {"resource": {"resourceType": "Observation", "id": "o"}, "search": {"mode": "match"}},
            {"resource": outcome, "search": {"mode": "outcome"}},
            {"resource": inner},
            "broken",
            link=[{"relation": "next", "url": "https://ehr.example/fhir?page=2"}],
        )
    )
    assert [r["id"] for _, r in found.resources] == ["o", "c"]
    assert [i["code"] for i in found.issues] == ["informational"]
    assert found.broken == ("entry[3]",)
    assert found.next_url == "https://ehr.example/fhir?page=2"


def test_references_by_full_url_become_references_by_id() -> None:
    patient = {"fullUrl": "urn:uuid:11", "resource": {"resourceType": "Patient", "id": "p"}}
    condition = {"resource": {"resourceType": "Condition", "id": "c", "subject": {"reference": "urn:uuid:11"}}}
    found = with_resolved_urns(unpack(bundle(patient, condition, kind="transaction")))
    assert found[1]["subject"]["reference"] == "Patient/p"


def test_every_reference_by_full_url_is_resolved() -> None:
    """A calcium in a panel of urine, or of a specimen of urine, is no calcium of blood."""
    calcium = {"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Observation", "id": "ca"}}
    calcium["resource"] |= {"specimen": {"reference": "urn:uuid:2"}}  # type: ignore[operator]
    specimen = {"fullUrl": "urn:uuid:2", "resource": {"resourceType": "Specimen", "type": {"text": "Urine"}}}
    panel = {"resourceType": "Observation", "id": "p", "hasMember": [{"reference": "urn:uuid:1", "display": "Ca"}]}
    other = {"resourceType": "Observation", "id": "o", "hasMember": [{"reference": "urn:uuid:9"}]}
    found = with_resolved_urns(unpack(bundle(calcium, specimen, {"resource": panel}, {"resource": other})))
    assert found[0]["specimen"]["reference"] == "Specimen/2"
    assert found[1]["id"] == "2"  # not stored yet
    assert found[2]["hasMember"] == [{"reference": "Observation/ca", "display": "Ca"}]
    assert found[3] is other


def test_a_patient_gets_no_id_from_its_full_url() -> None:
    (found,) = with_resolved_urns(unpack(bundle({"fullUrl": "urn:uuid:1", "resource": {"resourceType": "Patient"}})))
    assert found == {"resourceType": "Patient"}


@pytest.mark.parametrize("value", [None, 3, "x", [], [None], {}, {"resourceType": "Bundle", "entry": 5}])
def test_nothing_raises(value: Any) -> None:
    unpack(value)
