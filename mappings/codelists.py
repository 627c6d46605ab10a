"""The terminology: what a code means here (concepts, analytes, workup, body sites), from reviewed lists.

One CSV file per concept in `mappings/codes/`, each row with its provenance. Hierarchies are written out, so that a code
is looked up and never compared by prefix. A hospital's overlay adds codes of its own (`mappings/overlay.py`).
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Iterable, Mapping
from functools import cache, lru_cache
from importlib import resources
from importlib.resources.abc import Traversable
from typing import Literal, TypeVar, cast

from msgspec import Struct, field

from mappings import systems
from mappings.code_titles import CodeTitles
from mappings.codetypes import TYPES, CodelistError
from mappings.drugs import Drugs, load_drugs
from mappings.facts import Laterality, Site
from mappings.overlay import Entry, Known, OverlayError, OverlayText, read_overlay
from mappings.table_cache import kept

__all__ = [
    "AnalyteCode",
    "CodelistError",
    "Coding",
    "OverlayError",
    "OverlayText",
    "Row",
    "Terminology",
    "load_terminology",
]

Key = tuple[str, str]
"""(canonical system URI, code in its normal spelling)."""

Units = Literal["conventional", "si"]
Found = TypeVar("Found")

_NOTHING: frozenset[str] = frozenset()
_FOLDER = "codes"
_USES = frozenset({"read", "write"})
_CONFIDENCE = frozenset({"verified", "single-source"})


class Coding(Struct, frozen=True):
    """A coding as it may be written into a resource."""

    system: str
    code: str
    display: str


class AnalyteCode(Struct, frozen=True):
    """What a laboratory or vital-sign code measures: analyte id, LOINC property, specimen, and for myositis
    antibodies which one. The property is what the code promises; the unit of the result decides."""

    analyte: str
    property: str
    specimen: str
    display: str
    antibody: str | None = None


class Row(Struct, frozen=True):
    """One row of a code list as it stands in its file; `list` is the file's name without ".csv"."""

    list: str
    system: str
    code: str
    display: str
    provenance: str
    confidence: str
    use: str
    note: str
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def key(self) -> Key:
        return systems.system_uri(self.system) or "", self.code


class _Tables(Struct):
    concepts: dict[Key, frozenset[str]] = field(default_factory=dict)
    titles: CodeTitles = field(default_factory=lambda: CodeTitles({}))
    absences: dict[Key, frozenset[str]] = field(default_factory=dict)
    analytes: dict[Key, AnalyteCode] = field(default_factory=dict)
    workup: dict[Key, frozenset[str]] = field(default_factory=dict)
    sites: dict[Key, Site] = field(default_factory=dict)
    orders: dict[str, list[tuple[str, str, Coding]]] = field(default_factory=lambda: defaultdict(list))
    parts: dict[Key, str] = field(default_factory=dict)
    loinc: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


