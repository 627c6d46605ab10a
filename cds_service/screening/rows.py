"""The decision row: what screening says of one patient. Codes only: no free text, no ids, no dates but a year."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING, Any

import msgspec

from hooks.model import CardKind, Extent, Grade, LabStatus, Met, Newness, Subtype
from mappings.facts import NEEDS, NeedState

if TYPE_CHECKING:
    import pyarrow as pa

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


def to_record(row: DecisionRow) -> dict[str, Any]:
    """The row as plain data of the Arrow schema: lists, a dict of needs, a `date`."""
    record = msgspec.structs.asdict(row)
    return {name: list(value) if isinstance(value, tuple) else value for name, value in record.items()}


def arrow_schema() -> pa.Schema:
    """The columns as an Arrow schema, for engines that exchange Arrow batches. Needs pyarrow."""
    import pyarrow as pa

    text, words = pa.string(), pa.list_(pa.string())
    kinds: dict[str, pa.DataType] = {
        "as_of": pa.date32(),
        "card": pa.bool_(),
        "ctd_kinds": words,
        "lesion_sites": words,
        "first_lesion_year": pa.int32(),
        "reasons": words,
        "red_flags": words,
        "mimics": words,
        "missing_workup": words,
        "completeness": pa.struct([(need, text) for need in NEEDS]),
        "quarantined": pa.int32(),
    }
    optional = {"subtype", "newness", "first_lesion_year"}
    return pa.schema(
        [pa.field(name, kinds.get(name, text), nullable=name in optional) for name in DecisionRow.__struct_fields__]
    )
