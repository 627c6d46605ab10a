"""Two results of one test in one sentence: "was 2.41 mmol/L in January and is now 2.79", "2.41 -> 2.79 mmol/L", "2.41
(12/01/2026), 2.79 (20/05/2026)". Read by the number right behind its name alone, the test would have the older one.
Two without a time each, of one day or repeated, both count: the more careful reading stands."""

from __future__ import annotations

import re
from itertools import pairwise

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number, limits_at, past_unit, unit_at
from mappings.text.movement import Dates, came_to
from mappings.text.result_figures import pressure_at
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_ARROW = re.compile(r"\s{0,2}(?:[-–=]{1,2}>|→|⟶|➔|⇒)\s{0,2}")
_BRACKETS = {"(": 1, "[": 1, ")": -1, "]": -1}
_OTHERS = ("lesion", "named", "concept", "drug", "place", "modality")
"""what a number may belong to instead."""
_TIMES = ("month", "feast", "span", "ago")
_BEYOND = ("coordinator", "preposition", "now", "month", "word", "moment", "span")
_DASHES = frozenset({"-", "–"})
_LISTS = frozenset({",", ";", "/"})
_REACH = 4
_RESULTS = frozenset({"normal", "low", "high", "abnormal"})

Told = tuple[Number | Hit, str | None]


def series(document: Document, hit: Hit, end: int, dates: Dates) -> list[Told]:
    """The results that count, with their dates: of an earlier one with its time and one of now, the latter; all of
    them where each has its date or none has a time. Empty where there is one result."""
    pressure = hit.value == load_common().results.pressure
    moved = None if pressure else came_to(document, hit, end, dates)
    if moved is not None and not _elses(document, *moved):
        return [_arrived(document, *moved, dates)]
    end = _reach(document, hit, end)
    figures = _figures(document, hit, end, dates)
    if _is_trend(document, hit, figures):
        return [(number, None) for _, number in figures]
    dated = _dated(document, figures, dates, end)
    if dated:
        return dated
    first = min((at for at, _ in figures[:1]), default=end)
    said = [w.first for w in document.between("word", hit.last, end) if w.value in _RESULTS]
    begun = min([first, *said])
    latest = _now(document, figures, begun, end) or _arrow(document, figures)
    if latest is None and len(figures) > 1 and _is_of_now(document, hit, figures[0][0]):
        return [(figures[0][1], None)]
    if latest is None:
        return [(number, None) for _, number in figures] if _in_turn(document, figures) else []
    if _elses(document, begun, latest[0]):
        return []
    repeated = bool(document.between("repeated", begun, end)) or not document.between("now", begun, end)
    now = not repeated and not isinstance(latest[1], Hit)
    if now or not figures or first >= latest[0] or _timed(document, hit.first, latest[0], dates):
        return [(latest[1], None)]
    return [(figures[0][1], None), (latest[1], None)]


def _arrived(document: Document, first: int, later: int, dates: Dates) -> Told:
    """The figure that a test came to, with the date behind it; the one before it is that of the first figure."""
    unit = unit_at(document, later) or unit_at(document, first)
    day = next((text for text, begin, _ in dates if text and begin > later), None)
    return (document.word(later), None, unit, limits_at(document, later)), day


def _is_trend(document: Document, hit: Hit, figures: list[tuple[int, Number]]) -> bool:
    """ "eGFR trend: 34, 29, 26": nobody knows which end is today's; all of them count."""
    between = (range(_behind(document, before), at) for (before, _), (at, _) in pairwise(figures))
    named = document.word(hit.last - 1) in load_common().results.trends
    return named and len(figures) > 1 and all(len(gap) == 1 and document.word(gap.start) in _LISTS for gap in between)


def _in_turn(document: Document, figures: list[tuple[int, Number]]) -> bool:
    """ "2.41 mmol/L on admission, 2.79 mmol/L at discharge", "2.41 then 2.79 mmol/L": several results and nobody knows
    which is today's. Nothing but the names of stages, months and small words stands between; all of them count."""
    gaps = [
        range(_behind(document, before), at)
        for (before, _), (at, _) in pairwise(figures)
        if document.word(at - 1) not in _DASHES
    ]
    return len(figures) > 1 and len(gaps) == len(figures) - 1 and all(_turns(document, gap) for gap in gaps)


