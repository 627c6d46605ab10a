"""Our own data files, read with the parser written in C where PyYAML has it: it is ten times as fast."""

from __future__ import annotations

from importlib import resources
from typing import Any

from msgspec import Struct

Words = tuple[str, ...]


class DataTable(Struct, frozen=True):
    """A table, or a part of one."""


def read_data(name: str) -> Any:
    """`mappings/data/<name>`, a YAML file."""
    import yaml  # only where a table is read: those of an installed service are kept made

    text = (resources.files("mappings") / "data" / name).read_text(encoding="utf-8")
    return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
