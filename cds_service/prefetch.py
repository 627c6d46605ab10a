"""What the prefetch of a request says about each data need: satisfied, failed, or still to be read.

A key that is absent is still to be read; null and an empty Bundle are answers ("no data"); an OperationOutcome is a
failure that is not asked again. Keys that an analyst renamed are recognised by the resources inside them, or by name.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct, field

from hooks.services import PREFETCH, RESOURCE_NEEDS
from mappings.bundles import Unpacked, unpack, with_resolved_urns
from mappings.facts import Completeness, Need, Quarantined
from mappings.raw import Resource

_HINTS: tuple[tuple[str, Need], ...] = (
    ("condition", "conditions"),
    ("problem", "conditions"),
    ("diagnos", "conditions"),
    ("report", "diagnosticReports"),
    ("observation", "observations"),
    ("lab", "observations"),
    ("exam", "observations"),
    ("vital", "observations"),
    ("calcium", "observations"),
    ("medication", "medications"),
    ("drug", "medications"),
    ("allerg", "allergies"),
    ("procedure", "procedures"),
    ("servicerequest", "serviceRequests"),
    ("order", "serviceRequests"),
    ("patient", "patient"),
)
WITHHELD = frozenset({"4130", "4131", "4134", "59204", "59205"})
"""issue codes by which a server (Epic) says that it kept something back."""

CUT_OFF = frozenset({"59133", "4127"})
"""issue codes by which a server says that there were more results than it gives."""

NEEDS_OF: Mapping[str, Need] = {
    **RESOURCE_NEEDS,
    "ProcedureRequest": "serviceRequests",
    "ReferralRequest": "serviceRequests",
    "MedicationAdministration": "medications",
    "MedicationDispense": "medications",
}
"""the needs that a type serves, those of other releases and kin included."""
_NO_RENAMES: Mapping[Need, int] = {}
_KEYS: Mapping[Need, tuple[str, ...]] = {
    need: tuple(key for key, (of, _) in PREFETCH.items() if of == need) for need, _ in PREFETCH.values()
}
_DAY = len("2026-01-31")
NOT_FHIR = "not a FHIR resource"
_WRONG_TYPE = "wrong resource type"
FEWER = "fewer than the server counted"
"""of an answer without a link to the rest (R4 search: `total` counts the matches of all pages)."""


RESULTS = "laboratory"
"""the template key that laboratory results answer."""
_BESIDE = frozenset(key for key, (need, _) in PREFETCH.items() if need == "observations") - {RESULTS}


class Prefetched(Struct):
    """`missing` are the template keys still to be read for a need; `failures` the reasons of failed keys; `refusals`
    the needs that the client answered with an OperationOutcome, which are not asked again. `results`: whether each
    answer that may hold laboratory results gave the newest of them (empty: none did)."""

    resources: list[Resource] = field(default_factory=list)
    satisfied: set[Need] = field(default_factory=set)
    missing: dict[Need, list[str]] = field(default_factory=dict)
    failures: dict[Need, list[str]] = field(default_factory=dict)
    refusals: set[Need] = field(default_factory=set)
    partial: dict[Need, list[str]] = field(default_factory=dict)
    next_urls: dict[Need, list[str]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)
    results: list[bool] = field(default_factory=list)

    @property
    def has_newest(self) -> bool:
        """Whether the newest laboratory results came, whatever other Observations may be missing."""
        return bool(self.results) and all(self.results)


def read_prefetch(prefetch: Mapping[str, Any] | None) -> Prefetched:
    """Sorts every value of the prefetch; nothing raises."""
    found = Prefetched()
    values = dict(prefetch or {})
    answered: set[str] = set()
    short: list[str] = []
    renames: Counter[Need] = Counter()
    for key, (need, _) in PREFETCH.items():
        if key not in values:
            continue
        value = values[key]
        unpacked = unpack(value) if value is not None else None
        problem = _unfit(unpacked, need)
        if problem is None:
            answered.add(key)
            del values[key]
            _take(key, need, value, unpacked, found)
            _collect(key, unpacked, found)
            if key == RESULTS:
                found.results.append(gives_newest(unpacked))
            if unpacked is not None and unpacked.is_short:
                short.append(key)
        elif problem in (NOT_FHIR, FEWER):
            # as good as absent, so that it is read from the server where that is possible
            found.failures.setdefault(need, []).append(f"{key}: {problem}")
            if key == RESULTS:
                found.results.append(False)
            if problem == NOT_FHIR:
                found.quarantined.append(Quarantined(f"prefetch.{key}", problem))
            del values[key]
        else:
            # an analyst's mix-up: what is inside serves the needs of its own types, never this one
            found.quarantined.append(Quarantined(f"prefetch.{key}", problem))
    for key, value in values.items():
        unpacked = unpack(value) if value is not None else None
        needs = tuple(_needs_of(key, unpacked))
        for need in needs:
            renames[need] += 1
            _take(key, need, value, unpacked, found)
            if unpacked is not None and unpacked.is_short:
                found.partial.setdefault(need, []).append(f"{key}: {FEWER}")
            if need == "observations" and key not in _BESIDE:
                found.results.append(gives_newest(unpacked))
        _collect(key, unpacked, found)
        lost = None if needs or unpacked is None else _lost(unpacked)
        if lost is not None:
            found.quarantined.append(Quarantined(f"prefetch.{key}", lost))
    note_missing(found, answered, renames)
    for key in short:
        found.missing.setdefault(PREFETCH[key][0], []).append(f"rest of {key}")
    return found


def note_missing(found: Prefetched, answered: Collection[str], renames: Mapping[Need, int] = _NO_RENAMES) -> None:
    """Notes the template keys that are still to be read. `renames`: under how many other keys a need was answered."""
    for need, keys in _KEYS.items():
        absent = [key for key in keys if key not in answered]
        renamed = need in found.satisfied and len(absent) == len(keys) and renames.get(need, 0) >= len(keys)
        if absent and not renamed and not (need in found.refusals and len(absent) == len(keys)):
            found.missing[need] = absent


def _unfit(unpacked: Unpacked | None, need: Need) -> str | None:
    """Why a value can't answer its key: no FHIR resource at all, or only resources of other needs."""
    if unpacked is None:
        return None
    if not unpacked.resources:
        return NOT_FHIR if unpacked.broken and not unpacked.issues else FEWER if unpacked.is_short else None
    return None if any(NEEDS_OF.get(kind) == need for kind in unpacked.kinds) else _WRONG_TYPE


