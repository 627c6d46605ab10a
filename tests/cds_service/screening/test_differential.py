"""DuckDB, Spark and the hook itself decide alike on ten thousand synthetic patients.

The hook is asked as an EHR asks it: a request with a prefetch goes to the service, in this process, and nothing of the
screening takes part. Takes minutes; Spark needs `make spark-tools` and Java. CDS_DIFFERENTIAL sets another number of
patients."""

from __future__ import annotations

import heapq
import json
import os
import shutil
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from fastapi.testclient import TestClient

from cds_service.app import create_app
from cds_service.cli import main
from cds_service.pipeline import Brain
from cds_service.screening.keys import patient_key
from cds_service.screening.rows import DecisionRow, from_json
from cds_service.screening.synthetic.write import Asked, synthesize
from cds_service.settings import Settings
from hooks.services import PREFETCH
from tests.charts import TODAY

pytestmark = pytest.mark.long
PATIENTS = int(os.environ.get("CDS_DIFFERENTIAL", "10000"))
SECRET = b"a key that is only for these tests"
EMPTY = "AllergyIntolerance,ServiceRequest"
"""what a synthetic population does not hold, and a hook's prefetch says to be empty."""
CATEGORIES = {"laboratory": "laboratory", "exam": "examinations", "vital-signs": "vitals"}
KEYS = {
    "Condition": "conditions",
    "DiagnosticReport": "reports",
    "MedicationRequest": "medications",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures",
    "ServiceRequest": "orders",
}


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("differential") / "population"
    synthesize(Asked(folder, PATIENTS, "differential", TODAY, ctd=0.03, others=0.06, observations=10))
    return folder


@pytest.fixture(scope="module")
def rows(population: Path) -> bytes:
    """The worklist of DuckDB, candidates with nothing to say included."""
    return _screened(population, population.parent / "duckdb.ndjson")


@pytest.fixture(scope="module")
def service(brain: Brain) -> Iterator[TestClient]:
    settings = Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://", max_per_minute_per_tenant=1_000_000)
    with TestClient(create_app(settings, brain=brain), client=("127.0.0.1", 1)) as client:
        yield client


def _screened(paths: Path, out: Path, *more: str) -> bytes:
    key = out.with_name("key")
    key.write_bytes(SECRET)
    arguments = ["screen", str(paths), "--as-of", TODAY.isoformat(), "--everyone", "--out", str(out), "--types", EMPTY]
    assert main([*arguments, "--key-file", str(key), "--workers", "2", *more]) == 0
    return out.read_bytes()


def _requests(population: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """(patient, what an EHR would send when the chart is opened) of everyone. Each file is in the order of patients."""
    files = [map(_owned, path.open("rb")) for path in sorted(population.glob("*.ndjson"))]
    owned = heapq.merge(*files, key=lambda one: one[0])
    for number, (patient, resources) in enumerate(groupby(owned, key=lambda one: one[0])):
        prefetch: dict[str, Any] = {
            key: {"resourceType": "Bundle", "type": "searchset", "entry": []} for key in PREFETCH
        }
        for _, resource in resources:
            kind = resource["resourceType"]
            key = _category(resource) if kind == "Observation" else KEYS.get(kind)
            if kind == "Patient":
                prefetch["patient"] = resource
            elif key is not None:
                prefetch[key]["entry"].append({"resource": resource, "search": {"mode": "match"}})
        yield (
            patient,
            {
                "hook": "patient-view",
                "hookInstance": f"00000000-0000-4000-8000-{number:012d}",
                "context": {"userId": "Practitioner/differential", "patientId": patient},
                "prefetch": prefetch,
            },
        )


def _owned(line: bytes) -> tuple[str, dict[str, Any]]:
    resource = json.loads(line)
    if resource["resourceType"] == "Patient":
        return resource["id"], resource
    return resource["subject"]["reference"].removeprefix("Patient/"), resource


def _category(observation: dict[str, Any]) -> str:
    codes = {coding.get("code") for category in observation.get("category", ()) for coding in category["coding"]}
    return next((key for code, key in CATEGORIES.items() if code in codes), "answers")


def _told(row: DecisionRow) -> dict[str, Any]:
    return {
        "grade": row.grade,
        "card": row.card_kind,
        "subtype": row.subtype,
        "ctd": (row.ctd, row.ctd_kinds),
        "lesion": (row.lesion, row.newness, row.extent),
        "calcium": row.calcium,
        "flags": row.red_flags,
        "mimics": row.mimics,
        "missing": row.missing_workup,
        "completeness": row.completeness,
        "quarantined": row.quarantined,
    }


def _assessed(found: dict[str, Any]) -> dict[str, Any]:
    ctd, lesion = found["criteria"]["ctd"], found["criteria"]["lesion"]
    return {
        "grade": found["grade"],
        "card": found["card"],
        "subtype": found.get("subtype"),
        "ctd": (ctd["status"], tuple(ctd["diagnoses"])),
        "lesion": (lesion["status"], lesion.get("newness"), lesion["extent"]),
        "calcium": found["criteria"]["calcium"]["status"],
        "flags": tuple(flag["id"] for flag in found["redFlags"]),
        "mimics": tuple(mimic["id"] for mimic in found["differential"]),
        "missing": tuple(found["missing"]),
        "completeness": {need: state["state"] for need, state in found["completeness"].items()},
        "quarantined": len(found["quarantined"]),
    }


def test_the_hook_says_what_the_worklist_says(population: Path, rows: bytes, service: TestClient) -> None:
    """Every candidate's assessment, field by field; a card exactly where the worklist has one; silence for the rest."""
    found = {row.patient: row for row in map(from_json, rows.splitlines())}
    asked = cards = 0
    for patient, request in _requests(population):
        row = found.pop(patient_key(SECRET, patient), None)
        answer = service.post("/cds-services/calcinosis-patient-view", json=request)
        assert answer.status_code == 200, answer.text
        assert bool(answer.json()["cards"]) == (row is not None and row.card), patient
        asked, cards = asked + 1, cards + bool(answer.json()["cards"])
        if row is not None:
            assessed = service.post("/assessments", json=request)
            assert assessed.status_code == 200, assessed.text
            assert _assessed(assessed.json()) == _told(row), patient
    assert asked == PATIENTS
    assert not found
    assert cards > PATIENTS // 200


@pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17 or newer")
def test_spark_writes_the_same_bytes(population: Path, rows: bytes, tmp_path: Path) -> None:
    """From NDJSON, and from a Parquet lake with the resource as a column of text."""
    pytest.importorskip("pyspark", reason="pyspark is not installed: make spark-tools")
    assert _screened(population, tmp_path / "spark.ndjson", "--engine", "spark") == rows
    lake = tmp_path / "lake"
    lake.mkdir()
    for path in population.glob("*.ndjson"):
        lines = path.read_text(encoding="utf-8").splitlines()
        table = pa.table({"loaded": pa.array([1] * len(lines)), "body": pa.array(lines)})
        pq.write_table(table, lake / f"{path.stem}.parquet")
    lake_of = ("--engine", "spark", "--lake", "parquet", "--lake-column", "body")
    assert _screened(lake, tmp_path / "lake.ndjson", *lake_of) == rows
