"""A figure further from its test's name than the words between are known: "eGFR is hovering around 24 mL/min". The
verbs and adjectives of such sentences are an open class; a figure whose unit fits the test, in the same clause, is its
result. What is aimed at, feared, lost, taken or planned is none."""

from __future__ import annotations

from decimal import Decimal

import pytest

from mappings.text.engine import TextEngine

_READ = {
    "en": [
        ("Vit D came back rock bottom at 14 nmol/L.", "vitamin-d-25-oh", "14"),
        ("Her vitamin D turned out to be a dismal 14 nmol/L.", "vitamin-d-25-oh", "14"),
        ("eGFR is around 24 mL/min.", "egfr", "24"),
        ("eGFR is hovering around 24 mL/min.", "egfr", "24"),
        ("These days the eGFR hovers around 24.", "egfr", "24"),
        ("Ejection fraction somewhere near 28%.", "ejection-fraction", "28"),
        ("Echo shows an ejection fraction that barely makes 28 %.", "ejection-fraction", "28"),
        ("Platelets have sunk to a mere 31 x10^9/L.", "platelets", "31"),
        ("Albumin stands at barely 21 g/L.", "albumin", "21"),
        ("ALT is through the roof at 412 U/L.", "alt", "412"),
        ("Blood pressure a worrying 84/46 today.", "systolic", "84"),
        ("The pulse this morning was counted at a leisurely 42 per minute.", "heart-rate", "42"),
        ("Heart rate stuck stubbornly at 44 bpm.", "heart-rate", "44"),
        ("Creatinine on admission came out at 3.9 mg/dL.", "creatinine", "3.9"),
        ("Neutrophils are scraping along at 0.4 x10^9/L.", "neutrophils", "0.4"),
    ],
    "de": [
        ("Vitamin D ist mit nur mageren 14 nmol/l völlig unzureichend.", "vitamin-d-25-oh", "14"),
        ("Die eGFR dümpelt bei 24 ml/min.", "egfr", "24"),
        ("Die eGFR pendelt derzeit um die 24 ml/min.", "egfr", "24"),
        ("Die Ejektionsfraktion schafft gerade noch 28 %.", "ejection-fraction", "28"),
        ("Thrombozyten im freien Fall auf zuletzt 31 G/l.", "platelets", "31"),
        ("Albumin mit gerade mal 21 g/l bedrohlich.", "albumin", "21"),
        ("GPT schießt durch die Decke mit 412 U/l.", "alt", "412"),
        ("Blutdruck heute besorgniserregende 84/46 mmHg.", "systolic", "84"),
        ("Der Puls wurde heute früh mit gemächlichen 42/min gezählt.", "heart-rate", "42"),
        ("Kreatinin bei Aufnahme stolze 3,9 mg/dl.", "creatinine", "3.9"),
        ("Die Neutrophilen krebsen bei 0,4 G/l herum.", "neutrophils", "0.4"),
        ("Herzfrequenz verharrt hartnäckig bei 44/min.", "heart-rate", "44"),
    ],
    "fr": [
        ("Vitamine D vraiment au plus bas : 14 nmol/L.", "vitamin-d-25-oh", "14"),
        ("Le DFG plafonne péniblement à 24 ml/min.", "egfr", "24"),
        ("Le DFG tourne ces temps-ci autour de 24 ml/min.", "egfr", "24"),
        ("La fraction d'éjection peine à atteindre 28 %.", "ejection-fraction", "28"),
        ("Les plaquettes ont plongé jusqu'à seulement 31 G/L.", "platelets", "31"),
        ("L'albumine atteint tout juste 21 g/L.", "albumin", "21"),
        ("Les ALAT crèvent le plafond à 412 U/L.", "alt", "412"),
        ("Tension artérielle franchement inquiétante à 84/46 mmHg.", "systolic", "84"),
        ("Le pouls ce matin a été compté à un paisible 42/min.", "heart-rate", "42"),
        ("Créatinine à l'entrée mesurée à pas moins de 3,9 mg/dL.", "creatinine", "3.9"),
        ("Les neutrophiles stagnent lamentablement à 0,4 G/L.", "neutrophils", "0.4"),
        ("La fréquence cardiaque campe sur 44 bpm.", "heart-rate", "44"),
    ],
    "es": [
        ("La vitamina D salió por los suelos con 14 nmol/L.", "vitamin-d-25-oh", "14"),
        ("El filtrado glomerular ronda penosamente los 24 ml/min.", "egfr", "24"),
        ("El FGe anda por los 24 ml/min.", "egfr", "24"),
        ("La fracción de eyección apenas llega al 28 %.", "ejection-fraction", "28"),
        ("Las plaquetas se han desplomado hasta unas míseras 31 x10^9/L.", "platelets", "31"),
        ("La albúmina se queda en unos escasos 21 g/L.", "albumin", "21"),
        ("La ALT está por las nubes con 412 U/L.", "alt", "412"),
        ("Tensión arterial preocupante hoy de 84/46 mmHg.", "systolic", "84"),
        ("El pulso de esta mañana se contó en unos tranquilos 42 lpm.", "heart-rate", "42"),
        ("La creatinina al ingreso se disparó hasta 3,9 mg/dL.", "creatinine", "3.9"),
        ("Los neutrófilos malviven en 0,4 x10^9/L.", "neutrophils", "0.4"),
        ("La frecuencia cardiaca clavada en 44 lpm.", "heart-rate", "44"),
    ],
    "pt": [
        ("A vitamina D veio no fundo do poço com 14 nmol/L.", "vitamin-d-25-oh", "14"),
        ("A TFG ronda penosamente os 24 ml/min.", "egfr", "24"),
        ("A TFGe anda pelos 24 ml/min.", "egfr", "24"),
        ("A fração de ejeção mal chega aos 28 %.", "ejection-fraction", "28"),
        ("As plaquetas despencaram para míseras 31 x10^9/L.", "platelets", "31"),
        ("A albumina fica-se por uns escassos 21 g/L.", "albumin", "21"),
        ("A ALT está nas alturas com 412 U/L.", "alt", "412"),
        ("Pressão arterial preocupante hoje de 84/46 mmHg.", "systolic", "84"),
        ("O pulso desta manhã foi contado em tranquilos 42 bpm.", "heart-rate", "42"),
        ("A creatinina na admissão disparou até 3,9 mg/dL.", "creatinine", "3.9"),
        ("Os neutrófilos arrastam-se em 0,4 x10^9/L.", "neutrophils", "0.4"),
        ("A frequência cardíaca teima em 44 bpm.", "heart-rate", "44"),
    ],
}
_NOT_READ = {
    "en": [
        "Repeat eGFR in 3 months.",
        "Vitamin D 2000 IU daily was started.",
        "Calcium supplement of 600 mg with meals.",
        "Echo and ejection fraction were last looked at in 2019.",
        "Platelets were transfused on 2 occasions.",
        "Keep haemoglobin comfortably above 8 g/dL.",
        "Hold metformin if eGFR ever falls below 30 mL/min.",
        "Warfarin is contraindicated once platelets slide under 50 x10^9/L.",
        "eGFR dropped abruptly by 10 mL/min.",
        "Ejection fraction improved by a good 15 %.",
        "Ejection fraction showed an absolute loss of 15 %.",
        "We would like the vitamin D to be at least 75 nmol/L.",
        "Aim for a blood pressure that stays around 130/80.",
        "Call us should the pulse sink to 45 per minute.",
        "The threshold of haemoglobin for transfusion remains 7 g/dL.",
        "Creatinine clearance must exceed 30 mL/min for this drug.",
        "Her neutrophils have never touched 0.5 x10^9/L.",
        "Calcium and sodium came back at 128 mmol/L.",
        "Calcium was given and the potassium reached 2.9 mmol/L.",
        "Target eGFR is 60 mL/min.",
        "The threshold of platelets is 50 x10^9/L.",
        "Ejection fraction improved by 15 %.",
    ],
    "de": [
        "eGFR in 3 Monaten kontrollieren.",
        "Vitamin D 2000 IE täglich wurde begonnen.",
        "Calcium als Brausetablette zu 600 mg empfohlen.",
        "Das Hämoglobin soll möglichst stets über 8 g/dl liegen.",
        "Metformin pausieren, falls die eGFR irgendwann unter 30 ml/min fällt.",
        "Kontraindiziert, sobald die Thrombozyten weniger als 50 G/l betragen.",
        "Die eGFR nahm plötzlich um 10 ml/min ab.",
        "Die Ejektionsfraktion besserte sich um gute 15 %.",
        "Für das Vitamin D wünschen wir uns mindestens 75 nmol/l.",
        "Ein Blutdruck von möglichst 130/80 mmHg wird angestrebt.",
        "Die Transfusionsgrenze des Hämoglobin bleibt bei 7 g/dl.",
        "Die Neutrophilen haben niemals 0,5 G/l erreicht.",
        "Calcium wurde gegeben und das Kalium erreichte 2,9 mmol/l.",
    ],
    "fr": [
        "Contrôle du DFG dans 3 mois.",
        "Vitamine D 2000 UI par jour débutée.",
        "Calcium en comprimés de 600 mg conseillé.",
        "L'hémoglobine doit rester toujours au-dessus de 8 g/dL.",
        "Arrêter la metformine si le DFG venait un jour à 30 ml/min.",
        "Contre-indiqué dès que les plaquettes descendent sous 50 G/L.",
        "Le DFG a perdu brutalement 10 ml/min.",
        "La fraction d'éjection a gagné un bon 15 %.",
        "On souhaite une vitamine D dépassant au moins 75 nmol/L.",
        "Objectif d'une tension artérielle proche de 130/80 mmHg.",
        "Le seuil transfusionnel d'hémoglobine reste fixé à 7 g/dL.",
        "Les neutrophiles n'ont jamais touché 0,5 G/L.",
        "Du calcium a été donné et le potassium atteignait 2,9 mmol/L.",
    ],
    "es": [
        "Repetir el filtrado glomerular en 3 meses.",
        "Vitamina D 2000 UI diarias desde hoy.",
        "Calcio en comprimidos de 600 mg recomendado.",
        "La hemoglobina debe quedar siempre por encima de 8 g/dL.",
        "Suspender metformina si el FGe algún día cae a 30 ml/min.",
        "Contraindicado en cuanto las plaquetas desciendan bajo 50 x10^9/L.",
        "El FGe perdió bruscamente 10 ml/min.",
        "La fracción de eyección ganó un buen 15 %.",
        "Se desea una vitamina D que alcance como mínimo 75 nmol/L.",
        "Objetivo de tensión arterial cercano a 130/80 mmHg.",
        "El umbral transfusional de hemoglobina sigue en 7 g/dL.",
        "Los neutrófilos nunca tocaron 0,5 x10^9/L.",
        "Se dio calcio y el potasio alcanzaba 2,9 mmol/L.",
    ],
    "pt": [
        "Repetir a TFG em 3 meses.",
        "Vitamina D 2000 UI por dia a partir de hoje.",
        "Cálcio em comprimidos de 600 mg recomendado.",
        "A hemoglobina deve ficar sempre acima de 8 g/dL.",
        "Suspender metformina se a TFGe algum dia cair para 30 ml/min.",
        "Contraindicado assim que as plaquetas desçam abaixo de 50 x10^9/L.",
        "A TFGe perdeu bruscamente 10 ml/min.",
        "A fração de ejeção ganhou uns bons 15 %.",
        "Deseja-se uma vitamina D que alcance no mínimo 75 nmol/L.",
        "Objetivo de pressão arterial próximo de 130/80 mmHg.",
        "O limiar transfusional de hemoglobina continua em 7 g/dL.",
        "Os neutrófilos nunca tocaram 0,5 x10^9/L.",
        "Foi dado cálcio e o potássio atingia 2,9 mmol/L.",
    ],
}


