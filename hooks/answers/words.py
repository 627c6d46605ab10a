"""The words of a question as terms: "how much", "dosis" and "dosing" are all `dose`."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct

from hooks.answers.spelling import Spelling
from hooks.knowledge.answers_schema import Words

_WORD = re.compile(r"[^\W_]+")
_NAME = re.compile(r"(?<=[a-záéíóúñ,;] )[A-ZÁÉÍÓÚÑ][a-záéíóúñ]{2,}")
"""a capital within a sentence: "in Iceland"."""
_SHARE = re.compile(r"(?<![\d<])(?<!\d )%(?=\s|$)")
_STOPWORD = re.compile(r"[^\W_]+\*?")
LONGEST = 2000
"""characters of a question that are read."""
_MOST_CORRECTED = 24
"""words of a question whose spelling is looked at."""


class Asked(Struct, frozen=True):
    """The terms of a text in their order, each once, and the words that are neither terms nor stopwords; `beside` are
    those of them next to an entity, and names: they may make another thing of it ("urinary infection")."""

    terms: tuple[str, ...]
    unknown: tuple[str, ...]
    beside: tuple[str, ...] = ()


class Vocabulary:
    """Reads texts into terms; built once from the data. `drugs` are the names of each ingredient: a brand is the term
    of its ingredient, a drug that is no term is something that no entry knows."""

    def __init__(self, words: Words, drugs: Mapping[str, tuple[str, ...]] = MappingProxyType({})) -> None:
        self.entities = frozenset(words.entities)
        self.background = frozenset(words.background)
        self.context = frozenset(words.context)
        self.subjects = self.entities - frozenset(words.states)
        self.aspects = frozenset(words.aspects)
        self._foreign = words.foreign
        stop = [plain(w) for word in words.stopwords for w in _STOPWORD.findall(plain(word))]
        self._stop = frozenset(word for word in stop if not word.endswith("*"))
        self._exact: dict[tuple[str, ...], str] = {}
        starts: list[tuple[str, str | None]] = [(word[:-1], None) for word in stop if word.endswith("*")]
        for term, patterns in (*words.entities.items(), *words.terms.items()):
            for pattern in patterns:
                if pattern.endswith("*") and " " not in pattern:
                    starts.append((plain(pattern[:-1]), term))
                else:
                    self._exact.setdefault(tuple(_WORD.findall(plain(pattern))), term)
        self._starts: dict[str, list[tuple[str, str | None]]] = {}
        for start in sorted(starts, key=lambda p: (-len(p[0]), p[1] is None)):
            self._starts.setdefault(start[0][:2], []).append(start)
        self._of_word: dict[str, str] = {}
        """words of the curated questions that the vocabulary does not list, as terms of their own."""
        self._name(drugs)
        self._most = max(len(words) for words in self._exact)
        self._ages = words.ages
        self._age = re.compile(words.ages.pattern)
        self._spelling: Spelling[str | None] | None = None

    def _name(self, drugs: Mapping[str, tuple[str, ...]]) -> None:
        for names in drugs.values():
            listed = [tuple(_WORD.findall(plain(name))) for name in names]
            meant = next((term for name in listed if (term := self._listed(name))), self._foreign.term)
            for name in listed:
                if name and self._listed(name) is None and not (len(name) == 1 and name[0] in self._stop):
                    self._exact[name] = meant

    def _listed(self, words: tuple[str, ...]) -> str | None:
        if (found := self._exact.get(words)) is not None or len(words) != 1:
            return found
        start = self._start(words[0])
        return start[0] if start else None

    def learn(self, text: str) -> tuple[str, ...]:
        """The terms of a curated question; its words outside the vocabulary become terms. What no entry knows stays
        so."""
        found = self._read(text, learning=True)
        for word in found.unknown:
            self._of_word[word] = word
        return (*(term for term in found.terms if term != self._foreign.term), *found.unknown)

    def read(self, text: str) -> Asked:
        """Longest match first: phrases, words, beginnings of words, misspelt ones, then what is left over."""
        return self._read(text)

    def _read(self, text: str, *, learning: bool = False) -> Asked:
        words = _WORD.findall(self._aged(_SHARE.sub(" percent ", plain(text[:LONGEST]))))
        corrected = _MOST_CORRECTED
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
                term, word = self._single(words[at])
                if word and not learning:
                    corrected -= 1
                    term, word = self._guessed(word, spelt=corrected >= 0)
                found.append((term, word))
                at += 1
        names = {plain(name) for name in _NAME.findall(text[:LONGEST])}
        beside = [
            word
            for n, (_, word) in enumerate(found)
            if word and (word in names or any(term in self.entities for term, _ in found[max(n - 1, 0) : n + 2]))
        ]
        terms = dict.fromkeys(term for term, _ in found if term is not None)
        return Asked(
            tuple(terms), tuple(dict.fromkeys(word for _, word in found if word)), tuple(dict.fromkeys(beside))
        )

    def _single(self, word: str) -> tuple[str | None, str]:
        if word in self._stop or len(word) == 1 or any(c.isdigit() for c in word):
            return None, ""
        if (start := self._start(word)) is not None:
            return start[0], ""
        term = self._of_word.get(word) or self._of_word.get(word.removesuffix("s"))
        return (term, "") if term is not None else (None, word)

    def _guessed(self, word: str, *, spelt: bool) -> tuple[str | None, str]:
        """A word that is not listed: misspelt, or by its ending the name of a disease, an operation or a drug that no
        entry knows."""
        if spelt and (meant := self._speller.meant(word)) is not None:
            return meant[0], ""
        return (self._foreign.term, "") if word.endswith(self._foreign.endings) else (None, word)

    @property
    def learnt(self) -> frozenset[str]:
        """Words that are known only because a curated question has them."""
        return frozenset(self._of_word)

    @property
    def _speller(self) -> Spelling[str | None]:
        """Made when it is first needed: by then the curated questions are learnt."""
        if self._spelling is None:
            listed: list[tuple[str, str | None]] = [
                (words[0], t) for words, t in self._exact.items() if len(words) == 1
            ]
            learnt = [*self._of_word.items(), *((word, None) for word in self._stop)]
            self._spelling = Spelling((*listed, *learnt), (start for same in self._starts.values() for start in same))
        return self._spelling

    def _start(self, word: str) -> tuple[str | None] | None:
        for start, term in self._starts.get(word[:2], ()):
            if word.startswith(start):
                return (term,)
        return None

    def _aged(self, text: str) -> str:
        """The text with each age as the word for a child or for an adult."""
        ages = self._ages
        return self._age.sub(
            lambda age: f" {ages.child if int(age['age'] or age['age2']) < ages.adult_from else ages.adult} ", text
        )


def plain(text: str) -> str:
    """Lower case, without accents; subscript digits as digits."""
    return "".join(c for c in unicodedata.normalize("NFKD", text.casefold()) if not unicodedata.combining(c))
