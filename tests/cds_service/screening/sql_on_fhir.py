"""A runner for our own ViewDefinitions: the part of FHIRPath that they use, as DuckDB over JSON.

Members, `first()`, `ofType(…)` of a choice element, `getResourceKey()`, `getReferenceKey(Type)`, and `forEachOrNull`;
anything else is an error, so that no view can hold a path that was never run."""

from __future__ import annotations

import re
from typing import Any

_STEP = re.compile(r"(?P<name>[a-zA-Z]+)(?:\((?P<argument>[a-zA-Z]*)\))?")
_SQL = {"decimal": "DECIMAL(18, 6)", "boolean": "BOOLEAN"}


def to_sql(view: dict[str, Any], source: str) -> str:
    """The query of a view over a table `source` with one JSON column `body`."""
    assert view["resourceType"] == "https://sql-on-fhir.org/ig/StructureDefinition/ViewDefinition"
    columns: list[str] = []
    joins = ""
    for number, select in enumerate(view["select"]):
        root = "body"
        if "forEachOrNull" in select:
            root = f"each{number}.item"
            path = _json_path(select["forEachOrNull"])
            joins += (
                f" LEFT JOIN LATERAL (SELECT unnest(json_extract(body, '{path}[*]')) AS item) AS each{number} ON true"
            )
        columns += [f'{_value(column, root)} AS "{column["name"]}"' for column in select["column"]]
    kind = view["resource"]
    return f"SELECT {', '.join(columns)} FROM {source}{joins} WHERE body->>'$.resourceType' = '{kind}'"  # noqa: S608


def _value(column: dict[str, Any], root: str) -> str:
    path = column["path"]
    if path == "getResourceKey()":
        return "(body->>'$.resourceType') || '/' || (body->>'$.id')"
    if match := re.fullmatch(r"(\w+)\.getReferenceKey\((\w+)\)", path):
        key = f"regexp_extract({root}->>'$.{match[1]}.reference', '^({match[2]}/[^/]+)', 1)"
        return f"nullif({key}, '')"
    text = f"({root}->>'{_json_path(path)}')"
    kind = _SQL.get(column["type"])
    return f"CAST({text} AS {kind})" if kind else text


def _json_path(path: str) -> str:
    out = "$"
    for step in path.split("."):
        match = _STEP.fullmatch(step)
        assert match is not None, path
        name, argument = match["name"], match["argument"]
        if argument is None:
            out += f".{name}"
        elif name == "first":
            out += "[0]"
        else:
            assert name == "ofType", path
            assert argument, path
            out += argument[0].upper() + argument[1:]
    return out
