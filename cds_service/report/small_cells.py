"""Small cells: no group of fewer than eleven patients is told, nor can it be had by subtraction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from cds_service.report.tables import Cell

SMALLEST = 11
HIDDEN = f"<{SMALLEST}"


def held_back(patients: Mapping[str, int]) -> frozenset[str]:
    """The groups not to be told: those too small and, when what is held back adds up to fewer than `SMALLEST` patients,
    the next larger ones too, so that the total gives nothing away."""
    small = {group for group, count in patients.items() if 0 < count < SMALLEST}
    if not small:
        return frozenset()
    for group, _ in sorted(((g, n) for g, n in patients.items() if n >= SMALLEST), key=lambda pair: (pair[1], pair[0])):
        if sum(patients[name] for name in small) >= SMALLEST and len(small) > 1:
            break
        small.add(group)
    return frozenset(small)


def masked(row: Sequence[Cell], hidden: bool, smaller: bool) -> tuple[Cell, ...]:
    """The row, with everything but its name held back."""
    mark = HIDDEN if smaller else "held back"
    return (row[0], *(mark for _ in row[1:])) if hidden else tuple(row)
