"""Hook path, DuckDB and Spark: the same decisions. Needs pyspark (`make spark-tools`) and Java, slow to start.

CDS_SPARK_PATIENTS sets how many synthetic patients are compared (300)."""

from __future__ import annotations

import os
import shutil
from collections import defaultdict
from pathlib import Path

import pytest

from cds_service.cli import main
from cds_service.pipeline import Brain
from cds_service.screening.keys import patient_key
from cds_service.screening.needs import completeness_of
from cds_service.screening.rows import from_json
from cds_service.screening.synthetic.write import Asked, synthesize
from mappings.bundles import decode
from mappings.raw import RawChart
from tests.charts import TODAY

pytest.importorskip("pyspark", reason="pyspark is not installed: make spark-tools")
pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("java") is None, reason="Spark needs Java 17 or newer"),
]
PATIENTS = int(os.environ.get("CDS_SPARK_PATIENTS", "300"))
SECRET = b"a key that is only for these tests"


@pytest.fixture(scope="module")
def population(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("spark") / "population"
    synthesize(Asked(folder, PATIENTS, "spark", TODAY, ctd=0.2, others=0.2, observations=10))
    return folder


def _screened(population: Path, out: Path, key: Path, *more: str) -> bytes:
    arguments = ["screen", str(population), "--as-of", TODAY.isoformat(), "--everyone", "--out", str(out)]
    assert main([*arguments, "--key-file", str(key), "--workers", "2", *more]) == 0
    return out.read_bytes()


def test_three_runners_decide_alike(population: Path, tmp_path: Path, brain: Brain) -> None:
    key = tmp_path / "key"
    key.write_bytes(SECRET)
    duck = _screened(population, tmp_path / "duckdb.ndjson", key)
    spark = _screened(population, tmp_path / "spark.ndjson", key, "--engine", "spark")
    assert spark == duck, "the same bytes"
    rows = {row.patient: row for row in map(from_json, duck.splitlines())}
    assert len(rows) >= PATIENTS // 5

    charts: dict[str, list[object]] = defaultdict(list)
    kinds = set()
    for path in population.glob("*.ndjson"):
        kinds.add(path.stem)
        for line in path.read_bytes().splitlines():
            resource = decode(line)
            owner = resource.get("subject") or resource.get("patient") or {"reference": f"Patient/{resource['id']}"}
            charts[owner["reference"].removeprefix("Patient/")].append(resource)
    assert len(charts) == PATIENTS
    for patient, resources in charts.items():
        raw = RawChart(patient, tuple(resources), completeness_of(kinds))  # type: ignore[arg-type]
        _, assessment = brain.understand(raw, TODAY)
        row = rows.get(patient_key(SECRET, patient))
        told = (row.grade, row.card, row.subtype, row.calcium) if row is not None else ("none", False)
        hook = (assessment.grade, assessment.card != "none", assessment.subtype, assessment.criteria.calcium.status)
        assert told == hook[: len(told)], patient
