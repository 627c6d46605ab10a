"""The word that is a test's result: "normal calcium, phosphate and PTH", "anti-dsDNA positive", "Ca 2.35 (normal)"."""

from __future__ import annotations

import re

from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.figures import Number, behind_name, limits_at, unit_at
from mappings.text.movement import Dates
from mappings.text.paired import worded
from mappings.text.result_figures import BRIDGE, SIGNS, is_moment, moments
from mappings.text.result_month import is_month
from mappings.text.times import amount
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_TAKEN_BACK = frozenset({"low", "high", "abnormal"})
_TOLD = _TAKEN_BACK | {"normal"}
_TIMES = ("month", "feast", "span", "ago", "now", "moment", "stage", "repeated")
_PASSING = (*_TIMES, "coordinator", "preposition")
_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")


def words_of(
    document: Document, sentence: Sentence, group: list[Hit], analytes: list[Hit], end: int, dates: Dates
) -> list[tuple[Hit, Hit]]:
    """The tests of a row, each with its result word: one for each ("were low and high"), or the one right before or
    after the row, or the one before of all but the last that has its own right behind it ("normal calcium, phosphate
    high"). A denied word is no result."""
    each = worded(document, group, end)
    if each:
        return list(zip(group, each, strict=True))
    before, after = _around(document, sentence, group, analytes, end, dates)
    if len(group) > 1 and before and after and after[0].value in _TOLD and before[-1].value in _TOLD:
        behind, _ = behind_name(document, group[-1], end)
        own = after[0].first == behind and after[0].value != before[-1].value
        if before[-1].last == group[0].first and own and not _ends_at_test(document, after[0], end):
            return [*((test, before[-1]) for test in group[:-1]), (group[-1], after[0])]
    word = _one_of(document, group, before, after)
    return [(test, word) for test in group] if word is not None else []


def _ends_at_test(document: Document, word: Hit, end: int) -> bool:
    return word.last == end and bool(document.between("analyte", end, end + 1))


def _around(
    document: Document, sentence: Sentence, group: list[Hit], analytes: list[Hit], end: int, dates: Dates
) -> tuple[list[Hit], list[Hit]]:
    """The result words before and behind a row of tests that may be theirs."""
    first = group[0].first
    previous = max((a.last for a in analytes if a.last <= first), default=sentence.first)
    before = [w for w in document.between("word", previous, first) if _leads(document, w.last, first)]
    behind, _ = behind_name(document, group[-1], end)
    behind += document.word(behind) == "," and _set_between_commas(document, sentence, first)
    timed = {index for _, begin, last in dates for index in range(begin, last)}
    timed |= {
        i for h in document.between("month", behind, end) if is_month(document, h) for i in range(h.first, h.last)
    }
    behind = _past_checks(document, behind, end, timed)
    after = [
        w
        for w in document.between("word", group[-1].last, end)
        if _near(document, behind, w.first, timed) and not _of_next(document, behind, w, end)
    ]
    return before, after


def _one_of(document: Document, group: list[Hit], before: list[Hit], after: list[Hit]) -> Hit | None:
    word = after[0] if after else before[-1] if before else None
    if before and after:
        leads = before[-1].last == group[0].first and not _says(document, group[-1].last, after[0].first)
        word = before[-1] if leads else after[0]
    return None if word is None or word.value == "void" or _is_undecided(document, word) else word


def _is_undecided(document: Document, word: Hit) -> bool:
    """ "Low or normal calcium": one of two words, and nobody says which."""
    either = load_common().either
    return any(
        other.value != word.value
        and (
            (other.last == word.first - 1 and document.word(other.last) in either)
            or (word.last == other.first - 1 and document.word(word.last) in either)
        )
        for other in document.between("word", word.first - 4, word.last + 4)
    )


