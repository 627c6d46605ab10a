"""A random sample for chart review: evaluations that showed a card, and near misses that did not."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime

from cds_service.report.rows import Evaluation
from cds_service.report.tables import Cell, Table

KEY_LENGTH = 16
_COLUMNS = ("Evaluation", "Day", "Service", "Patient key", "Grade", "Card", "Card right?", "Comment")
_NOTE = (
    "Patients are keyed hashes; on the machine of the service `cds-service patient-key` makes the keys of ids, so "
    "that the charts can be found. The last two columns are for the reviewer."
)


def sample(rows: Sequence[Evaluation], size: int, seed: str) -> tuple[Table, Table]:
    """(shown, not shown): at most `size` patients of each, one evaluation a patient; the same seed draws the same. A
    near miss met the question (some grade) and was silent: known and stable, held back, or in silent mode."""
    fired = [row for row in rows if row.cards]
    missed = [row for row in rows if not row.cards and row.grade != "none"]
    return (
        _table("sample-shown", "Sample for chart review: a card was shown", fired, size, seed),
        _table("sample-silent", "Sample for chart review: graded, and no card shown", missed, size, seed),
    )


def _table(name: str, title: str, rows: Sequence[Evaluation], size: int, seed: str) -> Table:
    last = {(row.tenant, row.patient_key): row for row in rows}
    drawn = random.Random(f"{seed} {name}").sample(sorted(last), min(size, len(last)))  # noqa: S311 - a sample, no secret
    lines = tuple(_line(last[key]) for key in drawn)
    return Table(name, title, _COLUMNS, lines, _NOTE)


def _line(row: Evaluation) -> tuple[Cell, ...]:
    day = datetime.fromtimestamp(row.at_ms / 1000, UTC).date().isoformat()
    return (row.id, day, row.service, row.patient_key[:KEY_LENGTH], row.grade, row.card, None, None)
