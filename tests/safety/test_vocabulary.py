"""A misspelt concept, drug or analyte would be a rule that never fires: every word of the rules must be known."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from fnmatch import fnmatch
from importlib import resources

from hooks.knowledge.safety_schema import Condition, load_safety, walk
from hooks.knowledge.therapy_schema import load_therapies
from hooks.knowledge.workup_schema import load_workup
from mappings.codelists import load_terminology

TERMINOLOGY = load_terminology()
MAPPINGS = resources.files("mappings")


def conditions() -> Iterator[Condition]:
    safety = load_safety()
    for rule in safety.rules:
        yield from walk(rule.when)
    for condition in safety.vocabulary.conditions.values():
        yield from walk(condition)
    for therapy in load_therapies().therapies:
        yield from walk(therapy.fits)
    for entry in load_workup().entries:
        for reason in (*entry.offer, *entry.avoid):
            yield from walk(reason.when)
        if entry.done.unless is not None:
            yield from walk(entry.done.unless)


def column(table: str, name: str) -> set[str]:
    with (MAPPINGS / "codes" / "tables" / f"{table}.csv").open(encoding="utf-8") as file:
        return {row[name] for row in csv.DictReader(file)}


def test_every_concept_can_be_read_from_a_code_or_a_text():
    text = {*column("concepts", "concept"), *column("implies", "implies")}
    known = TERMINOLOGY.known_concepts | text
    used = {
        concept
        for part in conditions()
        for concept in (
            *(part.dx or ()),
            *(part.hx or ()),
            *(part.absent or ()),
            *((*part.finding.concepts, *part.finding.none_of) if part.finding else ()),
        )
    }
    assert len(used) > 100
    assert {concept for concept in used if not any(fnmatch(name, concept) for name in known)} == set()


def test_every_drug_and_class_is_in_the_dictionary():
    drugs = TERMINOLOGY.drugs
    used = {
        name
        for part in conditions()
        for name in (
            *(part.drug or ()),
            *(part.medication.any if part.medication else ()),
            *(part.allergy.any if part.allergy else ()),
        )
    }
    used |= {
        name
        for therapy in load_therapies().therapies
        for name in (*therapy.drugs, *therapy.drug_classes, *therapy.own_classes, *therapy.allergy_classes)
    }
    assert len(used) > 70
    assert {name for name in used if name not in drugs and name not in drugs.classes} == set()


def test_every_analyte_is_one_the_reader_knows():
    used = {part.lab.analyte for part in conditions() if part.lab}
    used |= {analyte for part in conditions() if part.unknown for analyte in part.unknown.analytes}
    used |= {analyte for entry in load_workup().entries for analyte in entry.done.analytes}
    assert used <= column("analytes", "analyte")
