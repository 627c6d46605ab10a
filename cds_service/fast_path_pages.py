"""The fast path of a silent patient whose chart came from the EHR's server: what `fast_path.py` is for the chart in a
request.

Large answers are bytes still (`fhir/lazy_pages.py`). Where none of them names a connective tissue disease and every
resource in them is regular, the long way would say and record nothing else than that nothing applies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec

from cds_service.fhir.lazy_pages import packed
from cds_service.gather import Gathered
from mappings.facts import PatientFacts
from mappings.prescan import Prescan
from mappings.raw import Resource
from mappings.reader.patient import alone
from mappings.skeleton import CONTENT_WITH_OUTCOMES, skeletons_of

_PERSON = "Patient"
_BUNDLE: Any = msgspec.defstruct(
    "Bundle", CONTENT_WITH_OUTCOMES, tag_field="resourceType", tag="Bundle", gc=False, frozen=True
)
_PAGE = msgspec.json.Decoder(_BUNDLE)


def silent_facts(gathered: Gathered, prescan: Prescan) -> PatientFacts | None:
    """Who the patient is, and how completely the chart was read, when nothing follows from it; None when it has to be
    read. Leaves `gathered` as it is, and never raises."""
    frame = gathered.frame
    if not gathered.pages or not prescan.ready or frame.quarantined or frame.drafts or frame.aliases:
        return None
    conditions = frame.completeness.get("conditions")
    if conditions is None or conditions.state == "unavailable":
        return None  # a question that could not be read (412)
    people = [one for one in gathered.resources if one.get("resourceType") == _PERSON]
    others = [one for one in gathered.resources if one.get("resourceType") != _PERSON]
    if len(people) > 1 or not _is_silent(people, prescan):
        return None
    bodies = [page.body for _, page in gathered.pages]
    if others:
        page = packed(others)
        if page is None:
            return None
        bodies.append(page.body)
    if any(prescan.may_concern(body) for body in bodies):
        return None
    if not all(_is_regular(body, frame.patient_id) for body in bodies):
        return None
    return alone(frame.patient_id, people[0] if people else None, frame.completeness)


def _is_silent(people: Sequence[Resource], prescan: Prescan) -> bool:
    page = packed(people)
    return page is not None and not prescan.may_concern(page.body)


def _is_regular(body: bytes, patient_id: str) -> bool:
    try:
        bundle = _PAGE.decode(body)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return False
    return skeletons_of({"page": bundle}, patient_id) is not None
