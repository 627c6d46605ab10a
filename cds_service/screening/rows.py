"""The decision row: what screening says of one patient. Codes only: no free text, no ids, no dates but a year."""

from __future__ import annotations

from datetime import date

import msgspec

from hooks.model import CardKind, Extent, Grade, LabStatus, Met, Newness, Subtype
from mappings.facts import NeedState

SCHEMA = "1"


class DecisionRow(msgspec.Struct, frozen=True, kw_only=True):
    """One patient on one day. The same row from every engine and from the hook's own assessment."""

    schema: str = SCHEMA
    patient: str
    """keyed hash (`keys.patient_key`); only who holds the key, or the re-identification file, can go back."""
    as_of: date
    grade: Grade
    card_kind: CardKind
    card: bool
    """whether the hook would show a card to somebody who opens the chart."""
    subtype: Subtype | None = None
    ctd: Met = "unknown"
    ctd_kinds: tuple[str, ...] = ()
    lesion: Met = "unknown"
    newness: Newness | None = None
    extent: Extent = "unknown"
    lesion_sites: tuple[str, ...] = ()
    first_lesion_year: int | None = None
    calcium: LabStatus = "unknown"
    reasons: tuple[str, ...] = ()
    """reason codes, "criterion.value": what was established for each criterion ("ctd.confirmed", "calcium.normal")."""
    red_flags: tuple[str, ...] = ()
    mimics: tuple[str, ...] = ()
    missing_workup: tuple[str, ...] = ()
    completeness: dict[str, NeedState] = {}
    """data need -> complete, partial or unavailable."""
    quarantined: int = 0
    """resources of this patient that were left out."""
    knowledge_version: str
    software_version: str


class Decided(msgspec.Struct):
    """One patient's rows, one for each day asked for. `digest` names the chart and all that the rows depend on."""

    id: str
    digest: str
    rows: list[DecisionRow]


def to_json(row: DecisionRow) -> bytes:
    """The row as one line of JSON; equal rows give equal bytes."""
    return msgspec.json.encode(row, order="deterministic")


def from_json(line: bytes) -> DecisionRow:
    return msgspec.json.decode(line, type=DecisionRow)
