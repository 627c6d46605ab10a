"""A culture of the lesion that a note tells by its organism raises the flag of infection; one of another place: no."""

from __future__ import annotations

import pytest

from cds_service.pipeline import Brain, load_brain
from tests.cases.held_charts import DAY
from tests.cases.one_wording import assessed, line


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain(DAY)


def infected(brain: Brain, text: str) -> bool:
    return any(flag.id == "infection" for flag in assessed(brain, "detection", "lesion", line("note", text)).red_flags)


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodule of the elbow. Swab: Staph aureus ++",
        "Hard nodule elbow. Cx: MSSA 3+",
        "Nódulo duro en codo. Cultivo: S. aureus",
        "Nodule dur du coude. Prélèvement : S. aureus ++",
        "Nódulo duro no cotovelo. Zaragatoa: S. aureus",
        "Harter Knoten. Abstrich: Staph. aureus reichlich.",
        "Am Ellenbogen harter Knoten mit eitrigem Sekret.",
    ],
)
def test_the_organism_is_the_result(brain: Brain, text: str) -> None:
    assert infected(brain, text)


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodule of the elbow. Nasal swab: MSSA",
        "Hard nodule of the elbow. Urine culture: E. coli",
        "Hard nodule of the elbow. Swab negative for MRSA",
        "Hard nodule of the elbow. Swab: no MRSA",
        "Hard nodule of the elbow. Swab: no growth",
        "Hard nodule of the elbow. Swab: skin flora",
        "Hard nodule of the elbow. Culture pending",
        "Nódulo duro en codo. Urocultivo: E. coli",
    ],
)
def test_another_place_no_growth_and_a_culture_that_is_awaited_are_none(brain: Brain, text: str) -> None:
    assert not infected(brain, text)
