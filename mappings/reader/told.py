"""What documents, assessments and questionnaires tell in words: Composition, ClinicalImpression, QuestionnaireResponse.
They are read as notes are. Of a document, the sections without entries: what a section's entries say is read there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mappings.reader.access import Concept, concept, confidential, first_date, items, mapping, notes, text, updated
from mappings.reader.context import Collected
from mappings.reader.narrative import Source
from mappings.reader.plain import lines_of
from mappings.reader.report import read_text

_WITHDRAWN = frozenset({"entered-in-error", "not-done"})
_OWN_DIALOGUE = "calcinosis-dialogue"
"""this service's own questions, which are answered where they were asked."""
_DEPTH = 8
_SPOKEN = ("valueString", "valueDate", "valueDateTime", "valueInteger", "valueDecimal")
_YES = "yes"
"""a word of every language of the lexicon; a box that was not ticked is left out."""


def read_document(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """Composition: the narrative of each section under its title."""
    _read("\n\n".join(_sections(resource.get("section"), _DEPTH)), resource, ref, into, "date")


def read_impression(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """ClinicalImpression: its summary, findings and notes."""
    named = (concept(mapping(found).get("itemCodeableConcept")).text for found in items(resource.get("finding")))
    parts = [text(resource.get("description")), text(resource.get("summary")), *named, *notes(resource)]
    words = "\n".join(dict.fromkeys(part for part in parts if part))
    _read(words, resource, ref, into, "effectiveDateTime", "effectivePeriod", "date")


def read_answers(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """QuestionnaireResponse: each question that was answered, with its answer."""
    if _OWN_DIALOGUE in str(resource.get("questionnaire") or ""):
        return
    _read("\n".join(_answered(resource.get("item"), _DEPTH)), resource, ref, into, "authored")


def _read(words: str, resource: Mapping[str, Any], ref: str, into: Collected, *dates: str) -> None:
    if resource.get("status") in _WITHDRAWN:
        into.leave_out(ref, "status entered-in-error or not-done")
        return
    if words:
        date = first_date(resource, *dates)
        source = Source(ref, date=date, recorded=date, updated=updated(resource), confidential=confidential(resource))
        read_text(words, "note", Concept((), None), source, into)


def _sections(sections: object, depth: int) -> Iterator[str]:
    for section in map(mapping, items(sections)):
        narrative = text(mapping(section.get("text")).get("div"))
        if narrative and not section.get("entry"):
            title = text(section.get("title"))
            yield f"{title}:\n{lines_of(narrative)}" if title else lines_of(narrative)
        if depth:
            yield from _sections(section.get("section"), depth - 1)


def _answered(asked: object, depth: int) -> Iterator[str]:
    for item in map(mapping, items(asked)):
        question = text(item.get("text"))
        answers = [mapping(answer) for answer in items(item.get("answer"))]
        said = [words for words in map(_said, answers) if words]
        if question and said:
            mark = "" if question.rstrip().endswith(("?", ":")) else ":"
            yield f"{question.strip()}{mark} {', '.join(said)}"
        elif question and depth and item.get("item"):
            yield f"{question.strip().rstrip(':')}:"
        if depth:
            for inner in (item, *answers):
                yield from _answered(inner.get("item"), depth - 1)


def _said(answer: Mapping[str, Any]) -> str | None:
    if answer.get("valueBoolean") is True:
        return _YES
    for name in _SPOKEN:
        if answer.get(name) is not None:
            return text(str(answer[name]))
    return text(mapping(answer.get("valueCoding")).get("display"))
