"""Code syntax, normal spelling and check digits."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import systems
from mappings.codetypes import TYPES, Atc, Icd9Cm, Icd10, Icd10Cm, Loinc, RxNorm, SnomedCt, luhn, verhoeff

digits = st.text("0123456789", min_size=1, max_size=15)


def with_digit(number, check):
    """The number with the one last digit that the check accepts."""
    (right,) = [d for d in "0123456789" if check(number + d)]
    return number + right


@given(digits)
def test_exactly_one_check_digit_is_right(number):
    with_digit(number, verhoeff)
    with_digit(number, luhn)


@given(digits, st.data())
def test_one_wrong_digit_is_always_noticed(number, data):
    for check in (verhoeff, luhn):
        good = with_digit(number, check)
        at = data.draw(st.integers(0, len(good) - 1))
        other = data.draw(st.sampled_from([d for d in "0123456789" if d != good[at]]))
        assert not check(good[:at] + other + good[at + 1 :])


@given(digits, st.data())
def test_verhoeff_notices_neighbours_exchanged(number, data):
    good = with_digit(number, verhoeff)
    at = data.draw(st.integers(0, len(good) - 2))
    swapped = good[:at] + good[at + 1] + good[at] + good[at + 2 :]
    assert swapped == good or not verhoeff(swapped)


@given(st.text(max_size=60), st.sampled_from(list(TYPES.values())))
def test_no_text_raises_and_a_parsed_code_is_its_own_normal_form(text, kind):
    code = kind.parse(text)
    if code is not None:
        assert kind.parse(code.value) == code


@pytest.mark.parametrize("junk", [None, 7, b"55464009", [], "x" * 10_000])
@pytest.mark.parametrize("kind", list(TYPES.values()))
def test_what_is_no_code_is_none(kind, junk):
    assert kind.parse(junk) is None


@pytest.mark.parametrize(
    ("kind", "text", "value"),
    [
        (Icd10Cm, "M3214", "M32.14"),
        (Icd10Cm, " m32.14 ", "M32.14"),
        (Icd10Cm, "M1A00X1", "M1A.00X1"),
        (Icd10Cm, "M84750A", "M84.750A"),
        (Icd10Cm, "I10", "I10"),
        (Icd10, "M32.1†", "M32.1"),
        (Icd10, "N08.5*", "N08.5"),
        (Icd10, "M33.1+", "M33.1"),
        (Icd10, "M0590", "M05.90"),
        (Icd9Cm, "7100", "710.0"),
        (Icd9Cm, "V4511", "V45.11"),
        (Icd9Cm, "E8788", "E878.8"),
        (Atc, "c08db01", "C08DB01"),
        (Atc, "C07", "C07"),
        (RxNorm, "3443", "3443"),
        (Loinc, "2000-8", "2000-8"),
        (SnomedCt, "308751000119106", "308751000119106"),
    ],
)
def test_normal_spelling(kind, text, value):
    code = kind.parse(text)
    assert code is not None
    assert code.value == value
    assert code.system == kind.system


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        (Icd10, "M1A"),  # ICD-10-CM only
        (Icd10Cm, "32.14"),
        (Icd10Cm, "M32.14567"),
        (Icd9Cm, "71.00"),
        (Loinc, "2000-9"),
        (Loinc, "20008"),
        (SnomedCt, "55464008"),
        (SnomedCt, "055464009"),
        (SnomedCt, "900000000000003001" + "9"),
        (Atc, "C08D8"),
        (Atc, "E01"),
        (RxNorm, "0123"),
        (RxNorm, "12a"),
    ],
)
def test_what_cannot_be_a_code(kind, text):
    assert kind.parse(text) is None


@pytest.mark.parametrize("code", ["306124006", "306127004", "80303006"])
def test_recalled_snomed_ids_that_fail_the_check_digit(code):
    assert SnomedCt.parse(code) is None


@pytest.mark.parametrize("code", ["8867-5", "8867-6"])
def test_heart_rate_misprints_fail_the_check_digit(code):
    assert Loinc.parse(code) is None
    assert Loinc.parse("8867-4") is not None


def test_a_snomed_description_or_relationship_id_is_no_concept():
    description = with_digit("123456701", verhoeff)  # partition 01
    assert SnomedCt.parse(description) is None


def test_atc_levels():
    assert Atc.levels("C07AB02") == ("C07AB02", "C07AB", "C07A", "C07", "C")
    assert Atc.levels("C07") == ("C07", "C")


def test_each_type_belongs_to_its_system():
    assert {TYPES[uri].system for uri in TYPES} == set(TYPES)
    assert systems.LOINC in TYPES
