"""The sandbox's resources in SQLite: one row a resource, its versions beside it.

Searches narrow by type and patient in SQL and test the rest on the decoded resource: a sandbox chart has hundreds of
resources, not millions.
"""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any
from uuid import uuid4

import msgspec

from cds_service.sandbox.search import Criterion, SearchError, criterion, sort_key, sort_value

Resource = dict[str, Any]

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_SCHEMA = """
create table if not exists resource (
    type text not null, id text not null, version integer not null, patient text, deleted integer not null,
    body blob, primary key (type, id)) without rowid;
create index if not exists by_patient on resource (type, patient);
create table if not exists version (
    type text not null, id text not null, version integer not null, body blob,
    primary key (type, id, version)) without rowid;
"""
_RESULT_PARAMETERS = frozenset({"_count", "_sort", "_total", "_format", "_pretty", "_summary"})


class ResourceNotFoundError(LookupError):
    """No such resource (`gone`: it was deleted)."""

    def __init__(self, reference: str, *, gone: bool = False) -> None:
        super().__init__(f"{reference} {'was deleted' if gone else 'is not known'}")
        self.gone = gone


@dataclass(frozen=True, slots=True)
class Found:
    """A search's answer: ids in order, and the parameters that were used and not used."""

    ids: tuple[str, ...]
    used: tuple[tuple[str, str], ...]
    ignored: tuple[str, ...]
    count: int | None = None
    bodies: Mapping[str, bytes] = field(default_factory=dict)


