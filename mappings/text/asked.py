"""What a text only asks: "Calcinosis: yes / no" of a form, "Have you noticed hard lumps?" of a questionnaire, and a
bare question about a place that could not be looked at ("elbows not examined. Calcinosis?")."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from typing import NamedTuple

from mappings.text.common import either, load_common
from mappings.text.entries import expand
from mappings.text.tokens import Sentence, Words
from mappings.text.unfilled import item

_MARK = "?"
_BARE = 3
"""words of the longest question that describes nothing ("nodules calcaires ?")."""


class _Patterns(NamedTuple):
    choice: re.Pattern[str]
    """both answers, and nothing behind them that says which."""
    opener: re.Pattern[str]
    noticing: re.Pattern[str]
    unseen: re.Pattern[str]


@cache
def _patterns() -> _Patterns:
    asked = load_common().asked
    lists = (asked.affirming, asked.denying, asked.openers, asked.noticing, asked.unseen)
    yes, no, openers, noticing, unseen = (either(w for entry in words for w in expand(entry)) for words in lists)
    return _Patterns(
        re.compile(rf"(?<!\w)(?:{yes})\s?[/|]\s?(?:{no})(?!\w)(?!\s?[)\]]?\s?:)(?=\s*(?:$|[\n.,;)\]?(|]))"),
        re.compile(rf"\W*(?:{openers})(?!\w)"),
        re.compile(rf"(?<!\w)(?:{noticing})(?!\w)"),
        re.compile(rf"(?<!\w)(?:{unseen})(?!\w)"),
    )


def only_asked(words: Words, sentences: list[Sentence]) -> Iterator[tuple[int, int, int]]:
    """(first, last, sign) of what is a question to somebody, and no finding."""
    if "/" in words.text or "|" in words.text:
        for sentence in sentences:
            yield from _choices(words, sentence)
    if _MARK not in words.words:
        return
    for index, sentence in enumerate(sentences):
        if sentence.last >= len(words) or words.words[sentence.last] != _MARK:
            continue
        unseen = index > 0 and _unseen(words, sentences[index - 1], sentence)
        if unseen or _asks_the_reader(words, sentence):
            yield sentence.first, sentence.last, sentence.last


def _choices(words: Words, sentence: Sentence) -> Iterator[tuple[int, int, int]]:
    begin, end = words.starts[sentence.first], words.ends[sentence.last - 1]
    for match in _patterns().choice.finditer(words.folded, begin, end):
        at = next(i for i in range(sentence.first, sentence.last) if words.starts[i] >= match.start())
        named = at - 1 if at > sentence.first and words.words[at - 1] == "(" else at
        if named > sentence.first:
            begin = item(words, named if words.words[named - 1] == ":" else named + 1, sentence)
            opened = [i for i in range(begin, named) if words.words[i] == "("]  # "hard nodules (tender yes/no)"
            yield (opened[-1] + 1 if opened else begin), named, at


def _asks_the_reader(words: Words, sentence: Sentence) -> bool:
    begin, end = words.starts[sentence.first], words.ends[sentence.last - 1]
    opener = _patterns().opener.match(words.folded, begin, end)
    return opener is not None and _patterns().noticing.search(words.folded, opener.start(), end) is not None


def _unseen(words: Words, before: Sentence, sentence: Sentence) -> bool:
    if sentence.last - sentence.first > _BARE:
        return False
    begin, end = words.starts[before.first], words.ends[before.last - 1]
    return _patterns().unseen.search(words.folded, begin, end) is not None
