"""Misspelt words of a question: "prevalance", "dermatomyosits", "calcifylaxis".

A word is compared by its sound (English and Spanish spellings of a Greek word sound alike), then by single slips of the
pen. Short words are never corrected: there are too many of them that differ by one letter and by everything.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from typing import Generic, TypeVar

_T = TypeVar("_T")
_SHORTEST, _LONG, _LONGEST = 6, 11, 32
"""letters: from the first on one slip is forgiven, from the second on two."""
_SOUNDS = (
    (re.compile(r"ph"), "f"),
    (re.compile(r"th"), "t"),
    (re.compile(r"rh"), "r"),
    (re.compile(r"[ao]e"), "e"),
    (re.compile(r"y"), "i"),
    (re.compile(r"sc(?=[ei])|z|c(?=[ei])"), "s"),
    (re.compile(r"qu(?=[ei])|k|ch"), "c"),
    (re.compile(r"(.)\1"), r"\1"),
)


class Spelling(Generic[_T]):
    """What a word means that is nearly one of the listed ones; `starts` stand for all words that begin so."""

    def __init__(self, words: Iterable[tuple[str, _T]], starts: Iterable[tuple[str, _T]]) -> None:
        self._words = _by_first(words)
        self._starts = _by_first(starts)

    def meant(self, word: str) -> tuple[_T] | None:
        """One meaning, wrapped (it may be None); None when nothing is near, or two different things are."""
        if not _SHORTEST <= len(word) <= _LONGEST:
            return None
        heard = sound(word)
        slips = 2 if len(heard) >= _LONG else 1
        near: dict[int, set[_T]] = defaultdict(set)
        for listed, meaning in self._words.get(heard[:1], ()):
            if abs(len(listed) - len(heard)) <= slips and (far := distance(heard, listed, slips)) <= slips:
                near[far].add(meaning)
        for listed, meaning in self._starts.get(heard[:1], ()):
            allowed = slips if len(listed) >= _LONG else 1 if len(listed) > _SHORTEST else 0
            far = min(distance(heard[: len(listed) + off], listed, allowed) for off in (-1, 0, 1))
            if far <= allowed:
                near[far].add(meaning)
        if not near:
            return None
        found = near[min(near)]
        return (found.pop(),) if len(found) == 1 else None


def sound(word: str) -> str:
    """The word as it sounds, roughly, in English or Spanish."""
    for pattern, heard in _SOUNDS:
        word = pattern.sub(heard, word)
    return word


def distance(one: str, other: str, most: int) -> int:
    """Letters added, left out, exchanged or swapped with their neighbour; `most` + 1 when more than that."""
    if abs(len(one) - len(other)) > most:
        return most + 1
    before: list[int] = []
    row = list(range(len(other) + 1))
    for at, letter in enumerate(one, 1):
        earlier, before, row = before, row, [at]
        for place, letter_of_other in enumerate(other, 1):
            cost = min(before[place] + 1, row[-1] + 1, before[place - 1] + (letter != letter_of_other))
            if at > 1 and place > 1 and letter == other[place - 2] and one[at - 2] == letter_of_other:
                cost = min(cost, earlier[place - 2] + 1)
            row.append(cost)
        if min(row) > most:
            return most + 1
    return row[-1]


def _by_first(words: Iterable[tuple[str, _T]]) -> dict[str, list[tuple[str, _T]]]:
    found: dict[str, list[tuple[str, _T]]] = defaultdict(list)
    for word, meaning in words:
        if len(word) >= _SHORTEST:
            heard = sound(word)
            found[heard[:1]].append((heard, meaning))
    return found
