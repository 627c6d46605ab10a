"""What a report is made of: tables of plain cells, so that HTML, CSV and JSON say the same."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

Cell = str | int | float | None
"""None: not to be had (no denominator). Text such as "<11": held back."""
Plot = Literal["weeks", "bars", "histogram"]


@dataclass(frozen=True, slots=True)
class Table:
    """`plot`: how the table is drawn beside itself; `plotted`: the columns that are drawn."""

    id: str
    title: str
    columns: tuple[str, ...]
    rows: tuple[tuple[Cell, ...], ...]
    note: str = ""
    plot: Plot | None = None
    plotted: tuple[str, ...] = ()

    def column(self, name: str) -> tuple[Cell, ...]:
        index = self.columns.index(name)
        return tuple(row[index] for row in self.rows)


@dataclass(frozen=True, slots=True)
class Report:
    """`first` and `last` are the days of the period, both included; `tenant` None: all of them."""

    first: str
    last: str
    tenant: str | None
    made: str
    knowledge_versions: tuple[str, ...]
    tables: tuple[Table, ...] = field(default=())


def share(part: int, whole: int) -> float | None:
    """Per cent with one decimal; None without a denominator."""
    return round(100 * part / whole, 1) if whole else None
