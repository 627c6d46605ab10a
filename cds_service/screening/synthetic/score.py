"""Sensitivity and precision of a worklist over a synthetic population, with the interval that the number allows."""

from __future__ import annotations

import csv
import math
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from cds_service.errors import ServiceError
from cds_service.screening.keys import patient_key
from cds_service.screening.rows import DecisionRow, from_json
from cds_service.screening.synthetic.write import COLUMNS
from hooks.model import DYSTROPHIC

_Z = 1.959964
"""of a 95 % interval."""


class ScoreError(ServiceError):
    """Files that can't be compared; one line."""

    status = 400


@dataclass(frozen=True, slots=True)
class Known:
    """One line of truth.csv."""

    patient: str
    story: str
    truth: str
    card: bool
    grades: frozenset[str]


class Share(msgspec.Struct, frozen=True):
    """`of` in `out_of`, with Wilson's 95 % interval; the share is None where there is nothing to count."""

    of: int
    out_of: int
    share: float | None
    low: float | None
    high: float | None


class Score(msgspec.Struct):
    patients: int
    sensitivity: Share
    """of patients with dystrophic calcinosis who should get a card: told so."""
    precision: Share
    """of patients told so: who have it and should get a card."""
    cards: Share
    """of all patients: shown a card, or none, as they should be."""
    grades: Share
    """of patients with a story: graded as the story says."""
    wrong: dict[str, dict[str, int]]
    """story -> what came instead ("none/no card") -> patients."""


def read_truth(path: Path) -> Iterator[Known]:
    """ScoreError when it is no truth of `synthesize`."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            lines = csv.DictReader(file)
            if tuple(lines.fieldnames or ()) != COLUMNS:
                raise ScoreError("TRUTH: has other columns than `synthesize` writes", "truth")
            for one in lines:
                grades = frozenset(one["grades"].split())
                yield Known(one["patient"], one["story"], one["truth"], one["card"] == "yes", grades)
    except (OSError, UnicodeDecodeError):
        raise ScoreError("TRUTH: can't be read", "truth") from None


def read_worklist(path: Path) -> dict[str, DecisionRow]:
    """The rows by patient hash. ScoreError when it is no NDJSON of `screen`."""
    try:
        with path.open("rb") as lines:
            rows = [from_json(line) for line in lines if line.strip()]
    except (OSError, msgspec.DecodeError, UnicodeDecodeError):
        raise ScoreError("WORKLIST: is no NDJSON of `screen`", "worklist") from None
    return {row.patient: row for row in rows}


def score(truth: Iterable[Known], rows: dict[str, DecisionRow], secret: bytes) -> Score:
    """Whoever has no row was no candidate: grade none and no card."""
    told = hit = have = fine = stories = graded = patients = 0
    wrong: dict[str, Counter[str]] = {}
    for known in truth:
        patients += 1
        row = rows.get(patient_key(secret, known.patient))
        grade, card = (row.grade, row.card) if row is not None else ("none", False)
        wanted = known.truth == "dystrophic" and known.card
        said = card and grade in DYSTROPHIC
        have, told, hit = have + wanted, told + said, hit + (wanted and said)
        fine += card == known.card
        if known.story != "plain":
            stories += 1
            graded += grade in known.grades
        if card != known.card or grade not in known.grades:
            shown = "card" if card else "no card"
            wrong.setdefault(known.story, Counter())[f"{grade}/{shown}"] += 1
    return Score(
        patients=patients,
        sensitivity=_share(hit, have),
        precision=_share(hit, told),
        cards=_share(fine, patients),
        grades=_share(graded, stories),
        wrong={story: dict(sorted(counts.items())) for story, counts in sorted(wrong.items())},
    )


def _share(of: int, out_of: int) -> Share:
    if out_of == 0:
        return Share(of, out_of, None, None, None)
    share = of / out_of
    square = _Z * _Z / out_of
    middle = (share + square / 2) / (1 + square)
    width = _Z / (1 + square) * math.sqrt(share * (1 - share) / out_of + square / (4 * out_of))
    return Share(of, out_of, round(share, 4), round(max(0.0, middle - width), 4), round(min(1.0, middle + width), 4))


def written(found: Score) -> str:
    """The score as lines for the terminal."""
    lines = [f"{found.patients:,} synthetic patients"]
    for name in ("sensitivity", "precision", "cards", "grades"):
        one: Share = getattr(found, name)
        if one.share is None:
            lines.append(f"{name}: nothing to count")
        else:
            lines.append(
                f"{name}: {one.share:.1%} ({one.of:,} of {one.out_of:,}; 95 % {one.low:.1%} to {one.high:.1%})"
            )
    for story, counts in found.wrong.items():
        lines.append(f"not as told: {story}: " + ", ".join(f"{what} {many}" for what, many in counts.items()))
    return "\n".join(lines)
