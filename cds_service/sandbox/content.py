"""What the sandbox holds when it starts: the published cases, and background patients who must stay silent."""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from importlib import resources
from typing import Any

import msgspec

from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.store import Store

Resource = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
PRACTITIONER: Resource = {
    "resourceType": "Practitioner",
    "id": "sandbox-clinician",
    "name": [{"text": "Dr Sandbox Clinician", "family": "Clinician", "given": ["Sandbox"]}],
}


def load_all(store: Store, today: date, *, background: bool = True) -> int:
    """Fills a store; returns the number of resources."""
    stored = store.load([PRACTITIONER])
    for stage in published_cases():
        stored += store.load(stage.build(today).resources)
    if background:
        for bundle in background_bundles():
            stored += store.load(unbundle(bundle))
    return stored


def background_bundles() -> Iterator[Resource]:
    """One Bundle a patient (`data/background.ndjson.gz`)."""
    packed = (resources.files("cds_service.sandbox") / "data" / "background.ndjson.gz").read_bytes()
    for line in gzip.decompress(packed).splitlines():
        yield _DECODER.decode(line)


def unbundle(bundle: Resource) -> Iterator[Resource]:
    """The resources of a Bundle, references among its own entries (urn:uuid:…) made relative."""
    entries = [e for e in bundle.get("entry", []) if isinstance(e, dict) and isinstance(e.get("resource"), dict)]
    known = {
        entry["fullUrl"]: f"{entry['resource']['resourceType']}/{entry['resource']['id']}"
        for entry in entries
        if entry.get("fullUrl") and entry["resource"].get("id")
    }
    for entry in entries:
        yield relink(entry["resource"], known)


def relink(value: Any, references: dict[str, str]) -> Any:
    """The same JSON with every `reference` found in the table replaced."""
    if isinstance(value, dict):
        return {
            key: references.get(item, item)
            if key == "reference" and isinstance(item, str)
            else relink(item, references)
            for key, item in value.items()
        }
    if isinstance(value, list):
        return [relink(item, references) for item in value]
    return value
