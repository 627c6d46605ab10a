"""A plain measurement read the short way gives exactly what the ordinary reading of it gives; names that are looked up
once for a chart mean what they mean each time."""

from __future__ import annotations

import random
from collections.abc import Iterator
from copy import deepcopy
from decimal import Decimal
from typing import Any
from unittest import mock

import pytest

from cds_service.sandbox.cases import published_cases
from mappings.raw import RawChart
from mappings.reader import medication, observation, report
from mappings.reader.context import Collected
from mappings.reader.names import Meaning, Names
from tests.charts import TODAY
from tests.mappings.reader.test_silence import brain_reader, forgetful, mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts

READER = forgetful()
VALUES = (Decimal("2.310"), 5, 0, -3, "2.4", "x", None, True, Decimal("1e30"), 12, Decimal("0.0001"), 250)
UNITS = ("mg/dL", "mmol/L", "mm[Hg]", "cm", "kg", "%", None, 5, "MG/DL", "umol/L", "g/L", "")
FLAGS = ("H", "L", "N", "HH", "A", "*H*", "pos", "", None, 3)


def read_both_ways(patient: str, resources: list[Any]) -> int:
    """Asserts that the readings are the same; how many Observations were read the short way."""
    taken = 0
    short = observation.read_measurement

    def counted(*given: Any) -> bool:
        nonlocal taken
        found = short(*given)
        taken += found
        return found

    raw = RawChart(patient, tuple(resources))
    with mock.patch.object(observation, "read_measurement", counted):
        quick = READER.read(raw)
    with (
        mock.patch.object(observation, "read_measurement", lambda *given: False),
        mock.patch.object(medication, "_described", medication._newly_described),
        mock.patch.object(report, "_kind", report._new_kind),
        mock.patch.object(Collected, "coded_of", lambda into, resource: into.newly_coded(resource)[0]),
    ):
        slow = READER.read(raw)
    assert quick == slow
    return taken


def some_charts(name: str, most: int, longest: int) -> Iterator[tuple[str, list[Any]]]:
    for _, found in zip(range(most), charts(name), strict=False):
        yield found.patient_id, list(found.resources)[:longest]


def laboratory(resources: list[Any], seed: int) -> list[Any]:
    """The chart with its measurements changed: other numbers, units, flags, ranges, names, components, states."""
    pick = random.Random(seed)
    out = []
    for resource in deepcopy(resources):
        if resource.get("resourceType") == "Observation":
            for body in (resource, *(c for c in resource.get("component") or () if isinstance(c, dict))):
                if pick.random() < 0.6:
                    _change(body, pick)
        out.append(resource)
    return out


def _change(body: dict[str, Any], pick: random.Random) -> None:
    how = pick.randrange(12)
    quantity = body.get("valueQuantity")
    if how < 3 and isinstance(quantity, dict):
        quantity["value"] = pick.choice(VALUES)
    elif how == 3 and isinstance(quantity, dict):
        quantity[pick.choice(("unit", "code"))] = pick.choice(UNITS)
    elif how == 4 and isinstance(quantity, dict):
        quantity["comparator"] = pick.choice(("<", ">", ">=", "ad", "~", 3))
    elif how == 5:
        body["interpretation"] = [{"coding": [{"code": pick.choice(FLAGS)}]} for _ in range(pick.randrange(3))]
    elif how == 6:
        unit = pick.choice(UNITS)
        body["referenceRange"] = [
            {"low": {"value": pick.choice(VALUES), "unit": unit}, "high": {"value": pick.choice(VALUES), "unit": unit}}
        ]
    elif how == 7:
        body["referenceRange"] = pick.choice(([], {}, None, ["x"], [{"text": "2.1 - 2.6"}], [{"text": "<3"}]))
    elif how == 8:
        body["code"] = pick.choice(
            (
                {"text": "Calcium"},
                {"text": "Calcium, urine"},
                {"text": pick.choice(("SLE", "nodule", "Wound culture"))},
                {"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Ionised calcium"}]},
                {"coding": {"code": "17861-6"}, "text": ""},
                {"coding": [{"system": "http://loinc.org", "code": 17861, "display": True}], "text": 3},
                "Calcium",
                None,
            )
        )
    elif how == 9:
        body["status"] = pick.choice(("final", "preliminary", "corrected", "amended", "cancelled", 4, None))
    elif how == 10:
        body[pick.choice(("effectiveDateTime", "issued"))] = pick.choice(
            ("2024-03", "2024-03-01T10:00:00Z", "2024-03-01T10:00:00", "soon", 7, None, {"start": "2024"})
        )
    else:
        body[pick.choice(("note", "specimen", "valueString", "dataAbsentReason", "component", "meta"))] = pick.choice(
            ([{"text": "haemolysed"}], {"display": "urine"}, "high", [], {}, [{"code": {"text": "Calcium"}}])
        )


