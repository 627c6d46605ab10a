"""Durations and dates of a text: "for 4 months", "2-month history of", "since May 2024", "for years"."""

from __future__ import annotations

import calendar
import re
from decimal import Decimal
from typing import Literal, cast

from msgspec import Struct

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.reading import TimeSpan
from mappings.text.result_month import is_other_word
from mappings.text.tokens import YEAR, Sentence
from mappings.text.vocabulary import Hit

Aim = Literal["before", "after", "beside"]
_ISO = re.compile(r"\b((?:19|20)\d\d)-(\d{2})(?:-(\d{2}))?\b")
_SLASHED = re.compile(r"\b(?:(\d{1,2})[/.])?(\d{1,2})[/.]((?:19|20)\d\d)\b")
_SHORT = re.compile(r"(?<![\w/.])(?P<times>[x×]\s?|)(?P<number>\d{1,2})/(?P<unit>7|52|12)\b(?!/)")
_SHORT_UNITS = {"7": "day", "52": "week", "12": "month"}
_NEAR = 3


class Timed(Struct, frozen=True):
    """A time at the words [first, last). `aim`: where what it speaks of stands; `anchored`: said to be a beginning."""

    span: TimeSpan
    first: int
    last: int
    aim: Aim
    anchored: bool


def amount(word: str) -> Decimal | None:
    """A number as written, decimal comma or point; "1.500" and the like are left alone."""
    try:
        value = Decimal(word.replace(",", "."))
    except ArithmeticError:
        return None
    return value if value.is_finite() and len(word) < 10 else None


def times(document: Document, sentence: Sentence) -> list[Timed]:
    """The times of a sentence that can be an onset, in order."""
    key = sentence.first, sentence.last
    known = document.times.get(key)
    if known is None:
        known = document.times[key] = _times(document, sentence)
    return known


def _times(document: Document, sentence: Sentence) -> list[Timed]:
    out = [
        Timed(TimeSpan(long_standing=True), hit.first, hit.last, "beside", True)
        for hit in document.within("attribute", sentence)
        if hit.value == "long_standing"
        and document.status(hit) == "affirmed"
        and not any(c.last >= hit.last for c in document.between("concept", hit.first - 3, hit.first + 1))
    ]
    for unit in document.within("unit", sentence):
        out.extend(_duration(document, sentence, unit))
    out.extend(_short(document, sentence))
    out.extend(_dates(document, sentence))
    out.extend(_lengths(document, sentence))
    out.extend(_recurring(document, sentence))
    return sorted(out, key=lambda t: t.first)


def _duration(document: Document, sentence: Sentence, unit: Hit) -> list[Timed]:
    first = unit.first - 1
    if first < sentence.first:
        return []
    number = _number(document, first)
    words = next((h for h in document.between("number", first - 2, first) if h.last == unit.first), None)
    if words is not None and words.first >= sentence.first:  # "half a year"
        first, number = words.first, amount(words.value)
    few = next((h for h in document.between("few", unit.first - 2, unit.first) if h.last == unit.first), None)
    most = None
    if number is None and few is not None and few.first >= sentence.first:
        first, (number, most) = few.first, load_common().few
    if number is None:
        return []
    span = TimeSpan(number, cast(Literal["day"], unit.value), most)
    before = _preceding(document, sentence, first)
    after = range(unit.last, min(unit.last + _NEAR, sentence.last))
    history = next((h for h in document.between("history", unit.last, unit.last + 2)), None)
    ago = next((h for h in document.between("ago", unit.last, unit.last + 2)), None)
    if "not-onset" in before or document.between("later", unit.last, unit.last + 1):
        return []
    if history is not None:
        if any(
            hit.first in after or hit.first <= history.last + 1
            for hit in document.between("person", unit.last, history.last + 2)
        ):
            return []
        return [Timed(span, first, history.last, "after", True)]
    if document.between("person", unit.last, unit.last + 1):
        return []
    anchored = "since" in before or "onset" in before or ago is not None
    begin = first - 1 if "since" in before else first
    last = ago.last if ago is not None else unit.last
    return [Timed(span, begin, last, "before", anchored)]


