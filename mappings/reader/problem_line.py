"""A drug told without a verb or a dose: behind what it is taken for ("Raynaud - nifedipine", "HTA: amlodipino"), or
with its form at the beginning of a line ("clonidine TTS-2 patch").

Only a line that says nothing else is read so. Doubt, a question or an alternative anywhere in it makes it no sign."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import cache

from msgspec import Struct

from mappings.data_schema import read_table
from mappings.drug_tables import Taking

_START = r"(?:^|[,;:.(\n])\s*(?:(?:\d{1,2}[.)]|[-*•#·–])\s*)*"
_OPENING = re.compile(_START + "$")
_NUMBER = r"\d+(?:[.,]\d+)?"


class _Line(Struct, frozen=True):
    doubt: re.Pattern[str]
    """a question, or a choice between two drugs"""
    reason: re.Pattern[str]
    form: re.Pattern[str]
    formed: re.Pattern[str]
    """a form before its drug, at the beginning of the line"""
    behind: re.Pattern[str]
    given_for: re.Pattern[str]
    """behind a drug that opens its line, what it is taken for, and nothing more"""


def tells_of_taking(line: str, begin: int, end: int) -> bool:
    """Whether the drug at [begin, end) of a folded line stands there as what is taken."""
    words = _line()
    form = words.form.match(line, end)
    before = line[:begin]
    if words.doubt.search(before) or words.doubt.search(line, form.end() if form else end):
        return False
    if words.given_for.match(line, form.end() if form else end) and _OPENING.search(before):
        return True
    if not words.behind.match(line, form.end() if form else end):
        return False
    if words.reason.search(before) or words.formed.search(before):
        return True
    return form is not None and bool(_OPENING.search(before))


@cache
def _line() -> _Line:
    data = read_table(Taking)
    qualifier, form = _one_of(data.qualifiers), _one_of(data.forms)
    indication = rf"(?:{qualifier}\s+){{0,3}}{_one_of(data.indications)}(?:[\s-]+{qualifier}){{0,2}}"
    return _Line(
        re.compile(rf"\?|\b{_one_of(data.choices)}\b"),
        re.compile(
            rf"{_START}{indication}\s*(?::|,|–|-(?=\s)|\(|/(?=\s)|(?<=\s)(?:w/|{_one_of(data.along_with)}(?=\s)))\s*$"
        ),
        re.compile(rf"(?:[\s-]+{form}(?:-\d)?(?!\w))+"),
        re.compile(rf"{_START}{form}\s+(?:{_one_of(data.of)} )?\s*$"),
        re.compile(rf"(?:\s+{_NUMBER})?(?:\s+{_one_of(data.purposes)})?\s*(?:$|[,;.)+&/\n]|{_one_of(data.joins)}\s)"),
        re.compile(rf"(?:\s+{_NUMBER})?\s+{_one_of(data.reasons)}\s+{indication}\s*(?:$|[,;.)\n])"),
    )


def _one_of(words: Iterable[str]) -> str:
    return f"(?:{'|'.join(map(re.escape, sorted(set(words), key=len, reverse=True)))})"