class Store:
    """`path` is a SQLite file, by default memory (every start is then the same)."""

    def __init__(self, path: str = ":memory:") -> None:
        self._db = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
        self._db.executescript(_SCHEMA)
        self._lock = threading.RLock()

    def close(self) -> None:
        self._db.close()

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing; nested calls join the outer one."""
        with self._lock:
            if self._db.in_transaction:
                yield
                return
            self._db.execute("begin immediate")
            try:
                yield
            except BaseException:
                self._db.execute("rollback")
                raise
            self._db.execute("commit")

    def load(self, resources: Iterable[Mapping[str, Any]]) -> int:
        """Stores resources as they are, without validation (charts from elsewhere); those without type or id are
        skipped. Returns how many were stored."""
        now = _now()
        rows = [
            (
                resource["resourceType"],
                resource["id"],
                _patient_of(resource),
                _ENCODER.encode(_stamped(resource, 1, now)),
            )
            for resource in resources
            if isinstance(resource.get("resourceType"), str) and isinstance(resource.get("id"), str)
        ]
        with self.transaction():
            self._db.executemany("insert or replace into resource values (?, ?, 1, ?, 0, ?)", rows)
        return len(rows)

    def create(self, resource: Mapping[str, Any], new_id: str | None = None) -> Resource:
        """A new resource under an id of the server's own."""
        return self._write({**resource, "id": new_id or str(uuid4())})

    def update(self, resource: Mapping[str, Any]) -> tuple[Resource, bool]:
        """The resource under its own id; True when it did not exist before."""
        with self.transaction():
            known = self._row(resource["resourceType"], resource["id"])
            return self._write({**resource}), known is None or bool(known[1])

    def delete(self, resource_type: str, resource_id: str) -> None:
        with self.transaction():
            row = self._row(resource_type, resource_id)
            if row is not None and not row[1]:
                self._keep(resource_type, resource_id, row)
                self._db.execute(
                    "update resource set deleted = 1, version = ? where type = ? and id = ?",
                    (row[0] + 1, resource_type, resource_id),
                )

    def read(self, resource_type: str, resource_id: str, version: int | None = None) -> Resource:
        """ResourceNotFoundError when there is none."""
        with self._lock:
            row = self._row(resource_type, resource_id)
            if version is not None and (row is None or row[0] != version):
                row = self._db.execute(
                    "select version, 0, body from version where type = ? and id = ? and version = ?",
                    (resource_type, resource_id, version),
                ).fetchone()
        if row is None or row[1]:
            raise ResourceNotFoundError(f"{resource_type}/{resource_id}", gone=bool(row and row[1]))
        resource: Resource = _DECODER.decode(row[2])
        return resource

    def bodies(self, resource_type: str, ids: Iterable[str]) -> list[bytes]:
        """The JSON of resources that still exist, in the order of the ids."""
        with self._lock:
            rows = [self._row(resource_type, resource_id) for resource_id in ids]
        return [row[2] for row in rows if row is not None and not row[1]]

    def count(self, resource_type: str) -> int:
        row = self._db.execute(
            "select count(*) from resource where type = ? and deleted = 0", (resource_type,)
        ).fetchone()
        return int(row[0])

    def search(self, resource_type: str, parameters: Iterable[tuple[str, str]]) -> Found:
        """SearchError for what can't be answered; unknown parameters are named in `ignored`."""
        criteria: list[Criterion] = []
        used: list[tuple[str, str]] = []
        ignored: list[str] = []
        order: list[tuple[tuple[str, ...], bool]] = [(("id",), False)]
        count: int | None = None
        for name, value in parameters:
            if name == "_count":
                if not value.isdigit():
                    raise SearchError("parameter _count is not a number")
                count = int(value)
            elif name == "_sort":
                order = [
                    (sort_key(resource_type, part.lstrip("-")), part.startswith("-"))
                    for part in value.split(",")
                    if part
                ] + order
            elif name not in _RESULT_PARAMETERS:
                found = criterion(resource_type, name, value)
                if found is None:
                    ignored.append(name)
                    continue
                criteria.append(found)
            used.append((name, value))
        matching = [r for r in self._candidates(resource_type, criteria) if all(c.matches(r) for c in criteria)]
        for paths, descending in reversed(order):
            matching.sort(key=lambda r: sort_value(r, paths), reverse=descending)
        return Found(tuple(r["id"] for r in matching), tuple(used), tuple(ignored), count)

    def _candidates(self, resource_type: str, criteria: list[Criterion]) -> Iterator[Resource]:
        patient = next((c for c in criteria if c.kind == "reference" and c.name in ("patient", "subject")), None)
        query, values = "select body from resource where type = ? and deleted = 0", [resource_type]
        if patient is not None:
            ids = [value.rpartition("/")[2] for value in patient.values]
            query += f" and patient in ({','.join('?' * len(ids))})"
            values += ids
        with self._lock:
            rows = self._db.execute(query, values).fetchall()
        for (body,) in rows:
            yield _DECODER.decode(body)

    def _row(self, resource_type: str, resource_id: str) -> tuple[int, int, bytes] | None:
        row: tuple[int, int, bytes] | None = self._db.execute(
            "select version, deleted, body from resource where type = ? and id = ?", (resource_type, resource_id)
        ).fetchone()
        return row

    def _keep(self, resource_type: str, resource_id: str, row: tuple[int, int, bytes]) -> None:
        self._db.execute("insert into version values (?, ?, ?, ?)", (resource_type, resource_id, row[0], row[2]))

    def _write(self, resource: Resource) -> Resource:
        kind, resource_id = resource["resourceType"], resource["id"]
        with self.transaction():
            known = self._row(kind, resource_id)
            if known and not known[1]:
                self._keep(kind, resource_id, known)
            version = known[0] + 1 if known else 1
            meta = {k: v for k, v in (resource.get("meta") or {}).items() if k != "lastUpdated"}
            stored = _stamped({**resource, "meta": meta}, version, _now())
            self._db.execute(
                "insert or replace into resource values (?, ?, ?, ?, 0, ?)",
                (kind, resource_id, version, _patient_of(resource), _ENCODER.encode(stored)),
            )
        return stored


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _stamped(resource: Mapping[str, Any], version: int, now: str) -> Resource:
    """With the version, and with lastUpdated unless it brings its own."""
    meta = (
        {"versionId": str(version), "lastUpdated": now} | dict(resource.get("meta") or {}) | {"versionId": str(version)}
    )
    head = {"resourceType": resource["resourceType"], "id": resource["id"], "meta": meta}
    return head | {key: value for key, value in resource.items() if key not in head}


def _patient_of(resource: Mapping[str, Any]) -> str | None:
    for owner in ("subject", "patient"):
        reference = resource.get(owner)
        if isinstance(reference, dict):
            kind, _, resource_id = str(reference.get("reference", "")).rpartition("/")
            if kind.endswith("Patient") and resource_id:
                return resource_id
    return None
