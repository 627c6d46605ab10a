"""The public FHIR data of `tests/data/public` as charts: (label, patient id, resources) each.

Origins and licences are in `tests/data/public/LICENCES.md`."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import orjson

from cds_service.sandbox.content import unbundle

FOLDER = Path(__file__).parent / "data" / "public"
BUNDLE_SETS = ("synthea-lupus", "synthea-rheumatoid-arthritis", "synthea-bulk-server", "synthea-smart")
FILE_SETS = ("stu3-smart", "vendor-captures", "hl7-test-cases", "hl7-r4-examples", "microsoft-r4", "us-core-examples")

Resource = dict[str, Any]


class PublicChart(NamedTuple):
    label: str
    patient_id: str
    resources: list[Resource]


def lines(name: str) -> Iterator[Any]:
    with gzip.open(FOLDER / f"{name}.ndjson.gz") as packed:
        for line in packed:
            yield orjson.loads(line)


def charts(name: str) -> Iterator[PublicChart]:
    """Every patient of one set. File sets are one heap: each patient gets the resources that name them."""
    if name in BUNDLE_SETS:
        for number, bundle in enumerate(lines(name)):
            found = list(unbundle(bundle))
            for patient in (r for r in found if r.get("resourceType") == "Patient"):
                yield PublicChart(f"{name}[{number}]", patient["id"], found)
        return
    heap = [resource for line in lines(name) for resource in resources_in(line.get("content", line))]
    owned: dict[str, list[Resource]] = {}
    for resource in heap:
        if owner := owner_of(resource):
            owned.setdefault(owner, []).append(resource)
    for patient_id, mine in sorted(owned.items()):
        if not any(resource["resourceType"] == "Patient" for resource in mine):
            mine.append({"resourceType": "Patient", "id": patient_id})
        yield PublicChart(f"{name}/{patient_id}", patient_id, mine)


def resources_in(value: Any) -> Iterator[Resource]:
    """Every resource in a decoded file: itself, Bundle entries, the body of a recorded exchange."""
    if isinstance(value, list):
        for item in value:
            yield from resources_in(item)
    elif isinstance(value, dict):
        if value.get("resourceType") == "Bundle" or "resourceType" not in value:
            for key in ("entry", "resource", "body"):
                yield from resources_in(value.get(key))
        elif isinstance(value["resourceType"], str):
            yield value


def owner_of(resource: Resource) -> str | None:
    """The id of the patient that a resource is about."""
    if resource["resourceType"] == "Patient":
        return str(resource["id"]) if resource.get("id") else None
    for element in ("subject", "patient"):
        value = resource.get(element)
        reference = value.get("reference") if isinstance(value, dict) else None
        if isinstance(reference, str) and "Patient/" in reference:
            return reference.rpartition("Patient/")[2].partition("/")[0]
    return None
