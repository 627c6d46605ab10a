"""Tests named with their result: "normal calcium, phosphate and PTH", "Ca 2.35 mmol/L", "anti-dsDNA positive".

A word on a whole panel ("routine bloods normal") names no test and is no result (clinical rule 2.3)."""

from __future__ import annotations

import re
from typing import Literal, cast

from msgspec.structs import replace

from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, limits_at, range_of_name, unit_at, unit_of_limits
from mappings.text.paired import paired
from mappings.text.pulses import TRACING, rates, told_apart, traced
from mappings.text.reading import LabMention, TimeSpan
from mappings.text.schema import load_common
from mappings.text.times import amount, times, written_dates
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_RANGE = re.compile(r"\s?[-–]\s?\d")
_UPPER = re.compile(r"\s?%?\s?(?:[-–]|to|bis|a|et)\s?\d{1,2}(?P<unit>\s?%)?")
"""the other end of a range of per cents."""
_RATIO = re.compile(r"\s?[:/]\s?\d")
"""a titre ("1:640") is no value."""
_SKIPPED = frozenset({":", "=", "(", "-", "–", "~", "|"})
_COMPARATORS = {"<": "<", ">": ">", "≤": "<=", "≥": ">="}
_BRIDGE = 4
_YEAR = 4
_ESTIMATED = frozenset({"ejection-fraction"})
"""tests that are estimated by eye and told as a range ("35-40 %") or with words between ("severely reduced at 25 %");
of a range the lower end counts."""
_ESTIMATE_BRIDGE = 8
_PRESSURE = "systolic"
_TOLD_IN_WORDS = frozenset({"calcium-total", "calcium-adjusted", "calcium-ionized", "phosphate"})
"""tests whose number says nothing without its unit, as one may be mmol and another mg."""
_MEASURED = _TOLD_IN_WORDS | {"albumin", "creatinine", "magnesium", "urate", "pr-interval", _PRESSURE}
"""tests whose result is a quantity: "von Kossa negative for calcium" and "negative for urate" tell of a stain."""
_CURRENT = _MEASURED | {"egfr", "pth", "heart-rate", "alt", "ejection-fraction"}
"""tests whose earlier result says nothing of today."""
_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")
_FOUND = frozenset({"positive", "negative"})
_LOWER = re.compile(r"(?:\s?[/x×]\s?|\s(?:over|por|sur|sobre|zu)\s)\d{2,3}(?![\d/])")
"""a blood pressure is told as two numbers ("82/50", "82 over 50"); one is enough behind a name that says which."""
_CENTIMETRES = re.compile(r"(?:[6-9]|1\d|2[0-8])(?:[.,]\d)?\s?[/x×]\s?(?:[3-9]|1[0-8])(?:[.,]5)?(?![\d/.,]\d|\d|/)")
"""a pressure told in centimetres of mercury, as in France and Brazil ("13/8")."""
_UNUSED = ""
"""the other tests of a row that are not ours ("calcium, phosphate and renal function normal")"""
Word = Literal["normal", "low", "high", "abnormal", "positive", "negative"]


def labs(document: Document) -> tuple[LabMention, ...]:
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
    dates = written_dates(document, sentence)
    analytes = told_apart(document, analytes, lambda hit: _number(document, hit, sentence.last, dates))
    heading = _dated_row(document, sentence, analytes[0], dates)
    for group in _groups(document, analytes):
        later = [d for d in dates if d[1] >= group[-1].last]
        date = later[0][0] if len(later) == 1 and len(dates) == 1 else heading
        end = _next_analyte(analytes, group[-1], sentence)
        found = _group(document, sentence, group, analytes, dates, date)
        long_ago = date is None and _long_ago(document, sentence, group, end)
        out.extend(replace(m, undated=True) if long_ago and m.analyte in _CURRENT else m for m in found)
    return out


def _group(
    document: Document,
    sentence: Sentence,
    group: list[Hit],
    analytes: list[Hit],
    dates: list[tuple[str, int, int]],
    date: str | None,
) -> list[LabMention]:
    """What the sentence says of the tests of one row."""
    out: list[LabMention] = []
    end = _next_analyte(analytes, group[-1], sentence)
    if group[-1].value == TRACING and (shown := traced(document, group[-1], end, date)):
        return [shown]
    two_in_one = group[-1].value == _PRESSURE  # "84/50" is one result
    row = None if two_in_one else paired(document, group, end, dates)
    if row is not None:
        for analyte, figure in zip(group, row, strict=False):
            out.extend(_labelled(document, analyte, date, number=figure))
        return out
    number = _number(document, group[-1], end, dates)
    if number is not None:
        unjudged = group[-1].value in _TOLD_IN_WORDS and number[2] is None
        said = _judged(document, sentence, group[-1], end) if unjudged and _fits(number) else None
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
        word = _word(document, sentence, group, analytes, end)
        if word is not None:
            for analyte in group:
                out.extend(_labelled(document, analyte, date, word=word))
    return out


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
    unsure = len(text) == _YEAR and end - begin > 1  # "05/12/2026": day and month can't be told apart
    if told or unsure or any(h.last >= begin - 1 for h in document.between("onset", begin - _BRIDGE, begin)):
        return None
    gap = range(end, first.first)
    return text if len(gap) <= _BRIDGE and not any(document.word(i)[0].isdigit() for i in gap) else None


