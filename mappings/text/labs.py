"""Tests named with their result: "normal calcium, phosphate and PTH", "Ca 2.35 mmol/L", "anti-dsDNA positive".

A word on a whole panel ("routine bloods normal") names no test and is no result (clinical rule 2.3)."""

from __future__ import annotations

from typing import Literal, cast

from msgspec import Struct
from msgspec.structs import replace

from mappings.text.bloodgas import analyte_of
from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, past_unit
from mappings.text.further import further, is_none, is_unsure
from mappings.text.paired import paired
from mappings.text.pulses import rates, told_apart, traced
from mappings.text.reading import LabMention, TimeSpan
from mappings.text.result_day import Day, days, either_way, heading_day
from mappings.text.result_figures import BRIDGE, figure_of
from mappings.text.result_month import month_of
from mappings.text.result_words import awaited, contrary, fits, joins, judged_word, moved_to, words_of
from mappings.text.series import Told, series
from mappings.text.signs import plus_behind
from mappings.text.times import amount, times, written_dates
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_HEAD_ENDS = frozenset({":", "-", "–"})
_FOUND = frozenset({"positive", "negative"})
_OTHERS = frozenset({"family", "other-person"})
_UNUSED = ""
"""the other tests of a row that are not ours ("calcium, phosphate and renal function normal")"""
Word = Literal["normal", "low", "high", "abnormal", "positive", "negative"]


class _Row(Struct, frozen=True):
    """Tests named in one row, the first word behind what may be theirs, the dates of the sentence and the one that is
    theirs. `analytes` are all of the sentence; `told` has several results of the one test, where there are."""

    group: list[Hit]
    analytes: list[Hit]
    end: int
    dates: list[tuple[str, int, int]]
    date: str | None
    told: list[Told]


def labs(document: Document) -> tuple[LabMention, ...]:
    """Each test with a value or a word for its result; a test that is only named is none."""
    if not (document.hits.get("analyte") or document.hits.get("rhythm")):
        return ()
    out: list[LabMention] = []
    for sentence in document.sentences:
        analytes = document.within("analyte", sentence)
        if analytes:
            out.extend(_sentence(document, sentence, analytes))
        for hit, number in rates(document, sentence):
            date = next((d[0] for d in written_dates(document, sentence)), None)
            found = _labelled(document, hit, date, number=number)
            old = date is None and _long_ago(document, sentence, [hit], sentence.last)
            out.extend(replace(m, undated=True) if old else m for m in found)
    return tuple(dict.fromkeys(out))


def _sentence(document: Document, sentence: Sentence, analytes: list[Hit]) -> list[LabMention]:
    out: list[LabMention] = []
    dates = [either_way(document, date) for date in written_dates(document, sentence)]
    analytes = told_apart(document, analytes, lambda hit: figure_of(document, hit, sentence.last, dates))
    heading = _dated_row(document, sentence, analytes[0], dates)
    signs = {hit: sign for hit in analytes if (sign := plus_behind(document, hit)) is not None}
    for hit, sign in signs.items():
        out.extend(_labelled(document, hit, heading, word=sign))
    analytes = [hit for hit in analytes if hit not in signs]
    opened = heading_day(document, sentence.first, analytes[0].first) if analytes and not dates else None
    for group in _groups(document, analytes):
        later = [d for d in dates if d[1] >= group[-1].last]
        date = later[0][0] if len(later) == 1 and len(dates) == 1 else heading
        end = _next_analyte(analytes, group[-1], sentence)
        written = days(document, behind_name(document, group[-1], end)[0], end)
        known = [*dates, *(("", begin, last) for begin, last, _ in written)]
        told = series(document, group[-1], end, known) if len(group) == 1 else []
        found = _group(document, sentence, _Row(group, analytes, end, known, date, told))
        unsaid = date is None and not told
        if unsaid and _long_ago(document, sentence, group, end):
            found = [replace(m, undated=True) for m in found]
        elif unsaid and (day := _day_of(document, group, written) if len(written) == 1 else opened):
            found = [replace(m, month=day) for m in found]
        elif unsaid and (month := month_of(document, sentence, group, end)):
            found = [replace(m, month=month) for m in found]
        out.extend([*found, *_taken_back(document, sentence, group, found, end)])
    return out


