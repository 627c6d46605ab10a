"""Which resources can name a connective tissue disease: a cheap look that never misses one the reader would find.

Without such a disease the assessment is silent, so that whoever has no resource of this kind need not be read. The look
is wider than the reader on purpose: a code counts in any system, a word in any language and in any context, negated
or said of a relative as well; who is only suspected here is then read as the hook reads."""

from __future__ import annotations

import base64
import binascii
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

import msgspec

from hooks.chart import concepts_in
from mappings.codelists import Terminology
from mappings.reader.plain import plain_text, without_rtf
from mappings.text.engine import LANGUAGES, MAX_CHARACTERS
from mappings.text.entries import entries, expand
from mappings.text.folding import fold
from mappings.text.markup import plain
from mappings.text.schema import load_context, load_lexicon
from mappings.text.spelling import Spelling
from mappings.text.tokens import cut, phrase

_MOST = 200_000
"""values that are remembered; a formulary of names fits, a hospital's notes need not."""
_LONGEST_REMEMBERED = 2_000


class _Name(NamedTuple):
    words: frozenset[str]
    exact: str | None


class Mentions:
    """Codes and words of the diseases. Remembers values that it has seen, so that the name of a test that stands a
    million times in an export is looked at once."""

    def __init__(self, concepts: Iterable[str], terminology: Terminology) -> None:
        """`concepts`: what the rules count as the disease ("ctd.sle", or "ctd.*" for all of them)."""
        wanted = tuple(concepts)
        self._wanted = wanted
        self._terminology = terminology
        named = (name for name in terminology.known_concepts if _any((name,), wanted))
        self._systems = tuple(sorted({coding.system for coding in terminology.codes_of(*named)}))
        self._names: dict[str, list[_Name]] = {}
        self._affixes: set[tuple[str, str]] = set()
        self._spellings: list[Spelling] = []
        for language in LANGUAGES:
            self._learn(language)
        self._known: dict[bytes | str, bool] = {}

    def of_json(self, value: bytes) -> bool:
        """Whether any code or word in a JSON value can name the disease. What can't be read can."""
        remembered = len(value) <= _LONGEST_REMEMBERED
        if remembered and (found := self._known.get(value)) is not None:
            return found
        try:
            found = any(map(self.of_text, _strings(msgspec.json.decode(value), "")))
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            found = True
        if remembered:
            self._remember(value, found)
        return found

    def of_text(self, text: str) -> bool:
        """Whether a code, a name or a note can name the disease."""
        if len(text) > _LONGEST_REMEMBERED:
            return self._look(text)
        found = self._known.get(text)
        if found is None:
            found = self._look(text)
            self._remember(text, found)
        return found

    def _look(self, text: str) -> bool:
        if len(text) < 40 and any(self._codes(text.strip())):
            return True
        read = cut(plain(without_rtf(text[: 10 * MAX_CHARACTERS])[:MAX_CHARACTERS]))
        words = read.words
        if self._named(words, read.text):
            return True
        if any(word.startswith(start) and word.endswith(end) for word in words for start, end in self._affixes):
            return True
        corrected = (spelling.corrected(words) for spelling in self._spellings)
        return any(better is not words and self._named(better, read.text) for better in corrected)

    def _named(self, words: list[str], text: str) -> bool:
        """Whether all words of a name are there, and an abbreviation in its own capitals."""
        told = self._names.keys() & set(words)
        return bool(told) and any(
            name.words.issubset(words) and (name.exact is None or name.exact in text)
            for word in told
            for name in self._names[word]
        )

    def _codes(self, code: str) -> Iterator[bool]:
        return (_any(self._terminology.concepts(system, code), self._wanted) for system in self._systems)

    def _learn(self, language: str) -> None:
        """The names of the disease, each under its longest word: no text holds the name without it."""
        lexicon = load_lexicon(language)
        ours: set[str] = set()
        for category, value, forms in entries(lexicon, load_context(language)):
            names = value.split("+")
            if category == "guard":
                guard = lexicon.guarded[int(value)]
                names = [name for part in (guard.concept, guard.otherwise) if part for name in part.split("+")]
            if category not in ("concept", "named", "guard") or not _any(names, self._wanted):
                continue
            for form in (spelling for entry in forms for spelling in expand(entry)):
                bare = form.removeprefix("=")
                if bare.startswith("*") or bare.endswith("*"):
                    stem = fold(bare.strip("*"))
                    self._affixes.add((stem, "") if bare.endswith("*") else ("", stem))
                else:
                    words = phrase(bare)
                    name = _Name(frozenset(words), bare if form.startswith("=") else None)
                    known = self._names.setdefault(max(words, key=len), [])
                    if name not in known:
                        known.append(name)
                    ours.update(words)
        self._spellings.append(Spelling([word for word in lexicon.spelling if fold(word) in ours], frozenset()))

    def _remember(self, value: bytes | str, found: bool) -> None:
        if len(self._known) >= _MOST:
            self._known.clear()
        self._known[value] = found


def _any(names: Iterable[str], wanted: Iterable[str]) -> bool:
    return bool(concepts_in(dict.fromkeys(names), wanted))


def _strings(value: Any, name: str) -> Iterator[str]:
    """Every string and whole number in decoded JSON, attachments and narratives as the text they hold."""
    if isinstance(value, str):
        yield value
        if name == "data":
            yield from _attached(value)
        elif "<" in value:
            yield plain_text(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield from _strings(item, key)
    elif isinstance(value, list):
        for item in value:
            yield from _strings(item, name)
    elif isinstance(value, int) and not isinstance(value, bool):
        yield str(value)


def _attached(data: str) -> Iterator[str]:
    try:
        sent = base64.b64decode(data, validate=False)
    except (binascii.Error, ValueError):
        return
    for encoding in ("utf-8", "cp1252"):
        text = sent.decode(encoding, errors="replace")
        yield text
        if "<" in text:
            yield plain_text(text)