def _number(document: Document, index: int) -> Decimal | None:
    word = document.word(index)
    if word[:1].isdigit():
        return amount(word)
    for hit in document.between("number", index, index + 1):
        return amount(hit.value)
    return None


def _preceding(document: Document, sentence: Sentence, index: int) -> set[str]:
    """Which signal words stand just before a time."""
    first = max(sentence.first, index - _NEAR)
    found = {"since": "since", "onset": "onset", "not-onset": "not-onset"}
    return {
        name
        for category, name in found.items()
        for hit in document.between(category, first, index)
        if hit.last <= index and (category != "not-onset" or hit.last >= index - 1)
    }


def _short(document: Document, sentence: Sentence) -> list[Timed]:
    """British "3/12" (months), "6/52" (weeks), "2/7" (days), only beside a word or sign that makes it a time."""
    out = []
    start, end = document.span(sentence.first, sentence.last)
    for match in _SHORT.finditer(document.words.folded, start, end):
        inside = range(sentence.first, sentence.last)
        first = next(i for i in inside if document.words.ends[i] > match.start("number"))
        last = next((i + 1 for i in inside if document.words.ends[i] >= match.end()), first + 3)
        history = document.between("history", last, last + 2)
        lasting = match["times"] or "since" in _preceding(document, sentence, first)
        lasting = lasting or (last >= sentence.last - 1 and _right_behind(document, sentence, first))
        if lasting or history or document.between("ago", last, last + 1):
            span = TimeSpan(Decimal(match["number"]), cast(Literal["day"], _SHORT_UNITS[match["unit"]]))
            out.append(Timed(span, first, last, "after" if history else "before", True))
    return out


def _right_behind(document: Document, sentence: Sentence, index: int) -> bool:
    """ "Hard lump forearm 3/12.": a lesion and its place, and right behind them the time; of a film it is the day."""
    if not document.within("lesion", sentence) or any(document.within(c, sentence) for c in ("modality", "analyte")):
        return False
    return any(h.last == index for c in ("lesion", "place") for h in document.between(c, max(0, index - _NEAR), index))


def _dates(document: Document, sentence: Sentence) -> list[Timed]:
    out = []
    for text, first, last in written_dates(document, sentence):
        before = _preceding(document, sentence, first)
        bracketed = document.word(first - 1) == "(" and document.word(last) == ")"
        if "since" in before or "onset" in before or bracketed or _begun(document, sentence, first):
            feast = next((h for h in document.between("feast", first - _NEAR, first) if h.last == first), None)
            span = TimeSpan(date_text=text, recurring=feast.value if feast and YEAR.fullmatch(text) else None)
            out.append(Timed(span, first, last, "before", True))
    return out


def _lengths(document: Document, sentence: Sentence) -> list[Timed]:
    """ "a fortnight ago", "since last week": an amount and its unit in one phrase."""
    out = []
    for hit in document.within("span", sentence):
        before = _preceding(document, sentence, hit.first)
        told = {"since", "onset"} & before or document.between("ago", hit.last, hit.last + 1)
        if "not-onset" in before or not (told or _begun(document, sentence, hit.first)):
            continue
        number, _, unit = hit.value.partition(" ")
        out.append(Timed(TimeSpan(Decimal(number), cast(Literal["day"], unit)), hit.first, hit.last, "before", True))
    return out


def _recurring(document: Document, sentence: Sentence) -> list[Timed]:
    """ "since February", "noticed at Easter": a month or feast without its year."""
    named = [(hit, f"{int(hit.value):02d}") for hit in document.within("month", sentence)]
    named += [(hit, hit.value) for hit in document.within("feast", sentence)]
    out = []
    for hit, value in named:
        if is_other_word(document, hit):
            continue
        if document.word(hit.last)[:1].isdigit() or document.word(hit.last + 1)[:4].isdigit():
            continue
        before = _preceding(document, sentence, hit.first)
        begins = document.between("onset", hit.last, min(hit.last + 2, sentence.last))  # "im Februar erstmals bemerkt"
        if "since" in before or "onset" in before or begins or _begun(document, sentence, hit.first):
            out.append(Timed(TimeSpan(recurring=value), hit.first, hit.last, "before", True))
    return out


