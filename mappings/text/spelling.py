"""Long words of a lexicon with one letter wrong: "calcinois", "noduls", "calcifcation".

Only words that the language file lists, only when the first letter is right, and never a word that the language knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from mappings.text.folding import fold

_SHORTEST = 6
_LONGEST = 24


class Spelling:
    """Words of a lexicon and the misspellings by which only one of them can be meant."""

    def __init__(self, listed: Iterable[str], known: frozenset[str]) -> None:
        # a set of thousands takes five times the room of a dict
        self._known = dict.fromkeys(sorted(word for word in known if _SHORTEST <= len(word) <= _LONGEST))
        self._near: dict[str, str] = {}
        clash: set[str] = set()
        for word in map(fold, listed):
            for shape in (word, *_shorter(word)):
                if self._near.get(shape, word) != word:
                    clash.add(shape)
                self._near[shape] = word
        for shape in clash:
            del self._near[shape]
        self.listed = frozenset(self._near.values())
        """words for which one with a wrong letter is read."""
        self._starts = frozenset(word[0] for word in self._near)

    def corrected(self, words: list[str]) -> list[str]:
        """The words, a misspelt one replaced by the one that is meant; the same list when none is."""
        found = [(index, meant) for index, word in enumerate(words) if (meant := self._meant(word))]
        if not found:
            return words
        out = list(words)
        for index, meant in found:
            out[index] = meant
        return out

    def any(self, words: list[str]) -> bool:
        return any(self._meant(word) for word in words)

    def _meant(self, word: str) -> str | None:
        if not _SHORTEST <= len(word) <= _LONGEST or word[0] not in self._starts or word in self._known:
            return None
        near = self._near.get(word)
        if near is not None:
            return near
        for shape in _shorter(word):
            near = self._near.get(shape)
            if near is not None and near[0] == word[0] and _one_apart(word, near):
                return near
        return None


def _shorter(word: str) -> Iterator[str]:
    """The word without one letter, the first one always kept."""
    return (word[:at] + word[at + 1 :] for at in range(1, len(word)))


def _one_apart(one: str, other: str) -> bool:
    """One letter more, less, other, or two neighbours swapped."""
    if abs(len(one) - len(other)) > 1:
        return False
    at = 0
    while at < min(len(one), len(other)) and one[at] == other[at]:
        at += 1
    if len(one) == len(other):
        swapped = one[at : at + 2] == other[at : at + 2][::-1] and one[at + 2 :] == other[at + 2 :]
        return one[at + 1 :] == other[at + 1 :] or swapped
    return one[at + 1 :] == other[at:] if len(one) > len(other) else one[at:] == other[at + 1 :]