def _group(document: Document, sentence: Sentence, row: _Row) -> list[LabMention]:
    """What the sentence says of the tests of one row."""
    out: list[LabMention] = []
    group, end, dates, date = row.group, row.end, row.dates, row.date
    if awaited(document, group[0], sentence):
        return []
    if group[-1].value == load_common().pulse.tracing and (shown := traced(document, group[-1], end, date)):
        return [shown]
    two_in_one = group[-1].value == load_common().results.pressure  # "84/50" is one result
    figures = None if two_in_one else paired(document, group, end, dates)
    if figures is not None:
        for analyte, figure in zip(group, figures, strict=False):
            out.extend(_labelled(document, analyte, date, number=figure))
        return out
    for told, when in row.told:
        word, number = (told, None) if isinstance(told, Hit) else (None, told)
        out.extend(_labelled(document, group[-1], when, number=number, word=word))
    if out:
        return out
    number = figure_of(document, group[-1], end, dates)
    if number is not None and is_none(document, sentence, group[-1], end, dates):
        return []
    if number is not None:
        common = load_common()
        unjudged = group[-1].value in common.results.told_in_words and number[2] is None
        unjudged = unjudged or group[-1].value in common.signed  # "Ro60 >8.0 (pos)"
        said = judged_word(document, sentence, group[-1], end) if unjudged and fits(number) else None
        if said is None:
            out.extend(_labelled(document, group[-1], date, number=number))
        else:
            out.extend(_labelled(document, group[-1], date, word=said))
        group = group[:-1]
    own = _own(document, group[0]) if group else None
    if own is not None:
        if own.value != "void" and document.contexts.of_patient(own) == "affirmed":
            out.extend(_labelled(document, group[0], date, word=own))
    elif group:
        said_of = words_of(document, sentence, group, row.analytes, end, dates)
        for analyte, word in said_of:
            out.extend(_labelled(document, analyte, date, word=word))
        if not said_of and number is None and (far := further(document, sentence, group[-1], end, dates)) is not None:
            unsure = is_unsure(group[-1].value)
            out.extend(replace(m, unsure=unsure) for m in _labelled(document, group[-1], date, number=far))
    return out


def _day_of(document: Document, group: list[Hit], written: list[Day]) -> str | None:
    """The one day that is written behind the name; not, behind a result, one with a colon and a number of its own
    ("eGFR 27 [4/26: 31]")."""
    begin, last, day = written[0]
    own = document.word(last) == ":" and document.word(last + 1)[:1].isdigit()
    return None if own and any(document.word(i)[0].isdigit() for i in range(group[-1].last, begin)) else day


def _taken_back(
    document: Document, sentence: Sentence, group: list[Hit], found: list[LabMention], end: int
) -> list[LabMention]:
    """What a later word says of a test that was measured or called normal before; it has no time of its own."""
    if len(group) > 1 or not _is_quantity(group[-1].value) or len(found) != 1:
        return []
    begun = group[-1].last
    first = next((w for w in document.between("word", begun, end) if w.value == "normal"), None)
    if first is not None and found[0].word == "normal":
        later = contrary(document, first.last, end, sentence)
        if later is None and (number := moved_to(document, first.last, end)) is not None:
            return _labelled(document, group[-1], None, number=number)
    elif found[0].value is not None:
        figure = next((i for i in range(begun, end) if document.word(i)[0].isdigit()), None)
        # none where it is spelled out ("eighty-two over fifty")
        later = (
            contrary(document, past_unit(document, figure), end, sentence, timed=True) if figure is not None else None
        )
    else:
        later = None
    if later is None or any(r.status == "historical" for r in document.contexts.over(later)):
        return []
    return _labelled(document, group[-1], None, word=later)


def _long_ago(document: Document, sentence: Sentence, group: list[Hit], end: int) -> bool:
    """ "Calcium normal three years ago", "previous calcium normal": nobody knows what it is today. A time that another
    finding comes before, or that follows as that of a history, is not the test's."""
    first, last = group[0].first, group[-1].last
    if any(r.status == "historical" and _opens(document, r.first, first) for r in document.contexts.over(group[0])):
        return True
    old = [t for t in times(document, sentence) if t.anchored and t.aim != "after" and _is_old(t.span)]
    told = [t.first for t in old if last <= t.first < end]
    told += [h.first for h in document.within("span", sentence) if h.value.endswith("year") and h.first < end]
    between = ((last, at) if at >= last else (sentence.first, first) for at in told)
    return any(
        not any(document.between(c, begin, stop) for c in ("lesion", "named", "concept", "drug", "analyte"))
        for begin, stop in between
    )


def _is_old(span: TimeSpan) -> bool:
    """Longer ago than a result counts as one of today."""
    months = span.amount is not None and span.unit == "month" and span.amount >= load_common().old_months
    return span.unit == "year" or span.long_standing or months


def _is_quantity(analyte: str) -> bool:
    return analyte in load_common().results.told_in_words or analyte in load_common().results.quantities


def _opens(document: Document, first: int, last: int) -> bool:
    """Whether only a heading ("labs:") stands between "previous" and the test."""
    headed = {i for h in document.between("heading", first, last) for i in range(h.first, h.last)}
    return all(i in headed or document.word(i) == ":" for i in range(first, last))


