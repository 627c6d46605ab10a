"""Plots of the tables as inline SVG, drawn by matplotlib (the extra `report`). Colours that most can tell apart."""

from __future__ import annotations

import io
import re
from typing import Any

from cds_service.report.tables import Cell, Table

_COLOURS = ("#0b4f8a", "#c25b00", "#5f6f7a", "#7a3b8f")
_INCH_PER_ROW = 0.32
_SHORTEST, _WIDTH = 1.3, 7.2
_MOST_ROWS = 20
_ID = re.compile(r'(\bid="|url\(#|href="#)')


class NoPlotsError(Exception):
    """matplotlib is not installed."""


def draw(table: Table) -> str | None:
    """The plot of a table as one `<svg>` element, or None when it has none or nothing to draw. NoPlotsError without the
    library. The table beside it says the same, so the picture is hidden from screen readers."""
    rows = [row for row in table.rows if any(_number(row[table.columns.index(c)]) is not None for c in table.plotted)]
    if table.plot is None or not rows:
        return None
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        raise NoPlotsError from None
    buffer = io.StringIO()
    with mpl.rc_context(
        {"svg.fonttype": "none", "svg.hashsalt": table.id, "font.family": "sans-serif", "font.size": 9}
    ):
        figure = Figure(layout="constrained")
        _fill(figure, table, rows[:_MOST_ROWS])
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return _inline(buffer.getvalue(), table.id)


def _fill(figure: Any, table: Table, rows: list[tuple[Cell, ...]]) -> None:
    upright = table.plot != "bars"
    height = 2.6 if upright else max(_SHORTEST, 0.7 + _INCH_PER_ROW * len(rows) * max(1, len(table.plotted) / 2))
    figure.set_size_inches(_WIDTH, height)
    axes = figure.subplots()
    for spine in ("top", "right"):
        axes.spines[spine].set_visible(False)
    (_columns if upright else _bars)(axes, table, rows)
    if len(table.plotted) > 1:
        axes.legend(frameon=False, fontsize=8)


def _columns(axes: Any, table: Table, rows: list[tuple[Cell, ...]]) -> None:
    names = [str(row[0]) for row in rows]
    width = 0.8 / len(table.plotted)
    for number, column in enumerate(table.plotted):
        places = [place + (number - (len(table.plotted) - 1) / 2) * width for place in range(len(rows))]
        axes.bar(places, _values(table, rows, column), width, color=_COLOURS[number], label=column)
    axes.set_xticks(range(len(rows)), names, rotation=30, ha="right")
    axes.set_xlabel(table.columns[0])
    if len(table.plotted) == 1:
        axes.set_ylabel(table.plotted[0])


def _bars(axes: Any, table: Table, rows: list[tuple[Cell, ...]]) -> None:
    thickness = 0.8 / len(table.plotted)
    for number, column in enumerate(table.plotted):
        places = [place + (number - (len(table.plotted) - 1) / 2) * thickness for place in range(len(rows))]
        bars = axes.barh(places, _values(table, rows, column), thickness, color=_COLOURS[number], label=column)
        axes.bar_label(bars, fmt="%g", padding=2, fontsize=8)
    axes.set_yticks(range(len(rows)), [str(row[0]) for row in rows])
    axes.invert_yaxis()
    if len(table.plotted) == 1:
        axes.set_xlabel(table.plotted[0])


def _values(table: Table, rows: list[tuple[Cell, ...]], column: str) -> list[float]:
    index = table.columns.index(column)
    return [_number(row[index]) or 0 for row in rows]


def _number(cell: Cell) -> float | None:
    return float(cell) if isinstance(cell, int | float) else None


def _inline(document: str, name: str) -> str:
    """Without the XML head; ids made unique for the page; hidden from screen readers, the table is read instead."""
    svg = document[document.index("<svg") :]
    svg = _ID.sub(lambda match: f"{match[1]}{name}-", svg)
    return svg.replace("<svg ", '<svg aria-hidden="true" focusable="false" ', 1).strip()
