"""A result that a verb of reporting, or a word such as "again", parts from its test; and what only looks like one."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()
FIGURES = {"9.4", "2.35"}

TOLD = {
    "en": """
        calcium was reported as normal
        serum calcium was reported to be within normal limits
        calcium levels were found to be normal
        calcium turned out normal
        calcium documented as normal
        calcium was checked and was normal
        calcium was measured and found normal
        calcium proved normal
        calcium remained normal
        calcium stays normal
        calcium continued to be normal
        calcium has been normal
        calcium appears normal
        calcium appeared to be normal
        calcium looks fine
        calcium resulted normal
        calcium returned normal
        calcium returned within normal limits
        calcium returned at 9.4 mg/dL
        calcium resulted at 9.4 mg/dL
        calcium reported as 9.4 mg/dL
        calcium noted to be normal
        calcium was noted as 9.4 mg/dL
        calcium was recorded as 9.4 mg/dL
        calcium was shown to be normal
        calcium was tested and came back normal
        calcium was confirmed normal
        calcium confirmed to be normal
        calcium was considered normal
        calcium tested normal
        calcium seemed normal
        calcium level revealed normal
        there was no abnormality in serum calcium
        calcium and phosphorus levels were also normal
        calcium likewise normal
        calcium again normal
        calcium still normal
        calcium repeatedly normal
        calcium consistently normal
        calcium lay within the reference range
        calcium fell within the normal range
        calcium is in range
        calcium in the normal range
        calcium estimated at 9.4 mg/dL
        calcium was 9.4 mg/dL
        calcium homeostasis was normal
        calcium metabolism was normal
        normal calcium metabolism
        laboratory tests revealed normal calcium
        lab work-up disclosed normal levels of calcium
        biochemistry demonstrated normal calcium
        we found normal calcium levels
        calcium levels being normal
        with calcium levels normal
        calcium was determined to be normal
        calcium: reported normal by outside lab
        calcium was said to be normal
    """,
    "es": """
        el calcio se informó como normal
        el calcio fue reportado normal
        el calcio resultó normal
        calcio sérico dentro de límites normales
        el calcio se encontró normal
        el calcio se encontraba dentro de la normalidad
        calcio y fósforo sin alteraciones
        calcio sin alteraciones
        no se encontraron alteraciones del calcio
        el calcio salió normal
        calcio informado como 9,4 mg/dL
        el calcio se mantuvo normal
        el calcio permaneció normal
        calcio en rango
        calcio en rangos normales
        los niveles de calcio fueron normales
        los niveles de calcio y fósforo estaban en valores normales
        la analítica mostró calcio normal
        calcio conservado
        calcio reportado en 9.4 mg/dL
        metabolismo fosfocálcico normal
        calcemia normal
        normocalcemia
    """,
    "pt": """
        o cálcio foi relatado como normal
        cálcio resultou normal
        cálcio sérico dentro dos limites da normalidade
        cálcio encontrava-se normal
        cálcio sem alterações
        cálcio e fósforo sem alterações
        cálcio mostrou-se normal
        cálcio revelou-se normal
        cálcio manteve-se normal
        cálcio veio normal
        cálcio dentro da faixa de normalidade
        níveis de cálcio foram normais
        metabolismo fosfocálcico normal
        calcemia normal
        cálcio informado como 9,4 mg/dL
    """,
    "fr": """
        la calcémie était rapportée normale
        la calcémie s'est révélée normale
        la calcémie est revenue normale
        calcémie revenue normale
        calcium rapporté comme normal
        le calcium restait normal
        calcémie retrouvée normale
        calcémie sans particularité
        calcémie dans les normes
        calcémie dans les limites de la normale
        calcémie et phosphorémie étaient sans anomalie
        bilan phosphocalcique normal
        le dosage du calcium était normal
        calcémie rendue à 2,35 mmol/L
        calcémie mesurée à 2,35 mmol/L
    """,
    "de": """
        Kalzium wurde als normal angegeben
        Kalzium zeigte sich normal
        Kalzium erwies sich als normal
        Kalzium stellte sich normwertig dar
        Kalzium blieb normal
        Kalzium unauffällig
        Kalzium war unauffällig
        Kalzium lag im Normbereich
        Kalzium befand sich im Normbereich
        Kalzium im Referenzbereich
        Calcium i.N.
        Kalzium kam normal zurück
        Kalzium wurde mit 2,35 mmol/l bestimmt
        Kalzium wurde mit 2,35 mmol/l gemessen
        Kalzium mit 2,35 mmol/l normal
        Kalzium ergab 2,35 mmol/l
        Kalziumhaushalt normal
        Normokalzämie
        Kalzium- und Phosphatwerte waren normal
        Die Kalziumwerte waren stets normal
    """,
}
NO_RESULT = {
    "en": """
        calcium, if it is confirmed normal, we start
        once calcium is reported normal we start
        until the serum calcium returned normal
        we asked whether calcium was found normal
        calcium should be shown normal first
        calcium was never reported normal
        calcium has not returned to normal
        calcium not yet returned
        calcium is expected to return normal
        calcium falls short of normal
        calcium measured 3 times
        calcium 8.6 to 10.2 mg/dL
        calcium was not elevated
        calcium deposits looked unchanged
        calcium score was reported as normal
        urine calcium was found normal
        calcium out of stock
    """,
    "es": """
        una vez que el calcio sea normal
        cuando el calcio esté normal
        si el calcio resulta normal
        el calcio no resultó normal
        calcio en orina fue normal
        el calcio no fue informado
    """,
    "pt": """
        quando o cálcio estiver normal
        se o cálcio vier normal
        o cálcio não foi normal
        cálcio urinário foi normal
    """,
    "fr": """
        dès que la calcémie est normale, débuter
        si la calcémie est retrouvée normale
        la calcémie n'était pas normale
        calciurie retrouvée normale
    """,
    "de": """
        sobald das Kalzium normal ist
        ob Kalzium normal ist, wird geprüft
        falls Kalzium sich normal zeigt
        Kalzium im Urin zeigte sich normal
        Kalzium 2,2 bis 2,6 mmol/l
    """,
}
OTHER = {
    "en": {
        "calcium returned high": "high",
        "calcium appears low": "low",
        "calcium reported as 11.9 mg/dL": "11.9",
        "calcium confirmed elevated at 11.2 mg/dL": "11.2",
        "calcium reported as not normal": "abnormal",
        "calcium out of range": "abnormal",
    },
    "es": {"el calcio fue alto": "high", "calcio mostró valores elevados": "high"},
    "pt": {"o cálcio mostrou-se elevado": "high"},
    "fr": {"la calcémie s'est révélée élevée": "high"},
    "de": {"Kalzium zeigte sich erhöht": "high"},
}


def calcium(text: str, language: str) -> set[str]:
    labs = ENGINE.read(f"{text[0].upper()}{text[1:]}.", kind="note", language=language).labs
    return {x.word or str(x.value) for x in labs if x.analyte == "calcium-total" and x.status == "affirmed"}


def rows(table: dict[str, str]) -> list[tuple[str, str]]:
    return [(language, line.strip()) for language, text in table.items() for line in text.strip().splitlines()]


@pytest.mark.parametrize(("language", "text"), rows(TOLD))
def test_a_normal_calcium_however_it_is_reported(language: str, text: str) -> None:
    found = calcium(text, language)
    assert len(found) == 1
    assert found <= {"normal"} | FIGURES


@pytest.mark.parametrize(("language", "text"), rows(NO_RESULT))
def test_what_is_awaited_denied_or_of_something_else_is_no_result(language: str, text: str) -> None:
    assert calcium(text, language) == set()


@pytest.mark.parametrize(
    ("language", "text", "said"), [(lang, *row) for lang, table in OTHER.items() for row in table.items()]
)
def test_an_unusual_calcium_however_it_is_reported(language: str, text: str, said: str) -> None:
    assert calcium(text, language) == {said}


@pytest.mark.parametrize(
    ("text", "analyte", "said"),
    [
        ("IGRA returned positive.", "tb-test", "positive"),
        ("QuantiFERON returned as positive.", "tb-test", "positive"),
        ("ANA returned positive.", "ana", "positive"),
        ("Phosphate was reported as high.", "phosphate", "high"),
    ],
)
def test_other_tests_are_reported_in_the_same_words(text: str, analyte: str, said: str) -> None:
    assert [(lab.analyte, lab.word) for lab in ENGINE.read(text).labs] == [(analyte, said)]


NEIGHBOURS = [
    ("Elevated calcium with normal phosphate.", {"calcium-total": "high", "phosphate": "normal"}),
    ("Erhöhtes Kalzium mit normalem Phosphat.", {"calcium-total": "high", "phosphate": "normal"}),
    ("Calcémie élevée avec une PTH normale.", {"calcium-total": "high", "pth": "normal"}),
    ("Raised calcium and a normal PTH.", {"calcium-total": "high", "pth": "normal"}),
    ("Calcium levels with normal phosphate.", {"phosphate": "normal"}),
    ("We repeated calcium and found normal PTH.", {"pth": "normal"}),
    ("Calcium with low albumin.", {"albumin": "low"}),
    ("Calcium normal phosphate normal.", {"calcium-total": "normal", "phosphate": "normal"}),
]


@pytest.mark.parametrize(("text", "told"), NEIGHBOURS)
def test_a_word_before_the_next_test_is_that_ones(text: str, told: dict[str, str]) -> None:
    assert {lab.analyte: lab.word for lab in ENGINE.read(text).labs} == told


ROWS = """
    en The calcium and the phosphate were normal
    en The serum calcium level and the serum phosphate level were normal
    en Serum calcium, serum phosphorus, and serum PTH were unremarkable
    es El calcio y el fósforo fueron normales
    pt O cálcio, o fósforo e a PTH foram normais
    fr La calcémie et la phosphorémie étaient normales
    fr La calcémie ainsi que la phosphatémie étaient normales
    fr Le dosage de la calcémie et de la phosphorémie était normal
    fr Le bilan phosphocalcique et la PTH étaient normaux
    de Das Kalzium und das Phosphat waren normal
