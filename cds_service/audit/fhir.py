"""The audit trail as FHIR R4 AuditEvent resources, one a line."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec

_TYPES = {
    "evaluate": ("rest", "RESTful Operation", "E"),
    "read": ("rest", "RESTful Operation", "R"),
    "save": ("rest", "RESTful Operation", "C"),
    "feedback": ("rest", "RESTful Operation", "C"),
    "expire": ("delete", "Destroy/Delete Record Lifecycle Event", "D"),
    "erase": ("delete", "Destroy/Delete Record Lifecycle Event", "D"),
    "export": ("transmit", "Transmit Record Lifecycle Event", "R"),
}
_SYSTEMS = {"rest": "http://terminology.hl7.org/CodeSystem/audit-event-type"}
_LIFECYCLE = "http://terminology.hl7.org/CodeSystem/iso-21089-lifecycle"
_FAILED = frozenset({"unreadable", "failed"})
_OURS = "urn:calcinosis-cds"


def audit_events(rows: Iterable[Mapping[str, Any]]) -> Iterator[bytes]:
    """Each row as one line of NDJSON. Patients and users are the keyed hashes of the trail, as identifiers."""
    for row in rows:
        yield msgspec.json.encode(audit_event(row))


def audit_event(row: Mapping[str, Any]) -> dict[str, Any]:
    """One row as an AuditEvent resource."""
    code, display, action = _TYPES[row["action"]]
    when = datetime.fromtimestamp(row["at_ms"] / 1000, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    agents: list[dict[str, Any]] = [{"who": {"display": "calcinosis-cds"}, "requestor": row["actor"] is None}]
    if row["actor"] is not None:
        agents.insert(0, {"who": _identified("user", row["actor"]), "requestor": True})
    return {
        "resourceType": "AuditEvent",
        "id": f"{row['seq']}",
        "type": {"system": _SYSTEMS.get(code, _LIFECYCLE), "code": code, "display": display},
        "subtype": [{"system": f"{_OURS}:action", "code": row["action"]}],
        "action": action,
        "recorded": when,
        "outcome": "4" if row["outcome"] in _FAILED else "0",
        "outcomeDesc": row["outcome"],
        "agent": agents,
        "source": {"observer": {"display": "calcinosis-cds"}, "site": row["tenant"]},
        "entity": _entities(row),
    }


def _entities(row: Mapping[str, Any]) -> list[dict[str, Any]]:
    details = [{"type": "digest", "valueString": row["digest"]}, {"type": "previous", "valueString": row["previous"]}]
    if row["detail"]:
        details.append({"type": "detail", "valueString": row["detail"]})
    told: dict[str, Any] = {"name": row["what"], "detail": details}
    if row["subject"] is None:
        return [told]
    role = {"system": "http://terminology.hl7.org/CodeSystem/object-role", "code": "1", "display": "Patient"}
    return [{"what": _identified("patient", row["subject"]), "role": role}, told]


def _identified(kind: str, value: str) -> dict[str, Any]:
    return {"identifier": {"system": f"{_OURS}:{kind}-hash", "value": value}}
