"""The lines of the candidates out of one unit: sought in a plain file, met on the way through a compressed one."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from cds_service.screening.sources import DamagedFileError, Unit, read_blocks
from mappings.bundles import NotJsonError, decode
from mappings.reader.identity import target

_BATCH = 8 * 1024 * 1024


class _Reference(msgspec.Struct, gc=False):
    reference: str | None = None


class _Drug(msgspec.Struct, gc=False):
    medicationReference: _Reference | None = None
    medication: Any = None


_DRUG = msgspec.json.Decoder(_Drug)


def gather(unit: Unit, number: int, picked: Path, out: Path) -> None:
    """Writes (patient, place, line, ids of the Medications it refers to) of the lines that `picked` names for the unit
    of this number, whole or not at all. A file that changed meanwhile gives other lines: the reader then names what it
    can't read."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    schema = pa.schema(
        [("patient", pa.string()), ("place", pa.int64()), ("line", pa.binary()), ("wanted", pa.list_(pa.string()))]
    )
    partly = out.with_name(out.name + ".part")
    with pq.ParquetWriter(partly, schema, compression="snappy") as writer:
        rows: list[dict[str, Any]] = []
        held = 0
        for patient, place, line in _picked(unit, _places(number, picked)):
            rows.append({"patient": patient, "place": place, "line": line, "wanted": medications(line)})
            held += len(line)
            if held > _BATCH:
                writer.write_table(pa.Table.from_pylist(rows, schema=schema))
                rows, held = [], 0
        writer.write_table(pa.Table.from_pylist(rows, schema=schema))
    partly.replace(out)


def name_of(line: bytes) -> str | None:
    """ "Type/id" of a line; None for what is no JSON object."""
    try:
        value = decode(line)
    except NotJsonError:
        return None
    return f"{value.get('resourceType')}/{value.get('id')}" if isinstance(value, dict) else None


def medications(line: bytes) -> list[str]:
    """The ids of the Medication resources that a line refers to."""
    if b"edication/" not in line:
        return []
    try:
        drug = _DRUG.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return []
    given = drug.medicationReference.reference if drug.medicationReference is not None else None
    if given is None and isinstance(drug.medication, dict):  # R5
        inner = drug.medication.get("reference")
        given = inner.get("reference") if isinstance(inner, dict) else None
    kind, _, name = (target(given) or "").partition("/")
    return [name] if kind == "Medication" and name else []


def _picked(unit: Unit, places: Iterator[tuple[str, int, int]]) -> Iterator[tuple[str, int, bytes]]:
    if unit.source.packing == "none":
        with Path(unit.source.path).open("rb") as file:
            for patient, place, size in places:
                yield patient, place, os.pread(file.fileno(), size, place)
        return
    wanted = next(places, None)
    try:
        for block in read_blocks(unit):
            at = block.offset
            for line in block.lines:
                while wanted is not None and wanted[1] == at:
                    yield wanted[0], at, line
                    wanted = next(places, None)
                at += len(line) + 1
            if wanted is None:
                return
    except DamagedFileError:  # named when it was scanned
        return


def _places(number: int, picked: Path) -> Iterator[tuple[str, int, int]]:
    """(patient, place, size) of one unit; the file is in the order of units, so that most of it need not be read."""
    import pyarrow.parquet as pq

    file = pq.ParquetFile(picked)
    for group in range(file.metadata.num_row_groups):
        held = file.metadata.row_group(group).column(0).statistics
        if held is not None and not held.min <= number <= held.max:
            continue
        table = file.read_row_group(group)
        columns = (table.column(name).to_pylist() for name in ("unit", "patient", "place", "size"))
        yield from (
            (patient, place, size) for unit, patient, place, size in zip(*columns, strict=True) if unit == number
        )
