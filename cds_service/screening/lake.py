"""DuckDB over the columns: who is a candidate, which lines are theirs, in which order they are read. Out of core:
what does not fit into its share of memory goes to the state folder."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from cds_service.screening.needs import NEED_OF_TYPE

MEMORY_MB = 512
_PICKED = 20_480
"""places of a row group: what a worker holds at once."""


class Census(msgspec.Struct):
    """What the export holds, and of how many patients."""

    patients: int = 0
    candidates: int = 0
    encounters: int = 0


class Lake:
    """One connection. Paths are our own (state folder), never a user's text."""

    def __init__(self, temporary: Path, threads: int) -> None:
        self.temporary = temporary
        import duckdb  # an extra; the engine has looked whether it is there

        self._db: Any = duckdb.connect(
            config={
                "memory_limit": f"{MEMORY_MB}MB",
                "temp_directory": str(temporary),
                "threads": threads,
                "autoinstall_known_extensions": False,
                "autoload_known_extensions": False,
            }
        )
        self._db.execute("SET enable_progress_bar = false")  # standard output is for the rows

    def close(self) -> None:
        self._db.close()

    def candidates(self, columns: Sequence[Path], out: Path) -> Census:
        """Writes the ids of all patients who have a resource that can name the disease."""
        everything = f"FROM read_parquet({_list(columns)})"
        self._copy(f"SELECT DISTINCT patient {everything} WHERE mention AND patient IS NOT NULL ORDER BY patient", out)
        patients, encounters = self._one(
            f"SELECT count(DISTINCT patient), count(*) FILTER (kind = 'Encounter') {everything}"
        )
        (found,) = self._one(f"SELECT count(*) FROM read_parquet({_quoted(out)})")
        return Census(patients, found, encounters)

    def pick(self, columns: Mapping[int, Path], candidates: Path, out: Path) -> None:
        """(unit, patient, place, size) of all lines of candidates (the semi-join), in the order of units and places."""
        kinds = ", ".join(f"'{kind}'" for kind in sorted(NEED_OF_TYPE))
        self._copy(
            f"SELECT unit, patient, place, size FROM {_numbered(columns)} SEMI JOIN "
            f"read_parquet({_quoted(candidates)}) USING (patient) WHERE kind IN ({kinds}) ORDER BY unit, place",
            out,
            row_group_size=_PICKED,
        )

    def pick_medications(self, columns: Mapping[int, Path], gathered: Sequence[Path], out: Path) -> None:
        """The same of the Medications that the gathered lines refer to, once for each patient."""
        self._copy(
            f"SELECT DISTINCT unit, w.patient, place, size FROM {_numbered(columns)} JOIN "
            f"(SELECT patient, unnest(wanted) AS name FROM read_parquet({_list(gathered)})) AS w USING (name) "
            "WHERE kind = 'Medication' ORDER BY unit, place, w.patient",
            out,
            row_group_size=_PICKED,
        )

    def charts(self, gathered: Sequence[Path], out: Path) -> None:
        """Every gathered line, patient by patient."""
        self._copy(
            f"SELECT patient, line FROM read_parquet({_list(gathered)}, filename = true, union_by_name = true) "
            "ORDER BY patient, filename, place",
            out,
            row_group_size=2048,
        )

    def each_line(self, charts: Path) -> Iterator[tuple[str, bytes]]:
        """(patient, line) in the order of the charts, read as they are asked for."""
        found = self._db.execute(f"SELECT patient, line FROM read_parquet({_quoted(charts)})")
        while rows := found.fetchmany(2048):
            yield from rows

    def sorted_lines(self, lines: Path, keys: Sequence[str]) -> Iterator[bytes]:
        """The lines of an NDJSON file of our own, as they stand, in the order of some of their members."""
        order = ", ".join(f"json->>'$.{key}'" for key in keys)
        found = self._db.execute(f"SELECT json FROM read_ndjson_objects({_quoted(lines)}) ORDER BY {order}")
        while rows := found.fetchmany(2048):
            yield from (row[0].encode() for row in rows)

    def typed(self, lines: Path, columns: Mapping[str, str], shown: Sequence[str]) -> str:
        """The query that gives an NDJSON file of rows as a table, in the order of hash and day."""
        types = ", ".join(f"\"{name}\": '{kind}'" for name, kind in columns.items())
        source = f"read_json({_quoted(lines)}, format = 'newline_delimited', columns = {{{types}}})"
        return f"SELECT {', '.join(shown)} FROM {source} ORDER BY patient, as_of"

    def visits(self, columns: Sequence[Path], cards: Path, first: date, last: date) -> tuple[int, int]:
        """(encounters that began in [first, last), those of the patients named in `cards`, one id a line of JSON)."""
        everything = f"FROM read_parquet({_list(columns)}) AS c"
        within = f"kind = 'Encounter' AND name >= '{first.isoformat()}' AND name < '{last.isoformat()}'"
        (whole,) = self._one(f"SELECT count(*) {everything} WHERE {within}")
        ids = f"read_json({_quoted(cards)}, format = 'newline_delimited', columns = {{patient: 'VARCHAR'}}) AS k"
        (shown,) = self._one(f"SELECT count(*) {everything} SEMI JOIN {ids} USING (patient) WHERE {within}")
        return whole, shown

    def copy(self, query: str, out: Path, form: str) -> None:
        self._db.execute(f"COPY ({query}) TO {_quoted(out)} ({form})")

    def _one(self, sql: str) -> tuple[Any, ...]:
        row: tuple[Any, ...] = self._db.execute(sql).fetchone()
        return row

    def _copy(self, query: str, out: Path, row_group_size: int = 122_880) -> None:
        partly = out.with_name(out.name + ".part")
        form = f"FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE {row_group_size}"
        self._db.execute(f"COPY ({query}) TO {_quoted(partly)} ({form})")
        partly.replace(out)


def _quoted(path: Path) -> str:
    return "'" + str(path).replace("'", "''") + "'"


def _list(paths: Sequence[Path]) -> str:
    return "[" + ", ".join(map(_quoted, paths)) + "]"


def _numbered(columns: Mapping[int, Path]) -> str:
    """The columns of units, each row with the number of its unit."""
    numbers = ", ".join(f"({number}, {_quoted(path)})" for number, path in columns.items())
    return (
        f"(SELECT c.*, units.unit FROM read_parquet({_list(list(columns.values()))}, filename = true) AS c "
        f"JOIN (VALUES {numbers}) AS units(unit, filename) USING (filename)) AS lines"
    )
