"""States that forbid a drug, told in the words of letters and ward rounds, and what only looks like one of them."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()
BLOCK = "trigger.av_block_high_grade"
GULLET = "trigger.esophageal_motility"
SWALLOW = "trigger.dysphagia"
FLAT = "trigger.cannot_sit_upright"
FEMUR = "trigger.atypical_femur_fracture"
TEETH = "trigger.tooth_extraction_planned"
PREGNANT = "trigger.pregnancy"
WISH = "trigger.planning_pregnancy"
MILK = "trigger.lactation"

TOLD = [
    ("Sinus rhythm with 2:1 conduction, ventricular rate 52.", BLOCK),
    ("Every other P wave is blocked.", BLOCK),
    ("Ritmo sinusal con conducción 2:1.", BLOCK),
    ("Ondas P no conducidas en el Holter.", BLOCK),
    ("Ritmo sinusal com condução 2:1.", BLOCK),
    ("Ondas P bloqueadas no Holter.", BLOCK),
    ("Rythme sinusal avec conduction 2/1.", BLOCK),
    ("Ondes P bloquées sur le Holter.", BLOCK),
    ("Sinusrhythmus mit 2:1-Überleitung.", BLOCK),
    ("Nicht übergeleitete P-Wellen im Langzeit-EKG.", BLOCK),
    ("Bird-beak narrowing at the cardia.", GULLET),
    ("The gullet is baggy and holds food overnight.", GULLET),
    ("Imagen en pico de pájaro en el cardias.", GULLET),
    ("Imagem em bico de pássaro na cárdia.", GULLET),
    ("Aspect en bec d'oiseau du cardia.", GULLET),
    ("Vogelschnabelartige Einengung der Kardia.", GULLET),
    ("Solids hang up behind the breastbone and his wife purees everything.", SWALLOW),
    ("La comida se le atasca y su mujer le tritura todo.", SWALLOW),
    ("A comida entala e a esposa tritura tudo.", SWALLOW),
    ("La viande reste coincée et sa femme mixe tout.", SWALLOW),
    ("Das Fleisch bleibt stecken und seine Frau püriert alles.", SWALLOW),
    ("Spinal team: flat bed rest for six weeks.", FLAT),
    ("Log roll only.", FLAT),
    ("Reposo en decúbito supino estricto durante seis semanas.", FLAT),
    ("Mobilização apenas em bloco.", FLAT),
    ("Position assise interdite pendant six semaines.", FLAT),
    ("Strikte Flachlagerung für sechs Wochen.", FLAT),
    ("Subtrochanteric stress fracture after eight years of alendronate.", FEMUR),
    ("Fractura subtrocantérea por estrés en 2022.", FEMUR),
    ("Fratura subtrocantérica de stress em 2022.", FEMUR),
    ("Fracture sous-trochantérienne de fatigue en 2022.", FEMUR),
    ("Subtrochantäre Insuffizienzfraktur 2022.", FEMUR),
    ("The lower molars are all to come out on 18 June.", TEETH),
    ("She is having four teeth out next month.", TEETH),
    ("Le sacarán tres muelas el día 20.", TEETH),
    ("Vão tirar-lhe dois dentes na próxima semana.", TEETH),
    ("On lui arrachera deux dents le 12 juin.", TEETH),
    ("Ihm werden zwei Zähne gezogen.", TEETH),
    ("Home test showed two pink lines.", PREGNANT),
    ("El test de esta mañana, dos rayas rosas.", PREGNANT),
    ("Teste de manhã com duas riscas cor-de-rosa.", PREGNANT),
    ("Le test montre deux barres roses.", PREGNANT),
    ("Zwei Striche auf dem Schwangerschaftstest.", PREGNANT),
    ("They would like a second child.", WISH),
    ("Les gustaría tener un segundo hijo.", WISH),
    ("Gostariam de ter um segundo filho.", WISH),
    ("Ils souhaitent un deuxième enfant.", WISH),
    ("Sie möchten ein zweites Kind.", WISH),
    ("Still feeding her five-month-old herself.", MILK),
    ("El bebé todavía mama por la noche.", MILK),
    ("O bebé ainda mama à noite.", MILK),
    ("Le bébé tète encore la nuit.", MILK),
    ("Das Kind trinkt noch an der Brust.", MILK),
]

NOT_TOLD = [
    ("Atrial flutter with 2:1 conduction.", BLOCK),
    ("Aleteo auricular con conducción 2:1.", BLOCK),
    ("Flutter auricular com condução 2:1.", BLOCK),
    ("Flutter auriculaire avec conduction 2/1.", BLOCK),
    ("Bird-beak sign of a sigmoid volvulus.", GULLET),
    ("His wife has dysphagia.", SWALLOW),
    ("Su mujer tiene disfagia.", SWALLOW),
    ("A esposa tem disfagia.", SWALLOW),
    ("Sa femme a une dysphagie.", SWALLOW),
    ("Seine Frau hat Dysphagie.", SWALLOW),
    ("Lies flat without breathlessness.", FLAT),
    ("Stress fracture of the second metatarsal.", FEMUR),
    ("Had four teeth out in 2015.", TEETH),
    ("She came off the pill because of headaches.", WISH),
    ("She does not want a second child.", WISH),
    ("Feeds herself and walks with a frame.", MILK),
    ("Her second child is four years old.", WISH),
]


def affirmed(text: str) -> set[str]:
    return {m.concept for m in ENGINE.read(text).concepts if m.status == "affirmed"}


@pytest.mark.parametrize(("text", "concept"), TOLD)
def test_a_hazard_in_other_words_is_read(text: str, concept: str) -> None:
    assert concept in affirmed(text)


@pytest.mark.parametrize(("text", "concept"), NOT_TOLD)
def test_what_looks_like_one_is_none(text: str, concept: str) -> None:
    assert concept not in affirmed(text)