@pytest.mark.parametrize("name", ["synthea-smart", "vendor-captures"])
def test_public_charts_and_mutants_of_them(name: str) -> None:
    taken = 0
    for number, (patient, resources) in enumerate(some_charts(name, 2, 120)):
        taken += read_both_ways(patient, resources)
        taken += read_both_ways(patient, laboratory(resources, number))
    assert taken > 5


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_chart_and_mutants_of_it(name: str) -> None:
    for number, (patient, resources) in enumerate(some_charts(name, 60, 4000)):
        read_both_ways(patient, resources)
        for seed in range(3):
            read_both_ways(patient, laboratory(resources, 10 * number + seed))
        read_both_ways(patient, mutated(resources, number))


@pytest.mark.long
def test_every_published_case() -> None:
    for stage in published_cases():
        resources = [dict(r) for r in stage.build(TODAY).resources]
        for seed in range(3):
            read_both_ways(stage.id, laboratory(resources, seed))


def test_published_cases() -> None:
    for stage in published_cases()[::12]:
        resources = [dict(r) for r in stage.build(TODAY).resources]
        read_both_ways(stage.id, laboratory(resources, len(stage.id)))


LOINC = "http://loinc.org"


def measurement(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "a",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"coding": [{"system": LOINC, "code": "17861-6", "display": "Calcium"}]},
        "effectiveDateTime": "2026-01-05T10:00:00Z",
        "valueQuantity": {"value": Decimal("9.4"), "unit": "mg/dL"},
        **more,
    }


def test_what_the_rest_of_the_chart_says_of_a_result_counts() -> None:
    """A member of a urine panel is no blood test, whichever way it is read."""
    panel = {
        "resourceType": "DiagnosticReport",
        "id": "r",
        "status": "final",
        "subject": {"reference": "Patient/p"},
        "code": {"text": "Urine chemistry"},
        "result": [{"reference": "Observation/a"}],
    }
    named = measurement(code={"text": "Calcium"})
    assert read_both_ways("p", [named]) == 1
    assert read_both_ways("p", [named, panel]) == 0
    assert not READER.read(RawChart("p", (named, panel))).results


def test_the_short_way_is_taken() -> None:
    ranges = [{"low": {"value": Decimal("8.5")}, "high": {"value": Decimal("10.2")}}]
    flagged = {"interpretation": [{"coding": [{"code": "N"}]}], "referenceRange": ranges}
    pressure = {
        "code": {"coding": [{"system": LOINC, "code": "85354-9", "display": "Blood pressure panel"}]},
        "component": [
            {
                "code": {"coding": [{"system": LOINC, "code": code}]},
                "valueQuantity": {"value": value, "unit": "mm[Hg]"},
            }
            for code, value in (("8480-6", 128), ("8462-4", 76))
        ],
    }
    whole = measurement(id="b", **pressure)
    del whole["valueQuantity"]
    assert read_both_ways("p", [measurement(), measurement(id="c", **flagged), whole]) == 3


def test_names_are_bounded_and_kept_without_their_words() -> None:
    names = Names(most=100)
    for number in range(1000):
        names.keep(names.digest(b"Sodium of Doris Day %d" % number), Meaning(None, False))
    assert len(names) <= 100
    assert {len(digest) for digest in names._known} == {16}
    assert names.digest(b"a") != Names().digest(b"a"), "the key is of this process"


def test_what_a_name_means_is_found_out_once() -> None:
    reader = brain_reader()
    for _ in range(2):
        assert reader.read(RawChart("p", (measurement(),))).results[0].analyte == "calcium-total"
        assert len(reader._names) == 1
