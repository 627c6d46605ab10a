"""What a run hands over: the worklist as Parquet, NDJSON or CSV, and apart from it, only when asked for, the file that
leads from the hashes back to the patients."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Literal

from cds_service.screening.engine import Outcome
from cds_service.screening.lake import Lake
from cds_service.screening.rows import DecisionRow, to_json
from cds_service.screening.sources import ScreeningError
from cds_service.screening.state import private
from mappings.facts import NEEDS

Form = Literal["parquet", "ndjson", "csv"]
_FORMS: dict[str, Form] = {".parquet": "parquet", ".ndjson": "ndjson", ".jsonl": "ndjson", ".csv": "csv"}
_LISTS = ("ctd_kinds", "lesion_sites", "reasons", "red_flags", "mimics", "missing_workup")
_TYPES = {
    "as_of": "DATE",
    "card": "BOOLEAN",
    "first_lesion_year": "INTEGER",
    "quarantined": "INTEGER",
    "completeness": "STRUCT(" + ", ".join(f'"{need}" VARCHAR' for need in NEEDS) + ")",
    **dict.fromkeys(_LISTS, "VARCHAR[]"),
}
_COLUMNS = {name: _TYPES.get(name, "VARCHAR") for name in DecisionRow.__struct_fields__}
_WRITTEN: dict[Form, str] = {"csv": "FORMAT csv, HEADER", "parquet": "FORMAT parquet, COMPRESSION zstd"}


def form_of(out: Path) -> Form:
    """By the suffix of --out. ScreeningError for another one."""
    form = _FORMS.get(out.suffix.lower())
    if form is None:
        raise ScreeningError(f"--out: the suffix must be one of {', '.join(_FORMS)}", "out")
    return form


def listed(outcome: Outcome, *, everyone: bool) -> Iterator[DecisionRow]:
    """The rows of the worklist: those for whom the assessment speaks, or all candidates."""
    return (row for decided in outcome.each() for row in decided.rows if everyone or row.grade != "none")


def write_worklist(rows: Iterable[DecisionRow], out: Path, lake: Lake) -> int:
    """The rows in the order of their hashes, so that the file says nothing by its order; whole or not at all, sorted
    out of core. How many they are."""
    form = form_of(out)
    partly = out.with_name(f".{out.name}.part")
    lines = lake.temporary / "worklist.ndjson"
    count = 0
    try:
        with lines.open("wb") as file:
            for row in rows:
                file.write(to_json(row) + b"\n")
                count += 1
        if form == "ndjson":
            with partly.open("wb") as file:
                file.writelines(line + b"\n" for line in lake.sorted_lines(lines, ("patient", "as_of")))
        else:
            lake.copy(lake.typed(lines, _COLUMNS, _shown(form)), partly, _WRITTEN[form])
        partly.replace(out)
    except OSError as error:
        raise ScreeningError(f"--out: {error.strerror or 'could not be written'}", "out") from None
    finally:
        partly.unlink(missing_ok=True)
    return count


def write_reidentification(outcome: Outcome, out: Path, *, everyone: bool) -> int:
    """hash,id of everyone on the worklist, readable by its owner only. How many they are."""
    named = {
        decided.rows[0].patient: decided.id
        for decided in outcome.each()
        if decided.rows and (everyone or any(row.grade != "none" for row in decided.rows))
    }
    try:
        with private(out, again=True) as file:
            file.write(b"patient,id\n")
            file.writelines(f"{key},{_cell(named[key])}\n".encode() for key in sorted(named))
    except OSError as error:
        raise ScreeningError(f"--reidentify: {error.strerror or 'could not be written'}", "reidentify") from None
    return len(named)


def _cell(text: str) -> str:
    """An id is letters, digits, hyphens and points; anything else can't break the file nor be a formula."""
    if all(char.isalnum() or char in "-._:" for char in text) and text[:1] != "-":
        return text
    safe = text.replace('"', '""')
    return f'"\'{safe}"' if text[:1] in "=+-@\t\r" else f'"{safe}"'


def _shown(form: Form) -> list[str]:
    """A table without lists has words joined by a mark, and each need in a column of its own."""
    if form != "csv":
        return [f'"{name}"' for name in _COLUMNS]
    shown = []
    for name in _COLUMNS:
        if name in _LISTS:
            shown.append(f'array_to_string("{name}", \'; \') AS "{name}"')
        elif name == "completeness":
            shown.extend(f'completeness."{need}" AS "completeness_{need}"' for need in NEEDS)
        else:
            shown.append(f'"{name}"')
    return shown
