"""Whose resource is it, and is it the same one again? References in every form that servers use."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter
from typing import Any

from mappings.elements import Told
from mappings.facts import Quarantined
from mappings.reader.access import items, mapping
from mappings.unread import Unread

SAFE_ID = re.compile(r"[A-Za-z0-9\-._]{1,256}")
"""an id as FHIR allows it, and the longer ones with underscores that real servers give"""
_SAFE_SIGNS = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._"
_SAFE_LENGTHS = frozenset(range(1, 257))
_WHOLE = re.compile(r"[A-Za-z]{1,63}/[A-Za-z0-9\-._]{1,256}")
_MAX_REFERENCE = 2000
OTHER_PATIENT = "belongs to another patient"
ONLY_STRANGERS = "nothing but resources of another patient"
"""a question about this patient that was answered with somebody else's data (a merged record, a mix-up) has no answer:
what this patient has is unknown, not none."""
WITHOUT_ID = "/without-id"
"""what stands in a reference for the id that a resource does not have: to be read, never to be followed."""
NO_SUBJECT = "no subject"
NO_REFERENCE = "subject has no reference"
OTHER_FOCUS = "tells of another person than the patient"
"""an Observation on this patient's record that was made of somebody else, a foetus or a donor (`focus`)."""
_PERSONS = ("Patient", "RelatedPerson", "Group")


def reference_of(resource: Mapping[str, Any]) -> str:
    """ "Type/id" of a resource; a missing or malformed id is said, never copied."""
    if type(resource) is Unread:
        return resource.ref
    kind, found = resource.get("resourceType"), resource.get("id")
    if type(kind) is str and type(found) is str and _WHOLE.fullmatch(whole := f"{kind}/{found}"):
        return whole
    name = kind if isinstance(kind, str) and kind.isalpha() and len(kind) < 64 else "Resource"
    return f"{name}/{found}" if isinstance(found, str) and SAFE_ID.fullmatch(found) else f"{name}{WITHOUT_ID}"


def references(every: Sequence[Told]) -> list[str] | None:
    """ "Type/id" of each of many resources; None when an id is malformed."""
    ids = [told.id for told in every]
    signs = "".join(ids)
    if not signs.isascii() or signs.encode().translate(None, _SAFE_SIGNS):
        return None
    return [f"{told.kind}/{told.id}" for told in every] if _SAFE_LENGTHS.issuperset(map(len, ids)) else None


def target(reference: object) -> str | None:
    """ "Type/id" that a reference means: relative, absolute, versioned; None for urn:uuid, fragments and junk."""
    if not isinstance(reference, str) or len(reference) > _MAX_REFERENCE:
        return None
    parts = reference.split("/_history/")[0].rstrip("/").split("/")
    if len(parts) < 2 or not parts[-2].isalpha():
        return None
    return f"{parts[-2]}/{parts[-1]}"


def belongs(resource: Mapping[str, Any], patients: frozenset[str]) -> str | None:
    """None when the resource is of this patient, under any of the ids; else why it is left out."""
    subject = resource.get("subject")
    if subject is None:
        subject = resource.get("patient")
    reference = mapping(subject).get("reference")
    if reference is None:
        return NO_SUBJECT if subject is None else NO_REFERENCE
    if isinstance(reference, str) and reference.startswith("#"):
        inner = [mapping(c) for c in items(resource.get("contained"))]
        ids = [c.get("id") for c in inner if c.get("resourceType") == "Patient"]
        return None if reference[1:] in ids else "subject not found"
    if isinstance(reference, str) and reference.startswith("urn:"):
        return None if reference.rsplit(":", 1)[-1] in patients else "subject not found"
    named = target(reference)
    if named is None:
        return "subject not readable"
    if not _is_own(named, patients):
        return OTHER_PATIENT
    focus = (target(mapping(entry).get("reference")) for entry in items(resource.get("focus")))
    others = (found for found in focus if found is not None and not _is_own(found, patients))
    return OTHER_FOCUS if any(found.partition("/")[0] in _PERSONS for found in others) else None


def _is_own(named: str, patients: frozenset[str]) -> bool:
    kind, _, name = named.partition("/")
    return kind == "Patient" and name in patients


def names_another(resources: Iterable[tuple[str, Mapping[str, Any]]], patients: frozenset[str]) -> bool:
    """Whether anything in the chart is of another patient. Only where nothing is can a resource that names nobody be
    taken as this patient's: it came in the answer to a question about them, and there is nobody to mix them up with."""
    for _, resource in resources:
        found = resource.get("id")
        if resource["resourceType"] == "Patient":
            if found is not None and not (isinstance(found, str) and found in patients):
                return True
        elif belongs(resource, patients) == OTHER_PATIENT:
            return True
    return False


def unique(
    resources: Iterable[Mapping[str, Any]],
) -> tuple[tuple[tuple[str, Mapping[str, Any]], ...], tuple[Quarantined, ...]]:
    """Each resource once, with its reference: of several versions the newest; what is no resource is left out and
    named."""
    found: dict[str, Mapping[str, Any]] = {}
    unnamed: list[tuple[str, Mapping[str, Any]]] = []
    left_out: list[Quarantined] = []
    for index, resource in enumerate(resources):
        if type(resource) is Unread:
            key = resource.ref
        elif type(mapping(resource).get("resourceType")) is str:
            key = reference_of(resource)
        else:
            left_out.append(Quarantined(f"resource[{index}]", "not a FHIR resource"))
            continue
        if key.endswith(WITHOUT_ID):
            unnamed.append((key, resource))
        elif key not in found or _version(resource) > _version(found[key]):
            found[key] = resource
    # in an order of their own: the same chart gives the same words, whichever way and in whichever order it came
    return (*sorted(found.items(), key=_reference), *unnamed), tuple(left_out)


_reference = itemgetter(0)


def _version(resource: Mapping[str, Any]) -> tuple[str, str]:
    if type(resource) is Unread:
        return resource.order
    meta = mapping(resource.get("meta"))
    version = meta.get("versionId")
    stamp = meta.get("lastUpdated")
    return (stamp if isinstance(stamp, str) else "", version.zfill(20) if isinstance(version, str) else "")


class Owners:
    """Whose the resources of one chart are. One without a subject is this patient's, unless another patient is named
    anywhere in the chart, which is looked for when the first such resource comes."""

    def __init__(self, patients: frozenset[str], every: Iterable[tuple[str, Mapping[str, Any]]]) -> None:
        self._patients, self._every = patients, every
        self._mixed: bool | None = None

    def problem_of(self, resource: Mapping[str, Any]) -> str | None:
        """Why a resource is not counted as this patient's; None when it is."""
        problem = belongs(resource, self._patients)
        if problem != NO_SUBJECT:
            return problem
        if self._mixed is None:
            self._mixed = names_another(self._every, self._patients)
        return problem if self._mixed else None
