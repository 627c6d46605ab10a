"""Documented limits of a dose, and failed trials: "diltiazem 90 mg TDS caused headache, 90 mg BD tolerated"."""

from __future__ import annotations

import re
from decimal import Decimal
from functools import cache

from msgspec import Struct

from mappings.text.common import either, load_common
from mappings.text.document import Document
from mappings.text.notation import load_notation
from mappings.text.reading import DoseTolerance
from mappings.text.times import amount
from mappings.text.vocabulary import Hit

_MOST = 200
"""drugs named in one text; a longer list is no story of doses."""
_BREAKS = frozenset({",", ";", ".", "(", "\n", "→"})


class _Dose(Struct, frozen=True):
    index: int
    daily: Decimal | None
    unit: str


def tolerances(document: Document) -> tuple[DoseTolerance, ...]:
    """Each drug with a dose that was or was not tolerated, as amounts a day, and each that failed."""
    out: list[DoseTolerance] = []
    drugs = document.hits.get("drug", [])[:_MOST]
    for index, drug in enumerate(drugs):
        following = [d for d in drugs[index + 1 :] if d.value != drug.value]
        earlier = [d for d in drugs[:index] if d.value == drug.value]
        if earlier and not any(d.value != drug.value for d in drugs[drugs.index(earlier[-1]) : index]):
            continue
        sentence = document.sentence_of(drug.first)
        apart = [d for d in drugs[:index] if d.value != drug.value and not _joined(document, d, drug, drugs)]
        first = max([sentence.first, *(d.last for d in apart)])
        first = sentence.first if first > drug.first else first
        joined = [d for d in following if _joined(document, drug, d, drugs)]
        last = _stretch(document, drug, [d for d in following if d not in joined])
        found = _read(document, drug, first, last)
        if found is not None:
            out.append(found)
    return tuple(out)


def _joined(document: Document, drug: Hit, other: Hit, drugs: list[Hit]) -> bool:
    """ "failed diltiazem and colchicine": only "and", commas and drugs between."""
    inside = {i for d in drugs for i in range(d.first, d.last)}
    return other.first > drug.first and all(
        i in inside or document.between("coordinator", i, i + 1) for i in range(drug.last, other.first)
    )


def _stretch(document: Document, drug: Hit, following: list[Hit]) -> int:
    """To the next drug, at most to the end of the sentence after this one."""
    at = document.sentences.index(document.sentence_of(drug.first))
    sentence = document.sentences[at]
    last = sentence.last
    for upcoming in document.sentences[at + 1 : at + 3]:
        if upcoming.paragraph != sentence.paragraph:
            break
        last = upcoming.last
    return min([last, *(d.first for d in following if d.first >= drug.last)])


def _read(document: Document, drug: Hit, first: int, last: int) -> DoseTolerance | None:
    failed = any(document.status(h) in ("affirmed", "historical") for h in _hits(document, "failed", first, last))
    doses = _doses(document, first, last)
    good = _hits(document, "tolerated", first, last)
    bad = [h for h in _hits(document, "not-tolerated", first, last) if document.status(h) != "negated"]
    tolerated: list[_Dose] = []
    refused: list[_Dose] = []
    for at, dose in enumerate(doses):
        left = doses[at - 1].index if at else first
        right = doses[at + 1].index if at + 1 < len(doses) else last
        verdict = _verdict(document, dose, left, right, good, bad)
        if verdict == "tolerated":
            tolerated.append(dose)
        elif verdict == "refused":
            refused.append(dose)
    best = max((d.daily for d in tolerated if d.daily is not None), default=None)
    worst = min((d.daily for d in refused if d.daily is not None), default=None)
    if best is None and worst is None and not failed:
        return None
    if best is not None and worst is None and not failed:
        return None
    unit = next((d.unit for d in (*tolerated, *refused)), None)
    return DoseTolerance(drug.value, document.text(first, last), best, worst, unit, failed)


def _hits(document: Document, category: str, first: int, last: int) -> list[Hit]:
    return document.between(category, first, last)


def _doses(document: Document, first: int, last: int) -> list[_Dose]:
    out = []
    start, end = document.span(first, last)
    for match in _dose().finditer(document.words.folded, start, end):
        index = next(i for i in range(first, last) if document.words.ends[i] > match.start())
        value = amount(match[1])
        after = next((i for i in range(index, last) if document.words.starts[i] >= match.end()), last)
        frequency = next(iter(document.between("frequency", after, min(after + 2, last))), None)
        if value is None:
            continue
        times = Decimal(frequency.value) if frequency else Decimal(1) if match[3] else None
        out.append(_Dose(index, value * times if times else None, load_notation().doses[match[2]]))
    return out


@cache
def _dose() -> re.Pattern[str]:
    words, units = load_common().numbers, "|".join(load_notation().doses)
    return re.compile(
        rf"(?<![\w.,])(\d{{1,4}}(?:[.,]\d{{1,3}})?)\s?({units})"
        rf"(?:\s?(?:{either(words.per)})\s?({either(words.day)})(?![a-z]))?(?!\w)"
    )


def _verdict(document: Document, dose: _Dose, left: int, right: int, good: list[Hit], bad: list[Hit]) -> str | None:
    """The nearest word on tolerance; a comma or semicolon between counts as distance."""
    near: list[tuple[int, int, str]] = []
    for name, hits in (("tolerated", good), ("refused", bad)):
        for hit in hits:
            if not left <= hit.first < right and not (hit.first < left and name == "tolerated" and hit.last > left):
                continue
            low, high = sorted((hit.first, dose.index))
            breaks = sum(1 for i in range(low, high) if document.word(i) in _BREAKS)
            near.append((breaks, abs(hit.first - dose.index), name))
    return min(near)[2] if near else None
