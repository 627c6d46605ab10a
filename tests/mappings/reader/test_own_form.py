"""Findings and results answered in a form of their own: headings, counts, panels, vital signs as texts."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from tests.mappings.reader.sent import observation, read


def lesions(name: str, **answer: Any) -> list[tuple[str, str, str]]:
    """(kind, hardness, certainty) of what an examination's Observation describes."""
    body = {"resourceType": "Observation", "id": "e", "status": "final", "code": {"text": name}} | answer
    return [(le.kind, le.hardness, le.certainty) for le in read(body).lesions]


@pytest.mark.parametrize(
    ("name", "value", "hardness", "region"),
    [
        ("Nodule", "hard nodule left index finger", "definite", "hand"),
        ("Nodule", "soft, mobile nodule right forearm", "against", "forearm"),
        ("Skin nodules", "multiple hard nodules on both elbows", "definite", "elbow"),
        ("Nodules of the left knee", "two hard nodules", "definite", "knee"),
    ],
)
def test_the_name_of_a_finding_is_a_heading_and_no_second_lesion(
    name: str, value: str, hardness: str, region: str
) -> None:
    body = {"resourceType": "Observation", "id": "e", "status": "final", "code": {"text": name}, "valueString": value}
    (found,) = read(body).lesions
    assert (found.hardness, [site.region for site in found.sites]) == (hardness, [region])


def test_a_heading_over_a_denial_is_no_lesion() -> None:
    assert {certainty for *_, certainty in lesions("Nodules", valueString="no nodules seen")} == {"absent"}


@pytest.mark.parametrize(
    "answer", [{"valueInteger": 0}, {"valueQuantity": {"value": 0, "unit": "{count}"}}, {"valueString": "0"}]
)
def test_a_count_of_none_is_an_absence(answer: dict[str, Any]) -> None:
    assert all(certainty == "absent" for *_, certainty in lesions("Number of hard nodules", **answer))
    within = {"component": [{"code": {"text": "Number of hard nodules"}} | answer]}
    assert all(certainty == "absent" for *_, certainty in lesions("Skin", **within))
    some = {"component": [{"code": {"text": "Number of hard nodules"}, "valueInteger": 3}]}
    assert ("nodule", "definite", "confirmed") in lesions("Skin", **some)


def test_vital_signs_as_texts_of_components() -> None:
    """ "Pulse: 44 regular", "BP: 84/50": some monitors send every component as a text."""
    parts = [
        {"code": {"text": "Pulse"}, "valueString": "44 regular"},
        {"code": {"text": "BP"}, "valueString": "84/50"},
    ]
    found = read(observation({"text": "Vitals"}, valueQuantity=None, component=parts)).results
    assert {(r.analyte, r.canonical_low, r.problem) for r in found} == {
        ("heart-rate", Decimal("44"), None),
        ("systolic", Decimal("84"), None),
        ("diastolic", Decimal("50"), None),
    }


@pytest.mark.parametrize("words", ["regular", "irregularly irregular", "44 to 60 regular"])
def test_a_pulse_that_is_no_number_is_not_understood(words: str) -> None:
    parts = [{"code": {"text": "Pulse"}, "valueString": words}]
    (result,) = read(observation({"text": "Vitals"}, valueQuantity=None, component=parts)).results
    assert result.canonical_low is None or result.problem is not None


def test_an_egfr_by_the_name_of_its_formula() -> None:
    (result,) = read(
        observation({"text": "GFR est (CKD-EPI 2021)"}, valueQuantity=None, valueString="24 mL/min/1.73m2 (L)")
    ).results
    assert (result.analyte, result.canonical_low) == ("egfr", Decimal("24"))


def panel_of(*members: dict[str, Any], **more: Any) -> tuple[dict[str, Any], ...]:
    named = [{"reference": f"Observation/{member['id']}"} for member in members]
    panel = observation({"text": "Skin lesion panel"}, valueQuantity=None, id="panel", hasMember=named, **more)
    return (panel, *members)


def member(id_: str, name: str, value: str | None = None, **more: Any) -> dict[str, Any]:
    return observation({"text": name}, valueQuantity=None, id=id_, valueString=value, **more)


@pytest.mark.parametrize(
    ("resources", "regions"),
    [
        (panel_of(member("a", "Hard nodule"), bodySite={"text": "Left elbow"}), ["elbow"]),
        (panel_of(member("a", "Hard nodule"), member("b", "Location", "left elbow")), ["elbow"]),
        (panel_of(member("a", "Hard nodule"), member("b", "Ulcer", "none", bodySite={"text": "Knee"})), ["knee"]),
        (
            panel_of(
                member("a", "Hard nodule"), member("b", "Location", "left elbow"), member("c", "Location", "right knee")
            ),
            [],
        ),
        (panel_of(member("a", "Hard nodule", bodySite={"text": "Thigh"}), bodySite={"text": "Elbow"}), ["thigh"]),
    ],
)
def test_the_place_of_a_panel_is_that_of_the_lesion_in_it(resources: Any, regions: list[str]) -> None:
    (lesion,) = (le for le in read(*resources).lesions if le.hardness == "definite")
    assert [site.region for site in lesion.sites] == regions
