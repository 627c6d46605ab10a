"""Long texts: a record of fifty pages is read whole, and of a longer one it is said that it was read in part."""

from __future__ import annotations

import base64
from typing import Any

import pytest

from cds_service.reasons import reason_code
from mappings.facts import Completeness, PatientFacts
from mappings.raw import RawChart
from mappings.reader.long_texts import READ_IN_PART
from tests.spec.harness import reader

OWN = {"id": "1", "subject": {"reference": "Patient/p"}}
FINDING = "Several stony-hard nodules over both elbows for three months."
LINE = "Feeling well, sleeping well, no complaints today. "


def attached(kind: str, words: str) -> dict[str, Any]:
    data = base64.b64encode(words.encode()).decode()
    return {"content": [{"attachment": {"contentType": kind, "data": data}}]}


PLACES = {
    "answer": lambda words: {"resourceType": "Observation", "status": "final", "valueString": words},
    "note": lambda words: {"resourceType": "Observation", "status": "final", "note": [{"text": words}]},
    "problem": lambda words: {"resourceType": "Condition", "note": [{"text": words}]},
    "report": lambda words: {"resourceType": "DiagnosticReport", "status": "final", "conclusion": words},
    "document": lambda words: (
        {"resourceType": "DocumentReference", "status": "current"} | attached("text/plain", words)
    ),
    "page": lambda words: (
        {"resourceType": "DocumentReference", "status": "current"} | attached("text/html", f"<p>{words}</p>")
    ),
}
CODE = {"code": {"text": "Skin examination"}}


def facts(place: str, words: str) -> PatientFacts:
    resource = CODE | PLACES[place](words) | OWN
    needs = ("observations", "conditions", "diagnosticReports")
    return reader().read(RawChart("p", (resource,), {need: Completeness("complete") for need in needs}))


def behind(characters: int) -> str:
    return LINE * (characters // len(LINE)) + FINDING


@pytest.mark.parametrize("place", PLACES)
def test_what_stands_behind_forty_pages_is_read(place: str) -> None:
    found = facts(place, behind(120_000))
    assert [lesion.hardness for lesion in found.lesions] == ["definite"]
    assert not found.quarantined
    assert all(need.state == "complete" for need in found.completeness.values())


@pytest.mark.parametrize("place", PLACES)
def test_what_is_longer_is_named_each_time(place: str) -> None:
    """Also where the same words came before and what was read of them said nothing."""
    for _ in range(2):
        found = facts(place, behind(160_000))
        assert [q.reason for q in found.quarantined] == [READ_IN_PART]
        assert [need.reason for need in found.completeness.values() if need.state == "partial"] == [READ_IN_PART]
    assert reason_code(READ_IN_PART) == "text-cut"


def test_what_stands_before_the_cut_counts() -> None:
    found = facts("answer", FINDING + " " + LINE * 4_000)
    assert [lesion.hardness for lesion in found.lesions] == ["definite"]
    assert found.quarantined


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(attached("application/pdf", "x" * 200_000), id="a scan"),
        pytest.param({"text": {"status": "generated", "div": f"<div>{'x ' * 100_000}</div>"}}, id="the narrative"),
        pytest.param({"note": [{"text": "x" * 1_000}] * 200}, id="many notes"),
        pytest.param({"note": [{"text": "\ud800"}]}, id="half a letter"),
        pytest.param(
            attached("text/rtf", "{\\rtf1 {\\*\\blipuid " + "0f" * 80_000 + "}Well.}"), id="RTF with a picture"
        ),
    ],
)
def test_what_is_long_and_no_text_is_not_named(body: dict[str, Any]) -> None:
    resource = {"resourceType": "DocumentReference", "status": "current", "type": {"text": "Letter"}} | OWN | body
    assert READ_IN_PART not in {q.reason for q in reader().read(RawChart("p", (resource,))).quarantined}
