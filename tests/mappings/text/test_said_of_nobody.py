"""What is told of a disease in general, answers to questions, and words that only look like "if" or "no"."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    "text",
    [
        "Counseled re: calcinosis and lumps to watch for.",
        "Education provided regarding calcinosis cutis.",
        "Handout on calcinosis given.",
        "Patient education: hard lumps under the skin can occur.",
        "Calcinosis can occur in patients with scleroderma.",
        "La calcinosis puede aparecer en la esclerodermia.",
        "Informada sobre la calcinosis.",
        "Os caroços duros podem surgir nos cotovelos.",
        "Orientada sobre a calcinose.",
        "On lui a donné des informations sur la calcinose.",
        "Les nodules durs peuvent apparaître aux coudes.",
        "Beratung zur Kalzinose.",
    ],
)
def test_teaching_is_no_finding(text: str) -> None:
    mentions = ENGINE.read(text).lesions
    assert mentions and {mention.status for mention in mentions} == {"hypothetical"}


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Queixa-se de caroços duros nas coxas.", "affirmed"),
        ("Apresenta-se com nódulos duros no joelho há 3 meses.", "affirmed"),
        ("Trata-se de nódulos duros do cotovelo.", "affirmed"),
        ("Refere que se formaram nódulos duros nos dedos.", "affirmed"),
        ("Se aparecerem nódulos duros, retornar.", "hypothetical"),
        ("Orientada que se aparecerem nódulos duros deve retornar.", "hypothetical"),
        ("Sí presenta nódulos duros en codos.", "affirmed"),
        ("Si presenta nódulos duros en codos, acudir.", "hypothetical"),
        ("SI PRESENTA NÓDULOS DUROS EN CODOS, ACUDIR.", "hypothetical"),
    ],
)
def test_herself_and_yes_are_not_if(text: str, status: str) -> None:
    (mention,) = ENGINE.read(text).lesions
    assert mention.status == status


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Any hard lumps on your elbows? Yes.", "affirmed"),
        ("Hard lumps? Yes, on both elbows.", "affirmed"),
        ("¿Fiebre? No. ¿Bultos duros? Sí.", "affirmed"),
        ("Nódulos duros? Sim, nos cotovelos.", "affirmed"),
        ("Nodules durs ? Oui, aux coudes.", "affirmed"),
        ("Harte Knoten? Ja, an beiden Ellenbogen.", "affirmed"),
        ("Any hard lumps? No.", "negated"),
        ("Possible hard lumps? Yes.", "possible"),
        ("Hard lumps? Yes we asked.", "possible"),
    ],
)
def test_a_question_is_answered(text: str, status: str) -> None:
    (mention,) = ENGINE.read(text).lesions
    assert mention.status == status


@pytest.mark.parametrize(
    ("text", "concepts"),
    [
        ("PE: Skin: hard nodule left elbow.", set()),
        ("Denies chest pain.\nPE:\nSkin: hard nodule left elbow.", set()),
        ("MS: strength 5/5.", set()),
        ("PE: 2019, on apixaban since.", {"trigger.thrombosis"}),
        ("PE 2019, on apixaban.", {"trigger.thrombosis"}),
        ("h/o PE: on apixaban", {"trigger.thrombosis"}),
    ],
)
def test_headings_of_an_examination_are_no_diseases(text: str, concepts: set[str]) -> None:
    assert {mention.concept for mention in ENGINE.read(text).concepts} == concepts


@pytest.mark.parametrize(
    "text",
    [
        "Sin duda se trata de nódulos duros en codos.",
        "Si bien presenta nódulos duros en codos, no tiene dolor.",
        "Nódulos no dolorosos, duros, en ambos codos.",
        "Nódulos no ulcerados, duros, en codos.",
        "Nódulos endurecidos não dolorosos nos cotovelos.",
        "Sem dúvida nódulos duros nos cotovelos.",
        "Sans doute nodules durs des coudes.",
        "Nodules des coudes ni douloureux ni inflammatoires, durs.",
        "Ohne Zweifel harte Knoten an den Ellenbogen.",
        "Harte, nicht druckschmerzhafte Knoten an den Ellenbogen.",
        "Wenn auch schmerzlos, bestehen harte Knoten an den Ellenbogen.",
        "Harte Knoten an den Ellenbogen, die im Januar noch nicht vorhanden waren.",
    ],
)
def test_a_denied_quality_denies_no_lesion(text: str) -> None:
    (mention,) = ENGINE.read(text).lesions
    assert (mention.status, mention.hardness) == ("affirmed", "definite")
    assert [site.place for site in mention.sites] == ["elbow"]
    assert not mention.inflamed and not mention.ulcerated


def test_what_is_denied_beside_a_lesion_stays_denied() -> None:
    (tender,) = ENGINE.read("Harte Knoten an den Ellenbogen, nicht gerötet, nicht ulzeriert.").lesions
    assert (tender.inflamed, tender.ulcerated, tender.hardness) == (False, False, "definite")
    (denied,) = ENGINE.read("No nódulos, placas ni úlceras duras en codos.").lesions[:1]
    assert denied.status == "negated"
