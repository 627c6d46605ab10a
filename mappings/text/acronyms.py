"""A name of a disease that spells out its letters ("calcinosis, Raynaud, oesophageal dysmotility, sclerodactyly and
telangiectasia"): the name says the disease, and of no part of it that this patient has it (clinical rule 2.1)."""

from __future__ import annotations

from bisect import bisect_left

from mappings.text.schema import load_common
from mappings.text.tokens import Words
from mappings.text.vocabulary import Hit

_REACH = 7
"""words from one part of the name to the next"""


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
