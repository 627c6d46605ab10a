"""Finds the entry that answers a question: full-text search (SQLite FTS5) over the ways to ask, then a check that the
question is covered. Where too much of a question is not, nothing is found: a near answer to another question is none.
"""

from __future__ import annotations

import math
import sqlite3
from collections import Counter
from collections.abc import Sequence
from threading import Lock

from msgspec import Struct

from hooks.answers.entries import Answerable
from hooks.answers.words import Asked, Vocabulary

_CANDIDATES = 80
"""ways to ask that the full-text search hands over."""
_ACCEPT = 0.64
_NEAR = 0.3
_QUESTION, _WAY = 0.65, 0.35
"""how much it counts that the question is covered by the entry, and the way to ask by the question."""
_BACKGROUND = 0.15
"""weight of a term that nearly every question has."""
_UNKNOWN, _UNKNOWN_AFTER_SUBJECT = 1.3, 0.2
"""weight of a word that no entry knows, as a share of the rarest term's: it may be the very subject of the question,
unless the entry knows a subject of the question and something that is asked of it."""
_LEARNT = 0.25
"""the same for a word that only stands in the questions of another entry."""
_ASPECT = 0.8
"""factor for what is asked of a subject (its dose, its cause) and is nothing that the entry tells."""
_FOREIGN, _CONTEXT, _ABSENT = 0.45, 0.85, 0.6
"""factor for an entity of the question that the entry does not know (a mere context costs less), and for one of the
way to ask that the question lacks."""


class Way(Struct, frozen=True):
    """One way to ask for an entry, as terms."""

    entry: int
    terms: frozenset[str]


class Found(Struct, frozen=True):
    """Entries by fitness; `best` is None when none is good enough."""

    best: Answerable | None
    near: tuple[Answerable, ...]


class Index:
    """Built once; searches are serialised, each is a matter of a millisecond."""

    def __init__(self, entries: Sequence[Answerable], vocabulary: Vocabulary) -> None:
        self._entries, self._vocabulary = tuple(entries), vocabulary
        self._ways = [
            Way(at, frozenset((*vocabulary.learn(text), *entities)))
            for at, entry in enumerate(self._entries)
            for text, entities in entry.questions
        ]
        self._terms: list[frozenset[str]] = [frozenset()] * len(self._entries)
        for way in self._ways:
            self._terms[way.entry] |= way.terms
        counts = Counter(term for terms in self._terms for term in terms)
        self._weights = {term: math.log(1 + len(self._entries) / n) for term, n in counts.items()}
        self._weights |= dict.fromkeys(vocabulary.background, _BACKGROUND)
        self._rarest = math.log(1 + len(self._entries))
        self._lock = Lock()
        self._search = sqlite3.connect(":memory:", check_same_thread=False)
        self._search.execute("CREATE VIRTUAL TABLE ways USING fts5(terms, tokenize=\"unicode61 tokenchars '-'\")")
        self._search.executemany(
            "INSERT INTO ways(rowid, terms) VALUES (?, ?)",
            [(n, " ".join(sorted(way.terms))) for n, way in enumerate(self._ways)],
        )

    def find(self, asked: Asked) -> Found:
        """The entry that answers, and up to three that are near."""
        scores: dict[int, tuple[float, float]] = {}
        for way in self._candidates(asked.terms):
            shared = self._sum(way.terms.intersection(asked.terms))
            score = (round(self._score(asked, way), 6), round(shared, 6))
            scores[way.entry] = max(scores.get(way.entry, (0.0, 0.0)), score)
        ranked = sorted(scores.items(), key=lambda item: (-item[1][0], -item[1][1], item[0]))
        best = self._entries[ranked[0][0]] if ranked and ranked[0][1][0] >= _ACCEPT else None
        near = [self._entries[at] for at, (score, _) in ranked if score >= _NEAR and self._entries[at] is not best]
        return Found(best, tuple(near[:3]))

    def _candidates(self, terms: tuple[str, ...]) -> list[Way]:
        known = [term for term in terms if term in self._weights]
        if not known:
            return []
        query = " OR ".join(f'"{term}"' for term in known)
        with self._lock:
            rows = self._search.execute(
                "SELECT rowid FROM ways WHERE ways MATCH ? ORDER BY bm25(ways), rowid LIMIT ?", (query, _CANDIDATES)
            ).fetchall()
        return [self._ways[row[0]] for row in rows]

    def _score(self, asked: Asked, way: Way) -> float:
        terms = frozenset(asked.terms)
        entry_terms, entities = self._terms[way.entry], self._vocabulary.entities
        known = terms & entry_terms
        subject = len(known) >= 2 and known & self._vocabulary.subjects
        light = len(asked.unknown) - len(asked.beside) if subject else 0
        unknown = _UNKNOWN_AFTER_SUBJECT * light + _UNKNOWN * (len(asked.unknown) - light)
        strange = terms - entry_terms
        context = strange & self._vocabulary.context
        plain_words = strange & self._vocabulary.learnt
        whole = self._sum(known) + self._sum(strange - context - plain_words)
        whole += (unknown + _LEARNT * len(plain_words)) * self._rarest
        of_way = self._sum(way.terms)
        if not whole or not of_way:
            return 0.0
        score = _QUESTION * self._sum(known) / whole + _WAY * self._sum(terms & way.terms) / of_way
        score *= _FOREIGN ** len(strange & entities - context) * _CONTEXT ** len(context)
        score *= _ASPECT ** len(strange & self._vocabulary.aspects)
        return score * _ABSENT ** len((way.terms & entities) - terms)

    def _sum(self, terms: frozenset[str]) -> float:
        return sum(self._weights.get(term, self._rarest) for term in terms)
