"""Sizes, counts and pain scores in figures."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache
from typing import NamedTuple

from mappings.text.common import either, load_common
from mappings.text.document import Document
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_PLAIN = re.compile(r"^\W{0,4}(10|\d(?:[.,]\d)?)(?![\d/.])")
_MM_PER_CM = Decimal(10)
_TIMES = re.compile(r"[x×]\s?(\d{1,3})(?![\w/%×]|[.,]\d)(?!\s?(?:cm|mm|[x×])\b)")
_BEFORE = 9
"""words between a number and the lesion word ("2 x rock hard s.c. lumps")."""
MOST = 200
"""a larger number before a lesion word is no count of lesions."""


class _Patterns(NamedTuple):
    size: re.Pattern[str]
    """up to three sides and their unit."""
    more: re.Pattern[str]
    """behind a number: the second of two sizes ("8 and 11 mm")."""
    score: re.Pattern[str]
    scale: re.Pattern[str]
    """the ends of the scale behind its name ("0-10: 8", "(0 = none, 10 = worst): 7")."""
    named_score: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    words = load_common().numbers
    sides, ends = either(words.sides, words.limits), either(words.limits)
    side = r"\d{1,3}(?:[.,]\d{1,2})?"
    lengths = either(words.lengths).replace(r"\*", r"\w*")
    return _Patterns(
        re.compile(
            rf"(?<![\w.,])({side})\s*(?:(?:cm|mm)\s*)?(?:(?:[x×*]|-|–|{sides})\s*({side})\s*)?"
            rf"(?:(?:cm|mm)?\s*[x×*]\s*({side})\s*)?({lengths})(?!\w|[/²³])"
        ),
        re.compile(rf"\s?(?:{either(words.lists, words.limits)})\s?\d+(?:[.,]\d+)?\s?(?:cm|mm)(?![a-z])"),
        re.compile(rf"(?<![\d/.])(10|\d(?:[.,]\d)?)\s*(?:/|{either(words.out_of)})\s*10(?![\d/])"),
        re.compile(
            rf"^(?:\W{{0,3}}[01]\s?(?:-|–|/|{ends})\s?10\)?(?=\W{{1,4}}\d)"
            r"|\W{0,2}\((?=[^()]*\b[01]\b)(?=[^()]*\b10\b)[^()]{3,60}\))"
        ),
        re.compile(rf"^\W{{0,2}}(?:{either(words.score)})\W{{1,2}}(10|\d)\b"),
    )


def sizes(document: Document, first: int, last: int) -> list[tuple[int, Decimal]]:
    """(word index, largest measure in cm) of each size in the words [first, last); distances are left out."""
    if first >= last:
        return []
    start, end = document.span(first, last)
    out = []
    for match in _patterns().size.finditer(document.words.folded, start, end):
        index = next(i for i in range(first, last) if document.words.ends[i] > match.start())
        after = next((i for i in range(index, last) if document.words.starts[i] >= match.end()), last)
        if document.between("size-not", after, after + 1):
            continue
        numbers = [value for text in match.groups()[:3] if text for value in [amount(text)] if value is not None]
        if numbers:
            largest = max(numbers)
            out.append((index, largest / _MM_PER_CM if match[4].startswith("m") else largest))
    return out


def pain_score(document: Document, first: int, last: int) -> Decimal | None:
    """A score out of ten beside a pain word, or after the name of a pain scale."""
    if first >= last:
        return None
    start, end = document.span(first, last)
    folded = document.words.folded
    scales = document.between("scale", first, last)
    if scales or document.between("pain", first, last):
        match = _patterns().score.search(folded, start, end)
        if match:
            return amount(match[1])
    for scale in scales:
        after = _patterns().scale.sub("", folded[document.words.ends[scale.last - 1] : end], count=1)
        match = _PLAIN.match(after) or _patterns().named_score.match(after)
        if match:
            return amount(match[1])
    return None


def _glued(document: Document, index: int) -> bool:
    """Part of a longer word: "57F", "2x2cm"."""
    folded, start, end = document.words.folded, document.words.starts[index], document.words.ends[index]
    return folded[end : end + 1].isalpha() or folded[max(start - 1, 0) : start].isalpha()


def counted(document: Document, head: Hit, last: int) -> int | None:
    """The number a field of that name holds ("Number of nodules: 3"), alone up to the end of its line or item."""
    at = head.last
    if at + 1 >= last or document.word(at) not in (":", "="):
        return None
    said = document.word(at + 1)
    alone = at + 2 >= last or document.word(at + 2) in (",", ";", ".", ")", "|")
    return int(said) if alone and said.isdigit() and 0 < int(said) < MOST and not _glued(document, at + 1) else None


def count(document: Document, head_first: int, limit: int) -> tuple[int | None, bool]:
    """(The number set before a lesion word, only describing words between ("three hard nodules"), whether it is a
    lower limit ("more than three hard nodules"))."""
    for index in range(head_first - 1, max(limit, head_first - _BEFORE) - 1, -1):
        word = document.word(index)
        told = _describes(document, index + 1) or _hidden(document, index + 1)
        if word == "," and told and _describes_or_counts(document, index - 1):
            continue  # "einzelner, weißlicher, steinharter Knoten"
        if word in (",", ";", "(", ")", ":"):
            break
        if _hidden(document, index):
            continue  # "zwei harte, nicht schmerzhafte Knoten"
        if any(hit.last > index for hit in document.between("trigger", index - 2, index + 1)):
            break  # "57 F c/o lump"
        told = word[0].isdigit() or bool(document.between("number", index, index + 1))
        if told and (document.between("unit", index + 1, index + 2) or (word[0].isdigit() and _glued(document, index))):
            continue  # "two weeks later hard papules"
        if word[0].isdigit() or document.between("number", index, index + 1):
            return _figure(document, index), _lower_limit(document, index)
        if word in document.vocab.stopwords and not (
            _describes(document, index - 1) and _describes(document, index + 1)
        ):
            break
    return None, False


def _describes_or_counts(document: Document, index: int) -> bool:
    """A describing word, or a number told by a word ("single,"), which is no age and no size."""
    told = not document.word(index)[:1].isdigit() and document.between("number", index, index + 1)
    return bool(told) or _describes(document, index)


def _hidden(document: Document, index: int) -> bool:
    """A word of "not painful": of a phrase that means something else here than its words."""
    return any(h.first <= index < h.last for h in document.between("ignored", index - 2, index + 1))


def _describes(document: Document, index: int) -> bool:
    """ "firm to hard", "hard and tender"."""
    return any(
        hit.first <= index < hit.last
        for category in ("hardness", "attribute", "pain", "tender")
        for hit in document.between(category, index - 2, index + 1)
    )


def count_after(document: Document, first: int, last: int) -> tuple[int | None, bool]:
    """The same for a number behind the lesion word that is named as one ("nodules of the thigh, 4 in number"). None if
    a second bare number follows: "2 in number, now 8"."""
    times = _TIMES.match(document.words.folded, document.words.starts[first]) if first < last else None
    if times is not None:  # "nodules x4", "nodules x 4 of the forearm"; "x 4 weeks" is a length of time
        after = next((i for i in range(first, last) if document.words.starts[i] >= times.end()), last)
        timed = document.between("unit", after, after + 1) or not 0 < int(times[1]) < MOST
        return (None if timed else int(times[1])), False
    places = [hit.first - 1 for hit in document.between("in-number", first + 1, last)]
    places += [hit.last for hit in document.between("numbering", first, last - 1)]
    said = [index for index in places if first <= index < last and _figure(document, index) is not None]
    if len(said) != 1 or any(_figure(document, index) is not None for index in range(said[0] + 1, last)):
        return None, False
    return _figure(document, said[0]), _lower_limit(document, said[0])


def _figure(document: Document, index: int) -> int | None:
    """The whole number a word says by itself: no part of a date, a size, a length of time or a share."""
    word, after = document.word(index), document.word(index + 1)
    if word.isdigit():
        begun = document.words.folded[document.words.ends[index] :].lstrip()[:1] in ("-", "–")  # "5-9 mm"
        begun = begun or _patterns().more.match(document.words.folded, document.words.ends[index]) is not None
        bare = (
            not begun and not _glued(document, index) and after not in ("/", "%", "cm", "mm") and 0 < int(word) < MOST
        )
        return int(word) if bare and not document.between("unit", index + 1, index + 2) else None
    values = [hit.value for hit in document.between("number", index, index + 1)]
    return int(values[0]) if values and values[0].isdigit() else None


def _lower_limit(document: Document, index: int) -> bool:
    """ "At least 4", "> 4", "4+": there may be more than the number says."""
    return document.word(index + 1) == "+" or any(
        hit.last == index for hit in document.between("at-least", max(index - 4, 0), index)
    )