def _turns(document: Document, gap: range) -> bool:
    told = [h for c in ("stage", *_TIMES, "moment") for h in document.between(c, gap.start, gap.stop)]
    named = {i for h in told for i in range(h.first, h.last)}
    small = document.vocab.stopwords
    earlier = any(document.word(i) in load_common().results.earlier for i in gap)
    return (
        bool(named)
        and not earlier
        and all(i in named or document.word(i) in small or not document.word(i)[0].isalnum() for i in gap)
    )


def _reach(document: Document, hit: Hit, end: int) -> int:
    """The end of the next sentence, where it goes on about the same test: "…; this week 2.36 mmol/L"."""
    sentence = document.sentence_of(hit.first)
    if end < sentence.last or end >= len(document.words):
        return end
    after = document.sentence_of(end + (not document.word(end).isalnum()))
    opened = [h for c in ("now", "repeated") for h in document.within(c, after) if h.first - after.first <= _REACH]
    same = after.first >= sentence.last and after.paragraph == sentence.paragraph
    return after.last if same and opened and not document.within("analyte", after) else end


def _timed(document: Document, first: int, last: int, dates: Dates) -> bool:
    """Whether the earlier result has its time ("in January", "previously")."""
    told = [h for c in _TIMES for h in document.between(c, first - _REACH, last)]
    return any(not document.between("now", h.first, h.last) for h in told) or any(begin < last for _, begin, _ in dates)


def _figures(document: Document, hit: Hit, end: int, dates: Dates) -> list[tuple[int, Number]]:
    """The numbers outside brackets that can be results of the same test: in the unit of the first, or in none."""
    pressure = hit.value == load_common().results.pressure
    days = {index for _, begin, last in dates for index in range(begin, last)}
    out: list[tuple[int, Number]] = []
    depth = 0
    for index in range(hit.last, end):
        word = document.word(index)
        depth = max(0, depth + _BRACKETS.get(word, 0))
        if depth or index in days or not word[0].isdigit() or amount(word) is None or _ranged(document, index):
            continue
        if pressure:
            upper = pressure_at(document, hit, index, None) if _is_upper(document, index) else None
            out += [(index, upper)] if upper else []
            continue
        unit = unit_at(document, index)
        if unit is None and not _ends(document, index):
            continue
        if out and unit is not None and out[0][1][2] is not None and not _same(unit, out[0][1][2]):
            continue
        out.append((index, (word, None, unit, limits_at(document, index))))
    shared = next((number[2] for _, number in out if number[2]), None)
    return [(at, (n[0], n[1], n[2] or shared, n[3])) for at, n in out]


def _is_upper(document: Document, index: int) -> bool:
    """The upper of two pressures ("82/50"), which no other figure comes before."""
    return (
        document.word(index + 1) == "/" and document.word(index + 2)[:1].isdigit() and document.word(index - 1) != "/"
    )


def _behind(document: Document, index: int) -> int:
    """The first word behind a figure and its unit; behind both of two pressures."""
    return past_unit(document, index + 2 if _is_upper(document, index) else index)


def _ranged(document: Document, index: int) -> bool:
    """One end of a range ("8.6-10.2")."""
    after = document.word(index + 1) in _DASHES and document.word(index + 2)[:1].isdigit()
    return after or (document.word(index - 1) in _DASHES and document.word(index - 2)[:1].isdigit())


def _ends(document: Document, index: int) -> bool:
    """Nothing that is counted or measured follows ("now 3 cm", "now 60 kg", "repeat in 3 months")."""
    after = document.word(index + 1)
    if not after[:1].isalpha() or after in document.vocab.stopwords:
        return after not in ("/", "x", "%")
    return any(document.between(c, index + 1, index + 2) for c in _BEYOND)


def _same(one: str, other: str) -> bool:
    return one.lower().replace(" ", "") == other.lower().replace(" ", "")


