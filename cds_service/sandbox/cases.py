"""The published cases as FHIR charts, in the stages in which a clinician would have met them.

Each file of `data/cases/` is one case: the citation, the patient, and its stages as chart tables (`charts.py`). A
stage builds on another (`from`), may add the synthetic laboratory values (`synthetic: true`, marked in tag and note)
and its own rows. The stages every case has: `reported` (only what the report states at first contact), `labs`
(plus synthetic normal calcium, phosphate, albumin, eGFR) and `imaging` (plus the reported imaging and biopsy).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from importlib import resources
from typing import Any

import yaml

from cds_service.sandbox.charts import Chart, chart


@dataclass(frozen=True, slots=True)
class Stage:
    """One chart of one case; `id` is the Patient id ("lopez2017-labs")."""

    id: str
    case: str
    stage: str
    name: str
    title: str
    summary: str
    citation: str
    patient: str
    rows: tuple[str, ...]

    def build(self, today: date) -> Chart:
        """The chart as it stands on a day, ids unique over all patients."""
        head = f"Patient | {self.patient} | name={self.name} ({self.stage})"
        return chart([head, *self.rows], today=today, patient_id=self.id, prefix=f"{self.id}-")


def published_cases() -> tuple[Stage, ...]:
    """Every stage of every case, ordered by case and then as the file lists them."""
    folder = resources.files("cds_service.sandbox") / "data" / "cases"
    files = {item.name: yaml.safe_load(item.read_text(encoding="utf-8")) for item in folder.iterdir()}
    synthetic = files.pop("_synthetic.yaml")
    return tuple(stage for name in sorted(files) for stage in _stages(files[name], synthetic))


def _stages(case: dict[str, Any], synthetic: dict[str, list[str]]) -> list[Stage]:
    rows: dict[str, tuple[str, ...]] = {}
    stages = []
    for name, stage in case["stages"].items():
        base = rows[stage["from"]] if "from" in stage else ()
        added = synthetic[case["synthetic"]] if stage.get("synthetic") else []
        rows[name] = (*base, *added, *stage.get("rows", []))
        stages.append(
            Stage(
                id=f"{case['case']}-{name}",
                case=case["case"],
                stage=name,
                name=case["name"],
                title=stage["title"],
                summary=case["summary"],
                citation=case["citation"],
                patient=case["patient"],
                rows=rows[name],
            )
        )
    return stages
