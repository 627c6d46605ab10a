"""Tests in one row and their results in another: "calcium and phosphate were 2.31 and 1.10 mmol/L (respectively)",
"were normal and high".

Read by the number right behind its name alone, the last test would get the first one's value; read by the first word
alone, all of them would be normal."""

from __future__ import annotations

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, limits_at, past_unit, unit_at
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_SIGNS = frozenset({":", "=", "(", ")", ","})
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}
_LEAD = 6
_APART = 16
_JUDGED = frozenset({"normal", "low", "high", "abnormal", "positive", "negative"})


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


def worded(document: Document, group: list[Hit], end: int) -> list[Hit]:
    """The word that each test of a row has in the row of words behind it; none where that has other words than one for
    each, or all say the same. `end`: the next test, whose own word may stand right before it."""
    last = group[-1].last
    words = [word for word in document.between("word", last, end) if word.value in _JUDGED]
    if document.between("analyte", end, end + 1):
        words = [word for word in words if not _leads_to(document, word, end)]
    row: list[Hit] = []
    for word in words:
        if row and not _in_a_row(document, row[-1].last, word.first):
            break
        row.append(word)
    told = len(row) == len(group) > 1 and len({word.value for word in row}) > 1
    return row if told and _says(document, last, row[0].first) else []


def _in_a_row(document: Document, at: int, end: int) -> bool:
    """A comma, "and", or both stand from here to there, and nothing else."""
    either = load_common().either
    joined = any(document.between("coordinator", i, i + 1) for i in range(at, end))
    plain = all(document.word(i) == "," or document.between("coordinator", i, i + 1) for i in range(at, end))
    return bool(joined) and plain and not any(document.word(i) in either for i in range(at, end))


def _leads_to(document: Document, word: Hit, end: int) -> bool:
    """ "Normal and high PTH": only small words, or none, from the word to the next test."""
    return all(
        document.word(i)[0].isalpha() and document.word(i) in document.vocab.stopwords for i in range(word.last, end)
    )


def _says(document: Document, at: int, end: int) -> bool:
    """Only small words, verbs and degrees part the tests from the words."""
    degrees = load_common().degrees
    return all(
        document.word(i) in _SIGNS or document.word(i) in document.vocab.bridging or document.word(i) in degrees
        for i in range(at, end)
    )


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
