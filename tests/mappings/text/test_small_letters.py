"""Notes typed without a capital: what is short for a test is one where its figure stands behind it, and only there."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()

READ = [
    ("en", "labs: ca 9.3 mg/dl, phos 3.4 mg/dl", "calcium-total", "9.3"),
    ("en", "ca 2.31 mmol/l", "calcium-total", "2.31"),
    ("en", "vitals: hr 44, bp 84/46, afebrile", "heart-rate", "44"),
    ("en", "vitals: hr 44, bp 84/46, afebrile", "systolic", "84"),
    ("en", "obs: bp 118/70, p 44 reg, sats 98 %", "heart-rate", "44"),
    ("en", "echo: ef 32 %", "ejection-fraction", "32"),
    ("en", "echo last week - ef 32, mild mr", "ejection-fraction", "32"),
    ("en", "ck 1200 u/l; alt 31 u/l", "creatine-kinase", "1200"),
    ("en", "bloods: plt 38 x10^9/l", "platelets", "38"),
    ("en", "seen today.\ngfr 24\nca 2.3 mmol/l", "egfr", "24"),
    ("es", "fc 44 lpm, ta 84/46 mmhg", "heart-rate", "44"),
    ("es", "fc 44 lpm, ta 84/46 mmhg", "systolic", "84"),
    ("es", "ecocardiograma: fevi 32 %", "ejection-fraction", "32"),
    ("fr", "ta à 8,5/5 ce matin, fc 71", "systolic", "8.5"),
    ("es", "pa 84x50 mmhg, fc 72 bpm", "systolic", "84"),
    ("pt", "tfge 22 ml/min/1,73m², creatinina 2,9", "egfr", "22"),
    ("fr", "dfg à 24 ml/min", "egfr", "24"),
    ("fr", "fevg en simpson biplan à 35 %", "ejection-fraction", "35"),
    ("de", "lv dilatiert, lv-ef biplan 33 %", "ejection-fraction", "33"),
    ("en", "t 36.8 hr 72 r 14 bp 126/78", "heart-rate", "72"),
    ("pt", "fc 44 bpm; pa 84/46 mmhg", "heart-rate", "44"),
    ("pt", "ecocardiograma: fe 32 %", "ejection-fraction", "32"),
    ("fr", "fc 44/min, ta 84/46", "heart-rate", "44"),
    ("fr", "échocardiographie : fe 32 %", "ejection-fraction", "32"),
    ("de", "vitalparameter: hf 44/min, rr 84/46 mmhg", "heart-rate", "44"),
    ("de", "vitalparameter: hf 44/min, rr 84/46 mmhg", "systolic", "84"),
    ("de", "echo: lvef 32 %", "ejection-fraction", "32"),
]

NONE = [
    ("en", "hard lump, ca 3 cm, left elbow", "calcium-total"),
    ("en", "ca 9, seen in clinic", "calcium-total"),
    ("en", "crp ca 20 mg/l", "calcium-total"),
    ("en", "noticed ca 2 months ago", "calcium-total"),
    ("en", "lasts ca 2 hr, 44 tablets left", "heart-rate"),
    ("en", "hr 2, then home", "heart-rate"),
    ("en", "see p 44, second paragraph", "heart-rate"),
    ("en", "breast ca 2019, in remission", "calcium-total"),
    ("es", "la paciente con fe 100 mg al día", "ejection-fraction"),
    ("es", "pa 2 veces por semana", "systolic"),
    ("fr", "fa 3 cures par an", "alkaline-phosphatase"),
    ("de", "ca. 2,3 cm groß, derb", "calcium-total"),
    ("de", "ca 2,3 cm groß, derb", "calcium-total"),
]


def results(language: str, text: str, analyte: str) -> list[str | None]:
    return [
        str(lab.value) for lab in ENGINE.read(text, kind="note", language=language).labs
        if lab.analyte == analyte and lab.value is not None
    ]  # fmt: skip


@pytest.mark.parametrize(("language", "text", "analyte", "value"), READ)
def test_an_abbreviation_in_small_letters_before_its_figure_is_the_test(language, text, analyte, value) -> None:
    assert results(language, text, analyte) == [value]


@pytest.mark.parametrize(("language", "text", "analyte", "value"), READ)
def test_it_is_read_as_in_its_own_letters(language, text, analyte, value) -> None:
    short = text
    for word in ("ca ", "hr ", "bp ", "ef ", "ck ", "alt ", "plt ", "gfr ", "fc ", "ta ", "pa ", "fevi ", "fe ", "hf ",
                 "rr ", "lvef ", "p 44"):  # fmt: skip
        short = short.replace(f" {word}", f" {word.upper()}").replace(f"\n{word}", f"\n{word.upper()}")
        short = word.upper() + short.removeprefix(word) if short.startswith(word) else short
    assert value in results(language, short.replace("CA ", "Ca "), analyte)


@pytest.mark.parametrize(("language", "text", "analyte"), NONE)
def test_letters_that_mean_something_else_are_no_test(language, text, analyte) -> None:
    assert results(language, text, analyte) == []


SENTENCES = [
    ("calcium deposits under the skin (calcinosis)? no\nhard lumps on elbows or knees? no\nraynaud? yes", set()),
    ("calcinosis | 0\ntelangiectasia | 1\ndigital ulcers | 0", set()),
    ("subcut nodules? n. hard lumps? n. chalky d/c? n.", set()),
    ("no hard lumps on the hands\nhard nodule of the left elbow since march", {"nodule"}),
    ("no allergies\nhard nodules of both shins, first noticed in may\nnon smoker", {"nodule"}),
    ("no hard lumps on the hands or the feet and no nodules on the\nelbows, no calcinosis, no ulcers, and well", set()),
]  # fmt: skip


@pytest.mark.parametrize(("text", "found"), SENTENCES)
def test_lines_and_answers_without_capitals(text: str, found: set[str]) -> None:
    lesions = ENGINE.read(text, kind="note", language="en").lesions
    assert {le.kind for le in lesions if le.status == "affirmed" and le.kind != "ulcer"} == found


@pytest.mark.parametrize("month", ["march", "may", "january"])
def test_a_month_without_its_capital(month: str) -> None:
    (lesion,) = ENGINE.read(f"hard nodule over her left shin since {month}.", kind="note", language="en").lesions
    assert lesion.onset is not None
    (other,) = ENGINE.read(
        f"hard nodule over her left shin, she {month} come back.", kind="note", language="en"
    ).lesions
    assert other.onset is None


CONCEPTS = [
    ("en", "known sle. s/p DDRT 2019", "trigger.kidney_transplant"),
    ("en", "ttc, stopped ocp in march", "trigger.planning_pregnancy"),
    ("en", "ebf, baby is 3 months", "trigger.lactation"),
    ("en", "mronj after zoledronate", "trigger.osteonecrosis_jaw"),
    ("en", "hd tts via left avf", "trigger.dialysis"),
    ("en", "aih on azathioprine", "trigger.autoimmune_hepatitis"),
    ("pt", "drc estagio 4", "trigger.ckd_4"),
    ("de", "z.n. ntx 2018", "trigger.kidney_transplant"),
    ("de", "ssw 22", "trigger.pregnancy"),
    ("fr", "irc terminale sous hémodialyse, hd par fav depuis deux ans", "trigger.dialysis"),
]


@pytest.mark.parametrize(("language", "text", "concept"), CONCEPTS)
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_an_abbreviation_is_known_in_notes_of_one_case(language, text, concept, case) -> None:
    text = case(text + ". seen in clinic today, doing well overall" if language == "en" else text)
    assert concept in {m.concept for m in ENGINE.read(text, kind="note", language=language).concepts}, text


WORDS = [
    ("en", "she gave a good history, the pad of the thumb is hard"),
    ("en", "500 mg generalized rash afterwards, 1 mg ocular drops"),
    ("en", "along the iliac crest, dr nash reviewed the icd-10 code"),
    ("en", "the big toe is sore, ppm of the filter, seen by two mds yesterday afternoon"),
    ("fr", "douleurs dans les mains et les pieds, bien qu'il ait mal depuis sep"),
    ("es", "les dijo que es difusa la molestia de la mano derecha"),
    ("de", "herr gerd x. stellt sich heute in der ambulanz vor"),
]


@pytest.mark.parametrize(("language", "text"), WORDS)
@pytest.mark.parametrize("case", [str.lower, str.upper])
def test_words_that_look_like_an_abbreviation_are_none(language, text, case) -> None:
    assert [m.concept for m in ENGINE.read(case(text), kind="note", language=language).concepts] == []
