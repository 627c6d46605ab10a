"""Synthea patients as a mould: their history with new ids, without name and number, and without what a story decides.

A story tells a patient's disease and minerals, so that charts of such diseases are left out of the base and mineral
results are taken from the others."""

from __future__ import annotations

import gzip
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from importlib import resources
from pathlib import Path
from typing import Any

import orjson

from cds_service.errors import ServiceError
from cds_service.sandbox.build import SYNTHETIC_TAG
from cds_service.screening.synthetic.stories import book

_KEPT = frozenset(
    {"Patient", "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "AllergyIntolerance", "Procedure",
     "Encounter"}
)  # fmt: skip
_DATE = re.compile(rb'"(\d{4}-\d{2}-\d{2})(?=["T])')
_NAMED = frozenset(
    {"identifier", "name", "telecom", "address", "photo", "contact", "extension", "text", "communication"}
)
_POINTING = frozenset({"encounter", "requester", "recorder", "asserter", "performer", "author", "participant",
                       "serviceProvider", "result", "location", "hospitalization", "diagnosis", "context", "partOf",
                       "reasonReference", "basedOn", "custodian"})  # fmt: skip
"""elements that point to what is not copied."""
MARK = b"@@patient@@"
"""stands for the new patient's id."""


class BaseError(ServiceError):
    """Bundles that can't serve as a mould; one line."""

    status = 400


@dataclass(frozen=True, slots=True)
class Mould:
    """One patient's lines by type, cut at every place of the id: joined with an id they are that patient's."""

    parts: dict[str, list[bytes]]
    counts: dict[str, int]

    def lines(self, kind: str, patient: bytes) -> bytes:
        return patient.join(self.parts[kind])


def moulds(files: Sequence[Path] | None, as_of: date, observations: int) -> list[Mould]:
    """Every fit patient of the files (the packaged Synthea patients by default). BaseError when there is none."""
    found = [mould for bundle in _bundles(files) if (mould := _mould(bundle, as_of, observations)) is not None]
    if not found:
        raise BaseError("--base: no living patient without the diseases that stories tell", "base")
    return found


def _bundles(files: Sequence[Path] | None) -> Iterator[Any]:
    if not files:
        with resources.files("cds_service.sandbox").joinpath("data", "background.ndjson.gz").open("rb") as packed:
            yield from map(orjson.loads, gzip.decompress(packed.read()).splitlines())
        return
    for path in files:
        try:
            opened = gzip.open if path.suffix == ".gz" else open
            with opened(path, "rb") as lines:
                yield from map(orjson.loads, lines)
        except (OSError, EOFError, orjson.JSONDecodeError):
            raise BaseError("--base: not Bundles of JSON, one a line", "base") from None


def _mould(bundle: Any, as_of: date, observations: int) -> Mould | None:
    entries = bundle.get("entry", ()) if isinstance(bundle, dict) else ()
    given = [
        entry["resource"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("resource"), dict)
    ]
    patients = [one for one in given if one.get("resourceType") == "Patient"]
    if len(patients) != 1 or any(name.startswith("deceased") for name in patients[0]):
        return None
    decided = book().decided
    if any(_names(one, decided.conditions) for one in given if one.get("resourceType") == "Condition"):
        return None
    kept: dict[str, list[Any]] = defaultdict(list)
    for one in given:
        kind = one.get("resourceType")
        if kind in _KEPT and not (kind in ("Observation", "DiagnosticReport") and _names(one, decided.tests)):
            kept[kind].append(one)
    kept["Observation"] = _last(kept["Observation"], observations)
    kept.setdefault("Encounter", list(_visits(kept["Observation"])))
    lines = {kind: [_anew(one, number) for number, one in enumerate(many)] for kind, many in kept.items() if many}
    shift = _shift(lines, as_of)
    return Mould(
        {kind: _moved(b"".join(many), shift).split(MARK) for kind, many in lines.items()},
        {kind: len(many) for kind, many in lines.items()},
    )


def _names(resource: Any, parts: tuple[str, ...]) -> bool:
    """Whether what a resource is called holds one of the parts of words."""
    said = _said(resource).lower()
    return any(part in said for part in parts)


def _said(resource: Any) -> str:
    code = resource.get("code")
    codings = code.get("coding", ()) if isinstance(code, dict) else ()
    words = [code.get("text", "")] if isinstance(code, dict) else []
    return " ".join([*words, *(c.get("display", "") for c in codings if isinstance(c, dict))])


def _last(many: Iterable[Any], most: int) -> list[Any]:
    return sorted(many, key=lambda one: str(one.get("effectiveDateTime", "")))[-most:] if most > 0 else []


def _visits(observations: Iterable[Any]) -> Iterator[Any]:
    """A visit for every day on which something was measured, where the base has none of its own."""
    for day in sorted({str(one.get("effectiveDateTime", ""))[:10] for one in observations} - {""}):
        coding = {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "AMB"}
        yield {
            "resourceType": "Encounter",
            "status": "finished",
            "class": coding,
            "subject": {},
            "period": {"start": day},
        }


def _anew(resource: Any, number: int) -> bytes:
    """The resource as one line of somebody else, marked as test data."""
    kind = resource["resourceType"]
    mark = MARK.decode()
    gone = _NAMED if kind == "Patient" else _POINTING | {"text", "identifier"}
    anew = {name: value for name, value in resource.items() if name not in gone and name not in ("id", "meta")}
    anew = {"resourceType": kind, "id": mark if kind == "Patient" else f"{mark}-{kind}-{number}"} | anew
    anew["meta"] = {"security": [SYNTHETIC_TAG]}
    if kind == "Patient":
        anew["name"] = [{"family": "SYNTHETIC", "given": [mark]}]
    else:
        anew["patient" if kind == "AllergyIntolerance" else "subject"] = {"reference": f"Patient/{mark}"}
    return orjson.dumps(anew) + b"\n"


def _shift(lines: dict[str, list[bytes]], as_of: date) -> timedelta:
    """So many days that the newest date lies a month before the day."""
    newest = max((d for many in lines.values() for line in many for d in _DATE.findall(line)), default=None)
    return as_of - timedelta(days=30) - date.fromisoformat(newest.decode()) if newest is not None else timedelta()


def _moved(block: bytes, shift: timedelta) -> bytes:
    def one(found: re.Match[bytes]) -> bytes:
        return b'"' + (date.fromisoformat(found[1].decode()) + shift).isoformat().encode()

    return _DATE.sub(one, block)
