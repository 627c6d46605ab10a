"""The options of `cds-service synthesize` and `score`; imports nothing that costs time."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from cds_service.days import day


def add_parsers(commands: Any) -> None:
    made = commands.add_parser("synthesize", help="a synthetic population (NDJSON) with its truth, to try `screen` on")
    made.add_argument("out", type=Path, metavar="DIR", help="an empty or new folder")
    made.add_argument("--patients", type=int, default=1000, metavar="N")
    made.add_argument("--seed", default="1", metavar="TEXT", help="the same seed gives the same bytes")
    made.add_argument("--as-of", type=day, metavar="DATE", help="the day that the histories end; today")
    made.add_argument("--ctd", type=float, default=0.01, metavar="SHARE", help="with a CTD and a story of it (0.01)")
    made.add_argument("--others", type=float, default=0.05, metavar="SHARE", help="with a distracting story (0.05)")
    made.add_argument("--observations", type=int, default=50, metavar="N", help="of the Synthea history, at most (50)")
    made.add_argument("--base", type=Path, action="append", metavar="FILE", help="other Bundles, one a line (.gz)")
    score = commands.add_parser("score", help="sensitivity and precision of a worklist over a synthetic population")
    score.add_argument("truth", type=Path, metavar="TRUTH", help="truth.csv of `synthesize`")
    score.add_argument("worklist", type=Path, metavar="WORKLIST", help="of `screen --out X.ndjson`")
    score.add_argument("--key-file", type=Path, metavar="FILE", help="as given to `screen` (else CDS_PSEUDONYM_KEY)")
    score.add_argument("--json", action="store_true")
