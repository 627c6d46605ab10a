"""The report as HTML (one file, nothing loaded from elsewhere), CSV or JSON."""

from __future__ import annotations

import csv
import io
import json
from dataclasses import asdict
from functools import cache
from typing import Literal

from jinja2 import Environment, PackageLoader, StrictUndefined, Template
from markupsafe import Markup

from cds_service.report.plots import NoPlotsError, draw
from cds_service.report.tables import Cell, Report, Table

Format = Literal["html", "csv", "json"]


def render(report: Report, form: Format) -> str:
    return {"html": to_html, "csv": to_csv, "json": to_json}[form](report)


def to_json(report: Report) -> str:
    body = asdict(report)
    tables = {
        table["id"]: {key: table[key] for key in ("title", "columns", "rows", "note")} for table in body.pop("tables")
    }
    return json.dumps({"schema": "1", **body, "tables": tables}, indent=1, ensure_ascii=False) + "\n"


def to_csv(report: Report) -> str:
    """One cell a line (table, row, column, value), so that every table fits one file."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(("table", "row", "column", "value"))
    for name in ("first", "last", "tenant", "made"):
        writer.writerow(("report", "", name, _plain(getattr(report, name))))
    for table in report.tables:
        for number, row in enumerate(table.rows, 1):
            for column, cell in zip(table.columns, row, strict=True):
                writer.writerow((table.id, number, column, _plain(cell)))
    return out.getvalue()


def to_html(report: Report, template: str = "report.html") -> str:
    """`template`: what the page is headed by."""
    plots: dict[str, Markup] = {}
    drawn = True
    for table in report.tables:
        try:
            picture = draw(table)
        except NoPlotsError:
            drawn = False
            break
        if picture is not None:
            plots[table.id] = Markup(picture)  # noqa: S704 - drawn by the library from our own tables, text escaped there
    return _template(template).render(report=report, plots=plots, drawn=drawn, numeric=_numeric, shown=_shown) + "\n"


def _numeric(table: Table, index: int) -> bool:
    return any(isinstance(row[index], int | float) for row in table.rows)


def _shown(cell: Cell) -> str:
    if cell is None:
        return "–"
    return f"{cell:,}".replace(",", "\u202f") if isinstance(cell, int | float) else cell


def _plain(cell: Cell) -> str:
    """A spreadsheet must not take a text for a formula."""
    text = "" if cell is None else str(cell)
    return f"'{text}" if isinstance(cell, str) and text[:1] in "=+-@\t\r" and len(text) > 1 else text


@cache
def _template(name: str) -> Template:
    environment = Environment(
        loader=PackageLoader("cds_service.report", "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
