"""The worklist as FHIR R4, for systems that take it: a Group of the patients, and a draft Task for each.

Both name patients, so that they stay in the hospital: readable by their owner only."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cds_service.screening.engine import Outcome
from cds_service.screening.rows import DecisionRow
from cds_service.screening.sources import ScreeningError
from cds_service.screening.state import private

_NAMES = uuid.UUID("6f0a3ee8-6b0e-5c6b-9f1f-6a1f3ad1d9a4")
_TITLE = "Possible dystrophic calcinosis cutis: review of the chart"
_TAG = {"system": "urn:calcinosis-cds", "code": "population-screening"}


def latest(outcome: Outcome) -> Iterator[tuple[str, DecisionRow]]:
    """(patient id, row of the last day) of everyone with a card on it."""
    for decided in outcome.each():
        if decided.rows and decided.rows[-1].card:
            yield decided.id, decided.rows[-1]


def group(outcome: Outcome) -> dict[str, Any]:
    """The patients with a card as one Group."""
    members = [{"entity": {"reference": f"Patient/{patient}"}} for patient, _ in latest(outcome)]
    body = {
        "resourceType": "Group",
        "meta": {"tag": [_TAG]},
        "type": "person",
        "actual": True,
        "active": True,
        "name": "Possible dystrophic calcinosis cutis: population screening",
        "quantity": len(members),
    }
    return body | ({"member": members} if members else {})


def task(patient: str, row: DecisionRow) -> dict[str, Any]:
    """A draft Task to look into the chart; the same patient, day and rules give the same id."""
    codes = [*row.reasons, *(f"red-flag.{flag}" for flag in row.red_flags)]
    name = uuid.uuid5(_NAMES, f"{row.patient} {row.as_of} {row.knowledge_version}")
    return {
        "resourceType": "Task",
        "id": str(name),
        "meta": {"tag": [_TAG]},
        "status": "draft",
        "intent": "proposal",
        "priority": "urgent" if row.red_flags else "routine",
        "code": {"text": _TITLE},
        "for": {"reference": f"Patient/{patient}"},
        "authoredOn": row.as_of.isoformat(),
        "reasonCode": {"coding": [{"system": "urn:calcinosis-cds:reason", "code": code} for code in codes]},
        "input": [
            {"type": {"text": "grade"}, "valueString": row.grade},
            *({"type": {"text": "missing workup"}, "valueString": item} for item in row.missing_workup),
        ],
    }


def write_group(outcome: Outcome, out: Path) -> None:
    _write(out, [msgspec.json.format(msgspec.json.encode(group(outcome)), indent=1)], "group")


def write_tasks(outcome: Outcome, out: Path) -> None:
    """NDJSON, as Bulk Data import takes it."""
    _write(out, (msgspec.json.encode(task(patient, row)) for patient, row in latest(outcome)), "tasks")


def _write(out: Path, lines: Any, option: str) -> None:
    try:
        with private(out, again=True) as file:
            file.writelines(line + b"\n" for line in lines)
    except OSError as error:
        raise ScreeningError(f"--{option}: {error.strerror or 'could not be written'}", option) from None
