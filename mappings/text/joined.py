"""Several readings put together: of one text in the languages it may be in, or of the passages of a mixed text."""

from __future__ import annotations

from collections.abc import Sequence

from mappings.text.document import overlaps
from mappings.text.reading import ConceptMention, ImagingMention, LesionMention, TextReading


def joined(one: TextReading, other: TextReading, known: list[tuple[int, int]]) -> TextReading:
    """Two readings of one text in two languages: what the second adds where the first knew no word."""

    def fresh(mention: LesionMention | ConceptMention) -> bool:
        return not overlaps(known, mention.start, mention.end)

    return TextReading(
        one.language if _weight(one) >= _weight(other) else other.language,
        lesions=one.lesions + tuple(m for m in other.lesions if fresh(m)),
        concepts=one.concepts + tuple(m for m in other.concepts if fresh(m)),
        labs=one.labs or (() if known else other.labs),
        imaging=_better(one.imaging, other.imaging),
        biopsies=one.biopsies or other.biopsies,
        tolerances=one.tolerances or other.tolerances,
        understood=_clear(one, other) and _clear(other, one),
    )


def beside(readings: Sequence[TextReading]) -> TextReading:
    """The readings of the passages of a text: all of each, and once what they share."""
    images = tuple(dict.fromkeys(image for reading in readings for image in reading.imaging))
    lesions = dict.fromkeys(m for reading in readings for m in reading.lesions)
    concepts = dict.fromkeys(m for reading in readings for m in reading.concepts)
    return TextReading(
        max(readings, key=_weight).language,
        lesions=tuple(sorted(lesions, key=lambda m: m.start)),
        concepts=tuple(sorted(concepts, key=lambda m: m.start)),
        labs=tuple(dict.fromkeys(m for reading in readings for m in reading.labs)),
        imaging=tuple(image for image in images if image.finding != "not-understood") or images,
        biopsies=tuple(dict.fromkeys(m for reading in readings for m in reading.biopsies)),
        tolerances=tuple(dict.fromkeys(m for reading in readings for m in reading.tolerances)),
        understood=all(reading.understood for reading in readings),
    )


def _clear(one: TextReading, other: TextReading) -> bool:
    """What one language cannot place counts, unless the other reads something there."""
    return one.understood or (other.understood and _weight(other) > 0)


def _better(one: tuple[ImagingMention, ...], other: tuple[ImagingMention, ...]) -> tuple[ImagingMention, ...]:
    vague = not one or all(m.finding == "not-understood" for m in one)
    return other if vague and other else one


def _weight(reading: TextReading) -> int:
    return sum(
        len(found)
        for found in (
            reading.lesions,
            reading.concepts,
            reading.labs,
            reading.imaging,
            reading.biopsies,
            reading.tolerances,
        )
    )
