"""What the prefetch of a request says about each data need: satisfied, failed, or still to be read.

A key that is absent is still to be read; null and an empty Bundle are answers ("no data"); an OperationOutcome is a
failure that is not asked again. Keys that an analyst renamed are recognised by the resources inside them, or by name.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from hooks.services import PREFETCH, RESOURCE_NEEDS
from mappings.bundles import unpack, with_resolved_urns
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
"""issue codes by which a server says that it kept something back (ehr.md, Epic's table)."""


@dataclass(slots=True)
class Prefetched:
    """`missing` are the template keys still to be read for a need; `failures` the reasons of failed keys."""

    resources: list[Resource] = field(default_factory=list)
    satisfied: set[Need] = field(default_factory=set)
    missing: dict[Need, list[str]] = field(default_factory=dict)
    failures: dict[Need, list[str]] = field(default_factory=dict)
    partial: dict[Need, list[str]] = field(default_factory=dict)
    next_urls: dict[Need, list[str]] = field(default_factory=dict)
    quarantined: list[Quarantined] = field(default_factory=list)


def read_prefetch(prefetch: Mapping[str, Any] | None) -> Prefetched:
    """Sorts every value of the prefetch; nothing raises."""
    found = Prefetched()
    values = dict(prefetch or {})
    for key, (need, _) in PREFETCH.items():
        if key in values:
            _take(key, need, values.pop(key), found)
    for key, value in values.items():
        for need in _needs_of(key, value):
            _take(key, need, value if need is not None else None, found, only=True)
        _collect(key, value, found)
    for need in {need for need, _ in PREFETCH.values()}:
        keys = [key for key, (of, _) in PREFETCH.items() if of == need]
        absent = [key for key in keys if prefetch is None or key not in prefetch]
        renamed = need in found.satisfied and len(absent) == len(keys)
        if absent and not renamed and not (need in found.failures and len(absent) == len(keys)):
            found.missing[need] = absent
    return found


def completeness_of(found: Prefetched) -> dict[Need, Completeness]:
    """The state of every need that the prefetch alone settles."""
    states: dict[Need, Completeness] = {}
    for need in {need for need, _ in PREFETCH.values()}:
        reasons = [*found.failures.get(need, ()), *found.partial.get(need, ())]
        if need in found.satisfied:
            states[need] = Completeness("partial", ", ".join(reasons)) if reasons else Completeness("complete")
        elif reasons:
            states[need] = Completeness("unavailable", ", ".join(reasons))
    return states


def _take(key: str, need: Need, value: object, found: Prefetched, *, only: bool = False) -> None:
    if value is None:
        found.satisfied.add(need)
        return
    unpacked = unpack(value)
    if not unpacked.resources and unpacked.broken and not unpacked.issues:
        found.failures.setdefault(need, []).append(f"{key}: not a FHIR resource")
        found.quarantined.append(Quarantined(f"prefetch.{key}", "not a FHIR resource"))
        return
    whole = isinstance(value, Mapping) and value.get("resourceType") == "OperationOutcome"
    if whole:
        found.failures.setdefault(need, []).append(f"{key}: {issue_reason(unpacked.issues) or 'operation-outcome'}")
        return
    found.satisfied.add(need)
    reason = issue_reason(unpacked.issues)
    if reason:
        found.partial.setdefault(need, []).append(f"{key}: {reason}")
    if unpacked.next_url:
        found.next_urls.setdefault(need, []).append(unpacked.next_url)
    if not only:
        _collect(key, value, found)


def _collect(key: str, value: object, found: Prefetched) -> None:
    if value is None:
        return
    unpacked = unpack(value)
    found.resources.extend(with_resolved_urns(unpacked))
    found.quarantined.extend(
        Quarantined(f"prefetch.{key}.{path}", "not a FHIR resource") for path in unpacked.broken if path != "value"
    )


def _needs_of(key: str, value: object) -> Iterator[Need]:
    """The needs that an unknown key answers: by the types inside, else by its name."""
    types = {str(r.get("resourceType")) for _, r in unpack(value).resources} if value is not None else set()
    needs = {RESOURCE_NEEDS[t] for t in types if t in RESOURCE_NEEDS}
    if not needs:
        folded = key.lower()
        needs = {need for hint, need in _HINTS if hint in folded}
        needs = set(list(needs)[:1])
    yield from sorted(needs)


def issue_reason(issues: tuple[Mapping[str, Any], ...]) -> str | None:
    """Why a Bundle may be incomplete, as a short code: an error issue, or a warning that data were withheld."""
    for issue in issues:
        if issue.get("severity") in ("error", "fatal"):
            code = issue.get("code")
            return str(code)[:40] if isinstance(code, str) else "error"
    for issue in issues:
        details = issue.get("details")
        codings = details.get("coding") if isinstance(details, Mapping) else None
        for coding in codings if isinstance(codings, list) else ():
            if isinstance(coding, Mapping) and str(coding.get("code")) in WITHHELD:
                return "withheld"
    return None
