"""Calcium as hospitals write it: each line is read as it is meant (clinical rule 2.3), or is not usable."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from mappings.facts import PatientFacts
from mappings.units import load_units
from mappings.written_result import parse_written
from tests.mappings.reader.sent import CALCIUM, LOINC, SCT, observation
from tests.mappings.reader.sent import read as read_all

MOLES = {"coding": [{"system": LOINC, "code": "2000-8"}]}
NORMAL = {"system": SCT, "code": "17621005"}


def read(code: Any = None, **body: Any) -> PatientFacts:
    """What is read of a calcium, or of another test, without a value of its own."""
    return read_all(observation(code, **({"valueQuantity": None} | body)))


def quantity(value: str, unit: str | None, **more: Any) -> dict[str, Any]:
    return {"valueQuantity": {"value": Decimal(value), "unit": unit} | more}


def seen(facts: PatientFacts) -> list[tuple[str, str | None, bool]]:
    """(analyte, value or word, usable) of every result."""
    return [(r.analyte, str(r.low) if r.low is not None else r.word, r.usable) for r in facts.results]


TOTAL, IONIZED, ADJUSTED = "calcium-total", "calcium-ionized", "calcium-adjusted"


@pytest.mark.parametrize(
    ("value", "read_as", "usable"),
    [
        ({"valueString": "9,4 mg/dl"}, "9.4", True),
        ({"valueString": "9.4 mg/dL (8.5-10.2)"}, "9.4", True),
        ({"valueString": "Calcium: 9.4 mg/dL (8.5 - 10.2)"}, "9.4", True),
        ({"valueString": "Calcium 9.4 (8.5-10.2)"}, "9.4", False),  # no unit: 9.4 mmol/L would be deadly
        ({"valueString": "Albumin 4.1 g/dL"}, None, False),  # another test's number
        ({"valueString": "see comment"}, None, False),
        ({"note": [{"text": "9.4 mg/dL"}]}, "9.4", True),  # the comment is the result
        ({"valueString": "see comment", "note": [{"text": "9,4 mg/dl"}]}, "9.4", True),
        ({"note": [{"text": "9.4"}]}, None, False),  # any number may stand in a comment
        ({"note": [{"text": "9.4 mg/dL"}, {"text": "12.1 mg/dL"}]}, None, False),
        ({"note": [{"text": "9.4 mg/dL"}], "dataAbsentReason": {"text": "not performed"}}, None, False),
        ({"note": [{"text": "repeat if below 8.4 mg/dL"}]}, None, False),
        ({"valueString": "not normal"}, "abnormal", True),  # a result, and none that is normal
        ({"valueString": "9.4 mg/dL, haemolysed"}, None, False),
        ({"valueString": "Normal."}, "normal", True),
        ({"valueCodeableConcept": {"coding": [NORMAL]}}, "normal", True),
        ({"valueCodeableConcept": {"coding": [NORMAL | {"display": "Normal (qualifier value)"}]}}, "normal", True),
        ({"valueCodeableConcept": {"text": "9.4 mg/dL"}}, "9.4", True),
        ({"interpretation": [{"coding": [{"code": "N"}]}]}, "normal", True),
        ({"interpretation": [{"coding": [{"code": "HH"}]}]}, "high", True),
        (quantity("9.4", "mg%"), "9.4", True),
        (quantity("9.4", ""), "9.4", False),
        (quantity("94", "mg/L"), "94", True),
        (quantity("0.094", "g/L"), "0.094", False),
        ({"valueInteger": 9}, "9", False),
        ({"valueRange": {"low": {"value": 9, "unit": "mg/dL"}}}, None, False),
        ({"valueQuantity": {"value": "<9.4", "unit": "mg/dL"}}, None, False),
        ({"valueQuantity": {"unit": "mg/dL"}}, None, False),
        (quantity("9.4", "mg/dL") | {"note": [{"text": "Result invalid, sample contaminated."}]}, "9.4", False),
    ],
)
def test_values(value: dict[str, Any], read_as: str | None, usable: bool) -> None:
    assert seen(read(**value)) == [(TOTAL, read_as, usable)]


@pytest.mark.parametrize(
    ("value", "unit", "usable"),
    [
        ("2.31", "mM", True),
        ("4.7", "mEq/L", True),
        ("4.7", "mval/L", True),
        ("2.31", "mm", False),
        ("9.4", "mmol/L", False),
    ],
)
def test_units_of_a_molar_code(value: str, unit: str, usable: bool) -> None:
    assert seen(read(MOLES, **quantity(value, unit))) == [(TOTAL, value, usable)]


@pytest.mark.parametrize(
    ("text", "flag", "low", "high"),
    [
        ("10.9 mg/dL H", "high", None, None),
        ("7.9 L mg/dL", "low", None, None),
        ("9.4 mg/dL [8,5-10,2] N", "normal", "8.5", "10.2"),
        ("11.9 mg/dL *", "abnormal", None, None),
    ],
)
def test_a_line_carries_its_flag_and_range(text: str, flag: str, low: str | None, high: str | None) -> None:
    (found,) = read(valueString=text).results
    limits = (found.range_low, found.range_high)
    assert (found.flag, limits) == (flag, tuple(Decimal(x) if x else None for x in (low, high)))


@pytest.mark.parametrize(
    ("comments", "word"),
    [
        (["WNL"], "normal"),
        (["Within normal limits."], "normal"),
        (["elevated"], "high"),
        (["WNL", "low"], None),
        (["not normal"], "abnormal"),
    ]
    + [([said], None) for said in ("Normal diet", "repeat if normal", "see letter")],
)
def test_a_comment_that_is_the_result_and_nothing_else(comments: list[str], word: str | None) -> None:
    (found,) = read(note=[{"text": comment} for comment in comments]).results
    assert (found.word, found.usable) == (word, word is not None)


def test_a_comment_beside_a_number_is_no_result() -> None:
    (found,) = read(**quantity("9.4", "mg/dL"), note=[{"text": "WNL"}]).results
    assert (str(found.low), found.word) == ("9.4", None)


@pytest.mark.parametrize(("born", "low"), [("1950-01-01", "8.5"), ("2008-05-21", None), (None, None)])
def test_a_range_of_adults_in_words_is_that_of_adults(born: str | None, low: str | None) -> None:
    patient = {"resourceType": "Patient", "id": "p"} | ({"birthDate": born} if born else {})
    told = {"referenceRange": [{"text": "Adult: 8.5–10.5 mg/dL"}]}
    (found,) = read_all(patient, observation(value="10.4", **told)).results
    assert (str(found.range_low) if found.range_low is not None else None) == low


@pytest.mark.parametrize("text", ["pending", "Not done", "Hemolyzed", "ausstehend", "en attente"])
def test_no_result_yet_hides_nothing_and_a_sentence_might(text: str) -> None:
    assert read(valueString=text).results[0].problem == "no-value"
    assert read(valueString="value on paper").results[0].problem == "not-understood"


@pytest.mark.parametrize("text", ["8.5 - 10.2 mg/dL", "(8.5 – 10.2)", "Normal: 8.5-10.2", "Ref 8,5 bis 10,2 mg/dl"])
def test_ranges_in_words(text: str) -> None:
    (found,) = read(**quantity("9.4", "mg/dL"), referenceRange=[{"text": text}]).results
    assert (found.range_low, found.range_high) == (Decimal("8.5"), Decimal("10.2"))


def test_a_range_of_one_side_in_words_stays_one_sided() -> None:
    (found,) = read(**quantity("9.4", "mg/dL"), referenceRange=[{"text": "<10.2"}]).results
    assert (found.range_low, found.range_high) == (None, Decimal("10.2"))


def test_limits_that_nobody_can_have_in_this_unit_are_no_range() -> None:
    bare = [{"low": {"value": Decimal("8.5")}, "high": {"value": Decimal("10.2")}}]
    (found,) = read(MOLES, **quantity("2.31", "mmol/L"), referenceRange=bare).results
    assert (found.range_low, found.range_high, found.usable) == (None, None, True)


NAMES = {
    TOTAL: (
        "Ca",
        "CALCIUM LEVEL",
        "Calcium Lvl",
        "Calcium, S",
        "S-Calcium",
        "Calcium, Total, Serum",
        "Calcium [Moles/volume] in Serum or Plasma",
        "Calcium (mmol/L)",
        "Unadjusted calcium",
        "Calcio sérico",
        "Calcium sérique",
        "Calcium im Serum",
    ),
    IONIZED: (
        "Ionised calcium corrected to pH 7.4",
        "Calcium, ionised (sodium heparin)",
        "Ionized Calcium, whole blood",
        "Calcium, Ionized, Arterial",
        "POC ionized calcium",
        "iCa2+",
        "Calcio iónico",
        "Calcium ionisé",
    ),
    ADJUSTED: (
        "Albumin-adjusted calcium",
        "Calcium (adjusted)",
        "Calcium corr. for albumin",
        "Calcio corregido por albúmina",
        "Cálcio corrigido pela albumina",
        "Calcium corrigé (albumine)",
        "Albumin-korrigiertes Calcium",
        "Calcium, albuminkorrigiert",
        "Kalzium korrigiert",
    ),
}


@pytest.mark.parametrize(("name", "analyte"), [(name, analyte) for analyte, names in NAMES.items() for name in names])
def test_names_without_a_code(name: str, analyte: str) -> None:
    value = "1.21" if analyte == IONIZED else "2.31"
    unit = None if name.endswith("(mmol/L)") else "mmol/L"
    facts = read({"text": name}, **quantity(value, unit))
    assert [(r.analyte, str(r.low), r.from_text) for r in facts.results] == [(analyte, value, False)]


@pytest.mark.parametrize(
    "name",
    [
        "U-Calcium",
        "Calcium, U",
        "Calcium urine",
        "24-h calcium excretion",
        "Calciurie",
        "Calcium im Urin",
        "Calcio en orina",
        "Calcium, CSF",
        "Calcium, body fluid",
        "Calcium in drain fluid",
        "Calcium/creatinine ratio",
        "Coronary calcium score",
        "Calcium intake",
        "Calcium phosphate product",
        "Calcium sensing receptor antibody",
        "CA 125",
    ],
)
def test_what_is_no_serum_calcium(name: str) -> None:
    facts = read({"text": name}, **quantity("2.31", "mmol/L"))
    assert (facts.results, facts.lesions, facts.not_understood) == ((), (), ())


@pytest.mark.parametrize("name", ["Ca2+", "Ca++", "Ca (BGA)", "Calcium, method X"])
def test_what_might_be_a_calcium_is_named_and_not_guessed(name: str) -> None:
    facts = read({"text": name}, **quantity("2.31", "mmol/L"))
    assert (facts.results, facts.not_understood) == ((), ("Observation/o",))


@pytest.mark.parametrize(
    ("text", "analyte", "problem"),
    [
        ("Calcium, albumin corrected", ADJUSTED, None),
        ("Ionized calcium", TOTAL, "code-conflict"),
        ("Calcium", TOTAL, None),
    ],
)
def test_words_against_a_code_for_total_calcium(text: str, analyte: str, problem: str | None) -> None:
    (found,) = read(CALCIUM | {"text": text}, **quantity("9.4", "mg/dL")).results
    assert (found.analyte, found.problem) == (analyte, problem)


def test_urine_in_words_under_a_code_for_serum_is_left_out_and_named() -> None:
    facts = read(CALCIUM | {"text": "Calcium, urine"}, **quantity("9.4", "mg/dL"))
    assert facts.results == ()
    assert [q.reason for q in facts.quarantined] == ["code and specimen contradict each other"]


@pytest.mark.parametrize(("unit", "low"), [("G/L", "250"), ("g/L", "250"), ("10^9/L", "250"), ("/µL", "0.25")])
def test_french_cell_counts(unit: str, low: str) -> None:
    (found,) = read({"text": "Plaquettes"}, **quantity("250", unit)).results
    assert (found.canonical_low, found.problem) == (Decimal(low), None)


def test_a_line_of_any_length_and_kind_is_read_in_no_time() -> None:
    table = load_units()
    for line in ("(" * 5000, "9" * 5000, "a " * 3000, "9.4 " + "H " * 3000, "((((((9))))))" * 9):
        assert parse_written(line, table.analytes[TOTAL], table) is None


@pytest.mark.parametrize("code", [{"coding": [{"system": LOINC, "code": "85354-9"}]}, {"text": "Blutdruck"}])
def test_a_blood_pressure_in_one_text(code: Any) -> None:
    assert seen(read(code, valueString="128/76 mm[Hg]")) == [("systolic", "128", True), ("diastolic", "76", True)]
    assert seen(read(code, valueCodeableConcept={"text": "82/50"})) == [
        ("systolic", "82", True),
        ("diastolic", "50", True),
    ]
    assert seen(read(code, note=[{"text": "82/50"}])) == [("systolic", "82", True), ("diastolic", "50", True)]
    assert seen(read(code, valueString="128/76 lying, 96/50 standing")) == []
    assert seen(read({"text": "Visual acuity"}, valueString="20/40")) == []


@pytest.mark.parametrize(
    ("reason", "usable"),
    [("masked", True), ("not-permitted", True), ("error", False), ("not-performed", False), ("unknown", False)],
)
def test_a_flag_beside_a_value_that_is_only_withheld_is_a_result(reason: str, usable: bool) -> None:
    absent = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/data-absent-reason", "code": reason}]}
    normal = [{"coding": [{"system": "http://hl7.org/fhir/v2/0078", "code": "N"}]}]
    (result,) = read(dataAbsentReason=absent, interpretation=normal).results
    assert result.usable is usable
    assert not read(dataAbsentReason={"text": "haemolysed"}, interpretation=normal).results[0].usable
    assert not read(dataAbsentReason=absent).results[0].usable