def _groups(document: Document, analytes: list[Hit]) -> list[list[Hit]]:
    """Tests named in one row share one result word ("calcium, phosphate and PTH normal")."""
    groups: list[list[Hit]] = []
    for hit in analytes:
        if (
            groups
            and all(_joins(document, i) for i in range(groups[-1][-1].last, hit.first))
            and (hit.first >= groups[-1][-1].last)
            and not _own(document, hit)
            and not _own(document, groups[-1][-1])
        ):
            groups[-1].append(hit)
        else:
            groups.append([hit])
    return groups


def _own(document: Document, hit: Hit) -> Hit | None:
    """The result that a test's name itself tells ("normocalcaemic"); void where it is a diagnosis, whose number alone
    is a result ("hypercalcaemia of 11.9 mg/dL")."""
    return next((w for w in document.between("word", hit.first, hit.first + 1) if w.last == hit.last), None)


def _joins(document: Document, index: int) -> bool:
    word = document.word(index)
    return word in (",", "/", "&", "+") or any(
        hit.first <= index < hit.last for hit in document.between("coordinator", index - 2, index + 1)
    )


def _next_analyte(analytes: list[Hit], hit: Hit, sentence: Sentence) -> int:
    return next((a.first for a in analytes if a.first > hit.first), sentence.last)


def _number(document: Document, hit: Hit, end: int, dates: list[tuple[str, int, int]]) -> Number | None:
    """The figure right after the test's name."""
    comparator = None
    begin, told = behind_name(document, hit, end)
    named = range_of_name(document, begin, end)
    begin = named[0] if named else begin
    passed = begin
    estimated = hit.value in _ESTIMATED
    bridge = _ESTIMATE_BRIDGE if estimated else _BRIDGE
    for index in range(begin, min(end, begin + bridge + 2 + _moments(document, begin, end))):
        word = document.word(index)
        if index < passed:
            continue
        if word in _COMPARATORS:
            comparator = _COMPARATORS[word]
            if document.word(index + 1) == "=":
                comparator += "="
            continue
        if estimated and (word in "()" or word in document.vocab.estimates):
            continue
        if word in _SKIPPED or (word in document.vocab.stopwords and index < begin + _BRIDGE):
            continue
        if _moment(document, index) or (word == "," and _tight(document, index)):
            continue
        if word[0].isdigit() and amount(word) is not None:
            if estimated and (upper := _UPPER.match(document.words.folded, document.words.ends[index])):
                return word, comparator, "%" if upper["unit"] else None, None
            if hit.value == _PRESSURE:
                lower = _LOWER.match(document.words.folded, document.words.ends[index])
                if lower is None and _CENTIMETRES.match(document.words.folded, document.words.starts[index]):
                    return word, comparator, "cmHg", None
                named_upper = any(document.word(i) in load_common().systolic for i in range(hit.first, hit.last))
                alone = named_upper and _RANGE.match(document.words.folded, document.words.ends[index]) is None
                return (word, comparator, "mmHg", None) if (lower or alone) and len(word) <= 3 else None
            if document.between("word", begin, index) and unit_at(document, index) is None:
                return None
            if _RANGE.match(document.words.folded, document.words.ends[index]):
                return None
            if _RATIO.match(document.words.folded, document.words.ends[index]):
                return None
            if any(first <= index < last for _, first, last in dates):
                return None
            if document.between("unit", index + 1, index + 2) and unit_at(document, index) is None:
                return None
            limits = limits_at(document, index) or (named[1] if named else None)
            unit = unit_at(document, index) or told or unit_of_limits(limits)
            return None if unit and unit.lower() in load_common().doses else (word, comparator, unit, limits)
        found = document.between("word", index, index + 1)
        if not found:
            return None
        passed = found[0].last
    return None


def _tight(document: Document, index: int) -> bool:
    """The comma of a table ("Calcium,9.4,mg/dL"): no blank behind it."""
    return index + 1 < len(document.words) and document.words.ends[index] == document.words.starts[index + 1]


