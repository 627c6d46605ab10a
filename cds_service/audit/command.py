"""`cds-service audit verify`, `audit export` and `erase`: on the store of the settings."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from cds_service.audit.fhir import audit_events
from cds_service.errors import ServiceError
from cds_service.settings import Settings
from cds_service.state import open_store
from cds_service.store import Store, StoreError

_NOTED = re.compile(r"(\d+):([0-9a-f]{64})")


class AuditError(ServiceError):
    """What the user of the command line can mend; one line."""

    status = 400


def verified(settings: Settings, noted: str | None) -> tuple[bool, str]:
    """Whether the chain holds, and a line that says so. `noted` is ROW:DIGEST of an earlier check."""
    found = _NOTED.fullmatch(noted) if noted is not None else None
    if noted is not None and found is None:
        raise AuditError("--expect must be ROW:DIGEST as an earlier check printed it", "expect")
    with _store(settings) as store:
        verdict = store.verify_audit((int(found[1]), found[2]) if found else None)
    if verdict.problem is not None:
        return False, f"audit trail broken after {verdict.rows} row(s): {verdict.problem}"
    return True, f"audit trail holds: {verdict.rows} row(s), note down {verdict.rows}:{verdict.head}"


def exported(settings: Settings, tenant: str | None, out: TextIO) -> int:
    """Writes AuditEvent NDJSON; how many lines. The export itself is put on the trail afterwards."""
    with _store(settings) as store:
        number = 0
        for line in audit_events(store.audit_rows(tenant)):
            out.write(line.decode() + "\n")
            number += 1
        store.note_export(tenant, number, _now_ms())
        return number


def erased(settings: Settings, tenant: str, patient: str) -> str:
    """Removes everything about one patient of a tenant, and blanks the patient in the trail; a line that says so."""
    with _store(settings) as store:
        rows = store.erase(tenant, store.key(tenant, "patient", patient), _now_ms())
    return f"erased: {rows} row(s)"


def open_out(path: Path) -> TextIO:
    try:
        return path.open("w", encoding="utf-8")
    except OSError as error:
        raise AuditError(f"{path.name} can't be written: {type(error).__name__}", "out") from None


@contextmanager
def _store(settings: Settings) -> Iterator[Store]:
    store = open_store(settings)
    try:
        yield store
    except StoreError as error:
        raise AuditError(str(error), "database") from None
    finally:
        store.close()


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
