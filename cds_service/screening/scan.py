"""One unit of an export flattened to columns: whose line it is, where it lies, whether it can name the disease.

Every line is decoded as far as that needs, which also proves it to be JSON: a bad line is named by its number, never by
its content. The columns go to a Parquet file; the lines stay where they are."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Sequence
from itertools import repeat
from pathlib import Path
from typing import Any

import msgspec

from cds_service.screening.needs import NEED_OF_TYPE
from cds_service.screening.sources import Block, DamagedFileError, Unit, read_blocks
from mappings.reader.identity import target
from mappings.scanner import Scanner as Matcher

NOT_JSON, NOT_A_RESOURCE, A_BUNDLE = "not JSON", "not a FHIR resource", "a Bundle, which Bulk Data does not hold"
_MOST_NAMED = 1000
"""bad lines of one unit that are named; the others are counted."""
_MOST_KNOWN = 500_000
_DAY = 10
_OF_THEIR_OWN = frozenset({"Patient", "Medication", "Bundle", "Encounter"})
"""kinds of which the columns hold more than the patient that they refer to."""
_TOGETHER = 32
"""lines that are looked at together where some of a block says something."""
_ROWS = 50_000


class _Reference(msgspec.Struct, gc=False):
    reference: str | None = None


class _Period(msgspec.Struct, gc=False):
    start: str | None = None


class _Line(msgspec.Struct, gc=False):
    """What the columns need of a line."""

    resourceType: str
    id: str | None = None
    subject: _Reference | None = None
    patient: _Reference | None = None


class _Visit(msgspec.Struct, gc=False):
    period: _Period | None = None


class _Request(msgspec.Struct, gc=False):
    method: str | None = None
    url: str | None = None


class _Entry(msgspec.Struct, gc=False):
    request: _Request | None = None


class _Bundle(msgspec.Struct, gc=False):
    entry: list[_Entry] = []


class Lost(msgspec.Struct, frozen=True):
    """A line or the rest of a file that could not be read. `line` counts from 1 within the unit; None: the rest."""

    line: int | None
    reason: str


class Scanned(msgspec.Struct):
    """What one unit held."""

    lines: int = 0
    bytes: int = 0
    kinds: dict[str, int] = {}
    lost: list[Lost] = []
    lost_in_all: int = 0
    unplaced: int = 0
    """resources of kinds that are read, but of no patient that could be told."""
    deleted: list[str] = []
    """ "Type/id" that a Bundle of deletions names (Bulk Data `deleted`)."""


class Scanner:
    """Scans units. `may_concern` says of JSON bytes whether they can name the disease, and never misses one
    (`mappings.prescan`)."""

    def __init__(self, may_concern: Callable[[bytes], bool]) -> None:
        self._may_concern = may_concern
        line = msgspec.json.Decoder(_Line)
        self._decode, self._decode_lines = line.decode, line.decode_lines
        self._visit = msgspec.json.Decoder(_Visit).decode
        self._patients: dict[str, str | None] = {}
        self._line_ends = Matcher([r"\n"], once=False).ends
        self._side_by_side = Matcher([r"\}[ \t\r]*\{"]).found

    def scan(self, unit: Unit, out: Path, progress: Any = None) -> Scanned:
        """Writes the columns of the unit to `out` (whole or not at all) and tells what it held."""
        import pyarrow as pa
        import pyarrow.parquet as pq

        found = Scanned()
        kinds: Counter[str] = Counter()
        partly = out.with_name(out.name + ".part")
        columns = _Columns()
        with pq.ParquetWriter(partly, _schema(pa), compression="snappy") as writer:
            try:
                for block in read_blocks(unit):
                    lines = self._add(block, columns, found, kinds)
                    if progress is not None:
                        progress(lines, len(block.data) + 1)
                    if len(columns.patient) >= _ROWS:
                        writer.write_table(_table(pa, columns))
                        columns = _Columns()
            except DamagedFileError as error:
                self._lose(found, None, str(error))
            except OSError as error:
                self._lose(found, None, error.strerror or "unreadable")
            writer.write_table(_table(pa, columns))
        found.kinds = dict(kinds)
        partly.replace(out)
        return found

    def _add(self, block: Block, columns: _Columns, found: Scanned, kinds: Counter[str]) -> int:
        """How many lines the block holds."""
        ends = self._line_ends(block.data)
        count = len(ends) + 1
        rows = self._rows(block, count, found)
        starts = [0, *ends]
        sizes = [end - start - 1 for start, end in zip(starts, [*ends, len(block.data) + 1], strict=True)]
        places = [block.offset + start for start in starts]
        concerned = self._concerned(block)
        first = found.lines + 1
        found.lines += count
        found.bytes += len(block.data) + 1
        if not concerned and (alike := self._alike(rows)) is not None:
            kind, patients = alike
            kinds[kind] += count
            columns.extend(patients, kind, places, sizes)
            return count
        for index, row in enumerate(rows):
            if row is None:
                continue
            kind = row.resourceType
            kinds[kind] += 1
            line = block.data[starts[index] : starts[index] + sizes[index]]
            patient, name = self._other(row, line, found, first + index)
            if patient is None and name is None:
                found.unplaced += kind in NEED_OF_TYPE
            else:
                mention = index in concerned and kind in NEED_OF_TYPE
                columns.append(patient, kind, places[index], sizes[index], mention, name)
        return count

    def _rows(self, block: Block, count: int, found: Scanned) -> Sequence[_Line | None]:
        """One for each line: together where each line is one value, else line by line.

        Where no value follows another on its line, there is a line end in each gap between values; so as many values as
        lines leave none for a blank line, nor for a value over several."""
        rows: list[_Line] = []
        if not self._side_by_side(block.data):
            with contextlib.suppress(msgspec.DecodeError, UnicodeDecodeError, RecursionError):
                rows = self._decode_lines(block.data)
        if len(rows) == count:
            return rows
        return [self._careful(line, found, at) for at, line in enumerate(block.lines, found.lines + 1)]

    def _alike(self, rows: Sequence[_Line | None]) -> tuple[str, list[str | None]] | None:
        """(kind, patients) of a block of one kind that has nothing of its own but its patients, all of which can be
        told: most blocks of most exports."""
        try:
            kinds = {row.resourceType for row in rows}  # type: ignore[union-attr]
            if len(kinds) > 1 or kinds & _OF_THEIR_OWN:
                return None
            references = [row.subject.reference for row in rows]  # type: ignore[union-attr]
        except AttributeError:
            return None
        known = self._patients
        try:
            patients = [known[reference] for reference in references]  # type: ignore[index]
        except KeyError:
            patients = [self._patient(reference) for reference in references]
        return None if None in patients else (kinds.pop(), patients)

    def _concerned(self, block: Block) -> frozenset[int]:
        """Which of the lines can name the disease: all are looked at together, singly only where there is something."""
        if not self._may_concern(block.data):
            return frozenset()
        concerned: list[int] = []
        lines = block.lines
        for first in range(0, len(lines), _TOGETHER):
            group = lines[first : first + _TOGETHER]
            if self._may_concern(b"\n".join(group)):
                concerned.extend(first + at for at, line in enumerate(group) if self._may_concern(line))
        return frozenset(concerned)

    def _patient(self, reference: str | None) -> str | None:
        if reference is None:
            return None
        if reference in self._patients:
            return self._patients[reference]
        if len(self._patients) >= _MOST_KNOWN:
            self._patients.clear()
        self._patients[reference] = patient = patient_of(reference)
        return patient

    def _other(self, row: _Line, line: bytes, found: Scanned, number: int) -> tuple[str | None, str | None]:
        """(patient, name): the name is a Medication's id or the day on which an Encounter began."""
        kind = row.resourceType
        if kind == "Patient":
            return row.id, None
        if kind == "Medication":
            return None, row.id
        if kind == "Bundle":
            self._bundle(line, found, number)
            return None, None
        subject = row.subject or row.patient
        patient = self._patient(subject.reference) if subject is not None else None
        if kind == "Encounter" and patient is not None:
            try:
                period = self._visit(line).period
            except (msgspec.DecodeError, UnicodeDecodeError):
                period = None
            return patient, (period.start or "")[:_DAY] if period is not None else None
        return patient, None

    def _bundle(self, line: bytes, found: Scanned, number: int) -> None:
        """Bulk Data names what was deleted in Bundles; any other Bundle is out of place and named."""
        try:
            entries = msgspec.json.decode(line, type=_Bundle).entry
        except (msgspec.DecodeError, UnicodeDecodeError):
            entries = []
        urls = [
            entry.request.url for entry in entries if entry.request is not None and entry.request.method == "DELETE"
        ]
        found.deleted.extend(name for url in urls if url and (name := target(url)))
        if not urls:
            self._lose(found, number, A_BUNDLE)

    def _careful(self, line: bytes, found: Scanned, number: int) -> _Line | None:
        """A line that does not decode as it should: no JSON, or an element of another type than FHIR's."""
        if not line.strip():
            return None
        try:
            try:
                return self._decode(line)
            except msgspec.ValidationError:  # may stand before what makes it no JSON
                value = msgspec.json.decode(line)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
            self._lose(found, number, NOT_JSON)
            return None
        kind = value.get("resourceType") if isinstance(value, dict) else None
        if not isinstance(kind, str):
            self._lose(found, number, NOT_A_RESOURCE)
            return None
        subject = _reference(value.get("subject")) or _reference(value.get("patient"))
        name = value.get("id") if isinstance(value.get("id"), str) else None
        return _Line(kind, name, subject)

    def _lose(self, found: Scanned, line: int | None, reason: str) -> None:
        found.lost_in_all += 1
        if len(found.lost) < _MOST_NAMED:
            found.lost.append(Lost(line, reason))