def _dated(document: Document, figures: list[tuple[int, Number]], dates: Dates, end: int) -> list[Told]:
    """Each number with the date in the bracket behind it, or with the one right before it."""
    dates = [day for day in dates if day[0]]
    if len(figures) < 2 or len(dates) < 2:
        return []
    behind = [_date_behind(document, at, dates) for at, _ in figures]
    ahead = [_date_ahead(document, at, dates) for at, _ in figures]
    told = behind if all(behind) else ahead if all(ahead) else []
    spoken = figures[-1][0] if told else end
    if not told or len(set(told)) != len(told) or _elses(document, figures[0][0], spoken):
        return []
    return [(number, day) for (_, number), day in zip(figures, told, strict=True)]


def _date_behind(document: Document, index: int, dates: Dates) -> str | None:
    at = _past(document, index, dates)
    return next((text for text, begin, _ in dates if at <= begin <= at + 2 and _small(document, at, begin)), None)


def _date_ahead(document: Document, index: int, dates: Dates) -> str | None:
    near = (text for text, _, last in dates if last <= index <= last + 2 and _small(document, last, index))
    return next(near, None)


def _small(document: Document, first: int, last: int) -> bool:
    signs = "(),:=-–|"
    return all(document.word(i) in signs or document.word(i) in document.vocab.stopwords for i in range(first, last))


def _past(document: Document, index: int, dates: Dates) -> int:
    """The first word behind a number, its unit and the bracket with its range."""
    at = _behind(document, index)
    if document.word(at) in ("(", "[") and not any(begin == at + 1 for _, begin, _ in dates):
        while at < len(document.words) and document.word(at) not in (")", "]"):
            at += 1
        at += 1
    return at


def _now(
    document: Document, figures: list[tuple[int, Number]], begun: int, end: int
) -> tuple[int, Number | Hit] | None:
    """The last result that is said to be that of now, behind another."""
    named = [h for c in ("now", "repeated") for h in document.between(c, begun + 1, end)]
    for hit in sorted(named, key=lambda h: h.first, reverse=True):
        for at, number in figures:
            between = {document.word(i) for i in range(hit.last, at)}
            earlier = not between.isdisjoint(load_common().results.earlier)  # "up to 2.9 today from 0.9"
            if (
                hit.last <= at <= hit.last + _REACH
                and at > begun
                and not earlier
                and not _is_past(document, at)
                and _small_talk(document, hit.last, at)
            ):
                return at, number
        behind = [at for at, _ in figures if begun < at < hit.first and _past(document, at, []) == hit.first]
        if behind:
            return behind[-1], dict(figures)[behind[-1]]
        word = [w for w in document.between("word", hit.last, min(end, hit.last + _REACH)) if w.value in _RESULTS]
        if word and word[0].first > begun and _small_talk(document, hit.last, word[0].first):
            return word[0].first, word[0]
    return None


def _is_of_now(document: Document, hit: Hit, index: int) -> bool:
    """Whether the first figure is said to be that of now ("today 260 ms, in 2020 160 ms", "43 today, 76 last week")."""
    at = _behind(document, index)
    return bool(document.between("now", hit.last, index) or document.between("now", at, at + 1))


def _is_past(document: Document, index: int) -> bool:
    """Whether a figure has an earlier time of its own behind it ("43 today, 76 last week")."""
    at = _behind(document, index)
    ends = (i for i in range(at, at + _REACH) if not document.word(i)[:1].isalpha())
    last = next(ends, at + _REACH)
    return not document.between("now", at, last) and any(document.between(c, at, last) for c in _TIMES)


def _small_talk(document: Document, first: int, last: int) -> bool:
    """Nothing but small words, signs and the name of the check ("now up at 2.79", "repeat: 2.79")."""
    return not any(document.between(c, first, last) for c in (*_OTHERS, "unit", "month"))


def _arrow(document: Document, figures: list[tuple[int, Number]]) -> tuple[int, Number] | None:
    led = [
        (at, number)
        for (before, _), (at, number) in pairwise(figures)
        if _ARROW.fullmatch(
            document.words.folded, document.words.ends[_behind(document, before) - 1], document.words.starts[at]
        )
    ]
    return led[-1] if led else None


def _elses(document: Document, first: int, last: int) -> bool:
    return any(document.between(c, first, last) for c in _OTHERS)
