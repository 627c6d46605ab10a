"""Tests in one row and their numbers in another: "calcium and phosphate were 2.31 and 1.10 mmol/L (respectively)".

Read by the number right behind its name alone, the last test would get the first one's value."""

from __future__ import annotations

from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, limits_at, past_unit, unit_at
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_SIGNS = frozenset({":", "=", "(", ")", ","})
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}
_LEAD = 6
_APART = 16


def paired(document: Document, group: list[Hit], end: int, dates: list[tuple[str, int, int]]) -> list[Number] | None:
    """A number for each test of a row; empty where numbers stand joined behind it but not one for each, None where no
    row of numbers does. A unit that only the last number has is that of all."""
    first, unit = behind_name(document, group[-1], end)
    at = _first_number(document, first, end, dates)
    if at is None:
        return None
    numbers: list[Number] = []
    joined = False
    while at is not None and amount(document.word(at)) is not None:
        numbers.append((document.word(at), None, unit_at(document, at) or unit, limits_at(document, at)))
        at, strong = _joined(document, past_unit(document, at), end)
        joined = joined or strong
    if not joined or (len(group) == 1 and numbers[0][2]):
        return None
    shared = numbers[-1][2]
    return [(n[0], n[1], n[2] or shared, n[3]) for n in numbers] if len(numbers) == len(group) else []


def _first_number(document: Document, at: int, end: int, dates: list[tuple[str, int, int]]) -> int | None:
    dated = {index for _, begin, last in dates for index in range(begin, last)}
    for index in range(at, min(end, at + _LEAD + len(dated))):
        word = document.word(index)
        if index in dated:
            continue
        if word[0].isdigit():
            return index
        if word not in _SIGNS and word not in document.vocab.bridging:
            return None
    return None


def _joined(document: Document, at: int, end: int) -> tuple[int | None, bool]:
    """(the next number, whether more than a comma joins it), past a bracket."""
    depth, comma, strong = 0, False, False
    for index in range(at, min(end, at + _APART)):
        word = document.word(index)
        depth += _BRACKETS.get(word, 0)
        if depth or word in _BRACKETS:
            continue
        if word[0].isdigit():
            return (index, strong) if comma or strong else (None, False)
        if word == ",":
            comma = True
        elif document.between("coordinator", index, index + 1):
            strong = True
        else:
            break
    return None, False
