"""One look at each line, for engines that move lines and not places: whose it is, whether it names the disease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from cds_service.screening.gather import medications
from cds_service.screening.needs import NEED_OF_TYPE
from cds_service.screening.scan import A_BUNDLE, NOT_A_RESOURCE, NOT_JSON, patient_of
from mappings.reader.identity import target

_BOM = b"\xef\xbb\xbf"
_DAY = 10


class Seen(msgspec.Struct):
    """What is kept of a line. `line` only where a chart may need it; `lost` says why it could not be read."""

    lost: str | None = None
    kind: str | None = None
    patient: str | None = None
    mention: bool = False
    name: str | None = None
    deleted: list[str] = []
    wanted: list[str] = []
    line: bytes | None = None


def look(lines: Sequence[bytes], may_concern: Callable[[bytes], bool]) -> Iterator[Seen | None]:
    """One for each line; None for a blank one."""
    any_concerned = may_concern(b"\n".join(lines))
    for given in lines:
        line = given.removeprefix(_BOM)
        yield _seen(line, any_concerned and may_concern(line)) if line.strip() else None


def _seen(line: bytes, concerned: bool) -> Seen:
    try:
        value = msgspec.json.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return Seen(lost=NOT_JSON)
    kind = value.get("resourceType") if isinstance(value, dict) else None
    if not isinstance(kind, str):
        return Seen(lost=NOT_A_RESOURCE)
    name = value.get("id") if isinstance(value.get("id"), str) else None
    if kind == "Patient":
        return Seen(kind=kind, patient=name, mention=concerned, line=line)
    if kind == "Medication":
        return Seen(kind=kind, name=name, line=line)
    if kind == "Bundle":
        deleted = list(_deleted(value))
        return Seen(kind=kind, deleted=deleted, lost=None if deleted else A_BUNDLE)
    patient = _patient(value)
    if kind == "Encounter":
        period = value.get("period")
        start = period.get("start") if isinstance(period, dict) else None
        return Seen(kind=kind, patient=patient, name=start[:_DAY] if isinstance(start, str) else "")
    if kind not in NEED_OF_TYPE:
        return Seen(kind=kind, patient=patient)
    return Seen(kind=kind, patient=patient, mention=concerned, wanted=medications(line), line=line)


def _patient(value: dict[str, Any]) -> str | None:
    for element in ("subject", "patient"):
        holder = value.get(element)
        reference = holder.get("reference") if isinstance(holder, dict) else None
        if isinstance(reference, str):
            return patient_of(reference)
    return None


def _deleted(bundle: dict[str, Any]) -> Iterator[str]:
    entries = bundle.get("entry")
    for entry in entries if isinstance(entries, list) else ():
        request = entry.get("request") if isinstance(entry, dict) else None
        if isinstance(request, dict) and request.get("method") == "DELETE" and isinstance(request.get("url"), str):
            name = target(request["url"])
            if name:
                yield name
