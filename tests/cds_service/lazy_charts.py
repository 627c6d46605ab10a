"""Charts as requests whose prefetch is decoded resource by resource, and the facts that come of them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import orjson

from cds_service.lazy_request import lazy_request
from cds_service.limits import decode_request
from cds_service.prefetch import completeness_of, read_prefetch
from cds_service.sandbox.cases import published_cases
from mappings.bundles import unpack
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from mappings.reader import ChartReader
from mappings.unread import Unread
from mappings.versions import Version
from tests.cds_service.fast_paths import KEYS
from tests.charts import TODAY
from tests.mutants import laboratory, mutated
from tests.public_data import charts

MOST = 2_000_000
Changed = Callable[[list[Any], int], list[Any]]


def request(patient: str, resources: list[Any]) -> bytes:
    """As a client sends it, every resource under the key of its type."""
    prefetch: dict[str, Any] = {key: {"resourceType": "Bundle", "entry": []} for key in KEYS.values()}
    for resource in resources:
        key = KEYS.get(resource.get("resourceType"), "laboratory")
        prefetch[key]["entry"].append({"fullUrl": f"https://e/{resource.get('id')}", "resource": resource})
    body = {
        "hook": "patient-view",
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/x", "patientId": patient},
        "prefetch": prefetch,
    }
    return json.dumps(body, default=str, separators=(",", ":"), ensure_ascii=False).encode()


def late(body: bytes, reader: ChartReader, version: Version | None = None) -> Mapping[str, Any] | None:
    return lazy_request(body, lambda sent: (sent["context"]["patientId"], version), reader, max_nodes=MOST)


def facts(sent: Mapping[str, Any], reader: ChartReader, version: Version | None = None) -> PatientFacts:
    found = read_prefetch(sent["prefetch"])
    return reader.read(
        RawChart(
            sent["context"]["patientId"],
            tuple(found.resources),
            completeness_of(found),
            tuple(found.quarantined),
            version=version,
        )
    )


def unread(sent: Mapping[str, Any]) -> int:
    """How many resources are bytes still."""
    return sum(isinstance(one, Unread) and one.silent for one in resources_of(sent))


def resources_of(sent: Mapping[str, Any]) -> list[Any]:
    return [one for value in sent["prefetch"].values() for _, one in unpack(value).resources]


def same_both_ways(reader: ChartReader, slow: ChartReader, patient: str, resources: list[Any]) -> int:
    """Asserts the same facts, twice: the second time more is known. How many resources stayed bytes."""
    body = request(patient, resources)
    whole, left = facts(decode_request(body), slow), 0
    for _ in range(2):
        sent = late(body, reader)
        assert sent is not None
        left = unread(sent)
        assert facts(sent, reader) == whole
    return left


def some_charts(name: str, most: int, longest: int) -> list[tuple[str, list[Any]]]:
    return [(c.patient_id, list(c.resources)[:longest]) for _, c in zip(range(most), charts(name), strict=False)]


def changed_charts(name: str) -> Iterator[tuple[str, list[Any]]]:
    """Public charts, each as it is and in three changed ways."""
    changes: tuple[Changed, ...] = (mutated, laboratory, lambda found, seed: [*found, *mutated(found, seed)])
    for number, (patient, resources) in enumerate(some_charts(name, 60, 1500)):
        yield patient, resources
        for turn, change in enumerate(changes):
            yield patient, change(resources, 10 * number + turn)


def published_charts() -> Iterator[tuple[str, list[Any]]]:
    """The published cases, each as it is and with other laboratory results."""
    for number, stage in enumerate(published_cases()):
        resources = [orjson.loads(orjson.dumps(dict(r), default=str)) for r in stage.build(TODAY).resources]
        yield stage.id, resources
        yield stage.id, laboratory(resources, number)


def weight(**more: Any) -> dict[str, Any]:
    return {
        "resourceType": "Observation",
        "id": "w1",
        "meta": {"versionId": "1", "lastUpdated": "2026-01-01T00:00:00Z"},
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "29463-7", "display": "Body Weight"}]},
        "subject": {"reference": "Patient/p"},
        "encounter": {"reference": "Encounter/1"},
        "effectiveDateTime": "2026-01-05T10:00:00Z",
        "issued": "2026-01-05T10:00:00Z",
        "valueQuantity": {"value": 71.5, "unit": "kg", "system": "http://unitsofmeasure.org", "code": "kg"},
        "note": [],
        **more,
    }


def many(one: dict[str, Any]) -> bytes:
    """Enough of it that the Bundle is read one by one."""
    one = {name: value for name, value in one.items() if name != "note"}
    return request("p", [{**one, "id": f"{one['id']}-{number}"} for number in range(8)])
