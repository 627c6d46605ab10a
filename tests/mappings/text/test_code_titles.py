"""Titles of ICD-10-CM codes stand in problem lists as they are: none may be read as a lesion that it is not."""

from __future__ import annotations

import re

import pytest
import simple_icd_10_cm as icd10cm

from mappings.codelists import load_terminology
from mappings.text.engine import TextEngine

LESION_WORDS = re.compile(
    r"nodul|papul|plaque|calcif|calcin|calcium|deposit|concretion|indurat|\bhard|chalk|stone|gritty|transepidermal",
    re.I,
)
DISCRETE = {"nodule", "papule", "plaque", "deposit", "calcification", "calcinosis"}
LESIONS = {"L94", "M06", "M61", "N64"}
"""calcinosis cutis, rheumatoid nodule (a look-alike), calcification of muscle, induration of breast"""


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine.load()


def titles(pattern: re.Pattern[str]) -> dict[str, str]:
    """Title -> one code that bears it, for every title that holds such a word."""
    described = ((icd10cm.get_description(code), code) for code in icd10cm.get_all_codes(with_dots=True))
    return {title: code for title, code in described if pattern.search(title)}


@pytest.mark.long
def test_no_title_of_another_disease_is_a_lesion(engine: TextEngine) -> None:
    found = {
        code[:3]: title
        for title, code in titles(LESION_WORDS).items()
        for lesion in engine.read(title, kind="condition").lesions
        if lesion.status == "affirmed"
        and not lesion.bare
        and (lesion.hardness in ("definite", "equivalent", "possible") or lesion.kind in DISCRETE)
        and lesion.hardness != "against"
    }
    assert set(found) == LESIONS, found


@pytest.mark.long
def test_no_title_of_another_disease_is_a_connective_tissue_disease(engine: TextEngine) -> None:
    """Beside the codes listed for it; "lupus erythematosus" without a site is read as its words say. Juvenile
    rheumatoid arthritis is none of the list."""
    terminology = load_terminology()
    words = re.compile(r"lupus|sclero|myositis|connective|rheumatoid|sj.gren|sicca|overlap|morphea", re.I)
    found = {
        code[:3]: title
        for title, code in titles(words).items()
        for concept in engine.read(title, kind="condition").concepts
        if concept.status == "affirmed"
        and concept.concept.startswith("ctd.")
        and concept.concept not in terminology.concepts("http://hl7.org/fhir/sid/icd-10-cm", code)
    }
    assert set(found) == {"H01", "L93"}, found


@pytest.mark.parametrize(
    "title",
    [
        "Asthma-COPD overlap syndrome",
        "Overlap syndrome of asthma and COPD",
        "Stevens-Johnson syndrome-toxic epidermal necrolysis overlap syndrome",
        "Retinal detachment with retinal dialysis",
    ],
)
def test_words_that_mean_something_else_there(engine: TextEngine, title: str) -> None:
    assert {m.concept for m in engine.read(title, kind="condition").concepts} <= {"trigger.copd"}
