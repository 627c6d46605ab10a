"""The tables of words: an unknown, missing or mistyped key is an error that names file and key."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from cds_service.knowledge_check import problems
from hooks.knowledge.check.known import Known
from mappings import data_schema
from mappings.codelists import load_terminology
from mappings.data_schema import TABLES, Allergies, Analytes, DataError, Lesions, Observations, read_table
from mappings.datafile import read_data
from mappings.drug_tables import Dosage
from mappings.drugdata import read_drugs
from mappings.text.common import load_common
from mappings.units import load_units
from mappings.written_result import parse_written


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


@pytest.mark.parametrize("name", ["analytes", "drugs", "observations", "units"])
def test_large_tables_are_read_by_their_schema_too(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(data_schema, "read_data", lambda file: read_data(file) | {"colour": ["red"]})
    with pytest.raises(DataError, match=rf"mappings/data/{name}\.yaml: .*colour"):
        read_table(TABLES[name])


def test_a_class_of_drugs_without_its_source_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = read_data("drugs.yaml")
    del wrong["classes"]["nsaid"]["source"]
    monkeypatch.setattr(data_schema, "read_data", lambda _: wrong)
    with pytest.raises(DataError, match=r"drugs\.yaml: .*source.*classes"):
        read_drugs.__wrapped__()


def test_check_knowledge_names_a_wrong_table(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        data_schema, "read_data", lambda name: read_data(name) | ({"x": 1} if name == "allergies.yaml" else {})
    )
    with pytest.raises(DataError):
        read_table(Allergies)
    assert any("allergies.yaml" in problem for problem in problems())


def test_concepts_and_analytes_of_the_tables_are_known() -> None:
    known, lesions, common = Known.of(load_terminology()), read_table(Lesions), load_common()
    named = {*lesions.kinds, *lesions.bare, *lesions.diagnoses, *common.of_lesion, *common.of_lesion.values()}
    assert [name for name in named if not known.has_concept(name)] == []
    assert set(lesions.diagnoses) <= set(lesions.kinds)
    assert set(common.calcifying) <= known.histology
    assert load_units().asked_by_code and set(load_units().asked_by_code) <= known.analytes


def test_what_the_readings_of_results_name_is_known() -> None:
    known, told, tests = Known.of(load_terminology()), read_table(Observations), read_table(Analytes)
    assert known.has_concept(told.due_date.concept)
    assert {*told.remarks, *told.other_material.any_material, *tests.analytes} <= known.analytes
    assert {*tests.narrower, *(n for to in tests.narrower.values() for n in to), *tests.neutral.never_by_gas} <= {
        *tests.analytes,
        *known.analytes,
    }


def test_every_flag_that_is_written_has_a_meaning() -> None:
    table = load_units()
    assert {*table.written_flags, *table.flags_before_unit} <= {*table.interpretations, *table.words}
    for flag in table.written_flags:
        told = parse_written(f"10.9 mg/dL {flag}", table.analytes["calcium-total"], table)
        assert told is not None and told.flags == (flag,)
