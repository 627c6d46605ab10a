"""Misspelt ingredient names: one letter missing, added, changed or swapped ("propanolol").

Only ingredients of eight letters or more are guessed at, never brands or class words, and only for words that name
nothing themselves: at that length no two ingredients of other drugs lie one letter apart, apart from those named in
`drugs.yaml` (`not_misspelt`).
"""

from __future__ import annotations

from collections.abc import Iterable

_SHORTEST = 8


class Misspelt:
    """Finds the one name that a misspelt word is a letter away from. Methods never raise."""

    def __init__(self, names: Iterable[str], others: Iterable[str] = ()) -> None:
        self._others = frozenset(others)
        self._sharing: dict[str, tuple[str, ...]] = {}
        """the names of a length that begin, or end, with a half."""
        for name in dict.fromkeys(names):
            if len(name) >= _SHORTEST and name.isalpha():
                for half in _halves(name, len(name)):
                    self._sharing[half] = (*self._sharing.get(half, ()), name)

    def names_of(self, word: str) -> frozenset[str]:
        """The names one letter away from a plain lower-case word; none for a word that is a name itself."""
        if len(word) < _SHORTEST or not word.isalpha() or word in self._others:
            return frozenset()
        return frozenset(
            name
            for length in (len(word) - 1, len(word), len(word) + 1)
            for half in _halves(word, length)
            for name in self._sharing.get(half, ())
            if _one_apart(word, name)
        )


def _halves(word: str, length: int) -> tuple[str, str]:
    """Beginning and end of a word as those of a name of such length. Where one letter is wrong or two neighbours are
    swapped, one of both is right: the letter between them belongs to neither."""
    half = length // 2
    return f"{word[:half]}{length}", f"{length}{word[half + 1 - length :]}"


def _without_one(word: str) -> tuple[str, ...]:
    return tuple(word[:i] + word[i + 1 :] for i in range(len(word)))


def _one_apart(one: str, other: str) -> bool:
    if len(one) != len(other):
        longer, shorter = (one, other) if len(one) > len(other) else (other, one)
        return len(longer) - len(shorter) == 1 and shorter in _without_one(longer)
    apart = [i for i, (a, b) in enumerate(zip(one, other, strict=True)) if a != b]
    if len(apart) == 2:
        first, second = apart
        return second == first + 1 and one[first] == other[second] and one[second] == other[first]
    return len(apart) == 1