def _judged(document: Document, sentence: Sentence, hit: Hit, end: int) -> Hit | None:
    """The word behind a number without unit and range: "Ca 2.35 (normal)", "Ca 2.35, PO4 1.05 (all normal)". What
    nobody could judge by its number, the laboratory has judged."""
    index = next((i for i in range(hit.last, end) if document.word(i)[0].isdigit()), end)
    behind = document.between("word", index + 1, min(end, index + 3))
    said = behind[0] if behind and behind[0].value in ("normal", "low", "high") else None
    if said is not None and all(document.word(i) in _SKIPPED for i in range(index + 1, said.first)):
        return said
    later = [w for w in document.within("word", sentence) if w.first > index and w.value == "normal"]
    of_all = next((w for w in later if document.word(w.first - 1) in load_common().everything), None)
    return of_all or next((w for w in later[:1] if _of_row(document, hit, w)), None)


def _fits(number: Number) -> bool:
    """Whether the number does not lie outside the range that stands beside it."""
    told = [amount(figure) for figure in _FIGURE.findall(number[3] or "")]
    value = amount(number[0])
    low, high = told if len(told) == 2 else (None, None)
    return value is not None and not (low is not None and high is not None and not low <= value <= high)


def _of_row(document: Document, hit: Hit, word: Hit) -> bool:
    """ "Calcium 2.31 (2.20 to 2.60) and phosphate 1.10 (0.80 to 1.50) are normal": between a number and the word stand
    only its range and other tests with theirs, and the word is said of several or stands right behind the range."""
    several = load_common().several
    tests = [hit, *document.between("analyte", hit.last, word.first)]
    for test, end in zip(tests, [*(t.first for t in tests[1:]), word.first], strict=True):
        inside = numbers = 0
        for index in range(test.last, end):
            said = document.word(index)
            inside += (said in "([") - (said in ")]")
            numbers += said[0].isdigit() and not inside
            plain = said in _SKIPPED or said in ")]" or said[0].isdigit() or _joins(document, index)
            if not (inside or plain or said in load_common().linking or said in several):
                return False
        if numbers != 1:
            return False
    return len(tests) == 1 or document.word(word.first - 1) in several or document.word(word.first) in several


def _word(document: Document, sentence: Sentence, group: list[Hit], analytes: list[Hit], end: int) -> Hit | None:
    """The result word right before or after a row of tests; a denied word is no result."""
    first = group[0].first
    previous = max((a.last for a in analytes if a.last <= first), default=sentence.first)
    before = [w for w in document.between("word", previous, first) if _leads(document, w.last, first)]
    behind, _ = behind_name(document, group[-1], end)
    after = [w for w in document.between("word", group[-1].last, end) if _near(document, behind, w.first)]
    chosen = (after or before)[-1:] if not after else after[:1]
    if before and after:
        chosen = (
            before[-1:]
            if before[-1].last == first and not _says(document, group[-1].last, after[0].first)
            else after[:1]
        )
    if not chosen or chosen[0].value == "void":
        return None
    return chosen[0]


def _leads(document: Document, first: int, last: int) -> bool:
    """ "normal serum levels of calcium": only small words, none of them "and", from the result word to the test."""
    if last - first <= 1:
        return True
    if last - first > _BRIDGE:
        return False
    return not document.between("coordinator", first, last) and all(
        document.word(index) in document.vocab.stopwords for index in range(first, last)
    )


def _near(document: Document, first: int, last: int) -> bool:
    """Only small words, a sign or a bracket between the test and its result word."""
    if last - first > _BRIDGE + 3 + _moments(document, first, last):
        return False
    allowed = document.vocab.stopwords
    inside = False
    for index in range(first, last):
        word = document.word(index)
        if word == "(":
            inside = True
        elif word == ")":
            inside = False
        elif not (inside or word in allowed or word in _SKIPPED or document.between("word", index, index + 1)) and (
            not _moment(document, index)
        ):
            return False
    return True


def _moment(document: Document, index: int) -> bool:
    """A word of "last week", "this month": when the test was done."""
    return any(h.last > index for c in ("moment", "span") for h in document.between(c, index - _BRIDGE, index + 1))


def _moments(document: Document, first: int, last: int) -> int:
    return sum(
        h.last - h.first
        for c in ("moment", "span")
        for h in document.between(c, first, first + _BRIDGE)
        if h.last <= last
    )


def _says(document: Document, first: int, last: int) -> bool:
    return any(document.word(i) in _SKIPPED or document.word(i) in document.vocab.stopwords for i in range(first, last))


def _labelled(
    document: Document, hit: Hit, date: str | None, *, number: Number | None = None, word: Hit | None = None
) -> list[LabMention]:
    name = hit.value
    if name == _UNUSED:
        return []
    if word is not None:
        status = document.contexts.of_patient(word)
        first, last = min(hit.first, word.first), max(hit.last, word.last)
        said = word.value
        if said in _FOUND and name in _MEASURED:
            return []
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
