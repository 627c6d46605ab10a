"""A clause between two signs parts a test's name from its figure and takes nothing from it."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()
SENTENCES = [
    ("en", "His resting pulse, counted by me over a full minute, was 44.", "heart-rate", "44"),
    ("en", "Her eGFR (repeated because I did not believe it) is 24 mL/min.", "egfr", "24"),
    ("en", "The platelet count – checked on a citrate tube – was 31 x10^9/L.", "platelets", "31"),
    ("en", "Her eGFR, now that the infusion has ended, is 28 mL/min.", "egfr", "28"),
    ("en", "Serum calcium, drawn without a tourniquet, was 9.4 mg/dL.", "calcium-total", "9.4"),
    ("en", "The ejection fraction, by biplane Simpson, was 32 %.", "ejection-fraction", "32"),
    ("en", "Blood pressure, lying, was 84/50.", "systolic", "84"),
    ("en", "Pulse, resting, was 44.", "heart-rate", "44"),
    ("de", "Der Puls, von mir über eine ganze Minute gezählt, war 44/min.", "heart-rate", "44"),
    ("de", "Die eGFR (zweimal bestimmt) lag bei 24 ml/min.", "egfr", "24"),
    ("fr", "Le DFG, contrôlé à deux reprises, est à 24 ml/min.", "egfr", "24"),
    ("es", "El filtrado glomerular, repetido por indicación mía, es de 24 ml/min.", "egfr", "24"),
    ("pt", "A TFG, repetida a meu pedido, foi de 24 ml/min.", "egfr", "24"),
]


@pytest.mark.parametrize(("language", "sentence", "analyte", "value"), SENTENCES)
def test_the_figure_behind_the_clause_is_the_result(language: str, sentence: str, analyte: str, value: str) -> None:
    found = [(lab.analyte, str(lab.value)) for lab in ENGINE.read(sentence, language=language).labs]
    assert (analyte, value) in found


@pytest.mark.parametrize(
    ("sentence", "analyte", "value"),
    [
        ("His pulse, which had been 44 at home, is 72 today.", "heart-rate", "44"),
        ("Her eGFR, as you know, is unknown; platelets were 31 x10^9/L.", "egfr", "31"),
        ("Her eGFR, last measured when creatinine was 30 umol/L, was stable.", "egfr", "30"),
        ("Pulse, temperature, and weight were 44, 36.8 and 70.", "heart-rate", "36.8"),
        ("The eGFR, if this goes on, is going to be below 30 mL/min soon.", "egfr", "30"),
    ],
)
def test_another_figure_is_not(sentence: str, analyte: str, value: str) -> None:
    found = [(lab.analyte, str(lab.value)) for lab in ENGINE.read(sentence, language="en").labs]
    assert (analyte, value) not in found


@pytest.mark.parametrize("degree", ["II. Grades", "2. Grades", "III. Grades", "II°", "zweiten Grades"])
def test_the_stop_of_an_ordinal_ends_no_sentence(degree: str) -> None:
    for verb, status in (("wurde im Langzeit-EKG ausgeschlossen", "negated"), ("zeigte sich nachts", "affirmed")):
        found = ENGINE.read(f"Ein AV-Block {degree} {verb}.", language="de").concepts
        assert [(mention.concept, mention.status) for mention in found] == [("trigger.av_block_high_grade", status)]
