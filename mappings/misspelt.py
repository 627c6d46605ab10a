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
        self._near: dict[str, set[str]] = {}
        for name in names:
            if len(name) >= _SHORTEST and name.isalpha():
                for shorter in _without_one(name):
                    self._near.setdefault(shorter, set()).add(name)
                self._near.setdefault(name, set()).add(name)

    def names_of(self, word: str) -> frozenset[str]:
        """The names one letter away from a plain lower-case word; none for a word that is a name itself."""
        if len(word) < _SHORTEST or not word.isalpha() or word in self._others:
            return frozenset()
        candidates = {name for form in (word, *_without_one(word)) for name in self._near.get(form, ())}
        return frozenset(name for name in candidates if _one_apart(word, name))


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
