"""The charts of the benchmark: real public charts of a wanted size, as one patient-view request.

The pool is every resource of the public Synthea charts (`tests/data/public`) that a prefetch template asks for, in the
order of a hash of its id: a sample of any size has the same mix and the same mean size, and the same bytes on every
machine. All of them are given to one patient. The silent patient has no connective tissue disease; the other one has,
among them, the resources of a published case.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from functools import cache
from typing import Any, Literal

import orjson

from cds_service.sandbox.cases import published_cases
from hooks.services import PREFETCH
from tests.public_data import PublicChart, charts

AS_OF = date(2026, 6, 1)
SIZES = (10, 100, 1000, 5000)
CASE = "herreromoyano2018-reported-labs"
"""the published case whose chart is put among the others: a detection card with every kind of suggestion."""
PATIENT = "benchmark-0000000"
"""replaced in the bytes of a body, so that every request is about another patient of the same length."""
Who = Literal["silent", "detection"]
Resource = dict[str, Any]

_SETS = ("synthea-smart", "synthea-bulk-server")
_KEYS = {
    "Condition": "conditions",
    "DiagnosticReport": "reports",
    "MedicationRequest": "medications",
    "AllergyIntolerance": "allergies",
    "Procedure": "procedures",
    "ServiceRequest": "orders",
}
_CATEGORIES = {"laboratory": "laboratory", "exam": "examinations", "vital-signs": "vitals"}


@dataclass(frozen=True, slots=True)
class Body:
    """One request: `content` is sent; `resources` are in its prefetch, the Patient among them."""

    who: Who
    resources: int
    content: bytes

    def of_patient(self, number: int) -> bytes:
        """The same request about another patient, so that nothing is answered from an earlier one."""
        return self.content.replace(PATIENT.encode(), b"benchmark-%07d" % number)


def body(who: Who, size: int, as_of: date = AS_OF, *, sampled: bool = True) -> Body:
    """The request of `size` resources, the case among them as it is on that day. Not `sampled`: as the first public
    chart has them, which takes a moment where the sample of all takes seconds."""
    own = _case(as_of) if who == "detection" else [_person()]
    taken = [*own, *(_pool() if sampled else _first())[: max(size - len(own), 0)]]
    prefetch: dict[str, Any] = {key: _bundle([]) for key in PREFETCH}
    for resource in taken:
        if resource["resourceType"] == "Patient":
            prefetch["patient"] = resource
        else:
            prefetch[_key(resource)]["entry"].append(
                {"fullUrl": _url(resource), "resource": resource, "search": {"mode": "match"}}
            )
    for key in PREFETCH:
        if key != "patient":
            prefetch[key]["total"] = len(prefetch[key]["entry"])
    request = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/benchmark", "patientId": PATIENT, "encounterId": "encounter-1"},
        "prefetch": prefetch,
    }
    return Body(who, len(taken), orjson.dumps(request))


def _bundle(entries: list[Any]) -> Resource:
    return {"resourceType": "Bundle", "type": "searchset", "total": len(entries), "entry": entries}


def _url(resource: Resource) -> str:
    return f"https://ehr.example.org/fhir/{resource['resourceType']}/{resource['id']}"


def _key(resource: Resource) -> str:
    if resource["resourceType"] != "Observation":
        return _KEYS[resource["resourceType"]]
    codes = [c.get("code") for category in resource.get("category", ()) for c in category.get("coding", ())]
    return next((_CATEGORIES[code] for code in codes if code in _CATEGORIES), "answers")


@cache
def _pool() -> list[Resource]:
    found = {_rank(r): r for name in _SETS for chart in charts(name) for r in _asked_for(chart)}
    return [_owned(found[rank]) for rank in sorted(found)]


@cache
def _first() -> list[Resource]:
    return [_owned(resource) for resource in _asked_for(next(charts(_SETS[1])))]


def _asked_for(chart: PublicChart) -> Iterator[Resource]:
    """What a prefetch template asks for."""
    return (r for r in chart.resources if r["resourceType"] in _KEYS or r["resourceType"] == "Observation")


def forget() -> None:
    """Lets go of the public charts, where memory is measured."""
    _pool.cache_clear()


def _rank(resource: Resource) -> bytes:
    return hashlib.sha256(f"{resource['resourceType']}/{resource['id']}".encode()).digest()


def _owned(resource: Resource) -> Resource:
    """The resource as one of the benchmark's patient."""
    name = "patient" if "patient" in resource else "subject"
    return resource | {name: {"reference": f"Patient/{PATIENT}"}}


def _person() -> Resource:
    found: Iterator[Resource] = (
        r
        for chart in charts(_SETS[0])
        for r in chart.resources
        if r["resourceType"] == "Patient" and "deceasedDateTime" not in r
    )
    return next(found) | {"id": PATIENT}


def _case(as_of: date) -> list[Resource]:
    stage = next(stage for stage in published_cases() if stage.id == CASE)
    built = stage.build(as_of).json()
    content = orjson.dumps(built, default=str).replace(f"Patient/{CASE}".encode(), f"Patient/{PATIENT}".encode())
    resources = [entry["resource"] for entry in orjson.loads(content)["entry"]]
    return [r | {"id": PATIENT} if r["resourceType"] == "Patient" else r for r in resources]
