"""The tables of words: an unknown, missing or mistyped key is an error that names file and key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cds_service.knowledge_check import problems
from mappings import data_schema
from mappings.data_schema import TABLES, Allergies, DataError, Dosage, read_table
from mappings.datafile import read_data


@pytest.mark.parametrize("kind", TABLES.values())
def test_every_table_fits_its_schema(kind: type[Any]) -> None:
    assert isinstance(read_table(kind), kind)


def _without(data: dict[str, Any], key: str) -> dict[str, Any]:
    return {name: value for name, value in data.items() if name != key}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data | {"colour": ["red"]}, "colour"),
        (lambda data: _without(data, "single"), "single"),
        (lambda data: data | {"per": "a"}, r"\$\.per"),
        (lambda data: data | {"counts": {"one": "eins"}}, r"\$\.counts"),
    ],
)
def test_a_wrong_table_is_refused_by_file_and_key(
    monkeypatch: pytest.MonkeyPatch, change: Callable[[dict[str, Any]], dict[str, Any]], said: str
) -> None:
    wrong = change(read_data("dosage.yaml"))
    monkeypatch.setattr(data_schema, "read_data", lambda _: wrong)
    with pytest.raises(DataError, match=rf"mappings/data/dosage\.yaml: .*{said}"):
        read_table(Dosage)


def test_check_knowledge_names_a_wrong_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        data_schema, "read_data", lambda name: read_data(name) | ({"x": 1} if name == "allergies.yaml" else {})
    )
    with pytest.raises(DataError):
        read_table(Allergies)
    assert any("allergies.yaml" in problem for problem in problems())
