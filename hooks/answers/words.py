"""The words of a question as terms: "how much", "dosis" and "dosing" are all `dose`."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass

from hooks.knowledge.answers_schema import Words

_WORD = re.compile(r"[^\W_]+")
_LONGEST = 2000
"""characters of a question that are read."""


@dataclass(frozen=True, slots=True)
class Asked:
    """The terms of a text in their order, each once, and the words that are neither terms nor stopwords; `beside` are
    those of them next to an entity: they may make another thing of it ("urinary infection")."""

    terms: tuple[str, ...]
    unknown: tuple[str, ...]
    beside: tuple[str, ...] = ()


class Vocabulary:
    """Reads texts into terms; built once from the data."""

    def __init__(self, words: Words) -> None:
        self.entities = frozenset(words.entities)
        self.background = frozenset(words.background)
        self.context = frozenset(words.context)
        self._stop = frozenset(plain(w) for word in words.stopwords for w in _WORD.findall(plain(word)))
        self._exact: dict[tuple[str, ...], str] = {}
        prefixes: list[tuple[str, str]] = []
        for term, patterns in (*words.entities.items(), *words.terms.items()):
            for pattern in patterns:
                if pattern.endswith("*") and " " not in pattern:
                    prefixes.append((plain(pattern[:-1]), term))
                else:
                    self._exact.setdefault(tuple(_WORD.findall(plain(pattern))), term)
        self._prefixes = tuple(sorted(prefixes, key=lambda p: -len(p[0])))
        self._most = max(len(words) for words in self._exact)
        self._of_word: dict[str, str] = {}
        """words of the curated questions that the vocabulary does not list, as terms of their own."""

    def learn(self, text: str) -> tuple[str, ...]:
        """The terms of a curated question; its words outside the vocabulary become terms."""
        found = self.read(text)
        for word in found.unknown:
            self._of_word[word] = word
        return (*found.terms, *found.unknown)

    def read(self, text: str) -> Asked:
        """Longest match first: phrases, words, beginnings of words, then what is left over."""
        words = _WORD.findall(plain(text[:_LONGEST]))
        found: list[tuple[str | None, str]] = []
        """(term, word) one after the other; a stopword has neither."""
        at = 0
        while at < len(words):
            for length in range(min(self._most, len(words) - at), 0, -1):
                term = self._exact.get(tuple(words[at : at + length]))
                if term is not None:
                    found.append((term, ""))
                    at += length
                    break
            else:
                found.append(self._single(words[at]))
                at += 1
        beside = [
            word
            for n, (_, word) in enumerate(found)
            if word and any(term in self.entities for term, _ in found[max(n - 1, 0) : n + 2])
        ]
        terms = dict.fromkeys(term for term, _ in found if term is not None)
        return Asked(
            tuple(terms), tuple(dict.fromkeys(word for _, word in found if word)), tuple(dict.fromkeys(beside))
        )

    def _single(self, word: str) -> tuple[str | None, str]:
        if word in self._stop or len(word) == 1 or any(c.isdigit() for c in word):
            return None, ""
        term = self._prefix(word) or self._of_word.get(word) or self._of_word.get(word.removesuffix("s"))
        return (term, "") if term is not None else (None, word)

    def _prefix(self, word: str) -> str | None:
        for prefix, term in self._prefixes:
            if word.startswith(prefix):
                return term
        return None


def plain(text: str) -> str:
    """Lower case, without accents; subscript digits as digits."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
