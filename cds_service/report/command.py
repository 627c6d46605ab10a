"""`cds-service report` and `cds-service patient-key`: the store of the settings, the days asked for, a file."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

from cds_service.errors import ServiceError
from cds_service.report.build import Options, build
from cds_service.report.render import Format, render
from cds_service.report.rows import read_period
from cds_service.report.sample import KEY_LENGTH
from cds_service.settings import Settings
from cds_service.state import open_store
from cds_service.store import StoreError

_DAYS = 90


class ReportError(ServiceError):
    """What the user of the command line can mend; one line."""

    status = 400


@dataclass(frozen=True, slots=True)
class Asked:
    """`first` and `last` are both included; without them the last ninety days."""

    first: date | None
    last: date | None
    tenant: str | None
    form: Format
    out: Path | None
    sample: int
    ignored_hours: int


def made(settings: Settings, asked: Asked) -> str | None:
    """The report as text, or None when it was written to the file asked for. ReportError says what is wrong."""
    now_ms = time.time_ns() // 1_000_000
    last = asked.last or datetime.fromtimestamp(now_ms / 1000, UTC).date()
    first = asked.first or last - timedelta(days=_DAYS)
    if first > last:
        raise ReportError("--from is later than --to", "from")
    if asked.sample < 0 or asked.ignored_hours < 0:
        raise ReportError("--sample and --ignored-hours can't be negative", "sample")
    store = open_store(settings)
    try:
        rows = read_period(store, _milliseconds(first), _milliseconds(last + timedelta(days=1)), asked.tenant)
    except StoreError as error:
        raise ReportError(str(error), "report") from None
    finally:
        store.close()
    options = Options(
        first.isoformat(),
        last.isoformat(),
        now_ms,
        tenant=asked.tenant,
        ignored_hours=asked.ignored_hours,
        sample=asked.sample,
    )
    text = render(build(rows, options), asked.form)
    if asked.out is None:
        return text
    try:
        asked.out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ReportError(f"--out: {error.strerror or 'could not be written'}", "out") from None
    return None


def patient_keys(settings: Settings, tenant: str, ids: Sequence[str]) -> Iterator[tuple[str, str]]:
    """(id, key as the review sample shows it) for each id."""
    store = open_store(settings)
    try:
        for patient in ids:
            yield patient, store.key(tenant, "patient", patient)[:KEY_LENGTH]
    finally:
        store.close()


def _milliseconds(day: date) -> int:
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp() * 1000)