def _past_checks(document: Document, behind: int, end: int, timed: set[int]) -> int:
    """Where what is said of a test goes on behind a clause that only tells when or how often it was done: "calcium,
    checked in March, was normal", "calcium was checked twice, both times normal". Nothing is passed that is denied."""
    told, at = load_common().results.checked, behind + (document.word(behind) == ",")
    checked = False
    while at < end and document.word(at) != ",":
        word = document.word(at)
        checked |= word in told
        small = word in told or word in document.vocab.stopwords or at in timed or _is_passing(document, at)
        if not small or word in load_common().results.unchecked or document.between("word", at, at + 1):
            return behind
        at += 1
    opened = document.word(behind) == ","
    each = document.word(at + 1) in load_common().everything
    return at + 1 if checked and at < end and (opened or each) else behind


def _of_next(document: Document, behind: int, word: Hit, end: int) -> bool:
    """ "Elevated calcium with normal phosphate", "calcium and a normal serum phosphate": said of the test behind it.
    `behind`: where what is said of the test before begins; `end`: the next test, or the end of the sentence."""
    if not document.between("analyte", end, end + 1):
        return False
    joined = document.between("coordinator", behind, word.first) or any(
        document.word(i) in document.vocab.joining for i in range(behind, word.first)
    )
    return (
        bool(joined)
        and all(
            document.word(i)[0].isalpha() and document.word(i) in document.vocab.stopwords
            for i in range(word.last, end)
        )
        and not document.between("coordinator", word.last, end)
    )


def awaited(document: Document, hit: Hit, sentence: Sentence) -> bool:
    """ "Once calcium is normal we start", "whether the serum calcium was high": no result of today."""
    at = hit.first
    while at > sentence.first and (
        document.word(at - 1) in document.vocab.articles or document.between("qualifier", at - 1, at)
    ):
        at -= 1
    return any(h.last == at for h in document.between("awaiting", max(at - BRIDGE, sentence.first), at))


def _set_between_commas(document: Document, sentence: Sentence, first: int) -> bool:
    """ "All blood tests, including calcium and phosphorus, were normal": the second comma closes the row."""
    inclusive = load_common().inclusive
    at = first - 1
    while at > sentence.first and document.word(at) not in inclusive and document.word(at) in document.vocab.stopwords:
        at -= 1
    return at > sentence.first and document.word(at) in inclusive and document.word(at - 1) == ","


def judged_word(document: Document, sentence: Sentence, hit: Hit, end: int) -> Hit | None:
    """The word behind a number without unit and range: "Ca 2.35 (normal)", "Ca 2.35, PO4 1.05 (all normal)". What
    nobody could judge by its number, the laboratory has judged."""
    index = next((i for i in range(hit.last, end) if document.word(i)[0].isdigit()), end)
    behind = document.between("word", index + 1, min(end, index + 3))
    serology = hit.value in load_common().signed
    judging = ("positive", "negative") if serology else ("normal", "low", "high")
    said = behind[0] if behind and behind[0].value in judging else None
    if said is not None and all(document.word(i) in SIGNS for i in range(index + 1, said.first)):
        return said
    later = [w for w in document.within("word", sentence) if w.first > index and w.value == "normal"]
    of_all = next((w for w in later if document.word(w.first - 1) in load_common().everything), None)
    return of_all or next((w for w in later[:1] if _of_row(document, hit, w)), None)


def contrary(document: Document, at: int, end: int, sentence: Sentence, *, timed: bool = False) -> Hit | None:
    """A later word of the same test that takes "normal" back: "normal in November, high in May", "normal on admission
    but raised at discharge". `at`: where the first result ends. Only times, stages and small words stand between (one
    of them at least where it must be `timed`), and nothing that the later word could be said of follows it."""
    begun = at
    for word in document.between("word", at, end):
        if not all(_is_passing(document, index) for index in range(at, word.first)):
            return None
        last = word.last >= sentence.last or (word.last < end and _is_passing(document, word.last))
        if word.value in _TAKEN_BACK and last:
            told = any(document.between(category, begun, word.first) for category in _TIMES)
            return word if told or not timed else None
        at = word.last
    return None


