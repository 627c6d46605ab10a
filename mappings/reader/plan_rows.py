"""Tables of drugs in a note: the row that heads one, and a dose in cells, as in the German medication plan."""

from __future__ import annotations

import re
from functools import cache

from mappings.data_schema import read_table
from mappings.drug_tables import Taking

DOSED = re.compile(r"[^\n]{0,60}?\|\s?[\d½¼]\s?\|\s?[\d½¼]\s?\|\s?[\d½¼]\s?(?:\||$)")
"""in the cells behind a drug, how many of it and when ("| 1 | 0 | 0 | 0 |")."""
_CELL = re.compile(r"[|\t]")


def heads_table(line: str) -> bool:
    """ "Wirkstoff | Stärke | morgens | mittags": the row that names the columns of a table of drugs."""
    if "|" not in line and "\t" not in line:
        return False
    columns, dosings = _words()
    cells = [" ".join(cell.split()) for cell in _CELL.split(line)]
    cells = [cell for cell in cells if cell]
    return len(cells) > 1 and cells[0] in columns and not dosings.isdisjoint(cells[1:])


@cache
def _words() -> tuple[frozenset[str], frozenset[str]]:
    data = read_table(Taking)
    return frozenset(data.columns), frozenset(data.dosings)
