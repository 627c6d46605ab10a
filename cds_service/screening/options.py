"""The options of `cds-service screen`; imports nothing that costs time, since every command parses them."""

from __future__ import annotations

import argparse
import os
import re
from datetime import date
from pathlib import Path
from typing import Any

from cds_service.days import day

_SERIES = re.compile(r"(\d{4}-\d{2}-\d{2})\.\.(\d{4}-\d{2}-\d{2})/(\d{1,2})mo")
_MOST_DAYS = 240
_MOST_WORKERS = 6


def add_parser(commands: Any) -> None:
    """The options of `screen`."""
    parser = commands.add_parser("screen", help="population screening over FHIR Bulk Data (NDJSON)")
    parser.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="files or folders; plain, gzip or zstd")
    parser.add_argument("--engine", choices=("duckdb", "spark"), default="duckdb")
    forms = ("ndjson", "parquet", "delta")
    parser.add_argument("--lake", choices=forms, default="ndjson", help="what PATH holds, with --engine spark")
    parser.add_argument("--lake-column", default="resource", metavar="C", help="of a table: the resource as JSON text")
    parser.add_argument("--out", type=Path, metavar="FILE", help="worklist: .parquet, .ndjson or .csv (else stdout)")
    parser.add_argument("--everyone", action="store_true", help="all candidates, those with nothing to say as well")
    when = parser.add_mutually_exclusive_group()
    when.add_argument("--as-of", type=day, metavar="DATE", help="as the charts were known then; today")
    when.add_argument("--as-of-series", type=series, metavar="FROM..TO/1mo", help="back-test: one day after another")
    parser.add_argument("--summary", type=Path, metavar="FILE", help="counts and plots: .html, .json or .csv")
    parser.add_argument("--reidentify", type=Path, metavar="FILE", help="hash,id of the worklist (only for its owner)")
    parser.add_argument("--group", type=Path, metavar="FILE", help="patients with a card as a FHIR Group")
    parser.add_argument("--tasks", type=Path, metavar="FILE", help="draft FHIR Tasks, NDJSON")
    parser.add_argument("--losses", type=Path, metavar="FILE", help="file and line of whatever could not be read")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="key of the hashes (else CDS_PSEUDONYM_KEY)")
    parser.add_argument("--state", type=Path, metavar="DIR", help="kept; the next run only does what is new")
    parser.add_argument("--types", default="", metavar="T,T", help="types that were exported and came empty")
    parser.add_argument("--workers", type=int, default=min(os.cpu_count() or 1, _MOST_WORKERS), metavar="N")
    parser.add_argument("--overlay", type=Path, metavar="FILE", help="a hospital's own codes")


def series(text: str) -> tuple[date, ...]:
    """ "2024-01-01..2025-01-01/1mo" → the first day and every month after it, up to the last."""
    from mappings.dates import add_months

    found = _SERIES.fullmatch(text)
    if found is None:
        raise argparse.ArgumentTypeError("must be FROM..TO/1mo, as 2024-01-01..2025-01-01/1mo")
    try:
        first, last, step = day(found[1]), day(found[2]), int(found[3])
    except argparse.ArgumentTypeError as error:
        raise argparse.ArgumentTypeError(f"FROM and TO: each {error}") from None
    if step < 1 or last < first:
        raise argparse.ArgumentTypeError("must go forward")
    days: list[date] = []
    for index in range(_MOST_DAYS + 1):
        following = add_months(first, index * step)
        if following > last:
            return tuple(days)
        days.append(following)
    raise argparse.ArgumentTypeError(f"must not have more than {_MOST_DAYS} days")
