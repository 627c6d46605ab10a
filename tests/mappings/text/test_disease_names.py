"""Connective tissue diseases as problem lists and letters name them, and what sounds like one and is none."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def told(text: str) -> set[tuple[str, str]]:
    return {(m.concept, m.status) for m in ENGINE.read(text, kind="title").concepts if m.concept.startswith("ctd.")}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("S.L.E.", "ctd.sle"),
        ("jSLE", "ctd.sle"),
        ("JDMS", "ctd.dermatomyositis_juvenile"),
        ("C.R.E.S.T.", "ctd.systemic_sclerosis_limited"),
        ("CRST syndrome", "ctd.systemic_sclerosis_limited"),
        ("Enfermedad mixta del tejido conjuntivo", "ctd.mctd"),
        ("history of scleroderma renal crisis", "ctd.systemic_sclerosis"),
        ("Crisis renal esclerodérmica", "ctd.systemic_sclerosis"),
        ("crise rénale sclérodermique", "ctd.systemic_sclerosis"),
        ("Chilblain lupus erythematosus", "ctd.lupus_cutaneous"),
        ("Chilblain-Lupus", "ctd.lupus_cutaneous"),
        ("Lupus à type d'engelures", "ctd.lupus_cutaneous"),
        ("Lúpus túmido", "ctd.lupus_cutaneous"),
    ],
)
def test_a_disease_in_another_spelling(text: str, concept: str) -> None:
    assert (concept, "affirmed") in told(text)


@pytest.mark.parametrize(
    "text",
    [
        "Connective tissue disease",
        "Connective tissue disorder, unspecified",
        "Autoimmune connective tissue disease",
        "CTD-ILD",
        "Collagen vascular disease",
        "Kollagenose",
        "Connectivite",
        "Colagenose",
        "Conectivopatía",
        "Enfermedad del tejido conectivo",
    ],
)
def test_a_disease_that_is_not_specified_is_as_its_code_says(text: str) -> None:
    """M35.9, "Systemic involvement of connective tissue, unspecified", is in the list of undifferentiated disease."""
    assert told(text) == {("ctd.uctd", "affirmed")}


@pytest.mark.parametrize(
    "text",
    [
        "Connective tissue disease screen negative",
        "Heritable connective tissue disorder",
        "Marfan connective tissue disease",
        "Vascular Ehlers-Danlos, connective tissue disorder",
        "Ehlers-Danlos syndrome (a connective tissue disorder)",
        "Hereditäre Bindegewebserkrankung",
        "Bilan de connectivite négatif",
        "subcutaneous connective tissue",
    ],
)
def test_what_only_sounds_like_one(text: str) -> None:
    assert told(text) == set()


@pytest.mark.parametrize(
    "text",
    [
        "investigated for connective tissue disease, all negative",
        "at risk of developing connective tissue disease",
        "worked up for lupus in 2020",
        "Refer to rheumatology to rule out connective tissue disease",
        "Mother has a connective tissue disease",
        "Raynaud's, primary; does not have a connective tissue disease",
        "Kein Anhalt für Kollagenose",
        "Pas d'argument pour une connectivite",
    ],
)
def test_one_that_was_looked_for_denied_or_somebody_else_s(text: str) -> None:
    assert all(status != "affirmed" for _, status in told(text))


@pytest.mark.parametrize(
    "text",
    [
        "Lupus miliaris disseminatus faciei",
        "Lupus vulgaris",
        "lupus vulgaire",
        "lupus vulgar",
        "lúpus miliar disseminado da face",
        "Lupus pernio",
        "morphoea-like basal cell carcinoma",
    ],
)
def test_other_diseases_of_a_like_name(text: str) -> None:
    assert not {concept for concept, _ in told(text) if concept.startswith("ctd.")}
