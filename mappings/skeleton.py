"""The skeleton of a FHIR answer: which types of resources stand in it, whose they are, and whether all are well-formed.

Decoded straight from bytes into narrow structs; everything else is checked for syntax only and never becomes an object.
It answers for regular content alone: every resource of a kind that the reader knows is the patient's, by a plain
reference, and has the shape that the reader asks for (`mappings/reader/shape.py`, from which the structs are made);
drugs and allergies have names in words, since those without count their list as partial.
Whatever is not so gets None, and is for the reader to sort out and name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from operator import attrgetter
from typing import Any

import msgspec
from msgspec import Struct

from mappings.reader import READ_TYPES, shape
from mappings.reader.access import is_word

_BESIDE = ("Encounter", "Location", "Medication", "Organization", "Practitioner", "PractitionerRole", "Specimen")
"""types that come along in searches and say nothing by themselves."""


class _Object(msgspec.Struct, gc=False, frozen=True):
    """Any object; its content is not looked at."""


class _Subject(msgspec.Struct, gc=False, frozen=True):
    reference: str


class _Coding(msgspec.Struct, gc=False, frozen=True):
    display: str = ""


class _Named(msgspec.Struct, gc=False, frozen=True):
    """A CodeableConcept; one with a code of its own is none, and read in another way."""

    text: str = ""
    coding: list[_Coding] = []
    code: str | msgspec.UnsetType = msgspec.UNSET
    system: str | msgspec.UnsetType = msgspec.UNSET


class _Reference(msgspec.Struct, gc=False, frozen=True):
    display: str = ""


class _Link(msgspec.Struct, gc=False, frozen=True):
    relation: str
    url: str


_MOSTLY = (
    "status", "code", "medicationCodeableConcept", "subject", "valueQuantity", "valueCodeableConcept", "component",
    "meta",
)  # fmt: skip
"""what stands in most resources, in its order there: the decoder asks for each name from the last one on"""
_OWNERS = ("subject", "patient")
_ELEMENTS: Mapping[str, tuple[Any, Any]] = {
    **dict.fromkeys(_OWNERS, (_Subject | None, None)),
    **dict.fromkeys(shape.OBJECTS, (_Object, msgspec.UNSET)),
    **dict.fromkeys(shape.TEXTS, (str, "")),
    **dict.fromkeys(shape.LISTS, (list[_Object] | _Object | None, None)),
}
_SHAPE: list[tuple[str, Any, Any]] = [(name, *_ELEMENTS[name]) for name in dict.fromkeys((*_MOSTLY, *_ELEMENTS))]
_ALLERGY = {"code": _Named}
_DRUG = {"medicationCodeableConcept": _Named, "medicationReference": _Reference}
_NAMED: Mapping[str, Mapping[str, Any]] = {
    "AllergyIntolerance": _ALLERGY,
    **{kind: _DRUG for kind, own in shape.ELEMENTS.items() if own >= _DRUG.keys()},
}
"""where the names of drugs and allergies stand."""
_LOOKED_AT = 200
"""signs of a name that are looked at; the reader looks at more."""
_KINDS: tuple[Any, ...] = tuple(
    msgspec.defstruct(
        kind,
        [
            (name, _NAMED.get(kind, {}).get(name, how), default)
            for name, how, default in _SHAPE
            if name in _OWNERS or name in shape.ELEMENTS[kind]
        ],
        tag_field="resourceType",
        tag=kind,
        gc=False,
        frozen=True,
    )
    for kind in READ_TYPES
)
_OTHERS: tuple[Any, ...] = tuple(
    msgspec.defstruct(kind, [], tag_field="resourceType", tag=kind, gc=False, frozen=True) for kind in _BESIDE
)
_RESOURCE: Any = _KINDS[0]
for _kind in (*_KINDS[1:], *_OTHERS):
    _RESOURCE |= _kind
_OUTCOME: Any = msgspec.defstruct(
    "OperationOutcome", [], tag_field="resourceType", tag="OperationOutcome", gc=False, frozen=True
)


def _content(resource: Any) -> list[tuple[str, Any, Any]]:
    entry: Any = msgspec.defstruct("Entry", [("resource", resource)], gc=False, frozen=True)
    around = [("link", list[_Link], ()), ("total", int | None, None), ("issues", _Object | None, None)]
    return [("entry", list[entry], ()), *around]


CONTENT = _content(_RESOURCE)
CONTENT_WITH_OUTCOMES = _content(_RESOURCE | _OUTCOME)
"""the same of an answer whose issues somebody else looks at."""


class Skeleton(Struct, frozen=True):
    """The types of the resources inside, and the next page if there is one."""

    kinds: frozenset[str]
    next_url: str | None = None
    is_doubtful: bool = False
    """the server counted more than it sent, without a link to the rest, or says something of the whole"""


NOTHING = Skeleton(frozenset())
"""of an answer that found nothing."""


class Skeletons(Struct, frozen=True):
    """The skeleton of each of some answers, and how many entries they have together."""

    of: Mapping[str, Skeleton]
    entries: int


def skeletons_of(bundles: Mapping[str, Any], patient_id: str) -> Skeletons | None:
    """The skeletons of decoded Bundles (structs of `CONTENT`; None: there is nothing) by their names; None when
    anything in them is not regular."""
    found: dict[str, Skeleton] = {}
    owners: set[str | None] = set()
    entries = 0
    for name, bundle in bundles.items():
        if bundle is None or not (bundle.entry or bundle.link or bundle.total or bundle.issues):
            found[name] = NOTHING
            continue
        resources = list(map(_RESOURCE_OF, bundle.entry))
        entries += len(resources)
        kinds = frozenset(map(type, resources))
        if not kinds.isdisjoint(_NAMED_KINDS) and not all(map(_is_named, resources)):
            return None
        owners |= _owners(resources if kinds <= _OWNED_KINDS else [r for r in resources if type(r) in _OWNED_KINDS])
        names = _names(kinds)
        following = _next_page(bundle.link) if bundle.link else None
        is_short = following is None and bundle.total is not None and bundle.total > len(resources)
        found[name] = Skeleton(names, following, is_short or bundle.issues is not None)
    return Skeletons(found, entries) if owners <= {f"Patient/{patient_id}"} else None


def _next_page(links: Sequence[_Link]) -> str | None:
    return next((link.url for link in links if link.relation == "next"), None)


@lru_cache(256)
def _names(kinds: frozenset[Any]) -> frozenset[str]:
    return frozenset(_NAMES[kind] for kind in kinds)


def _owners(resources: Sequence[Any]) -> set[str | None]:
    """Whose the resources are. Nearly all say so under one name, which is asked for without a loop of ours."""
    try:
        return set(map(_SUBJECT_OF, resources))
    except AttributeError:
        return {owner.reference if (owner := one.subject or one.patient) else None for one in resources}


def _is_named(resource: Any) -> bool:
    """Whether words name the drug or allergy for sure, if it is one."""
    if type(resource) not in _NAMED_KINDS:
        return True
    named = resource.code if type(resource) is _ALLERGIES else resource.medicationCodeableConcept
    if named is not msgspec.UNSET:
        if named.code is not msgspec.UNSET or named.system is not msgspec.UNSET:
            return False
        return _is_word(named.text) or any(_is_word(coding.display) for coding in named.coding)
    reference = resource.medicationReference
    return type(reference) is _Reference and _is_word(reference.display)


def _is_word(text: str) -> bool:
    return not text.startswith("{") and is_word(text[:_LOOKED_AT])


_NAMED_KINDS = frozenset(kind for kind in _KINDS if kind.__name__ in _NAMED)
_ALLERGIES = next(kind for kind in _KINDS if kind.__name__ == "AllergyIntolerance")
_RESOURCE_OF, _SUBJECT_OF = attrgetter("resource"), attrgetter("subject.reference")
_OWNED_KINDS = frozenset(_KINDS)
_NAMES: Mapping[Any, str] = {kind: kind.__name__ for kind in (*_KINDS, *_OTHERS, _OUTCOME)}
