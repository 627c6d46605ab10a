"""Fields of a form that nobody filled in: "Nodules: ___", "Nodules: Y / N", "Nodules: [ ] hands [ ] feet", or a name
and a colon alone on their line above another."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import cache
from itertools import zip_longest

from mappings.text.common import either, load_common
from mappings.text.tokens import Sentence, Words, begins_line
from mappings.text.vocabulary import Hit

_OPEN = ("__", "....", "……", "[ ]", "[]", "☐", "□")
_CHOICE = re.compile(r":[ \t]*[a-zí]{1,3}[ \t]?/[ \t]?n", re.IGNORECASE)
"""what may be both answers; all words that deny begin so."""
_LABEL = 4
"""words of the longest name of a field, its colon among them."""
_FINDINGS = ("lesion", "named")
_FILLING = ("place", "side", "heading", "section")
"""a line that begins with one of these goes on about what is named above it."""


@cache
def _blank() -> re.Pattern[str]:
    asked = load_common().asked
    return re.compile(
        r"\s*(?:_{2,}|\.{4,}|…{2,}"
        rf"|(?:{either(asked.affirming)})[ \t]?/[ \t]?(?:{either(asked.denying)})"  # Y / N
        r"(?=[ \t]*(?:$|[\n;,.|]|[ \t]{2}[^\n:]{1,40}:))"
        r"|(?:(?:\[[ \t]?\]|☐|□)[^\n\[\]☐□☒☑■]*)+(?:$|\n))",  # boxes, none of them ticked
        re.IGNORECASE,
    )


def unfilled(words: Words, sentences: list[Sentence], hits: Mapping[str, list[Hit]]) -> Iterator[tuple[int, int, int]]:
    """(first, last, sign) of each field that says nothing of what it is named for."""
    if ":" not in words.words:
        return
    blanks = any(sign in words.text for sign in _OPEN) or _CHOICE.search(words.text) is not None
    for sentence, following in zip_longest(sentences, sentences[1:]):
        if blanks:
            for index in range(sentence.first + 1, sentence.last):
                if words.words[index] == ":" and _blank().match(words.text, words.ends[index]):
                    yield item(words, index + 1, sentence), index, index
        last = sentence.last - 1
        named = words.words[last] == ":" and last - sentence.first < _LABEL and begins_line(words, sentence)
        finding = named and _inside(hits, _FINDINGS, sentence.first, last)
        if finding and (following is None or _is_field(words, following, hits)):
            yield sentence.first, last, last


def item(words: Words, after: int, sentence: Sentence) -> int:
    """Where the item begins that ends with the sign before `after`."""
    at = after - 1
    while at > sentence.first and words.words[at - 1] not in (",", ":", "|", "]"):
        at -= 1
    return at


def _is_field(words: Words, sentence: Sentence, hits: Mapping[str, list[Hit]]) -> bool:
    """Whether a line is the next field of the form: "Calcinosis:", not "R elbow: 2 cm", "Plan: …" or a list of what
    was found."""
    label = words.words[sentence.first : sentence.first + _LABEL]
    if ":" not in label or not label[0][0].isalpha() or not begins_line(words, sentence):
        return False
    return not _inside(hits, _FILLING, sentence.first, sentence.first + label.index(":"))


def _inside(hits: Mapping[str, list[Hit]], names: tuple[str, ...], first: int, last: int) -> bool:
    return any(first <= hit.first < last for name in names for hit in hits.get(name, ()))