def _begun(document: Document, sentence: Sentence, index: int) -> bool:
    """ "noticed a hard lump on the shin in March 2024": a verb of beginning, and no other matter before the date."""
    verbs = [h for h in document.between("onset", sentence.first, index) if h.last <= index]
    if not verbs:
        return False
    rivals = ("concept", "drug", "analyte", "modality", "specimen", "unit")
    return not any(document.between(c, verbs[-1].last, index - 1) for c in rivals)


def written_dates(document: Document, sentence: Sentence) -> list[tuple[str, int, int]]:
    """The dates a sentence writes out, as FHIR partial dates with their words."""
    out: list[tuple[str, int, int]] = []
    words = document.words.words
    if not any(word[0].isdigit() for word in words[sentence.first : sentence.last]):
        return out
    start, end = document.span(sentence.first, sentence.last)
    taken: set[int] = set()
    for pattern in (_ISO, _SLASHED):
        for match in pattern.finditer(document.words.folded, start, end):
            text = _iso(match) if pattern is _ISO else _slashed(match, document.vocab.language)
            inside = [
                i for i in range(sentence.first, sentence.last)
                if match.start() <= document.words.starts[i] < match.end()
            ]  # fmt: skip
            if text and inside and not taken & set(inside):
                taken.update(inside)
                out.append((text, inside[0], inside[-1] + 1))
    for index in range(sentence.first, sentence.last):
        if index in taken or not YEAR.fullmatch(words[index]):
            continue
        month = next((h for h in document.between("month", index - 2, index) if h.last >= index - 1), None)
        if month is None:
            out.append(_month_first(document, index) or (words[index], index, index + 1))
            continue
        day = words[month.first - 1] if month.first > sentence.first else ""
        whole = f"{words[index]}-{int(month.value):02d}"
        if day.isdigit() and 1 <= int(day) <= calendar.monthrange(int(words[index]), int(month.value))[1]:
            out.append((f"{whole}-{int(day):02d}", month.first - 1, index + 1))
        else:
            out.append((whole, month.first, index + 1))
    return out


def _month_first(document: Document, index: int) -> tuple[str, int, int] | None:
    """ "May 14, 2026", whose year stands at the word."""
    words = document.words.words
    at = index - 1 - (index > 0 and words[index - 1] == ",")
    if at < 1 or not words[at].isdigit() or len(words[at]) > 2:
        return None
    month = next((hit for hit in document.between("month", at - 1, at) if hit.last == at), None)
    if month is None:
        return None
    text = _valid(words[index], month.value, words[at])
    return (text, month.first, index + 1) if text else None


def _iso(match: re.Match[str]) -> str | None:
    return _valid(match[1], match[2], match[3])


def _slashed(match: re.Match[str], language: str) -> str | None:
    """English has both orders: day and month are told apart only when one of them is above 12, else the year alone is
    certain. Every other language here writes the day first."""
    one, two, year = match[1], match[2], match[3]
    if one is None:
        return _valid(year, two, None)
    if int(one) > 12 or "." in match[0] or language != "en":
        return _valid(year, two, one)
    if int(two) > 12:
        return _valid(year, one, two)
    return _valid(year, two, one) if one == two else year


def _valid(year: str, month: str, day: str | None) -> str | None:
    if not 1 <= int(month) <= 12:
        return None
    if day is None:
        return f"{year}-{int(month):02d}"
    if not 1 <= int(day) <= calendar.monthrange(int(year), int(month))[1]:
        return None
    return f"{year}-{int(month):02d}-{int(day):02d}"
