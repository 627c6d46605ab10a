"""Diagnoses that are only feared, that were thought of and excluded, or that stand on the wrong chart."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def told(text: str) -> set[str]:
    reading = ENGINE.read(text)
    return {m.status for m in (*reading.concepts, *reading.lesions) if not getattr(m, "concept", "").startswith("trig")}


@pytest.mark.parametrize(
    "text",
    [
        "She is worried about calcinosis after reading an article.",
        "Patient is concerned about calcinosis and lupus.",
        "Anxious about developing calcinosis.",
        "La paciente está preocupada por una calcinosis tras leer un foro.",
        "Le preocupa la calcinosis.",
        "A doente está preocupada com calcinose depois de ler na internet.",
        "Receio de calcinose.",
        "La patiente s'inquiète d'une calcinose après lecture d'un forum.",
        "Inquiète au sujet d'une éventuelle calcinose.",
        "Sie befürchtet eine Kalzinose.",
        "Die Patientin macht sich Sorgen wegen einer Kalzinose.",
    ],
)
def test_a_diagnosis_that_is_feared_is_not_there(text: str) -> None:
    assert told(text) == {"hypothetical"}


@pytest.mark.parametrize(
    "text",
    [
        "She is worried about the hard nodule on her elbow.",
        "Worried about the calcinosis in her fingers.",
        "Preocupada por un bulto duro en el codo desde marzo.",
        "Preocupada com nódulo duro no cotovelo.",
        "Inquiète d'une boule dure au coude depuis mars.",
        "Sie sorgt sich wegen eines harten Knotens am Ellenbogen.",
        "Hat über 10 Jahre einen Lupus.",
        "Very anxious lady with SLE.",
    ],
)
def test_who_worries_about_a_lump_has_it(text: str) -> None:
    assert told(text) == {"affirmed"}


@pytest.mark.parametrize(
    "text",
    [
        "Systemic sclerosis was considered and excluded.",
        "Systemic sclerosis was considered but excluded.",
        "Lupus was entertained and then dismissed.",
        "We considered dermatomyositis but found no evidence for it.",
        "Criteria for SLE were not met.",
        "She does not meet criteria for systemic lupus erythematosus.",
        "La esclerodermia fue considerada y excluida.",
        "Les critères de lupus ne sont pas remplis chez cette patiente.",
        "Ein SLE wurde vermutet, konnte aber ausgeschlossen werden.",
        "Die Kriterien für einen SLE sind nicht erfüllt.",
        "A esclerose sistêmica foi considerada e descartada.",
        "Se valoró esclerosis sistémica, que se excluyó (ANA neg).",
        "Foi ponderada esclerose sistémica, que se excluiu.",
    ],
)
def test_a_disease_that_was_thought_of_and_excluded_is_not_there(text: str) -> None:
    assert "affirmed" not in told(text) and "negated" in told(text)


@pytest.mark.parametrize(
    "text",
    [
        "I read that people with lupus can get calcinosis, hard lumps under the skin.",
        "About 25 % of patients with systemic sclerosis develop calcinosis.",
        "Surgem caroços duros em 20-40% dos doentes.",
        "La calcinosis aparece en el 25 % de los pacientes con esclerodermia.",
        "La calcinose touche 25 % des patients atteints de sclérodermie.",
        "Kalzinose tritt bei 25 % der Patienten mit Sklerodermie auf.",
    ],
)
def test_what_is_told_of_patients_in_general_is_told_of_nobody(text: str) -> None:
    assert told(text) == {"hypothetical"}


@pytest.mark.parametrize(
    "text", ["Patientin mit SLE und harten Knoten am Ellenbogen.", "Paciente con LES y nódulos duros en el codo."]
)
def test_a_patient_with_a_disease_has_it(text: str) -> None:
    assert told(text) == {"affirmed"}


def test_who_was_excluded_from_a_trial_has_the_disease() -> None:
    assert "negated" not in told("She has SLE and was excluded from the trial.")


@pytest.mark.parametrize(
    "text",
    [
        "Addendum 5/21: the sentence 'hard calcified nodules both thighs' in yesterday's dictation was entered on this "
        "chart in error and belongs to another patient.",
        "The finding of hard nodules does not apply to this patient.",
        "Los nódulos duros de los muslos corresponden a otro paciente, error de la secretaria.",
        "Os nódulos duros das coxas pertencem a outro doente, erro de registo.",
        "Les nodules durs des cuisses concernent une autre patiente.",
        "Harte Knoten beider Ellenbogen irrtümlich dokumentiert.",
    ],
)
def test_a_sentence_about_another_patient_says_nothing_of_this_one(text: str) -> None:
    reading = ENGINE.read(f"Exam: joints quiet, doing well today and in good spirits.\n\n{text}")
    assert all(lesion.status == "other-person" for lesion in reading.lesions)


def test_a_correction_goes_on_about_the_lesion_before_it() -> None:
    text = (
        "Exploración: nódulo blando en antebrazo derecho.\n"
        "CORRECCIÓN: donde dice 'blando, móvil' debe decir 'duro, adherido'."
    )
    assert ENGINE.read(text).lesions[0].hardness == "definite"
