"""The ViewDefinitions for sites that use their own engine: run by DuckDB, they give what the reader reads."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from importlib import resources
from typing import Any

import duckdb
import pytest

from cds_service.pipeline import Brain
from cds_service.sandbox.charts import to_json
from mappings.reader.access import concept
from tests.cds_service.screening.exports import case_charts
from tests.cds_service.screening.sql_on_fhir import to_sql

VIEWS = {
    file.name.removesuffix(".json"): json.loads(file.read_text(encoding="utf-8"))
    for file in (resources.files("cds_service.screening") / "views").iterdir()
}
CHARTS = list(case_charts())
CODED = {
    "conditions": ("Condition", "code"),
    "observations": ("Observation", "code"),
    "procedures": ("Procedure", "code"),
    "medications": ("MedicationRequest", "medicationCodeableConcept"),
}


@pytest.fixture(scope="module")
def lake() -> Iterator[duckdb.DuckDBPyConnection]:
    with duckdb.connect() as connection:
        connection.execute("CREATE TABLE lines (body JSON)")
        lines = [(to_json(_named(r, one.patient_id)).decode(),) for one in CHARTS for r in one.resources]
        connection.executemany("INSERT INTO lines VALUES (?)", lines)
        yield connection


def _named(resource: dict[str, Any], patient: str) -> dict[str, Any]:
    """Ids unique over all patients, as in a real export."""
    return resource if resource["id"].startswith(patient) else {**resource, "id": f"{patient}-{resource['id']}"}


def table(lake: duckdb.DuckDBPyConnection, name: str) -> list[dict[str, Any]]:
    found = lake.execute(to_sql(VIEWS[name], "lines"))
    names = [column[0] for column in found.description]
    return [dict(zip(names, row, strict=True)) for row in found.fetchall()]


def every(kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
    for one in CHARTS:
        for resource in one.resources:
            if resource["resourceType"] == kind:
                yield one.patient_id, _named(resource, one.patient_id)


@pytest.mark.parametrize("name", sorted(CODED))
def test_codings_are_those_the_reader_sees(lake: duckdb.DuckDBPyConnection, name: str) -> None:
    kind, element = CODED[name]
    wanted: Counter[tuple[Any, ...]] = Counter()
    for patient, resource in every(kind):
        read = concept(resource.get(element))
        key = (f"{kind}/{resource['id']}", f"Patient/{patient}", read.text)
        wanted.update([(*key, c.system, c.code, c.display) for c in read.codings] or [(*key, None, None, None)])
    rows = table(lake, name)
    found = Counter((r["id"], r["patient_id"], r["text"], r["system"], r["code"], r["display"]) for r in rows)
    assert found == wanted
    assert found


def test_results_have_value_unit_and_range(lake: duckdb.DuckDBPyConnection) -> None:
    found = {row["id"]: row for row in table(lake, "observations")}
    measured = 0
    for _, resource in every("Observation"):
        row, quantity = found[f"Observation/{resource['id']}"], resource.get("valueQuantity", {})
        value = quantity.get("value")
        assert row["value"] == (None if value is None else Decimal(value))
        assert (row["unit_code"], row["effective"]) == (quantity.get("code"), resource.get("effectiveDateTime"))
        assert row["value_text"] == resource.get("valueString")
        limits = (resource.get("referenceRange") or [{}])[0]
        low = limits.get("low", {}).get("value")
        assert row["range_low"] == (None if low is None else Decimal(low))
        measured += value is not None
    assert measured > 20


def test_the_semi_join_finds_every_coded_disease_of_the_reader(lake: duckdb.DuckDBPyConnection, brain: Brain) -> None:
    """What a site's own engine finds with the code list is what the reader finds by code."""
    from mappings.codelists import load_terminology

    terminology = load_terminology()
    by_view = {
        row["patient_id"]
        for row in table(lake, "conditions")
        if any(name.startswith("ctd.") for name in terminology.concepts(row["system"], row["code"]))
    }
    by_reader = {
        f"Patient/{one.patient_id}"
        for one in CHARTS
        for finding in brain.reader.read(one.raw()).findings
        if finding.basis == "code" and finding.ref.startswith("Condition/")
        if any(name.startswith("ctd.") for name in finding.concepts)
    }
    assert by_view == by_reader
    assert len(by_view) > 20


@pytest.mark.parametrize("name", sorted(VIEWS))
def test_every_view_runs_and_is_named_as_its_file(lake: duckdb.DuckDBPyConnection, name: str) -> None:
    view = VIEWS[name]
    columns = [column["name"] for select in view["select"] for column in select["column"]]
    assert (view["name"], len(columns)) == (name, len(set(columns)))
    rows = table(lake, name)
    assert name in ("encounters",) or rows
    assert all(row["id"].startswith(f"{view['resource']}/") for row in rows)
