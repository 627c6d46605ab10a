"""FHIR R4 search for the sandbox: which parameters there are, and whether a resource matches one.

Only what CDS services, the reference page and common clients ask for; an unknown parameter or modifier is reported by
the caller, never silently used. Semantics follow https://hl7.org/fhir/R4/search.html: a comma is OR, a repeated
parameter is AND, a date parameter compares intervals, a token is `code`, `system|code`, `|code` or `system|`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Literal

from mappings.dates import PartialDate

Resource = dict[str, Any]
Kind = Literal["token", "reference", "date", "string"]

_ANY = "*"
_PARAMETERS: dict[tuple[str, str], tuple[Kind, tuple[str, ...]]] = {
    (_ANY, "_id"): ("token", ("id",)),
    (_ANY, "_lastUpdated"): ("date", ("meta.lastUpdated",)),
    (_ANY, "_tag"): ("token", ("meta.tag",)),
    (_ANY, "_security"): ("token", ("meta.security",)),
    (_ANY, "identifier"): ("token", ("identifier",)),
    (_ANY, "patient"): ("reference", ("subject", "patient")),
    (_ANY, "subject"): ("reference", ("subject", "patient")),
    (_ANY, "encounter"): ("reference", ("encounter", "context")),
    (_ANY, "code"): ("token", ("code", "medicationCodeableConcept")),
    (_ANY, "category"): ("token", ("category",)),
    (_ANY, "status"): ("token", ("status",)),
    (_ANY, "intent"): ("token", ("intent",)),
    (_ANY, "clinical-status"): ("token", ("clinicalStatus",)),
    (_ANY, "verification-status"): ("token", ("verificationStatus",)),
    ("Observation", "date"): ("date", ("effectiveDateTime", "effectivePeriod", "effectiveInstant")),
    ("DiagnosticReport", "date"): ("date", ("effectiveDateTime", "effectivePeriod")),
    ("DiagnosticReport", "issued"): ("date", ("issued",)),
    ("Procedure", "date"): ("date", ("performedDateTime", "performedPeriod")),
    ("AllergyIntolerance", "date"): ("date", ("recordedDate",)),
    ("Encounter", "date"): ("date", ("period",)),
    ("Condition", "onset-date"): ("date", ("onsetDateTime", "onsetPeriod")),
    ("Condition", "abatement-date"): ("date", ("abatementDateTime", "abatementPeriod")),
    ("Condition", "recorded-date"): ("date", ("recordedDate",)),
    ("MedicationRequest", "authoredon"): ("date", ("authoredOn",)),
    ("MedicationStatement", "effective"): ("date", ("effectiveDateTime", "effectivePeriod")),
    ("DocumentReference", "date"): ("date", ("date",)),
    ("DocumentReference", "period"): ("date", ("context.period",)),
    ("DocumentReference", "type"): ("token", ("type",)),
    ("ServiceRequest", "authored"): ("date", ("authoredOn",)),
    ("ServiceRequest", "occurrence"): ("date", ("occurrenceDateTime", "occurrencePeriod")),
    ("Observation", "value-concept"): ("token", ("valueCodeableConcept",)),
    ("Patient", "birthdate"): ("date", ("birthDate",)),
    ("Patient", "gender"): ("token", ("gender",)),
    ("Patient", "name"): ("string", ("name.text", "name.family", "name.given")),
    ("Patient", "family"): ("string", ("name.family",)),
    ("Patient", "given"): ("string", ("name.given",)),
}
_PREFIXES = ("eq", "ne", "gt", "lt", "ge", "le", "sa", "eb")
_COMMA = re.compile(r"(?<!\\),")


class SearchError(ValueError):
    """A search that can't be answered; the text names the parameter."""


@dataclass(frozen=True, slots=True)
class Criterion:
    name: str
    kind: Kind
    paths: tuple[str, ...]
    values: tuple[str, ...]

    def matches(self, resource: Resource) -> bool:
        test = _TESTS[self.kind]
        found = [item for path in self.paths for item in elements(resource, path)]
        return any(test(item, value) for value in self.values for item in found)


def known(resource_type: str, name: str) -> tuple[Kind, tuple[str, ...]] | None:
    return _PARAMETERS.get((resource_type, name)) or _PARAMETERS.get((_ANY, name))


def parameters_of(resource_type: str) -> Iterator[tuple[str, Kind]]:
    """What the CapabilityStatement lists."""
    for (owner, name), (kind, _) in _PARAMETERS.items():
        if owner in (_ANY, resource_type) and not (resource_type == "Patient" and name in ("patient", "subject")):
            yield name, kind