def _dated_row(document: Document, sentence: Sentence, first: Hit, dates: list[tuple[str, int, int]]) -> str | None:
    """ "Bloods of January 2024: Ca 2.29, creatinine 61": the date that opens a row of tests, if it is the only one and
    no diagnosis, drug or beginning has it."""
    if len(dates) != 1 or dates[0][2] > first.first:
        return None
    text, begin, end = dates[0]
    told = any(document.between(c, sentence.first, begin) for c in ("concept", "guard", "drug", "lesion", "named"))
    if told or any(h.last >= begin - 1 for h in document.between("onset", begin - BRIDGE, begin)):
        return None
    gap = range(end, first.first)
    near = len(gap) <= BRIDGE and not any(document.word(i)[0].isdigit() for i in gap)
    return text if near or _heads(document, sentence, begin, gap) else None


def _heads(document: Document, sentence: Sentence, date: int, gap: range) -> bool:
    """ "Last labs 10/14/2025: Na 141, K 4.0, calcium 9.4": a date with its colon, or behind the name of such a row,
    heads all of it, whatever tests that we do not read come first; not where a word for today stands between."""
    headed = document.word(gap.start) in _HEAD_ENDS or bool(document.between("heading", sentence.first, date))
    others = ("lesion", "named", "concept", "drug", "now", "moment")
    return headed and not any(document.between(c, gap.start, gap.stop) for c in others)


def _groups(document: Document, analytes: list[Hit]) -> list[list[Hit]]:
    """Tests named in one row share one result word ("calcium, phosphate and PTH normal")."""
    groups: list[list[Hit]] = []
    for hit in analytes:
        if (
            groups
            and _in_row(document, groups[-1][-1], hit)
            and not _own(document, hit)
            and not _own(document, groups[-1][-1])
        ):
            groups[-1].append(hit)
        else:
            groups.append([hit])
    return groups


def _in_row(document: Document, before: Hit, hit: Hit) -> bool:
    """Whether two tests stand in one row, or in one name ("bilan phosphocalcique")."""
    if hit.first < before.last:
        return (hit.first, hit.last) == (before.first, before.last)
    behind, unit = behind_name(document, before, hit.first)
    return unit is None and all(joins(document, i) for i in range(behind, hit.first))


def _own(document: Document, hit: Hit) -> Hit | None:
    """The result that a test's name itself tells ("normocalcaemic"); void where it is a diagnosis, whose number alone
    is a result ("hypercalcaemia of 11.9 mg/dL")."""
    return next((w for w in document.between("word", hit.first, hit.first + 1) if w.last == hit.last), None)


def _next_analyte(analytes: list[Hit], hit: Hit, sentence: Sentence) -> int:
    return next((a.first for a in analytes if a.first > hit.first), sentence.last)


def _of_another(document: Document, hit: Hit, word: Hit) -> bool:
    """ "Without inflammatory signs, with normal calcium": what is denied stands before a comma, and is no test."""
    first = min(hit.first, word.first)
    denials = [r for r in document.contexts.over(word) if r.status == "negated"]
    return bool(denials) and all(
        any(document.word(i) == "," for i in range(r.first + 1, first))
        and not document.between("analyte", r.first, first)
        and not document.between("word", r.first, first)
        for r in denials
    )


def _labelled(
    document: Document, hit: Hit, date: str | None, *, number: Number | None = None, word: Hit | None = None
) -> list[LabMention]:
    name = analyte_of(document, hit, number)
    if name == _UNUSED:
        return []
    if word is not None:
        status = document.contexts.of_patient(word)
        owner = document.contexts.of_patient(hit)
        status = owner if owner in _OTHERS else status  # "her mother's calcium was reported as normal"
        first, last = min(hit.first, word.first), max(hit.last, word.last)
        said = word.value
        if said in _FOUND and _is_quantity(name):
            return []
        if status == "negated" and said == "normal" and _of_another(document, hit, word):
            status = "affirmed"
        if status == "negated":
            if said != "abnormal":
                return []  # "no disorder of calcium metabolism" is told of the patient, not measured
            status, said = "affirmed", "normal"
        said = cast(Word, "abnormal" if said == "disorder" else said)
        return [LabMention(name, status, document.text(first, last), word=said, date_text=date)]
    if number is None:
        return []
    status = document.contexts.of_patient(hit)
    value, comparator, unit, limits = number
    shown = f"{document.text(hit.first, hit.last)} {comparator or ''}{value} {unit or ''}".strip()
    return [
        LabMention(
            name, status, shown, value=amount(value), comparator=comparator, unit=unit, date_text=date, limits=limits
        )
    ]
