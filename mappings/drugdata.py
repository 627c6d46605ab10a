"""The files of the drug dictionary, read once: names and classes, brands, codes.

DataError or CodelistError where one of them is wrong."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from functools import cache
from importlib import resources

from msgspec import Struct

from mappings import systems
from mappings.codetypes import TYPES, CodelistError
from mappings.data_schema import read_table
from mappings.drug_tables import Drugs

_DRUGS = "data/drugs.yaml"
_CODES = "data/drug_codes.csv"
_BRANDS = "data/drug_brands.csv"


class DrugClass(Struct, frozen=True):
    """A class as listed: where its membership comes from, and the routes by which it does not count."""

    id: str
    source: str
    basis: str
    atc: tuple[str, ...]
    names: tuple[str, ...]
    implies: tuple[str, ...]
    not_by: frozenset[str]


class DrugData(Struct, frozen=True):
    """What `drugs.yaml` and `drug_brands.csv` say, by ingredient id. `names` has the brands of one ingredient too,
    `ingredients` its names alone, `brands` those of the brand list with everything that is in the product."""

    names: Mapping[str, tuple[str, ...]]
    ingredients: tuple[str, ...]
    member_of: Mapping[str, tuple[str, ...]]
    units: Mapping[str, str]
    classes: Mapping[str, DrugClass]
    brands: Mapping[str, tuple[str, ...]]
    local_by: Mapping[str, frozenset[str]]
    """routes by which an ingredient stays where it is put"""
    not_a_drug: tuple[str, ...] = ()
    not_misspelt: tuple[str, ...] = ()
    joined_salts: tuple[str, ...] = ()


@cache
def read_drugs() -> DrugData:
    """The dictionary of `drugs.yaml`. DataError names what is wrong in it."""
    data = read_table(Drugs)
    classes = {
        name: DrugClass(name, entry.source, entry.basis, entry.atc, entry.names, entry.implies, frozenset(entry.not_by))
        for name, entry in data.classes.items()
    }
    for drug, entry in data.drugs.items():
        if unknown := set(entry.classes) - classes.keys():
            raise CodelistError(_DRUGS, f"drugs.{drug}.classes", f"unknown class {sorted(unknown)}")
    names = {drug: (*entry.names, *entry.brands) for drug, entry in data.drugs.items()}
    return DrugData(
        names,
        tuple(name for entry in data.drugs.values() for name in entry.names),
        {drug: entry.classes for drug, entry in data.drugs.items()},
        {drug: entry.unit for drug, entry in data.drugs.items()},
        classes,
        _read_brands(names),
        {drug: frozenset(entry.not_by) for drug, entry in data.drugs.items() if entry.not_by},
        data.not_a_drug,
        data.not_misspelt,
        data.salts.joined,
    )


@cache
def read_drug_codes() -> Mapping[tuple[str, str], frozenset[str]]:
    """(URI, code) -> the drugs it stands for. CodelistError names file and line."""
    codes: dict[tuple[str, str], frozenset[str]] = {}
    for number, row in enumerate(csv.DictReader(_text(_CODES).splitlines()), start=2):
        uri = systems.system_uri(row["system"])
        if uri is None or TYPES[uri].parse(row["code"]) is None:
            raise CodelistError(_CODES, f"line {number}", f"not a code of {row['system']}: {row['code']}")
        key = (uri, row["code"])
        codes[key] = codes.get(key, frozenset()) | {row["drug"]}
    return codes


def _read_brands(known: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
    brands: dict[str, tuple[str, ...]] = {}
    for number, row in enumerate(csv.DictReader(_text(_BRANDS).splitlines()), start=2):
        drugs = tuple(row["drugs"].split())
        if not drugs or (unknown := set(drugs) - known.keys()):
            raise CodelistError(_BRANDS, f"line {number}", f"unknown drug {sorted(unknown) if drugs else ''}")
        brands[row["brand"]] = drugs
    return brands


def _text(file: str) -> str:
    return (resources.files("mappings") / file).read_text(encoding="utf-8")
