"""Which line breaks of a text only wrap it. Many systems break a note at 60 to 80 characters, wherever a word no longer
fits: "Keine umschriebenen / Knoten", "hipercalcemia de / 11,9 mg/dl". Read as the end of a sentence, such a break parts
a denial from what it denies and a number from its test; read as a wrap, the break of a list joins two items."""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

from mappings.text.common import load_common

_NEWLINE = "\n"
_NARROWEST = 40
"""characters of the shortest line width that a system wraps at"""
_LINES = 3
"""lines that show a width where no line begins with a small letter"""
_BROAD = 50
"""characters of a line that shows a width alone in a note without capitals"""
_WORDS = 3
_OPENS, _CLOSES = "([", ")]"
_ITEM = re.compile(r"[-–—•*·#+>☐☒□■]|\(?(?:\d{1,2}|[a-zA-Z])[.)](?=\s)|\[[ xX]?\]")
"""what begins an item of a list"""
_HEADING = re.compile(r"[^\W\d_][^\n:]{0,40}:(?!\d)")
_FIGURE = re.compile(r"[(\[][^\W_]|\d+[.,]\d+(?![.,\d])")
"""what cannot open a line of its own behind a full one: a range in brackets, a figure with decimals"""
_RESULT = re.compile(r"\d{1,4}(?:[.,]\d{1,3})?\s?(?:%|[a-zA-Zµμ]{1,4}/[a-zA-Z0-9])")
"""a figure with the unit of a result, which stands behind its test's name and never before it"""
_STAGE = re.compile(r"I{2,3}V?(?![\w.):])|IV(?![\w.):])")
_YEAR = re.compile(r"(?:19|20)\d\d(?:[.,;)]|$)")
_INITIAL = re.compile(r"(?<![^\s(])[A-Z]\.$")
"""of a name: "M. / Dupuytren" """
_AMOUNT = re.compile(r"(\w+) \d{1,3}$")
"""a number behind a word that ends nothing: "seit 2 / Monaten" """
_LAST = re.compile(r"[^\W\d_]+$")
_STOPS = frozenset(".:;!?")
_ANSWERS = frozenset(":=-–?")


class _Line(NamedTuple):
    start: int
    text: str


def wrapped_breaks(text: str) -> set[int]:
    """Positions of the line breaks that are none: the next line goes on with a small letter, in a bracket or behind a
    word that ends nothing; or the lines of the paragraph end where the next word no longer fitted."""
    found: set[int] = set()
    tells = _tells(text)
    block: list[_Line] = []
    start = 0
    for raw in text.split(_NEWLINE):
        line = _Line(start, raw.strip())
        start += len(raw) + 1
        if line.text:
            block.append(line)
            continue
        found |= _of_block(block, tells)
        block = []
    return found | _of_block(block, tells)


def _tells(text: str) -> bool:
    """Whether a line that begins with a small letter goes on with the one before: where each does, it does not."""
    return text != text.lower()


def _of_block(block: list[_Line], tells: bool) -> set[int]:
    """The same of lines without an empty one between them."""
    if len(block) < 2:
        return set()
    width = max(len(line.text) for line in block)
    breaks = list(pairwise(block))
    small = [tells and after.text[0].islower() for _, after in breaks]
    full = [len(before.text) + 1 + len(after.text.split(None, 1)[0]) > width for before, after in breaks]
    enough = len(block) >= _LINES or (not tells and width >= _BROAD)
    one_case = enough and all(full) and (not tells or all(line.text.isupper() for line in block))
    shown = width >= _NARROWEST and (one_case or any(s and f for s, f in zip(small, full, strict=True)))
    return {
        after.start - 1
        for (before, after), is_small, is_full in zip(breaks, small, full, strict=True)
        if is_small
        or (
            not _ITEM.match(after.text)
            and (
                _goes_on(before.text, after.text)
                or (is_full and shown and not _ends(before.text, after.text))
                or (is_full and width >= _NARROWEST and before.text[-1] not in _STOPS and _FIGURE.match(after.text))
            )
        )
    }


def _goes_on(before: str, after: str) -> bool:
    """Whether a line ends in an open bracket or in a word that ends nothing ("de", "kein"), which is no answer behind a
    colon ("Allergien: keine")."""
    if _HEADING.match(after):
        return False
    opened = max(before.rfind(sign) for sign in _OPENS)
    if opened > max(before.rfind(sign) for sign in _CLOSES) and len(before) >= _NARROWEST // 2:
        return True
    if len(before) >= _NARROWEST and _is_rest(before, after):
        return True
    last = _LAST.search(before)
    words = before.split()
    told = last is not None and last[0].lower() in load_common().unfinished
    return told and len(words) >= _WORDS and words[-2][-1] not in _ANSWERS


def _is_rest(before: str, after: str) -> bool:
    """Whether a line begins with what only ends a phrase: a result's figure and unit, a stage, a year; or the line
    before it ends in an initial or in an amount of nothing."""
    if _RESULT.match(after):
        return not before[0].isdigit() and before[-1] not in _STOPS and not _RESULT.search(before)
    if _STAGE.match(after) or _YEAR.match(after):
        return before[-1].isalpha()
    amount = _AMOUNT.search(before)
    told = amount is not None and amount[1].lower() in load_common().unfinished
    return (told and after[0].isalpha()) or _INITIAL.search(before) is not None


def _ends(before: str, after: str) -> bool:
    """Whether a line that is full ends nevertheless: behind a stop, before a heading."""
    return before[-1] in _STOPS and _HEADING.match(after) is not None
