"""The words of one language, compiled once into a trie of words; matching is linear in the length of the text.

Every kind of entry belongs to a group. At each word the longest entry of each group counts; entries of different
groups may overlap ("calcinosis cutis" is a diagnosis and a lesion). An ignored phrase hides all shorter entries in it.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import cache
from sys import intern
from typing import Any, NamedTuple, cast

from msgspec import Struct

from mappings.text.common import load_common
from mappings.text.entries import entries, expand
from mappings.text.folding import fold
from mappings.text.measured import is_measured
from mappings.text.schema import Context, Guard, LanguageError, Lexicon, Rule, load_context, load_lexicon
from mappings.text.spelling import Spelling
from mappings.text.tokens import Words, phrase

_GROUPS = {
    "context": ("trigger", "section", "answer"),
    "asking": ("asking",),
    "companion": ("companion",),
    "heading": ("heading",),
    "form": ("coordinator", "preposition", "anaphor", "also"),
    "lesion": (
        "lesion", "named", "hardness", "attribute", "pain", "scale", "tender", "side", "mimic", "size-not",
    ),
    "place": ("place",),
    "inside": ("inside",),
    "identity": ("identity", "cause", "conclusion"),
    "lump": ("lump",),
    "seen": ("had", "recorded", "recurred"),
    "corrected": ("corrected",),
    "vague": ("vague",),
    "within": ("within",),
    "pebbles": ("pebbles",),
    "concept": ("concept", "absent", "guard", "no-disease"),
    "cue": ("cue",),
    "letters": ("letters",),
    "lab": ("analyte", "word"),
    "awaiting": ("awaiting",),
    "qualifier": ("qualifier",),
    "rhythm": ("rhythm",),
    "imaging": (
        "modality", "calcification", "soft", "positive", "vascular", "joint", "elsewhere", "clear", "flow",
        "indication", "pending",
    ),
    "ordered": ("ordered",),
    "course": ("progressed",),
    "misfiled": ("misfiled",),
    "pathology": ("specimen", "p-calcium", "stain", "tissue", "organ", "p-other"),
    "time": (
        "unit", "month", "number", "span", "feast", "moment", "since", "onset", "ago", "history", "person", "later",
        "not-onset",
    ),
    "few": ("few",),
    "now": ("now", "repeated"),
    "stage": ("stage",),
    "gas": ("blood-gas",),
    "amount": ("at-least", "at-most", "numbering", "in-number"),
    "dose": ("drug", "not-tolerated", "tolerated", "failed", "frequency"),
    "workup": ("workup",),
}  # fmt: skip
_GROUP = {category: group for group, categories in _GROUPS.items() for category in categories} | {"ignore": "*"}
_AFFIX = 4
_HEADINGS = frozenset({"modality", "workup"})
_TOLD = {"concept": 3, "cue": 3, "modality": 3, "workup": 3, "inside": 3, "analyte": 4}
"""letters of the shortest abbreviation that is known by its letters alone, by category"""
RELEVANT = frozenset(_GROUPS["lesion"] + _GROUPS["concept"] + _GROUPS["imaging"] + _GROUPS["pathology"]) | {
    "analyte", "drug", "rhythm",
} - {"side"}  # fmt: skip


class Hit(NamedTuple):
    """An entry found at the words [first, last)."""

    category: str
    value: str
    first: int
    last: int


class Payload(NamedTuple):
    """What an entry says; `exact`: only in just these letters, `told`: or in a text without capitals, or without small
    letters, where nobody could write them."""

    category: str
    group: str
    value: str
    exact: str | None
    told: bool = False


class Vocabulary(Struct, frozen=True):
    """What reading needs of a language. Its files as they were read are let go of: their words are in the tree."""

    language: str
    letters: str
    plural_s: bool
    side_follows: bool
    guarded: tuple[Guard, ...]
    capital: frozenset[str]
    capital_behind: frozenset[str]
    rules: tuple[Rule, ...]
    theirs: frozenset[str]
    exam_headings: frozenset[str]
    root: dict[str, Any]
    prefixes: dict[str, list[tuple[str, list[Payload]]]]
    suffixes: dict[str, list[tuple[str, list[Payload]]]]
    stopwords: frozenset[str]
    bridging: frozenset[str]
    """what may stand between a test and its result: everyday words and verbs of reporting."""
    articles: frozenset[str]
    abbreviations: frozenset[str]
    present: frozenset[str]
    of_whom: frozenset[str]
    relatives: frozenset[str]
    having: frozenset[str]
    side_shared: frozenset[str]
    spelling: Spelling
    numbers: frozenset[str]
    """numbers that stand in entries that may matter."""
    joining: frozenset[str]
    estimates: frozenset[str]
    starts: frozenset[str]
    """the first telling word of each entry that may matter: a text without any of them holds nothing for us."""

    def find(self, words: Words) -> dict[str, list[Hit]]:
        """All entries in the text, by category, in order."""
        out: dict[str, list[Hit]] = {}
        free: dict[str, int] = {}
        blocked = 0
        tokens, size = self.spelling.corrected(words.words), len(words.words)
        root, affixes = self.root, bool(self.prefixes or self.suffixes)
        for index, token in enumerate(tokens):
            if token not in root and not (affixes and len(token) > _AFFIX):
                continue
            best = self._at(words, tokens, index, size)
            if not best:
                continue
            ignored = best.pop("*", None)
            same = 0
            if ignored is not None and ignored[0] > blocked:
                blocked = same = ignored[0]
                out.setdefault("ignored", []).append(Hit("ignored", "", index, blocked))
            for group, (last, payloads) in best.items():
                if free.get(group, 0) > index or (last <= blocked and last != same):
                    continue
                free[group] = last
                for payload in payloads:
                    hit = Hit(payload.category, payload.value, index, last)
                    known = out.setdefault(payload.category, [])
                    if hit not in known[-4:]:
                        known.append(hit)
        return out

    def _at(self, words: Words, tokens: list[str], index: int, size: int) -> dict[str, tuple[int, list[Payload]]]:
        best: dict[str, tuple[int, list[Payload]]] = {}
        node = self.root.get(tokens[index])
        at = index
        while node is not None:
            at += 1
            found = node.get("")
            if found:
                _keep(best, at, found, words, index)
            node = node.get(tokens[at]) if at < size else None
        if not best and len(tokens[index]) > _AFFIX:
            for payloads in self._by_affix(tokens[index]):
                _keep(best, index + 1, payloads, words, index)
        return best

    def _by_affix(self, token: str) -> Iterator[list[Payload]]:
        for prefix, payloads in self.prefixes.get(token[:_AFFIX], ()):
            if token.startswith(prefix):
                yield payloads
        for suffix, payloads in self.suffixes.get(token[-_AFFIX:], ()):
            if token.endswith(suffix):
                yield payloads

    def relevant(self, words: Words) -> bool:
        """A cheap look whether anything of ours can be in the text."""
        if not self.starts.isdisjoint(words.words) or self.spelling.any(words.words):
            return True
        return any(True for token in words.words if len(token) > _AFFIX for _ in self._by_affix(token))

    def score(self, words: Words) -> int:
        """How many words are everyday words of this language; "LES" among small letters is none of French."""
        known = sum(map(self.stopwords.__contains__, words.words))
        known -= sum(map(self.stopwords.__contains__, words.letters()))
        if not words.text.isascii():
            known += any(letter in words.text for letter in self.letters)
        return known


_FIGURE = re.compile(r"\s{0,2}(?:[:=]|OF|IS|WAS|DE|ES|EST|À|A)?\s{0,2}[<>]?\d+(?:[.,]\d+)?\s?(?:%|[A-Za-zµμ/*^])")
"""a figure and something like a unit behind an abbreviation: it is a test in a line of capitals too ("CA 9.3 MG/DL")"""


_OPENERS = frozenset(",;:.(|-–\n\t")


def _opens(text: str, start: int) -> bool:
    """Whether a word opens its line or what stands between two signs ("labs: ca 9.3 mg/dl, phos 3.4"), or stands behind
    a figure ("t 36.8 p 72")."""
    before = text[max(0, start - 3) : start].rstrip(" ")[-1:]
    return not before or before in _OPENERS or before.isdigit()


def _keep(
    best: dict[str, tuple[int, list[Payload]]], last: int, found: list[Payload], words: Words, first: int
) -> None:
    fresh: set[str] = set()
    for payload in found:
        exact = payload.exact
        if exact is not None and not _stands(payload, exact, words, words.starts[first], words.ends[last - 1]):
            continue
        if payload.group in fresh:
            best[payload.group][1].append(payload)
        elif payload.group not in best or best[payload.group][0] <= last:
            if payload.group in best and best[payload.group][0] == last:
                best[payload.group][1].append(payload)
            else:
                best[payload.group] = (last, [payload])
            fresh.add(payload.group)


def _stands(payload: Payload, exact: str, words: Words, start: int, end: int) -> bool:
    """Whether the letters at a place are the abbreviation: as it is written, or where the case of letters tells nothing
    and the letters themselves, a figure of the test or a colon ("us: a solid nodule") do."""
    text = words.text
    written = text[start:end]
    if len(exact) == 1 and _in_unit(text, start):
        return False
    if written == exact and not words.all_capitals(start):
        return True
    if payload.category == "analyte" and written in (exact, exact.lower()):
        if written == exact and len(exact) > 1 and _FIGURE.match(text, end):
            return True
        if _opens(text, start) and is_measured(payload.value, text, end):
            return True
    if written.lower() != exact.lower() or not words.one_case(start):
        return False
    return payload.told or (payload.category in _HEADINGS and text[end : end + 1] == ":")


def _in_unit(text: str, start: int) -> bool:
    """The "L" of "mmol/L" is neither "left" nor "low"."""
    return start > 1 and text[start - 1] == "/" and text[start - 2].isalpha()


@cache
def vocabulary(language: str) -> Vocabulary:
    """The compiled vocabulary of a language; LanguageError if its files are wrong."""
    return _Builder(load_lexicon(language), load_context(language)).build()


class _Builder:
    def __init__(self, lexicon: Lexicon, context: Context) -> None:
        self.lexicon, self.context = lexicon, context
        self.root: dict[str, Any] = {}
        self.prefixes: dict[str, list[tuple[str, list[Payload]]]] = {}
        self.suffixes: dict[str, list[tuple[str, list[Payload]]]] = {}
        self.starts: set[str] = set()
        self.common = {fold(word) for word in (*lexicon.stopwords, *lexicon.prepositions, *lexicon.anaphors)}
        self.also_words = {fold(word) for word in lexicon.also_words}
        self.numbers: set[str] = set()
        self.words: dict[str, str] = {}
        """every word that stands in the language files, so that each is kept once, whichever language it is of."""

    def build(self) -> Vocabulary:
        for category, value, forms in entries(self.lexicon, self.context):
            payload = Payload(category, _GROUP[category], value, None)
            for entry in forms:
                for form in expand(entry):
                    self.add(payload, form)
        return Vocabulary(
            language=self.lexicon.language,
            letters=self.lexicon.letters,
            plural_s=self.lexicon.plural_s,
            side_follows=self.lexicon.side_follows,
            guarded=tuple(self.lexicon.guarded),
            capital=frozenset(self.lexicon.times.capital),
            capital_behind=frozenset(self.lexicon.times.capital_behind),
            rules=self.context.rules,
            theirs=frozenset(self.context.theirs),
            exam_headings=frozenset(self.context.exam_headings),
            root=_shared(self.root, {}),
            prefixes=self.prefixes,
            suffixes=self.suffixes,
            stopwords=frozenset(fold(word) for word in self.lexicon.stopwords),
            bridging=frozenset(fold(word) for word in (*self.lexicon.stopwords, *self.lexicon.reporting)),
            articles=frozenset(fold(word) for word in self.lexicon.anaphors),
            abbreviations=frozenset(fold(word) for word in self.context.abbreviations),
            present=frozenset(fold(word) for word in self.context.present),
            of_whom=frozenset(fold(word) for word in self.context.of_whom),
            relatives=frozenset(fold(word) for word in self.context.relatives),
            having=frozenset(fold(word) for word in self.context.having),
            side_shared=frozenset(fold(word) for word in self.lexicon.side_shared),
            spelling=Spelling(self.lexicon.spelling, frozenset(self.words)),
            joining=frozenset(fold(word) for word in load_common().joining),
            estimates=frozenset(fold(word) for word in load_common().estimates),
            starts=frozenset(self.starts),
            numbers=frozenset(self.numbers),
        )

    def add(self, payload: Payload, form: str) -> None:
        if form.startswith("="):
            form = form[1:]
            payload = payload._replace(exact=form, told=self._told(payload, form))
        category = payload.category
        if form.endswith("*") or form.startswith("*"):
            self._affix(form, payload)
            return
        words = phrase(form)
        if not words:
            raise LanguageError(f"{self.lexicon.language}: {category} {payload.value}: {form!r} holds no word")
        node = self.root
        for word in words:
            below = node.get(word)
            if below is None:
                below = node[self.words.setdefault(word, intern(word))] = {}
            node = below
        at = node.setdefault("", [])
        if payload not in at:
            at.append(payload)
        if category in RELEVANT:
            start = next((word for word in words if word not in self.common and len(word) > 1), words[0])
            self.starts.add(self.words[start])
            self.numbers.update(word for word in words if word[0].isdigit())

    def _told(self, payload: Payload, form: str) -> bool:
        """Whether an abbreviation is known by its letters alone: long enough, and no word of the language."""
        least = _TOLD.get(payload.category)
        return least is not None and len(form) >= least and phrase(form)[0] not in self.also_words

    def _affix(self, form: str, payload: Payload) -> None:
        stem = fold(form.strip("*"))
        if len(stem) < _AFFIX or " " in stem:
            raise LanguageError(f"{self.lexicon.language}: {payload.category} {payload.value}: {form!r} is too short")
        table, key = (self.prefixes, stem[:_AFFIX]) if form.endswith("*") else (self.suffixes, stem[-_AFFIX:])
        row = table.setdefault(key, [])
        for known, payloads in row:
            if known == stem:
                payloads.append(payload)
                return
        row.append((stem, [payload]))
        row.sort(key=lambda pair: -len(pair[0]))


def _shared(node: dict[str, Any], same: dict[Any, Any]) -> dict[str, Any]:
    """The same tree with equal branches kept once: an entry with many spellings goes on in the same way after each of
    them, and a tree of all of them has ten times as many nodes. `same`: what is kept so far."""
    below = {word: _shared(to, same) if word else same.setdefault(tuple(to), to) for word, to in node.items()}
    return cast("dict[str, Any]", same.setdefault(frozenset((word, id(to)) for word, to in below.items()), below))


def rule(vocab: Vocabulary, hit: Hit) -> Rule:
    return vocab.rules[int(hit.value)]