def completeness_of(found: Prefetched) -> dict[Need, Completeness]:
    """The state of every need that the prefetch alone settles."""
    states: dict[Need, Completeness] = {}
    for need in _KEYS:
        reasons = [*found.failures.get(need, ()), *found.partial.get(need, ())]
        if need in found.satisfied:
            newest = need == "observations" and found.has_newest
            states[need] = Completeness("partial", ", ".join(reasons), newest) if reasons else Completeness("complete")
        elif reasons:
            states[need] = Completeness("unavailable", ", ".join(reasons))
    return states


def _take(key: str, need: Need, value: object, unpacked: Unpacked | None, found: Prefetched) -> None:
    """Notes what a value says of a need. None is an answer: there are none."""
    if unpacked is None:
        found.satisfied.add(need)
        return
    if not unpacked.resources and unpacked.broken and not unpacked.issues:
        found.failures.setdefault(need, []).append(f"{key}: {NOT_FHIR}")
        found.quarantined.append(Quarantined(f"prefetch.{key}", NOT_FHIR))
        return
    alone = isinstance(value, Mapping) and value.get("resourceType") == "OperationOutcome"
    if alone or (not unpacked.resources and unpacked.next_url is None and error_of(unpacked.issues)):
        found.refusals.add(need)
        found.failures.setdefault(need, []).append(f"{key}: {issue_reason(unpacked.issues) or 'operation-outcome'}")
        return
    found.satisfied.add(need)
    reason = issue_reason(unpacked.issues)
    if reason:
        found.partial.setdefault(need, []).append(f"{key}: {reason}")
    if unpacked.next_url:
        found.next_urls.setdefault(need, []).append(unpacked.next_url)


def gives_newest(unpacked: Unpacked | None) -> bool:
    """Whether an answer holds the newest of what was asked for: all of it, or the first of pages that visibly begin
    with the newest."""
    if unpacked is None:
        return True
    if unpacked.broken or issue_reason(unpacked.issues):
        return False
    return not (unpacked.next_url or unpacked.is_short) or is_newest_first(unpacked)


def is_newest_first(unpacked: Unpacked) -> bool:
    """Whether the days of the Observations go down and nowhere up; one day alone shows no order."""
    days = [
        str(one.get("effectiveDateTime") or one.get("issued") or "")[:_DAY]
        for _, one in unpacked.resources
        if one.get("resourceType") == "Observation"
    ]
    return all(len(day) == _DAY for day in days) and days == sorted(days, reverse=True) and len(set(days)) > 1


def _lost(unpacked: Unpacked) -> str | None:
    """Why a value beside the needs (notes, say) is not all there is."""
    if unpacked.next_url:
        return "page not followed"
    return FEWER if unpacked.is_short else issue_reason(unpacked.issues)


def _collect(key: str, unpacked: Unpacked | None, found: Prefetched) -> None:
    if unpacked is None:
        return
    found.resources.extend(with_resolved_urns(unpacked))
    found.quarantined.extend(
        Quarantined(f"prefetch.{key}.{path}", NOT_FHIR) for path in unpacked.broken if path != "value"
    )


def _needs_of(key: str, unpacked: Unpacked | None) -> Iterator[Need]:
    """The needs that an unknown key answers: by the types inside; an empty answer by the key's name."""
    types = unpacked.kinds if unpacked is not None else set()
    if types:
        yield from sorted({NEEDS_OF[t] for t in types if t in NEEDS_OF})
        return
    folded = key.lower()
    named = next((need for hint, need in _HINTS if hint in folded), None)
    if named is not None:
        yield named


def issue_reason(issues: tuple[Mapping[str, Any], ...]) -> str | None:
    """Why a Bundle may be incomplete, as a short code: an error issue, or a warning that data were withheld."""
    error = error_of(issues)
    if error is not None:
        return error
    for issue in issues:
        details = issue.get("details")
        codings = details.get("coding") if isinstance(details, Mapping) else None
        for coding in codings if isinstance(codings, list) else ():
            said = str(coding.get("code")) if isinstance(coding, Mapping) else ""
            if said in WITHHELD:
                return "withheld"
            if said in CUT_OFF:
                return "page-limit"
    return None


def error_of(issues: Iterable[Mapping[str, Any]]) -> str | None:
    """The code of the first error. A Bundle that holds one and no resource is no empty answer, but none."""
    for issue in issues:
        if issue.get("severity") in ("error", "fatal"):
            code = issue.get("code")
            return str(code)[:40] if isinstance(code, str) else "error"
    return None