class Terminology:
    """All code lists, ready for look-up. Every method takes the system as the server wrote it and never raises."""

    def __init__(self, tables: _Tables, drugs: Drugs) -> None:
        self.drugs = drugs
        self._tables = tables

    @property
    def rows(self) -> tuple[Row, ...]:
        """Our rows as they stand in their files, without an overlay's, for checks and for the documentation."""
        return _rows()

    def concepts(self, system: str | None, code: str | None) -> frozenset[str]:
        """Concept ids ("ctd.sle") of a diagnosis, finding or procedure code; empty when it says nothing here."""
        return _find(self._tables.concepts, system, code) or _NOTHING

    def titled(self, words: str) -> frozenset[str]:
        """What every code says whose official title these words are, to the letter ("Atherosclerosis of native
        arteries of extremities with rest pain, right leg"): a title without its code means no less than the code."""
        return self._tables.titles.meaning(words)

    def absences(self, system: str | None, code: str | None) -> frozenset[str]:
        """Concept ids that the code says are absent: "Not pregnant" gives `trigger.pregnancy`."""
        return _find(self._tables.absences, system, code) or _NOTHING

    def analyte(self, system: str | None, code: str | None) -> AnalyteCode | None:
        """The analyte of an observation code; None for everything else, other specimens included."""
        return _find(self._tables.analytes, system, code)

    def workup(self, system: str | None, code: str | None) -> frozenset[str]:
        """Workup ids that an order, procedure, report or result with this code counts for."""
        return _find(self._tables.workup, system, code) or _NOTHING

    def site(self, system: str | None, code: str | None) -> Site | None:
        """The region and place of a body-structure code; it keeps code and display, so that an order can copy it."""
        return _find(self._tables.sites, system, code)

    def sites(self, system: str | None, code: str | None) -> tuple[Site, ...]:
        """`site` as a tuple of none or one."""
        site = self.site(system, code)
        return (site,) if site else ()

    def parts(self, workup: str) -> tuple[str, ...]:
        """The analytes that are ordered one by one for a workup id; empty where one order is all of it."""
        return tuple(dict.fromkeys(part for _, part, _ in self._tables.orders.get(workup, ()) if part))

    def part(self, system: str | None, code: str | None) -> str | None:
        """The analyte that an order with this code asks for."""
        analyte = self.analyte(system, code)
        return analyte.analyte if analyte else _find(self._tables.parts, system, code)

    def codings(self, workup: str, units: Units = "conventional", part: str = "") -> tuple[Coding, ...]:
        """Verified codings for writing an order of a workup id, SNOMED CT before LOINC; empty when none is verified.

        A LOINC code that fixes mass or molar units is given for the wanted units only."""
        rows = self._tables.orders.get(workup, ())
        return tuple(coding for wanted, of, coding in rows if wanted in ("", units) and of == part)

    def codes_of(self, *concepts: str) -> tuple[Key, ...]:
        """Every code listed for the concepts, implied ones included, for searches by code."""
        wanted = frozenset(concepts)
        return tuple(key for key, names in self._tables.concepts.items() if not wanted.isdisjoint(names))

    def loinc_for(self, analytes: Iterable[str]) -> tuple[str, ...]:
        """LOINC codes of the analytes, in the order of their lists, for searches and prefetch templates."""
        return tuple(dict.fromkeys(code for analyte in analytes for code in self._tables.loinc.get(analyte, ())))

    @property
    def known_concepts(self) -> frozenset[str]:
        """Every concept id that some code stands for."""
        return frozenset().union(*set(self._tables.concepts.values()))

    @property
    def known_analytes(self) -> frozenset[str]:
        return frozenset(self._tables.loinc)


def load_terminology(overlay: OverlayText | None = None) -> Terminology:
    """Our lists, with a hospital's overlay when there is one; without one the result is shared.

    Raises CodelistError (OverlayError for the overlay), which names file and line.
    """
    if overlay is None:
        return _ours()
    ours = _ours()
    entries = read_overlay(overlay, _known(ours))
    if not entries:
        return ours
    tables = _build(_rows())
    _add(tables, entries)
    return Terminology(
        tables,
        load_drugs({e.key: e.drugs for e in entries if e.drugs}, {e.key: e.classes for e in entries if e.classes}),
    )


@cache
def _ours() -> Terminology:
    return kept("mappings").get("terminology", lambda: Terminology(_build(_rows()), load_drugs()))


def _find(table: Mapping[Key, Found], system: str | None, code: str | None) -> Found | None:
    if not isinstance(code, str) or not code:
        return None
    uri = systems.canonical(system) or ""
    found = table.get((uri, code))
    if found is not None:
        return found
    kind = TYPES.get(uri)
    normal = kind.normalise(code) if kind is not None and len(code) < 40 else code.strip()
    if normal != code and (found := table.get((uri, normal))) is not None:
        return found
    if uri == systems.ICD10 and len(normal) > 5:  # a national subdivision: its WHO subcategory decides
        return table.get((uri, normal[:5]))
    return None


