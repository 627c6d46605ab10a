"""The citation checker: a sentence stands when every citation resolves and the cited claims carry its numbers."""

from __future__ import annotations

import re
from collections.abc import Iterable

from hooks.knowledge.answers_schema import Sentence
from hooks.knowledge.evidence import EvidenceBase

_NUMBER = re.compile(r"\d+(?:[.,]\d+)?")


def problems(sentence: Sentence, evidence: EvidenceBase, *, numbers_too: bool = True) -> tuple[str, ...]:
    """What is wrong with a sentence: citations that are no source, numbers that no cited source states (rows of other
    knowledge files have checks of their own: `numbers_too` is off for them)."""
    missing = evidence.missing(sentence.citations)
    if not sentence.citations or missing:
        return tuple(f"no such source: {key}" for key in missing) or ("no citation",)
    if not numbers_too:
        return ()
    said: set[str] = set()
    for key in sentence.citations:
        source = evidence.sources[key]
        texts = (source.citation, str(source.year or ""), *source.notes, *(c.text for c in source.claims))
        said.update(n for text in texts for n in numbers(text))
    return tuple(f"no cited source states {n}" for n in numbers(sentence.text) if n not in said)


def supported(sentences: Iterable[Sentence], evidence: EvidenceBase) -> tuple[Sentence, ...]:
    """Those sentences that stand."""
    return tuple(s for s in sentences if not problems(s, evidence))


def numbers(text: str) -> list[str]:
    """Numbers as written, decimal point for comma, without trailing zeros after it."""
    found = []
    for number in _NUMBER.findall(text):
        plain = number.replace(",", ".")
        found.append(plain.rstrip("0").rstrip(".") if "." in plain else plain)
    return found
