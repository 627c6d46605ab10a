"""A plain measurement read the short way gives exactly what the ordinary reading of it gives; names that are looked up
once for a chart mean what they mean each time."""

from __future__ import annotations

from collections.abc import Iterator
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
from tests.mutants import laboratory, mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts
from tests.readers import brain_reader, forgetful

READER = forgetful()


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
