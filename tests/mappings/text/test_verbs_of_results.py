"""Results told by a verb, a weekday or one value of reference: "sits above the range", "has lengthened to 260 ms"."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


def labs(text: str) -> set[tuple[str, str]]:
    return {(lab.analyte, lab.word or str(lab.value)) for lab in ENGINE.read(text).labs}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Her calcium sits above the reference range.", {("calcium-total", "high")}),
        ("Calcium has come back normal.", {("calcium-total", "normal")}),
        ("La calcémie se situe au-dessus de la norme.", {("calcium-total", "high")}),
        ("El calcio se sitúa por debajo del valor de referencia.", {("calcium-total", "low")}),
        ("O cálcio sérico veio abaixo do valor de referência.", {("calcium-total", "low")}),
        ("Das Calcium bewegt sich oberhalb der Norm.", {("calcium-total", "high")}),
        ("The PR interval has lengthened to 260 ms.", {("pr-interval", "260")}),
        ("Heart rate has slowed to 44/min.", {("heart-rate", "44")}),
        ("El intervalo PR se ha alargado a 260 ms.", {("pr-interval", "260")}),
        ("O intervalo PR prolongou-se para 260 ms.", {("pr-interval", "260")}),
        ("L'intervalle PR s'est allongé à 260 ms.", {("pr-interval", "260")}),
        ("Das PR-Intervall hat sich auf 260 ms verlängert.", {("pr-interval", "260")}),
        ("The calcium of last Tuesday was high.", {("calcium-total", "high")}),
        ("El calcio del martes salió alto.", {("calcium-total", "high")}),
        ("Das Calcium vom Dienstag ist erhöht.", {("calcium-total", "high")}),
        ("The pregnancy test of Tuesday has come back positive.", {("pregnancy-test", "positive")}),
        ("The surface antigen turned out positive.", {("hbsag", "positive")}),
        ("HBs-Antigen positiv.", {("hbsag", "positive")}),
        ("L'antigène de surface est revenu positif.", {("hbsag", "positive")}),
    ],
)
def test_results_told_by_a_verb_a_weekday_or_one_value_of_reference(text: str, found: set[tuple[str, str]]) -> None:
    assert labs(text) == found


@pytest.mark.parametrize(
    "text",
    [
        "Calcium has not come back yet.",
        "Calcium tablets come in 500 mg.",
        "Come back with the calcium on Tuesday.",
        "The calcium of Tuesday is awaited.",
        "The surface antigen is awaited.",
    ],
)
def test_a_verb_without_a_result_tells_none(text: str) -> None:
    assert labs(text) == set()