"""


@pytest.mark.parametrize("row", [line.strip() for line in ROWS.strip().splitlines()])
def test_articles_part_no_row(row: str) -> None:
    language, text = row.split(" ", 1)
    labs = {lab.analyte: lab.word for lab in ENGINE.read(f"{text}.", language=language).labs}
    assert labs.items() >= {"calcium-total": "normal", "phosphate": "normal"}.items()
    assert set(labs.values()) == {"normal"}


MOVED = [
    ("en", "Calcium was initially normal but later rose to 11.8 mg/dL", {"normal", "11.8"}),
    ("en", "Calcium was normal in 2020 but has risen to 11.8 mg/dL", {"normal", "11.8"}),
    ("en", "Calcium was normal, bilirubin rose to 3 mg/dL", {"normal"}),
    ("en", "Calcium was normal and the dose went to 40 mg/day", {"normal"}),
    ("es", "El calcio era inicialmente normal pero luego subió a 11,8 mg/dL", {"normal", "11.8"}),
    ("pt", "O cálcio era inicialmente normal mas depois subiu para 11,8 mg/dL", {"normal", "11.8"}),
    ("fr", "Le calcium était initialement normal puis est monté à 2,95 mmol/L", {"normal", "2.95"}),
    ("de", "Kalzium war initial normal, stieg dann auf 2,95 mmol/l", {"normal", "2.95"}),
]


@pytest.mark.parametrize(("language", "text", "told"), MOVED)
def test_a_figure_that_a_normal_result_came_to_later(language: str, text: str, told: set[str]) -> None:
    labs = [lab for lab in ENGINE.read(f"{text}.", language=language).labs if lab.analyte == "calcium-total"]
    assert {str(lab.value or lab.word) for lab in labs} == told


BESIDE_THE_RANGE = """
    high en Calcium was slightly above the normal range
    high en Calcium above the upper limit of normal
    high en Calcium levels were higher than normal
    high en Calcium exceeded the upper limit of normal
    high en Calcium was just above range
    high de Kalzium leicht oberhalb des Normbereichs
    high de Das Kalzium lag über dem Referenzbereich
    high es Calcio por encima del rango normal
    high es El calcio estaba por encima de los valores de referencia
    high es Calcio superior a lo normal
    high pt Cálcio acima do limite superior da normalidade
    high pt O cálcio estava acima dos valores de referência
    high fr Calcémie au-dessus de la normale
    high fr La calcémie était supérieure aux valeurs de référence
    low en Calcium fell below the normal range
    low en Calcium was lower than normal
    low en Calcium below the lower limit of normal
    low de Kalzium unterhalb des Normbereichs
    low es Calcio por debajo de lo normal
    low pt Cálcio abaixo do normal
    low fr Calcémie en dessous de la normale
    abnormal en Calcium was outside the normal range
    abnormal de Kalzium außerhalb des Normbereichs
    abnormal de Kalzium nicht im Normbereich
    abnormal es Calcio fuera del rango normal
    abnormal pt Cálcio fora dos valores de referência
    abnormal fr Calcémie hors normes
    normal en Calcium was neither high nor low
    normal en Calcium, phosphate and PTH were all within the reference ranges
    normal en Serum calcium (total and ionized) and phosphate were normal
    normal de Kalzium weder erhöht noch erniedrigt
    normal es Calcio dentro del rango normal
    normal fr Calcémie ni élevée ni basse
    none en Calcium was not above the normal range
    none en Calcium above the lower limit of normal
    none en Calcium at the upper limit of normal
    none en Calcium in the upper normal range
    none de Kalzium an der oberen Normgrenze
    none es Calcio en el límite superior de la normalidad
    none fr Calcémie à la limite supérieure de la normale
    none en Low or normal calcium
    none en Calcium was low to normal