@pytest.fixture(scope="module")
def engine() -> TextEngine:
    return TextEngine.load()


@pytest.mark.parametrize(
    ("language", "text", "analyte", "value"),
    [(language, *row) for language, rows in _READ.items() for row in rows],
)
def test_a_figure_further_off_is_the_result(
    engine: TextEngine, language: str, text: str, analyte: str, value: str
) -> None:
    told = [(lab.analyte, lab.value) for lab in engine.read(text, language=language).labs if lab.status == "affirmed"]
    assert told == [(analyte, Decimal(value))], text


@pytest.mark.parametrize(
    ("language", "text"), [(language, text) for language, rows in _NOT_READ.items() for text in rows]
)
def test_what_is_no_result_stays_none(engine: TextEngine, language: str, text: str) -> None:
    told = [
        lab for lab in engine.read(text, language=language).labs if lab.status == "affirmed" and lab.value is not None
    ]
    assert told == [], text


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Calcium came in at a comfortable 9.3 mg/dL."),
        ("de", "Das Calcium pendelt gemütlich bei 2,3 mmol/l."),
        ("fr", "La calcémie tourne tranquillement autour de 2,3 mmol/L."),
        ("es", "El calcio anda tranquilo por los 9,3 mg/dL."),
        ("pt", "O cálcio anda tranquilo pelos 9,3 mg/dL."),
    ],
)
def test_a_calcium_further_off_is_unsure(engine: TextEngine, language: str, text: str) -> None:
    [told] = engine.read(text, language=language).labs
    assert told.analyte == "calcium-total" and told.value is not None
    assert told.unsure, "a sentence of unknown words never shows a calcium to be normal"