@cache
def _rows() -> tuple[Row, ...]:
    folder = resources.files("mappings") / _FOLDER
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".csv")), key=lambda f: f.name)
    same: dict[str, str] = {}  # most cells stand in a hundred rows; each is kept once
    return tuple(
        row for file in files for row in _read(file, f"{_FOLDER}/{file.name}", file.name.removesuffix(".csv"), same)
    )


_COLUMNS = ("system", "code", "display", "provenance", "confidence", "use", "note")


def _read(file: Traversable, path: str, name: str, same: dict[str, str]) -> list[Row]:
    lines = csv.reader(file.read_text(encoding="utf-8").splitlines())
    header = next(lines, [])
    if tuple(header[:7]) != _COLUMNS:
        raise CodelistError(path, "line 1", f"columns must begin with {', '.join(_COLUMNS)}")
    rows = []
    for number, cells in enumerate(lines, start=2):
        if len(cells) != len(header):
            raise CodelistError(path, f"line {number}", f"{len(cells)} columns instead of {len(header)}")
        cells = [same.setdefault(cell, cell) for cell in cells]
        extra = dict(zip(header[7:], cells[7:], strict=True)) if len(header) > 7 else _NO_EXTRA
        system, code, display, provenance, confidence, use, note = cells[:7]
        row = Row(name, system, code, display, provenance, confidence, use, note, extra)
        uri = systems.system_uri(row.system)
        kind = TYPES.get(uri) if uri else None
        if kind is None:
            raise CodelistError(path, f"line {number}, column system", f"unknown code system {row.system!r}")
        parsed = kind.parse(row.code)
        if parsed is None or parsed.value != row.code:
            raise CodelistError(path, f"line {number}, column code", f"{row.code!r} is not a code of {row.system}")
        if not row.display or not row.provenance:
            raise CodelistError(path, f"line {number}", "display and provenance are required")
        if row.confidence not in _CONFIDENCE or row.use not in _USES:
            raise CodelistError(path, f"line {number}", f"confidence {row.confidence!r} or use {row.use!r} is unknown")
        if row.use == "write" and row.confidence != "verified":
            raise CodelistError(path, f"line {number}, column use", "only a verified code may be written")
        if row.use == "write" and row.list.partition(".")[0] != "workup":
            raise CodelistError(path, f"line {number}, column use", "only codes of workup are written, as orders")
        rows.append(row)
    return rows


_NO_EXTRA: Mapping[str, str] = {}
_BY_TITLE = frozenset({"trigger", "exclude", "mimic"})
_SNOMED = "SNOMED CT"


def _build(rows: tuple[Row, ...]) -> _Tables:
    tables = _Tables()
    implied = _implied()
    analyte_workup = {row["analyte"]: row["workup"] for row in _table("analyte_workup")}
    for row in rows:
        key, (kind, _, rest) = row.key, row.list.partition(".")
        coding = Coding(key[0], row.code, row.display)
        if kind == "lab":
            antibody = row.extra.get("antibody") or None
            code = AnalyteCode(rest, row.extra["property"], row.extra["specimen"], row.display, antibody)
            tables.analytes[key] = code
            tables.loinc[rest].append(row.code)
            if rest in analyte_workup:
                _join(tables.workup, key, {analyte_workup[rest]})
        elif kind == "workup":
            _join(tables.workup, key, {rest})
            part = row.extra.get("part", "")
            if part:
                tables.parts[key] = part
            if row.use == "write":
                tables.orders[rest].append((row.extra.get("units", ""), part, coding))
        elif kind == "not":
            _join(tables.absences, key, {rest})
        else:
            names = implied.get(row.list, frozenset({row.list}))
            _join(tables.concepts, key, names)
    tables.titles = _titles(tables, rows)
    for cells in _table("sites"):
        uri = systems.system_uri(cells["system"]) or ""
        side = cast("Laterality | None", cells["laterality"] or None)
        tables.sites[(uri, cells["code"])] = Site(
            cells["region"], cells["place"], side, cells["code"], _plain(cells["display"])
        )
    return tables