def criterion(resource_type: str, name: str, value: str) -> Criterion | None:
    """None for a parameter that this server does not know; SearchError for a modifier or a value it can't use."""
    base, colon, modifier = name.partition(":")
    spec = known(resource_type, base)
    if spec is None:
        return None
    kind, paths = spec
    if colon and not (kind == "reference" and modifier == "Patient"):
        raise SearchError(f"modifier :{modifier} of parameter {base} is not supported")
    values = tuple(part.replace("\\,", ",") for part in _COMMA.split(value) if part)
    if not values:
        raise SearchError(f"parameter {base} has no value")
    if kind == "date":
        for text in values:
            if interval(_split_prefix(text)[1]) is None:
                raise SearchError(f"parameter {base} is not a FHIR date")
    return Criterion(base, kind, paths, values)


def elements(resource: Any, path: str) -> Iterator[Any]:
    """Every value at a dotted path, lists flattened."""
    head, _, rest = path.partition(".")
    value = resource.get(head) if isinstance(resource, dict) else None
    for item in value if isinstance(value, list) else [value]:
        if item is None:
            continue
        if rest:
            yield from elements(item, rest)
        else:
            yield item


def sort_key(resource_type: str, name: str) -> tuple[str, ...]:
    """The paths by which `_sort=name` orders; SearchError for a parameter that can't be sorted by."""
    spec = known(resource_type, name)
    if spec is None:
        raise SearchError(f"_sort by {name} is not supported")
    return spec[1]


def sort_value(resource: Resource, paths: tuple[str, ...]) -> str:
    """A text that orders (dates by instant); empty when the resource has no such element."""
    for path in paths:
        for item in elements(resource, path):
            span = _span(item)
            if span is not None:
                return span[0].isoformat()
            if isinstance(item, str):
                return item
    return ""


def _token(item: Any, wanted: str) -> bool:
    system, bar, code = wanted.rpartition("|")
    for found_system, found_code in _codes(item):
        if (not code or found_code == code) and (not bar or (found_system or "") == system):
            return True
    return False


def _codes(item: Any) -> Iterator[tuple[str | None, str | None]]:
    if isinstance(item, str):
        yield None, item
    elif isinstance(item, bool):
        yield None, str(item).lower()
    elif isinstance(item, dict):
        codings = item.get("coding")
        if isinstance(codings, list):
            for coding in codings:
                if isinstance(coding, dict):
                    yield coding.get("system"), coding.get("code")
        elif "code" in item:
            yield item.get("system"), item.get("code")
        elif "value" in item:
            yield item.get("system"), item.get("value")


def _reference(item: Any, wanted: str) -> bool:
    """`wanted` is an id, "Patient/id" or an absolute URL; versions ("/_history/2") are not told apart."""
    found = str(item.get("reference", "")) if isinstance(item, dict) else ""
    kind, _, wanted_id = wanted.rpartition("/")
    kind = kind.rpartition("/")[2] or "Patient"
    return f"/{found.partition('/_history/')[0]}".endswith(f"/{kind}/{wanted_id}")


def _string(item: Any, wanted: str) -> bool:
    """Starts-with on the whole text or on one of its words, whatever the case."""
    text, start = str(item).casefold(), wanted.casefold()
    return text.startswith(start) or any(word.startswith(start) for word in text.split())


def _date(item: Any, wanted: str) -> bool:
    prefix, text = _split_prefix(wanted)
    span, asked = _span(item), interval(text)
    if span is None or asked is None:
        return False
    low, high = span
    first, last = asked
    return {
        "eq": first <= low and high <= last,
        "ne": not (first <= low and high <= last),
        "gt": high > last,
        "lt": low < first,
        "ge": high >= first,  # a period that reaches into the day counts, as servers in use have it
        "le": low <= last,
        "sa": low > last,
        "eb": high < first,
    }[prefix]


def _split_prefix(text: str) -> tuple[str, str]:
    return (text[:2], text[2:]) if text[:2] in _PREFIXES else ("eq", text)


def _span(item: Any) -> tuple[datetime, datetime] | None:
    if isinstance(item, str):
        return interval(item)
    if isinstance(item, dict) and ("start" in item or "end" in item):
        start, end = interval(item.get("start", "")), interval(item.get("end", ""))
        return (
            start[0] if start else datetime.min.replace(tzinfo=UTC),
            end[1] if end else datetime.max.replace(tzinfo=UTC),
        )
    return None


def interval(text: object) -> tuple[datetime, datetime] | None:
    """The closed interval of instants that a FHIR date can mean, in UTC; None when it is no date."""
    parsed = PartialDate.parse(text.replace(" ", "+") if isinstance(text, str) else text)
    if parsed is None:
        return None
    if parsed.instant is not None:
        return parsed.instant, parsed.instant + timedelta(milliseconds=999)
    start = datetime(parsed.earliest.year, parsed.earliest.month, parsed.earliest.day, tzinfo=UTC)
    end = datetime(parsed.latest.year, parsed.latest.month, parsed.latest.day, 23, 59, 59, 999999, tzinfo=UTC)
    return start, end


_TESTS = {"token": _token, "reference": _reference, "date": _date, "string": _string}
