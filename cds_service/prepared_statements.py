"""Statements of the hot path, compiled once for a database and then given to its driver as they are: building one,
finding it in a cache and wrapping its result costs several times what running it does."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Dialect
from sqlalchemy.sql.base import Executable

Row = Mapping[str, Any]


class Prepared:
    """One statement, for a driver's cursor. The values of columns are texts and numbers, which no driver converts."""

    def __init__(self, statement: Executable, dialect: Dialect) -> None:
        compiled = statement.compile(dialect=dialect)  # type: ignore[attr-defined]
        self._text = str(compiled)
        self._order: tuple[str, ...] | None = tuple(compiled.positiontup) if compiled.positional else None
        self._own: Row = compiled.params
        """values that the statement brings along, such as a limit."""

    def run(self, cursor: Any, row: Row | None = None) -> None:
        """Runs it once, with a value for each of its names."""
        cursor.execute(self._text, self._values(self._own if row is None else {**self._own, **row}))

    def run_all(self, cursor: Any, rows: Iterable[Row]) -> None:
        """Runs it for every row."""
        cursor.executemany(self._text, [self._values(row) for row in rows])

    def _values(self, row: Row) -> Any:
        return row if self._order is None else [row[name] for name in self._order]
