"""Requests to act ("prescribe diltiazem"), told from questions by how a sentence begins: none is carried out here, and
an answer to one would read as if it were."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hooks.answers.words import plain
from hooks.knowledge.answers_schema import Request, Tongue

_SENTENCE = re.compile(r"([^.;!?\n]|[.](?=\S))+[?]?")
_WORD = re.compile(r"[^\W_]+")

_Phrases = frozenset[tuple[str, ...]]


class Requests:
    """Built once from the data; safe to share between threads."""

    def __init__(self, data: Request) -> None:
        self._courtesy, self._of_the_service = _phrases(data.courtesy), _phrases(data.of_the_service)
        self._acts = {tongue: _phrases(acts) for tongue, acts in data.acts.items()}
        self._asking, self._noun_before = _phrases(data.asking), _phrases(data.noun_before)

    def made_in(self, text: str) -> Tongue | None:
        """The language of the first sentence that asks that something be done, also where others are questions; None
        for no such sentence."""
        return next((tongue for found in _SENTENCE.finditer(text) if (tongue := self._of(found[0]))), None)

    def _of(self, sentence: str) -> Tongue | None:
        words = self._without_courtesy(tuple(_WORD.findall(plain(sentence))))
        of_the_service = _opening(words, self._of_the_service)
        if sentence.endswith("?") and not of_the_service:
            return None
        words = self._without_courtesy(words[of_the_service:])
        if any(_opening(words[at:], self._asking) for at in range(len(words))):
            return None
        for tongue, acts in self._acts.items():
            if (act := _opening(words, acts)) and not _opening(words[act:], self._noun_before):
                return tongue
        return None

    def _without_courtesy(self, words: tuple[str, ...]) -> tuple[str, ...]:
        while length := _opening(words, self._courtesy):
            words = words[length:]
        return words


def _phrases(texts: Iterable[str]) -> _Phrases:
    return frozenset(tuple(_WORD.findall(plain(text))) for text in texts)


def _opening(words: tuple[str, ...], phrases: _Phrases) -> int:
    """How many words the longest of the phrases has that the words begin with; 0 for none."""
    return max((len(phrase) for phrase in phrases if words[: len(phrase)] == phrase), default=0)