"""


@pytest.mark.parametrize("row", [line.strip() for line in BESIDE_THE_RANGE.strip().splitlines()])
def test_a_result_told_by_its_place_beside_the_range(row: str) -> None:
    said, language, text = row.split(" ", 2)
    assert calcium(f"{text}.", language) == ({said} if said != "none" else set())


EACH = [
    ("en", "Calcium and phosphate were low and high respectively", ["low", "high"]),
    ("en", "Calcium and phosphate were normal and high", ["normal", "high"]),
    ("en", "Calcium, phosphate and PTH were normal, low and high, respectively", ["normal", "low", "high"]),
    ("en", "Normal calcium, phosphate elevated", ["normal", "high"]),
    ("en", "Raised calcium, phosphate above the normal range", ["high", "high"]),
    ("en", "Raised calcium, phosphate normal", ["high", "normal"]),
    ("en", "Calcium and phosphate normal, high PTH", ["normal", "normal", "high"]),
    ("en", "Normal calcium and phosphate raised PTH", ["normal", "normal", "high"]),
    ("en", "Normal calcium and phosphate, PTH high", ["normal", "normal", "high"]),
    ("en", "Calcium and phosphate were normal or low", []),
    ("es", "Calcio y fósforo normal y elevado, respectivamente", ["normal", "high"]),
    ("pt", "O cálcio e o fósforo estavam normal e elevado, respetivamente", ["normal", "high"]),
    ("fr", "La calcémie et la phosphorémie étaient normale et élevée respectivement", ["normal", "high"]),
    ("de", "Kalzium und Phosphat waren normal und erhöht", ["normal", "high"]),
]


@pytest.mark.parametrize(("language", "text", "told"), EACH)
def test_each_test_of_a_row_with_its_own_word(language: str, text: str, told: list[str]) -> None:
    labs = {lab.analyte: lab.word for lab in ENGINE.read(f"{text}.", language=language).labs}
    order = [labs[analyte] for analyte in ("calcium-total", "phosphate", "pth") if analyte in labs]
    assert order == told


@pytest.mark.parametrize(
    "text", ["Her mother's calcium was reported as normal.", "Mother's calcium was reported as high."]
)
def test_a_result_of_another_person_however_it_is_reported(text: str) -> None:
    assert {lab.status for lab in ENGINE.read(text).labs} == {"family"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("ALT was elevated to 4x the upper limit of normal.", True),
        ("AST and ALT more than 3 times normal.", True),
        ("Transaminases rose to five times the upper limit of normal.", True),
        ("ALT was 2 times the upper limit of normal.", False),
        ("ALT was 3 times the upper limit of normal.", False),
    ],
)
def test_multiples_of_the_upper_limit(text: str, told: bool) -> None:
    assert ("trigger.alt_above_3_times" in {c.concept for c in ENGINE.read(text).concepts}) is told


COMMAS = [
    ("Serum calcium, 9.2 mg/dL; phosphate, 3.4 mg/dL; and PTH, 45 pg/mL", {"9.2", "3.4", "45"}),
    ("Creatinine, 0.8 mg/dL; calcium, 9.1 mg/dL; CK, 210 U/L", {"0.8", "9.1", "210"}),
    ("Calcium, phosphate and PTH, 45 pg/mL", {"45"}),
    ("9.2 mg/dL calcium, 3.4 mg/dL phosphate", set()),
    ("Calcium, 600 mg daily", set()),
    ("Vitamin D, 600 IU daily", set()),
    ("Calcium, 3 months ago", set()),
]


@pytest.mark.parametrize(("text", "values"), COMMAS)
def test_a_figure_behind_a_comma(text: str, values: set[str]) -> None:
    assert {str(lab.value) for lab in ENGINE.read(f"{text}.").labs} == values
