"""Rows of signs: "+ calcinosis, - ulcers", "Raynaud +, calcinosis -, ulcers +"."""

from __future__ import annotations

from itertools import pairwise

from mappings.text.tokens import Sentence, Words

_YES = "+"
_NO = frozenset({"-", "–", "—"})
_BETWEEN = frozenset({",", ";", "/", "|", ":"})


def absent(words: Words, sentence: Sentence) -> list[tuple[int, int, int]]:
    """What a row says is not there, as (first, last, sign) words. A row has a plus and a minus, and all its signs stand
    on the same side of what they speak of."""
    said = words.words
    if _YES not in said[sentence.first : sentence.last]:
        return []
    items = [(first, last) for first, last in _items(said, sentence) if last - first > 1]
    before = [(item, item[0]) for item in items if said[item[0]] == _YES or said[item[0]] in _NO]
    after = [(item, item[1] - 1) for item in items if said[item[1] - 1] == _YES or said[item[1] - 1] in _NO]
    signed = before if len(before) >= len(after) else after
    signs = {said[at] for _, at in signed}
    if len(signed) < 2 or _YES not in signs or signs == {_YES}:
        return []
    return [(first, last, at) for (first, last), at in signed if said[at] in _NO]


def _items(said: list[str], sentence: Sentence) -> list[tuple[int, int]]:
    cuts = [i for i in range(sentence.first, sentence.last) if said[i] in _BETWEEN]
    bounds = [sentence.first - 1, *cuts, sentence.last]
    return [(one + 1, other) for one, other in pairwise(bounds)]
