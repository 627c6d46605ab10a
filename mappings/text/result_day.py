"""The day of a test between its name and its result: "calcium on the 14th of May was 2.32", "Ca (14/05): 9.4", "Calcium
vom 14.05. 2,33". Its figures are none of the result; without its year, it is the last such day before the note."""

from __future__ import annotations

from functools import cache

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import unit_at
from mappings.text.tokens import YEAR

_MOST_DAYS, _MONTHS = 31, 12
_PARTS = 3
_REACH = 12
"""words behind a test's name that may hold the day of its result"""
_OPENING, _SIGNS = 7, 3
"""words of a heading up to its day; signs between it and the first test"""
_HEAD_ENDS = frozenset({":", ")", "]", "-", "–"})
Day = tuple[int, int, str | None]
"""(first word, word behind it, "MM-DD"; two where nobody knows which number is the month; None with its year)"""


def days(document: Document, first: int, end: int) -> list[Day]:
    """The days written in the words [first, end), of which a number is the result and no day, unless a word is the
    result ("the calcium of 26 May was normal")."""
    end = min(end, first + _REACH)
    if not any(document.word(i)[0].isdigit() for i in range(first, end)):
        return []
    months = _months()
    named_at = [(i, months[word]) for i in range(first, end) if (word := document.word(i)) in months]
    found = [day for at, month in named_at if (day := _named(document, at, month, first, end))]
    named = {i for begin, last, _ in found for i in range(begin, last)}
    found += [day for i in range(first, end) if i not in named and (day := _in_figures(document, i, first, end))]
    inside = {i for begin, last, _ in found for i in range(begin, last)}
    rest = [i for i in range(first, end) if i not in inside and document.word(i)[0].isdigit()]
    said = bool(document.between("word", first, document.sentence_of(first).last))
    return sorted(day for day in found if rest or (said and _is_led(document, day[0], first)))


def _is_led(document: Document, begin: int, first: int) -> bool:
    """Whether a bracket or a small word that is no verb stands before the day ("of", "vom"); not in "eGFR 26 May"."""
    word = document.word(begin - 1)
    return word in "([" or (begin > first and word in document.vocab.stopwords and word not in load_common().linking)


@cache
def _months() -> dict[str, int]:
    return {name: int(number) for number, names in load_common().numbers.months.items() for name in names}


def either_way(document: Document, date: tuple[str, int, int]) -> tuple[str, int, int]:
    """ "03/02/2025": both days that it may be, parted by a bar, where the year alone is sure."""
    text, begin, end = date
    parts = [word for word in document.words.words[begin:end] if word.isdigit()]
    if len(parts) != _PARTS or text != parts[-1]:
        return date
    one, two, year = parts
    return f"{year}-{one:0>2}-{two:0>2}|{year}-{two:0>2}-{one:0>2}", begin, end


def heading_day(document: Document, first: int, analyte: int) -> str | None:
    """The day that opens a row of tests ("Labs of 14 November: Ca 9.4", "Labor vom 13.11.: …"), before the first of
    them at the word `analyte`."""
    months = _months()
    told = [
        day
        for at in range(first, min(analyte, first + _OPENING))
        for day in (
            _named(document, at, months[document.word(at)], first, analyte) if document.word(at) in months else None,
            _in_figures(document, at, first, analyte, heads=True) if document.word(at)[0].isdigit() else None,
        )
        if day is not None
    ]
    found = [
        day for begin, last, day in told if day and _opens(document, first, begin) and _leads(document, last, analyte)
    ]
    return found[0] if len(set(found)) == 1 else None


def _opens(document: Document, first: int, last: int) -> bool:
    """Nothing that could have the day itself stands before it."""
    return not any(document.between(c, first, last) for c in ("lesion", "named", "concept", "drug", "onset", "scale"))


def _leads(document: Document, first: int, last: int) -> bool:
    """Only the signs that end a heading stand between the day and the first test."""
    return last - first <= _SIGNS and all(not document.word(i)[0].isalnum() for i in range(first, last))


def _named(document: Document, at: int, month: int, first: int, end: int) -> Day | None:
    """ "the 14th of May", "14. Mai", "May 14th", each with or without its year."""
    small = load_common().numbers.ordinals
    before = at - 1
    while before >= first and document.word(before) in small:
        before -= 1
    begin, last = at, at + 1
    if before >= first and (day := _day(document, before)):
        begin = before
    elif last < end and (day := _day(document, last)) and unit_at(document, last) is None:
        last += 1
        while last < end and document.word(last) in small:
            last += 1
    else:
        return None
    behind = last + (document.word(last) in small or document.word(last) == ",")
    if behind < end and YEAR.fullmatch(document.word(behind)):
        return begin, behind + 1, None
    return begin, last, f"{month:02d}-{day:02d}"


def _in_figures(document: Document, index: int, first: int, end: int, *, heads: bool = False) -> Day | None:
    """ "(14/05)", "vom 14.05.", behind a bracket or a small word, or before a colon with the result ("eGFR 5/27: 18"):
    not "9/10" that may be something else."""
    before = document.word(index - 1) if index > first else ""
    heads = heads or (document.word(index + 3) == ":" and document.word(index + 4)[:1].isdigit())
    if before == "/" or (not heads and before not in ("(", "[") and before not in document.vocab.stopwords):
        return None
    if document.word(index + 1) == "/" and index + 2 < end:
        one, two, last = document.word(index), document.word(index + 2), index + 3
        if document.word(last) == "/":
            return None
    elif document.words.folded[document.words.ends[index] :][:1] == "." and document.word(index).count(".") == 1:
        one, _, two = document.word(index).partition(".")
        last = index + 1
    else:
        return None
    if not (one.isdigit() and two.isdigit() and len(one) <= 2 and len(two) <= 2):
        return None
    orders = [(int(one), int(two))] if last == index + 1 else [(int(one), int(two)), (int(two), int(one))]
    if document.vocab.language != "en":
        orders = orders[:1]
    told = [f"{m:02d}-{d:02d}" for d, m in orders if 1 <= m <= _MONTHS and 1 <= d <= _MOST_DAYS]
    last += last < end and document.word(last) == "."
    if heads and document.word(last) not in _HEAD_ENDS:
        return None
    closed = before in ("(", "[") and last < end and document.word(last) in (")", "]")
    return (index - closed, last + closed, "|".join(dict.fromkeys(told))) if told else None


def _day(document: Document, index: int) -> int:
    word = document.word(index)
    return int(word) if word.isdigit() and len(word) <= 2 and 1 <= int(word) <= _MOST_DAYS else 0