def moved_to(document: Document, at: int, end: int) -> Number | None:
    """The figure with its unit that a result told in a word came to: "normal at first but later rose to 11.8 mg/dL".
    `at`: behind that word; only times, small words and verbs of movement stand between."""
    moved, index = load_common().results.moved, at
    while index < end and (not document.word(index)[0].isdigit() or unit_at(document, index) is None):
        word = document.word(index)
        if not (_is_passing(document, index) or word in moved or word in document.vocab.bridging or word.isdigit()):
            return None
        index += 1
    if index >= end or amount(document.word(index)) is None:
        return None
    verbs = any(document.word(i) in moved for i in range(at, index))
    unit = unit_at(document, index)
    return (document.word(index), None, unit, limits_at(document, index)) if verbs and unit is not None else None


def _is_passing(document: Document, index: int) -> bool:
    """A small word, a sign, a figure of a time, or the name of a time, stage or repetition."""
    word = document.word(index)
    if not word[0].isalpha() or word in document.vocab.bridging:
        return True
    return any(h.first <= index < h.last for c in _PASSING for h in document.between(c, index - 2, index + 1))


def fits(number: Number) -> bool:
    """Whether the number does not lie outside the range that stands beside it."""
    told = [amount(figure) for figure in _FIGURE.findall(number[3] or "")]
    value = amount(number[0])
    low, high = told if len(told) == 2 else (None, None)
    return value is not None and not (low is not None and high is not None and not low <= value <= high)


def _is_small(document: Document, index: int) -> bool:
    """An article, a preposition, or what a laboratory sets beside a test's name."""
    small = any(document.between(category, index, index + 1) for category in ("preposition", "qualifier"))
    word = document.word(index)
    return index >= 0 and (small or word in document.vocab.articles or word in load_common().results.possessives)


def joins(document: Document, index: int) -> bool:
    """A comma, a sign or a word such as "and", that makes one row of the tests around it."""
    word = document.word(index)
    if _is_small(document, index):
        at = index - 1
        while _is_small(document, at):
            at -= 1
        if any(hit.last == at + 1 for hit in document.between("coordinator", max(at - 2, 0), at + 1)):
            return True  # "the calcium and the phosphate", "calcium and serum phosphate", "ainsi que de la calcémie"
    return word in (",", "/", "&", "+") or any(
        hit.first <= index < hit.last for hit in document.between("coordinator", index - 2, index + 1)
    )


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
            plain = said in SIGNS or said in ")]" or said[0].isdigit() or joins(document, index)
            if not (inside or plain or said in load_common().linking or said in several):
                return False
        if numbers != 1:
            return False
    return len(tests) == 1 or document.word(word.first - 1) in several or document.word(word.first) in several


def _leads(document: Document, first: int, last: int) -> bool:
    """ "normal serum levels of calcium": only small words, none of them "and", from the result word to the test."""
    if last - first <= 1:
        return True
    if last - first > BRIDGE:
        return False
    return not document.between("coordinator", first, last) and all(
        document.word(index) in document.vocab.stopwords for index in range(first, last)
    )


def _near(document: Document, first: int, last: int, timed: set[int]) -> bool:
    """Only small words, a sign, a bracket or the day of the test between it and its result word ("calcium on 26 May was
    normal"). `timed`: the words of such days."""
    if last - first > BRIDGE + 3 + moments(document, first, last) + len(timed & set(range(first, last))):
        return False
    allowed = document.vocab.bridging
    inside = False
    for index in range(first, last):
        word = document.word(index)
        if word == "(":
            inside = True
        elif word == ")":
            inside = False
        elif word in load_common().degrees or word in load_common().results.checked or index in timed:
            continue
        elif not (inside or word in allowed or word in SIGNS or document.between("word", index, index + 1)) and (
            not is_moment(document, index)
        ):
            return False
    return True


def _says(document: Document, first: int, last: int) -> bool:
    return any(document.word(i) in SIGNS or document.word(i) in document.vocab.bridging for i in range(first, last))
