"""Laboratory tests are called after the disease that they look for: the name says nothing of the patient."""

from __future__ import annotations

from typing import Any

import pytest

from tests.mappings.reader.sent import observation, read

LABORATORY = [{"coding": [{"code": "laboratory"}]}]
NEGATIVE = {"valueQuantity": None, "valueString": "Negative"}


def suspected(**more: Any) -> set[str]:
    return {concept for finding in read(observation(**more)).findings for concept in finding.concepts}


@pytest.mark.parametrize(
    "name",
    [
        "Sjogren's Anti-SS-A",
        "SCLERODERMA ANTIBODY (SCL-70)",
        "RA Latex Turbid.",
        "Rheumatoid arthritis factor",
        "RA",
        "SLE",
        "SLE Profile B",
        "Sarcoidosis marker",
        "Sjögren-Antikörper",
        "Sklerodermie-Blot",
        "Anticuerpos de esclerodermia",
        "Painel de miosite",
        "Anticorps de sclérodermie",
    ],
)
@pytest.mark.parametrize("answer", [{"value": "0.2", "unit": "[AI]"}, NEGATIVE])
def test_a_test_is_no_disease_whatever_it_is_called(name: str, answer: dict[str, Any]) -> None:
    assert suspected(code={"text": name}, category=LABORATORY, **answer) == set()


@pytest.mark.parametrize("name", ["SCLERODERMA ANTIBODY", "Sjogren's Anti-SS-A", "RA factor", "SLE panel", "PCT"])
def test_nor_without_a_category(name: str) -> None:
    assert suspected(code={"text": name}, value="0.2", unit="[AI]") == set()


def test_a_range_tells_a_test() -> None:
    ranged = [{"low": {"value": 0}, "high": {"value": 1}}]
    assert suspected(code={"text": "RA"}, value="0.2", unit="[AI]", referenceRange=ranged) == set()


def test_what_the_answer_says_counts() -> None:
    said = {"valueQuantity": None, "valueString": "consistent with systemic lupus erythematosus"}
    assert suspected(code={"text": "Serology comment"}, category=LABORATORY, **said) == {"ctd.sle"}


def test_a_disease_in_an_examination_is_suspected() -> None:
    lasting = {"value": "5", "unit": "a"}
    assert suspected(code={"text": "Duration of systemic sclerosis"}, **lasting) == {"ctd.systemic_sclerosis"}
    assert suspected(code={"text": "Systemic sclerosis"}, valueQuantity=None, valueBoolean=True) == {
        "ctd.systemic_sclerosis"
    }


@pytest.mark.parametrize(
    "name", ["PTH INTACT (WITHOUT CALCIUM)", "PTH, intact (with calcium)", "Intact PTH w/o calcium"]
)
def test_a_test_made_without_another_is_itself(name: str) -> None:
    (result,) = read(observation({"text": name}, value="44", unit="pg/mL", category=LABORATORY)).results
    assert result.analyte == "pth"
