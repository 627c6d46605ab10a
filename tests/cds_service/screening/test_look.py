"""The look at single lines agrees with what the scanner of the DuckDB engine writes of the same lines."""

from __future__ import annotations

import json
from pathlib import Path

from cds_service.pipeline import Brain
from cds_service.screening.look import look
from cds_service.screening.scan import A_BUNDLE, NOT_A_RESOURCE, NOT_JSON, Scanner
from cds_service.screening.sources import find_sources, units_of
from tests.cds_service.screening.exports import case_charts, lines_by_type

_DELETED = {"resourceType": "Bundle", "entry": [{"request": {"method": "DELETE", "url": "Observation/o-1"}}]}
_ODD = (
    b"{",
    b"[]",
    b"",
    b'{"resourceType": "Bundle"}',
    json.dumps(_DELETED).encode(),
    b'{"resourceType": "Medication", "id": "m-1"}',
    b'{"resourceType": "Observation", "subject": {"reference": "Group/1"}}',
    b'{"resourceType": "Observation", "subject": "Patient/1", "id": 7}',
    b'{"resourceType": "Encounter", "subject": {"reference": "Patient/e"}, "period": {"start": "2026-01-02"}}',
)


def test_both_engines_see_the_same_in_a_line(brain: Brain, tmp_path: Path) -> None:
    import pyarrow.parquet as pq

    lines = [line for many in lines_by_type(case_charts()).values() for line in many]
    lines.extend(_ODD)
    path = tmp_path / "all.ndjson"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    columns = tmp_path / "columns.parquet"
    found = Scanner(brain.may_concern).scan(units_of(find_sources([path]))[0], columns)

    seen = [one for one in look(lines, brain.may_concern) if one is not None]
    kinds = {kind: sum(one.kind == kind for one in seen) for kind in {one.kind for one in seen} - {None}}
    assert kinds == found.kinds
    assert sorted(one.lost for one in seen if one.lost) == sorted(lost.reason for lost in found.lost)
    assert {one.lost for one in seen} == {None, NOT_JSON, NOT_A_RESOURCE, A_BUNDLE}
    assert [name for one in seen for name in one.deleted] == found.deleted == ["Observation/o-1"]
    table = pq.read_table(columns).to_pylist()
    assert {row["patient"] for row in table if row["mention"]} == {one.patient for one in seen if one.mention} - {None}
    assert {(r["patient"], r["kind"]) for r in table if r["patient"]} == {
        (s.patient, s.kind) for s in seen if s.patient
    }
    assert {r["name"] for r in table if r["kind"] == "Encounter"} == {s.name for s in seen if s.kind == "Encounter"}
