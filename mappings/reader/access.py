"""Tolerant access to decoded JSON: a wrong type is like nothing, never an exception."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct

from mappings.dates import PartialDate
from mappings.reader.plain import lines_of_rtf, plain_text
from mappings.text.markup import replaced
from mappings.text.rtf import is_rtf

LONGEST_TEXT = 150_000
"""characters of one text that are read, some fifty pages; of a longer one what stands before (`long_texts.py`)."""


_LETTERS = re.compile(r"[^\W\d_]{3}")
_NOTHING: Mapping[str, Any] = {}


class Coding(Struct, frozen=True):
    system: str | None
    code: str | None
    display: str | None


class Concept(Struct, frozen=True):
    """A CodeableConcept (or Coding, or plain string) as far as it could be read."""

    codings: tuple[Coding, ...] = ()
    text: str | None = None

    @property
    def label(self) -> str:
        if self.text:
            return self.text
        for coding in self.codings:
            if coding.display:
                return coding.display
        for coding in self.codings:
            if coding.code:
                return coding.code
        return ""

    @property
    def texts(self) -> tuple[str, ...]:
        """Text and displays, each once."""
        found = dict.fromkeys([self.text, *[c.display for c in self.codings]])
        return tuple([words for words in found if words])


def is_word(words: str) -> bool:
    """Whether something is named: three letters in a row."""
    return _LETTERS.search(words) is not None


def categories(resource: Mapping[str, Any]) -> set[str]:
    """The words and codes of a resource's categories, in small letters."""
    kinds = map(concept, items(resource.get("category")))
    return {word.strip().lower() for kind in kinds for word in (*kind.texts, *(c.code for c in kind.codings)) if word}


def text(value: object) -> str | None:
    """Words as plain text: RTF comments without their markup, no invisible characters, which would part the name of a
    drug. None when there are none."""
    if not isinstance(value, str):
        return None
    value = in_plain_signs(value)
    if not value.strip():
        return None
    if value.startswith("{") and is_rtf(value):
        return lines_of_rtf(value[: 10 * LONGEST_TEXT])[:LONGEST_TEXT] or None
    return value[:LONGEST_TEXT]


def in_plain_signs(written: str) -> str:
    """The same without invisible characters, wide letters and odd blanks, as in a note."""
    return written if written.isascii() else replaced(written)


def mapping(value: object) -> Mapping[str, Any]:
    if type(value) is dict:  # decoded JSON is; asking for a Mapping costs ten times as much
        return value
    return value if value is not None and isinstance(value, Mapping) else _NOTHING


def items(value: object) -> Iterator[Any]:
    """The members of a list; a lone object counts as a list of one (some servers send it so)."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value


def concept(value: object) -> Concept:
    """A CodeableConcept, Coding, CodeableReference or bare string as one form; anything else is the empty concept."""
    if isinstance(value, str):
        return Concept((), text(value))
    body = mapping(value)
    if "coding" not in body and ("code" in body or "system" in body):
        return Concept((_coding(body),), text(body.get("display")))
    if "concept" in body and isinstance(body["concept"], Mapping):
        return concept(body["concept"])
    coding = body.get("coding")
    if type(coding) is list:
        codings = tuple([_coding(entry) for entry in coding if type(entry) is dict or isinstance(entry, Mapping)])
    else:
        codings = (_coding(coding),) if isinstance(coding, Mapping) else ()
    return Concept(codings, text(body.get("text")))


def name_of(resource: Mapping[str, Any]) -> tuple[Concept, bool]:
    """What a resource is called: its code, and as a last resort, where the code holds neither code nor words, the
    narrative. (name, whether it is the narrative)."""
    coded = concept(resource.get("code"))
    if coded.label:
        return coded, False
    narrative = text(mapping(resource.get("text")).get("div"))
    return (Concept((), plain_text(narrative)[:LONGEST_TEXT] or None), True) if narrative else (coded, False)


def concepts(value: object) -> tuple[Concept, ...]:
    return tuple(concept(entry) for entry in items(value))


def codes(value: object) -> frozenset[str]:
    """The bare codes of a CodeableConcept, Coding or code string, lower case."""
    found = concept(value)
    every = [c.code for c in found.codings] + [found.text]
    return frozenset(c.strip().lower() for c in every if c)


def notes(resource: Mapping[str, Any]) -> tuple[str, ...]:
    found = [text(n.get("text")) if isinstance(n, Mapping) else text(n) for n in items(resource.get("note"))]
    return tuple(t for t in found if t)


def dated_notes(resource: Mapping[str, Any]) -> tuple[tuple[PartialDate | None, str], ...]:
    """The notes by the time each was written; those without a time in one text, as they belong together."""
    timed: list[tuple[PartialDate | None, str]] = []
    untimed: list[str] = []
    for note in items(resource.get("note")):
        body = mapping(note)
        words, written = text(body.get("text")) if body else text(note), PartialDate.parse(body.get("time"))
        if words and written:
            timed.append((written, words))
        elif words:
            untimed.append(words)
    return (*timed, (None, ". ".join(untimed))) if untimed else tuple(timed)


def period(value: object) -> PartialDate | None:
    """A Period as the interval from its start to its end; an open end is the start alone."""
    body = mapping(value)
    return lasted(body.get("start"), body.get("end"))


def lasted(first: object, last: object) -> PartialDate | None:
    """The same of the elements of a Period."""
    start, end = PartialDate.parse(first), PartialDate.parse(last)
    if start and end and start.earliest <= end.latest:
        return PartialDate(start.earliest, end.latest, end.instant)
    return start or end


def first_date(resource: Mapping[str, Any], *names: str) -> PartialDate | None:
    """The first of the elements that holds a date, instant or Period."""
    for name in names:
        value = resource.get(name)
        found = PartialDate.parse(value) if isinstance(value, str) else period(value)
        if found is not None:
            return found
    return None


def updated(resource: Mapping[str, Any]) -> PartialDate | None:
    return PartialDate.parse(mapping(resource.get("meta")).get("lastUpdated"))


def is_true(value: object) -> bool:
    """A boolean, also one that was made a string on its way through XML."""
    return value is True or value == "true"


def confidential(resource: Mapping[str, Any]) -> bool:
    return any(codes(tag) & {"r", "v"} for tag in items(mapping(resource.get("meta")).get("security")))


def _coding(body: Mapping[str, Any]) -> Coding:
    code = body.get("code")
    if type(code) is str:
        return Coding(text(body.get("system")), in_plain_signs(code).strip(), text(body.get("display")))
    return Coding(
        text(body.get("system")), str(code).strip() if isinstance(code, str | int) else None, text(body.get("display"))
    )
