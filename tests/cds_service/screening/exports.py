"""An export of the published cases: one type a file, in every packing and with every form of reference."""

from __future__ import annotations

import gzip
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.charts import to_json
from tests.charts import TODAY, Chart, chart

_FORMS = ("Patient/{}", "https://ehr.example.org/fhir/Patient/{}", "Patient/{}/_history/3", "urn:uuid:{}")
SILENT = """
    Patient    | male | 61y
    Condition  | Hypertension | onset -5y
    Laboratory | Calcium | 2.31 mmol/L [2.15-2.57] | -10d
    Exam       | stony-hard nodules over both elbows | -10d
"""


def case_charts() -> Iterator[Chart]:
    for stage in published_cases():
        yield stage.build(TODAY)
    for number in range(5):
        yield chart(SILENT, patient_id=f"silent-{number}")


def lines_by_type(charts: Iterable[Chart]) -> dict[str, list[bytes]]:
    """NDJSON lines, ids made unique over all patients, references in turn in every form."""
    found: dict[str, list[bytes]] = defaultdict(list)
    for number, one in enumerate(charts):
        reference = _FORMS[number % len(_FORMS)].format(one.patient_id)
        for resource in one.resources:
            found[resource["resourceType"]].append(to_json(_owned(resource, one.patient_id, reference)))
    return found


def _owned(resource: dict[str, Any], patient: str, reference: str) -> dict[str, Any]:
    if resource["resourceType"] == "Patient":
        return resource
    name = "patient" if "patient" in resource else "subject"
    ident = resource["id"] if resource["id"].startswith(patient) else f"{patient}-{resource['id']}"
    return {**resource, "id": ident, name: {"reference": reference}}


def write_export(folder: Path, charts: Iterable[Chart] | None = None) -> Path:
    """Plain, gzip and zstd in turn; names that say nothing."""
    folder.mkdir(parents=True, exist_ok=True)
    for number, (_, lines) in enumerate(sorted(lines_by_type(charts or case_charts()).items())):
        content = b"".join(line + b"\n" for line in lines)
        path = folder / f"part-{number}.ndjson"
        if number % 3 == 1:
            content = gzip.compress(content, mtime=0)
        elif number % 3 == 2:
            content = pa.Codec("zstd").compress(content, asbytes=True)
        path.write_bytes(content)
    return folder
