"""A name of a disease that spells out its letters ("calcinosis, Raynaud, oesophageal dysmotility, sclerodactyly and
telangiectasia"): the name says the disease, and of no part of it that this patient has it (clinical rule 2.1)."""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache

from mappings.text.common import either, load_common
from mappings.text.tokens import Words
from mappings.text.vocabulary import Hit

_REACH = 7
"""words from one part of the name to the next"""
_LETTERS = 4
_STOPS = frozenset(".;\n")
_BEFORE = frozenset({"on", "in", "at", "%", "("})
_BEHIND, _AHEAD = 5, 3
"""words before and after letters in which another word may give them another meaning"""
_PER_CENT = re.compile(r"([1-9]\d{1,2})(?:[.,]\d)?")


def without_spelled_out(words: Words, hits: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    """The hits without those inside a name spelled out; the disease stands in their place."""
    for concept, parts in load_common().spelled_out.items():
        for first, last in _spans(words.words, parts):
            hits = {
                category: kept
                for category, found in hits.items()
                if (kept := [hit for hit in found if not first <= hit.first < last])
            }
            named = hits.setdefault("concept", [])
            named.insert(bisect_left([hit.first for hit in named], first), Hit("concept", concept, first, last))
            hits.setdefault("ignored", []).append(Hit("ignored", "", first, last))
            hits["ignored"].sort(key=lambda hit: hit.first)
    return hits


def without_other_letters(words: Words, hits: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    """The hits without letters that stand for a disease elsewhere and here for something else: "PR 160 ms" is an
    interval and "RA 8 mmHg" a pressure, "SpO2 97% RA" is room air; none is rheumatoid arthritis."""
    found = hits.get("concept")
    if not found:
        return hits
    kept = [hit for hit in found if not _is_other(words, hits, hit)]
    return hits if len(kept) == len(found) else hits | {"concept": kept}


def _is_other(words: Words, hits: dict[str, list[Hit]], hit: Hit) -> bool:
    start, end = words.starts[hit.first], words.ends[hit.last - 1]
    letters = words.text[start:end]
    if len(letters) > _LETTERS or not letters.isupper():
        return False
    others = [index for index, other in enumerate(load_common().letters_for) if letters in other.words]
    if not others and not hit.value.startswith("ctd."):
        return False
    if any(pattern.match(words.folded, end) for pattern in _values()):
        return True
    before = [words.words[index] for index in range(max(0, hit.first - 4), hit.first)]
    while before and before[-1] in _BEFORE:
        before.pop()
    least, most = load_common().saturation
    if before and (share := _PER_CENT.fullmatch(before[-1])) is not None and least <= int(share[1]) <= most:
        return True
    cues = [cue for cue in hits.get("letters", ()) if int(cue.value) in others]
    return any(_beside(words, hit, cue) for cue in cues)


@cache
def _values() -> tuple[re.Pattern[str], re.Pattern[str]]:
    """A number with its unit, and one that is a fraction or a limit: no disease is followed by a value, but for how
    long it has lasted."""
    words = load_common().numbers
    return (
        re.compile(
            rf"\s?[:=<>]?\s?(?:(?:{either(words.value)})\s)?\d{{1,4}}(?:[.,]\d{{1,2}})?\s?"
            rf"(?:{either(words.value_units)})(?![^\W_])"
        ),
        re.compile(rf"\s?[:=]?\s?(?:[<>≤]\s?\d|\d{{1,2}}[.,]\d{{1,3}}(?![.\d]|\s?[{words.time_letters}]))"),
    )


def _beside(words: Words, hit: Hit, cue: Hit) -> bool:
    """Whether the cue stands near in the same sentence."""
    if not hit.first - _BEHIND <= cue.first < hit.last + _AHEAD:
        return False
    first, last = sorted((hit, cue), key=lambda one: one.first)
    return _STOPS.isdisjoint(words.words[first.last : last.first])


def _spans(tokens: list[str], parts: tuple[tuple[str, ...], ...]) -> list[tuple[int, int]]:
    spans: list[tuple[int, int]] = []
    for begin, token in enumerate(tokens):
        if not token.startswith(parts[0]) or (spans and begin < spans[-1][1]):
            continue
        at: int | None = begin
        for stems in parts[1:]:
            ahead = range((at or begin) + 1, min(len(tokens), (at or begin) + 1 + _REACH))
            at = next((index for index in ahead if tokens[index].startswith(stems)), None)
            if at is None:
                break
        if at is not None:
            spans.append((begin, at + 1))
    return spans
