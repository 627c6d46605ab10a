"""Mini chart tables: write a patient's chart as a few lines of text, get FHIR R4 resources.

One line is one resource; fields are separated by `|`. The first field is the kind, the second the name, the others
may come in any order and are recognised by their shape. The published cases of the sandbox and the behaviour tests
are both written this way:

    >>> from datetime import date
    >>> one = chart('''
    ...     Patient    | female | 49y
    ...     Condition  | SLE | onset -17y
    ...     Exam       | stony-hard nodules over both elbows, first noticed 3 months ago | -10d
    ...     Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
    ...     Laboratory | Phosphate | normal | -10d
    ...     Imaging    | X-ray of both elbows | Subcutaneous calcification at both elbows. | -5d
    ...     Medication | hydroxychloroquine | 400 mg/d | -3y
    ... ''', today=date(2026, 6, 1))
    >>> [resource["resourceType"] for resource in one.resources]
    ['Patient', 'Condition', 'Observation', 'Observation', 'Observation', 'DiagnosticReport', 'MedicationRequest']
    >>> one.resources[4]["effectiveDateTime"], one.resources[4]["id"]
    ('2026-05-22T09:00:00Z', 'laboratory-2')

Kinds
    Patient, Condition, Laboratory, Vital, Exam (the name is the finding's text), Observation (with category=),
    Imaging and Pathology (DiagnosticReport; the text is the conclusion), Report (any other), Procedure,
    Medication (MedicationRequest), Statement (MedicationStatement), Allergy, Order (ServiceRequest), and
    Resource | {"resourceType": …} for anything a row can't say (its subject is filled in when missing).

Names
    A name of `data/vocabulary.csv` ("SLE", "Calcium", "diltiazem") brings its codes. Other names become text alone.
    Give codes yourself with `SCT:`, `ICD10CM:`, `ICD10:`, `ICD9CM:`, `LOINC:`, `RXNORM:`, `ATC:` or a bare ICD-10-CM
    code (`M32.9`); then only those are used. A code in place of the name makes a coding without words. `nocode`
    leaves all codes out.

Dates
    `-10d`, `-3w`, `-4mo`, `-17y` and `today` count from the day the chart is built for; `~-4mo` keeps the month only,
    `~-2y` the year only; ISO dates stand as written. Without a word the date is the onset of a Condition, the start of
    a Medication, and the clinical date of everything else. Other dates carry a word: `onset`, `recorded`, `ended`,
    `issued`, `updated` (meta.lastUpdated), `born`. A row without a date has none.

Values
    Quantities: `2.31 mmol/L`, `<0.9 mmol/L`, `9.2 mg/dL [8.6–10.3]`, `2.9 mmol/L [2.15-2.57] H`, `7` (no unit).
    A second plain text is the value of an Observation ("normal", "positive"), the conclusion of a report, the
    reaction of an allergy. `flag=N` sets the interpretation. `BP | 128/76 | -3d` is `Vital | Blood pressure`.
    Doses: `400 mg/d`, `60 mg x3/d`, `20 mg/wk`; any other second text is the dosage text.

Status words (per kind)
    active, recurrence, relapse, inactive, remission, resolved; confirmed, provisional, suspected (= provisional),
    differential, unconfirmed, refuted, entered-in-error; final, preliminary, amended, corrected, cancelled, registered;
    completed, stopped, on-hold, draft; severe, mild, moderate; deceased.

Keys
    id= subject= status= category= site= (several with ;) sitecode= note= tag= security= updated= flag= specimen=
    method= reason= route= intent= (of a Medication; `plan`: what the patient reports to take, as US Core has it)
    display= without=element,element (drops elements after building, to make charts worse).
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Any

import msgspec

from cds_service.sandbox.build import build
from cds_service.sandbox.rows import ChartError, Row, parse_row
from mappings.facts import NEEDS, Completeness
from mappings.raw import RawChart

__all__ = ["Chart", "ChartError", "chart", "to_json"]

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def to_json(value: Any) -> bytes:
    """JSON with decimals written as they stand (2.310 stays 2.310)."""
    return _ENCODER.encode(value)


@dataclass(frozen=True, slots=True)
class Chart:
    """One patient's resources, as decoded JSON with exact decimals."""

    patient_id: str
    today: date
    resources: tuple[dict[str, Any], ...]

    def raw(self, *drafts: dict[str, Any], **needs: Completeness) -> RawChart:
        """As the edge hands it to the reader; every need complete unless given otherwise (`conditions=…`)."""
        completeness = {need: Completeness("complete") for need in NEEDS} | needs
        return RawChart(self.patient_id, self.resources, completeness, drafts=drafts)  # type: ignore[arg-type]

    def bundle(self, kind: str = "collection") -> dict[str, Any]:
        return {"resourceType": "Bundle", "type": kind, "entry": [{"resource": r} for r in self.resources]}

    def json(self) -> dict[str, Any]:
        """The bundle as plain JSON data (floats), for HTTP clients in tests."""
        decoded: dict[str, Any] = json.loads(to_json(self.bundle()))
        return decoded


def chart(table: str | Iterable[str], *, today: date, patient_id: str = "patient-1", prefix: str = "") -> Chart:
    """Builds the chart of one table (text, or an iterable of lines) for a day.

    Ids are `<kind>-<n>` in the order of the table, with `prefix` before them (a store needs them unique). Without a
    Patient row a Patient with nothing but an id is added. ChartError names the line that can't be read."""
    lines = table.splitlines() if isinstance(table, str) else list(table)
    rows = [parse_row(line) for line in lines if line.strip() and not line.lstrip().startswith("#")]
    counts: dict[str, int] = {}
    resources: list[dict[str, Any]] = []
    for row in rows:
        stem = _stem(row)
        counts[stem] = counts.get(stem, 0) + 1
        resource = build(row, today=today, patient_id=patient_id)
        if resource["resourceType"] == "Patient":
            resource["id"] = row.keys.get("id", patient_id)
        else:
            resource.setdefault("id", f"{prefix}{stem}-{counts[stem]}")
        resources.append(resource)
    if not any(r["resourceType"] == "Patient" for r in resources):
        resources.insert(0, {"resourceType": "Patient", "id": patient_id})
    return Chart(patient_id, today, tuple(resources))


def _stem(row: Row) -> str:
    return {"bp": "vital", "resource": "resource"}.get(row.kind, row.kind)