def _titles(tables: _Tables, rows: tuple[Row, ...]) -> CodeTitles:
    """Titles of several words, of states, excluders and mimics. A disease or a lesion is named by words that the scan
    of bytes knows too; a single word is an entry of a lexicon or means too much."""
    said: dict[str, frozenset[str]] = {}
    for row in rows:
        title = (_plain(row.display) if row.system == _SNOMED else row.display).lower()
        if row.list.partition(".")[0] in _BY_TITLE and " " in title:
            said[title] = said.get(title, tables.concepts[row.key]) & tables.concepts[row.key]
    return CodeTitles(said)


def _add(tables: _Tables, entries: tuple[Entry, ...]) -> None:
    implied = _implied()
    analyte_workup = {row["analyte"]: row["workup"] for row in _table("analyte_workup")}
    for entry in entries:
        key = entry.key
        if entry.concepts:
            names = frozenset(n for concept in entry.concepts for n in implied.get(concept, {concept}))
            _join(tables.concepts, key, names)
        if entry.absent:
            _join(tables.absences, key, entry.absent)
        if entry.workup:
            _join(tables.workup, key, entry.workup)
        if entry.analyte:
            tables.analytes[key] = AnalyteCode(
                entry.analyte, entry.property, entry.specimen, entry.display, entry.antibody
            )
            if key[0] == systems.LOINC:
                tables.loinc[entry.analyte].append(key[1])
            if entry.analyte in analyte_workup:
                _join(tables.workup, key, {analyte_workup[entry.analyte]})


def _known(ours: Terminology) -> Known:
    tables, drugs = ours._tables, ours.drugs

    def already(key: Key) -> str | None:
        if found := tables.concepts.get(key) or tables.absences.get(key) or tables.workup.get(key):
            return ", ".join(sorted(found))
        if analyte := tables.analytes.get(key):
            return analyte.analyte
        drug = drugs.by_code(*key)
        return ", ".join(sorted(drug.drugs | drug.classes)) if drug else None

    return Known(
        concepts=ours.known_concepts | {row["concept"] for row in _table("concepts")},
        analytes=frozenset(row["analyte"] for row in _table("analytes")),
        workup=frozenset(row["workup"] for row in _table("workup")),
        drugs=frozenset(drugs.names),
        classes=frozenset(drugs.classes),
        ours=already,
    )


def _implied() -> dict[str, frozenset[str]]:
    """Concept → itself and everything that it implies, through several steps."""
    above: dict[str, set[str]] = defaultdict(set)
    for row in _table("implies"):
        above[row["concept"]].add(row["implies"])
    closed: dict[str, frozenset[str]] = {}
    for concept in above:
        found, todo = {concept}, list(above[concept])
        while todo:
            name = todo.pop()
            if name not in found:
                found.add(name)
                todo.extend(above.get(name, ()))
        closed[concept] = frozenset(found)
    return closed


def _table(name: str) -> list[dict[str, str]]:
    file = resources.files("mappings") / _FOLDER / "tables" / f"{name}.csv"
    return list(csv.DictReader(file.read_text(encoding="utf-8").splitlines()))


def _join(table: dict[Key, frozenset[str]], key: Key, names: Iterable[str]) -> None:
    table[key] = _once(table.get(key, _NOTHING) | frozenset(names))


@lru_cache(maxsize=4096)
def _once(names: frozenset[str]) -> frozenset[str]:
    """The one of these names that is kept: thousands of codes mean the same few."""
    return names


def _plain(display: str) -> str:
    """A SNOMED CT name without its semantic tag."""
    return display.rsplit(" (", 1)[0]
