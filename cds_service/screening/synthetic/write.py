"""A whole population: NDJSON files by type and the truth beside them. The same seed gives the same bytes."""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import IO, Any

from cds_service.errors import ServiceError
from cds_service.sandbox.build import SYNTHETIC_TAG
from cds_service.sandbox.charts import chart, to_json
from cds_service.screening.synthetic.base import Mould, moulds
from cds_service.screening.synthetic.stories import Group, Told, draw

TRUTH = "truth.csv"
COLUMNS = ("patient", "story", "truth", "card", "grades", "evidence")
PLAIN = "plain"


class SyntheticError(ServiceError):
    """What the user of the command line can mend; one line."""

    status = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """`ctd`, `others`: shares of the patients that have a story of a CTD, or a distracting one without."""

    out: Path
    patients: int
    seed: str
    as_of: date
    ctd: float = 0.01
    others: float = 0.05
    observations: int = 50
    base: Sequence[Path] | None = None


def synthesize(asked: Asked) -> Counter[str]:
    """Writes the population; lines by resource type and patients by story. SyntheticError, BaseError."""
    if asked.patients < 1 or asked.ctd < 0 or asked.others < 0 or asked.ctd + asked.others > 1:
        raise SyntheticError("--patients must be at least 1, --ctd and --others shares of 1 together")
    base = moulds(asked.base, asked.as_of, asked.observations)
    counts: Counter[str] = Counter()
    try:
        asked.out.mkdir(parents=True, exist_ok=True)
        if any(asked.out.iterdir()):
            raise SyntheticError("DIR: is not empty", "out")
        with ExitStack() as stack:
            files = _Files(asked.out, stack)
            table = csv.writer(stack.enter_context((asked.out / TRUTH).open("w", encoding="utf-8", newline="")))
            table.writerow(COLUMNS)
            for number in range(asked.patients):
                _one(asked, number, base, files, table, counts)
    except OSError as error:
        raise SyntheticError(f"DIR: {error.strerror or 'can not be written'}", "out") from None
    return counts


def _one(asked: Asked, number: int, base: list[Mould], files: _Files, table: Any, counts: Counter[str]) -> None:
    # each patient has a chance of their own: a longer population begins with the shorter one
    chance = random.Random(f"{asked.seed}/{number}")  # noqa: S311
    patient = f"syn-{number:07d}"
    mould = base[chance.randrange(len(base))]
    group = _group(chance.random(), asked)
    for kind in mould.parts:
        files.write(kind, mould.lines(kind, patient.encode()))
        counts[kind] += mould.counts[kind]
    if group is None:
        counts[PLAIN] += 1
        table.writerow((patient, PLAIN, "none", "no", "none", ""))
        return
    told = draw(group, chance)
    for resource in story_resources(told, patient, asked.as_of):
        kind = resource["resourceType"]
        files.write(kind, to_json(resource) + b"\n")
        counts[kind] += 1
    story = told.story
    counts[story.id] += 1
    card = "yes" if story.card else "no"
    table.writerow((patient, story.id, story.truth, card, " ".join(story.grades), " ".join(story.evidence)))


def story_resources(told: Told, patient: str, as_of: date) -> list[dict[str, Any]]:
    """The resources of a story without the Patient, marked as test data."""
    made = chart(told.rows, today=as_of, patient_id=patient, prefix=f"{patient}-story-")
    kept = [one for one in made.resources if one["resourceType"] != "Patient"]
    for one in kept:
        one.setdefault("meta", {})["security"] = [SYNTHETIC_TAG]
    return kept


def _group(drawn: float, asked: Asked) -> Group | None:
    if drawn < asked.ctd:
        return "ctd"
    return "other" if drawn < asked.ctd + asked.others else None


class _Files:
    """One file a type, opened when it is first needed."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        self._folder, self._stack = folder, stack
        self._open: dict[str, IO[bytes]] = {}

    def write(self, kind: str, lines: bytes) -> None:
        if kind not in self._open:
            self._open[kind] = self._stack.enter_context((self._folder / f"{kind}.ndjson").open("wb", 1024 * 1024))
        self._open[kind].write(lines)
