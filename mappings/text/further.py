"""A figure further from its test's name than the words between are known: "eGFR is hovering around 24 mL/min",
"platelets have sunk to a mere 31 x10^9/L". The verbs and adjectives of such sentences are an open class, which no list
would complete: in the same clause, with nothing else between that a figure may belong to, a figure in a unit of the
test is its result. What is aimed at, feared, denied or compared with is none, nor is how much a test changed.

The sentence is understood less surely than one of known words. Where a normal result lets a card speak (`deciding`),
the figure is `unsure`: it tells that there is a result, and never that it is normal."""

from __future__ import annotations

import re
from functools import cache

from mappings.text.asides import past_aside
from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, limits_at, past_unit, unit_at
from mappings.text.measured import fits
from mappings.text.movement import Dates
from mappings.text.result_figures import pressure_at
from mappings.text.schema import Folded, Phrases, Strict, load
from mappings.text.times import amount
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit
from mappings.units import Analyte, load_units

_PASSED = frozenset({":", "-", "–", "~", "=", "'", "’"})
_OTHERS = ("analyte", "drug", "lesion", "place")
_TIMES = ("now", "moment", "stage", "ago")
_BREAKS = frozenset({",", ";", "(", ")", "."})
_RANGE = re.compile(r"\s?[-–]\s?\d")
_CLOSED = frozenset({"", ".", ",", ";", ")", "!", "\n"})


class Words(Strict):
    """The words of one language; each list is explained in the file."""

    stops: Folded
    less: Folded
    wished: Folded
    wished_ends: Folded
    aims: Folded
    conditions: Folded
    changes: Folded
    by: Folded
    arrivals: Folded
    about: Folded


class Further(Strict):
    """`further.yaml`."""

    reach: int
    before: int
    near: int
    per: Folded
    deciding: Phrases
    languages: dict[str, Words]


@cache
def load_further() -> Further:
    """What a figure further off must not have beside it, read once; LanguageError names what is wrong."""
    return load("lexicon/further.yaml", Further)


def is_unsure(analyte: str) -> bool:
    """Whether a figure further off shows only that there is a result of this test."""
    return analyte in load_further().deciding


def further(document: Document, sentence: Sentence, hit: Hit, end: int, dates: Dates) -> Number | None:
    """The first figure behind a test's name in its clause, in a unit of that test; None where it may be something else.
    `end`: the next test, or the end of the sentence. Where no everyday word stands before the name or between, it is a
    row, and the words are part of another test's name ("calcium POC")."""
    analyte = load_units().analytes.get(hit.value)
    words = load_further().languages.get(document.vocab.language)
    if analyte is None or words is None or _is_wished(document, sentence, hit, words):
        return None
    days = {index for _, begin, last in dates for index in range(begin, last)}
    begin = past_aside(document, behind_name(document, hit, end)[0], end)
    left, changed = load_further().reach, -1
    named = range(hit.first, hit.last)
    spoken = document.word(hit.first - 1) in document.vocab.articles or any(_is_time(document, i) for i in named)
    for index in range(begin, end):
        word = document.word(index)
        if index in days or word in _PASSED:
            continue
        if word[0].isdigit():
            arrived = changed < 0 or any(
                document.word(i) in words.arrivals for i in range(max(changed + 1, index - load_further().near), index)
            )
            return _figure(document, hit, analyte, index, words) if arrived and spoken else None
        left -= 1
        if left < 0 or not word[0].isalpha() or _says(word, words) or _is_stop(document, index, words):
            return None
        if any(document.between(c, index, index + 1) for c in _OTHERS):
            return None
        changed = index if word in words.changes else changed
        spoken = spoken or word in document.vocab.stopwords or word in words.about or _is_time(document, index)
    return None


def _is_time(document: Document, index: int) -> bool:
    return any(document.between(c, index, index + 1) for c in _TIMES)


def is_none(document: Document, sentence: Sentence, hit: Hit, end: int, dates: Dates) -> bool:
    """Whether the figure right behind a test's name is the one that is aimed at ("target eGFR is 60 mL/min"), or how
    much it changed ("improved by 15 %")."""
    words = load_further().languages.get(document.vocab.language)
    if words is None:
        return False
    for index in range(hit.first - 1, max(sentence.first, hit.first - load_further().near) - 1, -1):
        if document.word(index) in _BREAKS | _PASSED:
            break
        if document.word(index) in words.aims or any(document.word(index).endswith(end) for end in words.wished_ends):
            return True
    days = {index for _, begin, last in dates for index in range(begin, last)}
    figure = next((i for i in range(hit.last, end) if i not in days and document.word(i)[0].isdigit()), None)
    if figure is None or document.word(figure - 1) not in words.by:
        return False
    behind = past_unit(document, figure)
    return any(document.word(i) in words.changes for i in (*range(hit.last, figure), behind, behind + 1))


def _is_wished(document: Document, sentence: Sentence, hit: Hit, words: Words) -> bool:
    """Whether the clause before a name tells of a wish, a limit or, right before it, a condition."""
    limits = load_further()
    for index in range(hit.first - 1, max(sentence.first, hit.first - limits.before) - 1, -1):
        word = document.word(index)
        if word in _BREAKS:
            return False
        if _says(word, words) or (hit.first - index <= limits.near and word in words.conditions):
            return True
    return False


def _says(word: str, words: Words) -> bool:
    return word in words.wished or any(word.endswith(end) for end in words.wished_ends)


def _is_stop(document: Document, index: int, words: Words) -> bool:
    """A word that ends what is said of the test; not "no less than"."""
    if document.word(index) not in words.stops:
        return False
    beside = {document.word(index - 1), document.word(index + 1)}
    less = set(words.less)
    return beside.isdisjoint(less if document.word(index) not in less else words.stops)


def _figure(document: Document, hit: Hit, analyte: Analyte, index: int, words: Words) -> Number | None:
    word, common = document.word(index), load_common()
    if hit.value == common.results.pressure:
        return pressure_at(document, hit, index, None)
    value = amount(word)
    if value is None or _RANGE.match(document.words.folded, document.words.ends[index]):
        return None
    if hit.value == common.pulse.analyte:
        after, behind = document.word(index + 1), f"/{document.word(index + 2)}"
        known = common.pulse.units
        rate = after in known or (after in load_further().per and behind in known)
        return (word, None, "/min", None) if rate and common.pulse.least <= value <= common.pulse.most else None
    unit = unit_at(document, index)
    if unit is not None:
        return (word, None, unit, limits_at(document, index)) if fits(analyte, value, unit) else None
    near = range(index - load_further().near, index)
    closed = document.word(index + 1) in _CLOSED or bool(document.between("now", index + 1, index + 2))
    told = closed and any(document.word(i) in words.about for i in near)
    return (word, None, None, None) if told and analyte.unit_optional and analyte.is_plausible(value) else None
