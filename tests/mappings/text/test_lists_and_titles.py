"""Lists of which a whole is said ("all negative"), what a test found beside a disease, and titles of other organs."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def statuses(text: str) -> dict[str, str]:
    return {m.concept: m.status for m in ENGINE.read(text).concepts if m.concept.startswith("ctd.")}


@pytest.mark.parametrize(
    "text",
    [
        "SLE, SSc and RA all negative",
        "lupus / scleroderma / myositis negative",
        "Workup negative incl. lupus, scleroderma",
        "Autoimmune screen negative (lupus, scleroderma)",
        "Estudio negativo incluyendo lupus y esclerodermia",
        "Bilan négatif y compris lupus et sclérodermie",
        "Abklärung negativ inkl. Lupus und Sklerodermie",
    ],
)
def test_every_disease_of_the_list_is_denied(text: str) -> None:
    found = statuses(text)
    assert found
    assert set(found.values()) == {"negated"}


@pytest.mark.parametrize("text", ["ANA (SLE) 1:80", "Reviewed UpToDate re scleroderma"])
def test_a_name_in_a_test_or_a_book_is_no_disease(text: str) -> None:
    assert set(statuses(text).values()) <= {"hypothetical"}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Scleroderma with negative Scl-70", "ctd.systemic_sclerosis"),
        ("SLE, negative anti-dsDNA", "ctd.sle"),
        ("SLE positive, RA negative", "ctd.sle"),
        ("SLE on HCQ, Sm and RNP all negative", "ctd.sle"),
    ],
)
def test_a_negative_test_denies_no_disease(text: str, concept: str) -> None:
    assert statuses(text)[concept] == "affirmed"


@pytest.mark.parametrize(
    "title",
    [
        "Calcified plaque, aortic arch",
        "verkalkte Plaque in der Beinarterie",
        "Calcium deposit in shoulder",
        "Calcium deposit in eye",
    ],
)
def test_a_title_of_another_organ_is_no_lesion(title: str) -> None:
    assert ENGINE.read(title, kind="condition").lesions == ()


@pytest.mark.parametrize(
    "text", ["Calcium deposits in the elbow skin", "Calcified plaque, left thigh", "Hard nodule, thigh, lungs clear"]
)
def test_a_lesion_of_the_skin_stays_one(text: str) -> None:
    assert ENGINE.read(text, kind="condition").lesions


@pytest.mark.parametrize("text", ["POC calcium 1.21 mmol/L", "Calcium POC 1.2 mmol/L", "Ca (istat) 1.18 mmol/L"])
def test_a_calcium_of_a_machine_at_the_bed_is_no_total_calcium(text: str) -> None:
    assert ENGINE.read(text).labs == ()