class _Columns:
    __slots__ = ("kind", "mention", "name", "patient", "place", "size")

    def __init__(self) -> None:
        self.patient: list[str | None] = []
        self.kind: list[str] = []
        self.place: list[int] = []
        self.size: list[int] = []
        self.mention: list[bool] = []
        self.name: list[str | None] = []

    def append(self, patient: str | None, kind: str, place: int, size: int, mention: bool, name: str | None) -> None:
        self.patient.append(patient)
        self.kind.append(kind)
        self.place.append(place)
        self.size.append(size)
        self.mention.append(mention)
        self.name.append(name)

    def extend(self, patients: list[str | None], kind: str, places: list[int], sizes: list[int]) -> None:
        """Resources of one kind that do not name the disease."""
        count = len(patients)
        self.patient += patients
        self.kind += repeat(kind, count)
        self.place += places
        self.size += sizes
        self.mention += repeat(False, count)
        self.name += repeat(None, count)


def patient_of(reference: str) -> str | None:
    """The id of the patient that a reference means: relative, absolute, versioned or a urn; None for others."""
    if reference.startswith("Patient/") and reference.isascii() and "/" not in reference[8:]:
        return reference[8:] or None
    if reference.startswith("urn:"):
        return reference.rsplit(":", 1)[-1] or None
    kind, _, name = (target(reference) or "").partition("/")
    return name if kind == "Patient" and name else None


def _reference(value: object) -> _Reference | None:
    found = value.get("reference") if isinstance(value, dict) else None
    return _Reference(found) if isinstance(found, str) else None


def _schema(pa: Any) -> Any:
    return pa.schema(
        [
            ("patient", pa.string()),
            ("kind", pa.string()),
            ("place", pa.int64()),
            ("size", pa.int32()),
            ("mention", pa.bool_()),
            ("name", pa.string()),
        ]
    )


def _table(pa: Any, columns: _Columns) -> Any:
    schema = _schema(pa)
    return pa.table([pa.array(getattr(columns, field.name), field.type) for field in schema], schema=schema)
