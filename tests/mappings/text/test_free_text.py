"""Forms, boxes, advice, excised lesions, parts that are no skin: how notes are written."""

from __future__ import annotations

import pytest

from mappings.text.document import overlaps
from mappings.text.engine import TextEngine
from mappings.text.reading import LesionMention

ENGINE = TextEngine.load()


def lesions(text: str) -> list[LesionMention]:
    return list(ENGINE.read(text).lesions)


def told(text: str) -> set[str]:
    """The lesion words that count."""
    return {m.kind for m in lesions(text) if m.status in ("affirmed", "possible")}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("[ ] hard nodules [x] Raynaud", set()),
        ("( ) hard nodules (x) Raynaud", set()),
        ("( ) Raynaud (x) hard nodules", {"nodule"}),
        ("Hard nodules: [ ] yes [x] no", set()),
        ("Hard nodules ☒ yes ☐ no", {"nodule"}),
        ("Nodules: ___\nSize: ____", set()),
        ("Nodules: R elbow, size ___ cm", {"nodule"}),
        ("☐ Harte Knoten ☒ Raynaud", set()),
        ("Harte Knoten: ☐ ja ☒ nein", set()),
        ("Nódulos duros: ( ) sí (x) no", set()),
        ("(x) Esclerodactilia ( ) Nódulos duros", set()),
        ("Nódulos duros: (x) sim ( ) não", {"nodule"}),
        ("(+) hard nodules (-) digital ulcers", {"nodule"}),
        ("(-) hard nodules (+) Raynaud", set()),
        ("Hard nodules (-), Raynaud (+)", set()),
        ("Hard nodules over both elbows\n---", {"nodule"}),
        ("Hard nodules over both elbows ---", {"nodule"}),
        ("Hard nodules over both elbows -- reviewed", {"nodule"}),
        ("Nodules: not examined", set()),
        ("Nodules: -\nUlcers: 0", set()),
        ("Nódulos: no valorados", set()),
        ("Nodules durs : ☐ oui ☒ non", set()),
    ],
)
def test_a_box_speaks_only_when_it_is_ticked(text: str, kinds: set[str]) -> None:
    assert told(text) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "Bei Auftreten harter Knoten bitte Wiedervorstellung.",
        "Caso surjam caroços duros, procurar o ambulatório.",
        "En caso de aparición de nódulos duros, consultar.",
        "En cas d'apparition de nodules durs, reconsulter.",
        "PSH: s/p excision of a hard nodule R elbow 2015, no recurrence.",
        "Exérèse d'une calcification du pouce en 2017.",
        "Knoten wurde 2018 entfernt.",
        "I looked specifically for calcinosis and found none.",
        "She has been reading about calcinosis online.",
        "Surveiller l'apparition de nodules durs.",
        "Bei neu auftretenden Knoten Vorstellung.",
        "Extirpado nódulo calcificado en 2018, sin recidiva.",
        "Removeu calcificação do dedo em 2019.",
        "Calcinosis neg.",
    ],
)
def test_advice_and_what_was_cut_out_are_no_lesion(text: str) -> None:
    assert told(text) == set()


def test_a_family_section_in_one_line_ends_at_the_next_heading() -> None:
    text = "FHx: mother with scleroderma and hard nodules. Skin exam: firm papule of the knee. Calcium normal."
    assert told(text) == {"papule"}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Hard swelling in the floor of the mouth.", set()),
        ("CONJ: few hard yellow-white concretions. MACULA: hard drusen.", set()),
        ("Gingival nodule, firm.", set()),
        ("Nódulo duro en la lengua.", set()),
        ("Nodule dur de la conjonctive.", set()),
        ("Harter Knoten am Mundboden.", set()),
        ("Nódulo duro da gengiva.", set()),
        ("Tongue normal, hard nodule of the chin.", {"nodule"}),
        ("Hard nodules on the elbows and a lesion in the lung.", {"nodule"}),
        ("Hard nodule in the skin over the thyroid.", {"nodule"}),
    ],
)
def test_a_lump_in_a_part_that_is_no_skin_is_none_of_ours(text: str, kinds: set[str]) -> None:
    assert told(text) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "There is something hard under her skin, right thigh.",
        "Feels like rocks under the skin of her knees.",
        "Piedrecitas debajo de la piel de los dedos.",
        "Pedrinhas debaixo da pele dos dedos.",
        "Petits cailloux sous la peau des doigts.",
        "Etwas Hartes unter der Haut am Oberschenkel.",
    ],
)
def test_something_hard_under_the_skin_is_a_hard_lesion(text: str) -> None:
    assert [(m.kind, m.hardness) for m in lesions(text)] == [("deposit", "definite")]


@pytest.mark.parametrize(
    ("text", "unit", "new"),
    [
        ("gritty bumps on both elbows x3mo.", "month", False),
        ("hard nodule L buttock x6wk, 2 cm", "week", False),
        ("hard nodule of the thigh, first noted at today's visit", None, True),
        ("grosseur dure du pouce, constatée pour la première fois ce jour", None, True),
        ("nódulo duro en el codo, visto por primera vez hoy", None, True),
        ("hard lump of the knee for half a year", "year", False),
        ("derber Knoten am Ellenbogen, seit einem halben Jahr", "year", False),
        ("bulto duro en el codo desde hace medio año", "year", False),
    ],
)
def test_since_when(text: str, unit: str | None, new: bool) -> None:
    (found,) = lesions(text)
    assert (found.onset.unit if found.onset else None, found.called_new) == (unit, new)


@pytest.mark.parametrize(
    ("text", "kind", "hardness"),
    [
        ("Nodules were not hard on palpation.", "nodule", "against"),
        ("Pea-sized rock-solid lumps along both forearms.", "lump", "definite"),
        ("Palpable subQ calcium over both elbows.", "deposit", "definite"),
        ("Firm 8 mm nub under the skin of the forearm.", "lump", "possible"),
        ("An den Fingerkuppen steinharte Einlagerungen.", "deposit", "definite"),
        ("Lesões endurecidas em placa na coxa direita.", "plaque", "definite"),
        ("Harter Knoten, 5 cm vom Handgelenk entfernt.", "nodule", "definite"),
    ],
)
def test_how_hard(text: str, kind: str, hardness: str) -> None:
    assert [(m.kind, m.hardness) for m in lesions(text)] == [(kind, hardness)]


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Her mother developed hard lumps due to calcinosis.", set()),
        ("Su hermana tiene bultos duros por calcinosis.", set()),
        ("Sa mère présente une calcinose.", set()),
        ("Brought in by mother, presents with hard lumps.", {"lump"}),
        ("Sister healthy, presents with hard lumps.", {"lump"}),
        ("Sister noticed a hard lump on her back.", {"lump"}),
        ("Madre sana, presenta bultos duros.", {"lump"}),
    ],
)
def test_whose_lump_it_is(text: str, kinds: set[str]) -> None:
    assert told(text) == kinds


@pytest.mark.parametrize(
    "text",
    [
        "Bulto como una piedra en la rodilla.",
        "Caroço como pedra no joelho.",
        "Bosse comme une pierre au genou.",
        "Beule wie ein Stein am Knie.",
    ],
)
def test_hard_as_a_stone(text: str) -> None:
    assert [m.hardness for m in lesions(text)] == ["definite"]


@pytest.mark.parametrize(
    ("title", "status"),
    [
        ("SLE workup", "possible"),
        ("SLE vs MCTD", "possible"),
        ("LES vs EMTC", "possible"),
        ("SLE DD MCTD", "possible"),
        ("SLE, suspected", "possible"),
        ("SLE - query", "possible"),
        ("LES a estudio", "possible"),
        ("PB LES", "possible"),
        ("ruled out: SLE", "negated"),
        ("FA: SLE", "family"),
        ("Family hx SLE", "family"),
        ("SLE, likely drug induced", "affirmed"),
        ("SLE", "affirmed"),
    ],
)
def test_titles_that_doubt(title: str, status: str) -> None:
    found = {m.status for m in ENGINE.read(title, kind="condition").concepts if m.concept.startswith("ctd.")}
    assert found == {status}


def test_a_choice_of_names_leaves_the_lesion() -> None:
    assert told("Hard nodule of the elbow, calcinosis vs tophus.") >= {"nodule"}
    assert told("Hard nodule of the elbow, possible calcinosis.") >= {"nodule"}


@pytest.mark.parametrize(
    ("text", "sites"),
    [
        ('"A rock in her thigh", per daughter, first felt last month.', {"thigh"}),
        ("Mom says the kid has “little stones” in both elbows since Easter.", {"elbow"}),
        ("Refere «pedrinhas» nos cotovelos há 4 meses.", {"elbow"}),
        ("Nota 'piedrecitas' en los codos.", {"elbow"}),
        ("Elle sent des « petits cailloux » dans les genoux.", {"knee"}),
        ("Tastet „Steinchen“ an den Ellenbogen.", {"elbow"}),
        ("Feels like there's a rock in her thigh.", {"thigh"}),
        ("Es como si tuviera una piedra en el muslo.", {"thigh"}),
        ("É como se tivesse pedras nos cotovelos.", {"elbow"}),
        ("C'est comme s'il y avait un caillou dans la cuisse.", {"thigh"}),
        ("Es ist, als ob ein Stein im Oberschenkel wäre.", {"thigh"}),
    ],
)
def test_a_stone_in_quotation_marks_or_a_comparison_is_what_is_felt(text: str, sites: set[str]) -> None:
    (found,) = lesions(text)
    assert (found.kind, found.status, found.hardness) == ("deposit", "affirmed", "definite")
    assert {site.place for site in found.sites} == sites


@pytest.mark.parametrize(
    "text",
    [
        'History of "kidney stones", knee pain.',
        'He says "rocks", knees ache.',
        "Threw a stone at his leg.",
        "Feels like there is a stone in my shoe.",
        "Feels like there is a rock in her stomach.",
        'No "rocks".',
    ],
)
def test_other_stones_are_no_lesion(text: str) -> None:
    assert told(text) == set()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Hard nodule on R elbow?", "possible"),
        ("Nódulo duro en codo derecho?", "possible"),
        ("Nódulo duro no cotovelo direito?", "possible"),
        ("Nodule dur du coude droit ?", "possible"),
        ("Harter Knoten am rechten Ellenbogen?", "possible"),
        ("Hard nodule on right elbow - gout?", "affirmed"),
        ("Hard nodule on elbow, gout?", "affirmed"),
    ],
)
def test_a_question_behind_the_place_asks_for_the_lesion(text: str, status: str) -> None:
    assert {m.status for m in lesions(text)} == {status}


@pytest.mark.parametrize(
    ("text", "concept"),
    [
        ("Lupusverdacht", "ctd.sle"),
        ("SLE-Verdacht", "ctd.sle"),
        ("Bei Sklerodermieverdacht Überweisung.", "ctd.systemic_sclerosis"),
        ("Dermatomyositisverdacht, harte Knoten am Ellenbogen.", "ctd.dermatomyositis"),
        ("SLE-Verdacht, harte Knoten am Ellenbogen.", "ctd.sle"),
    ],
)
def test_a_suspicion_in_one_word(text: str, concept: str) -> None:
    reading = ENGINE.read(text)
    assert {(c.concept, c.status) for c in reading.concepts if c.concept.startswith("ctd.")} == {(concept, "possible")}
    assert all(m.status == "affirmed" for m in reading.lesions)


def test_a_doubt_with_a_hyphen_still_doubts_what_follows() -> None:
    for text in ("Clinically-suspected lupus.", "CT-suspicious for calcinosis cutis."):
        assert {c.status for c in ENGINE.read(text).concepts} == {"possible"}


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("Firm nodule overlying the thyroid.", "neck"),
        ("Hard nodule over the parotid gland.", "face"),
        ("Nódulo duro sobre la tiroides.", "neck"),
        ("Nódulo duro sobre a parótida.", "face"),
        ("Nodule dur en regard de la thyroïde.", "neck"),
        ("Harter Knoten über der Schilddrüse.", "neck"),
    ],
)
def test_what_lies_over_an_organ_is_in_the_skin(text: str, place: str) -> None:
    (found,) = lesions(text)
    assert [site.place for site in found.sites] == [place]


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Not felt to have lupus after full evaluation.", "negated"),
        ("Features suggestive of but not diagnostic for MCTD.", "possible"),
        ("Hallazgos sugestivos de, pero no diagnósticos de, esclerodermia.", "possible"),
        ("Achados sugestivos, mas não diagnósticos, de esclerodermia.", "possible"),
        ("Aspect évocateur de, mais non diagnostique de, sclérodermie.", "possible"),
        ("Verdächtig auf, aber nicht beweisend für Sklerodermie.", "possible"),
    ],
)
def test_not_enough_for_the_diagnosis_is_a_suspicion(text: str, status: str) -> None:
    assert {c.status for c in ENGINE.read(text).concepts if c.concept.startswith("ctd.")} == {status}


@pytest.mark.parametrize(
    ("text", "kinds"),
    [
        ("Any lumps on your elbows? No.", set()),
        ("¿Nódulos duros? No.", set()),
        ("Nódulos duros? Não.", set()),
        ("Nodules durs ? Non.", set()),
        ("Harte Knoten? Nein.", set()),
        ("Any lumps? Yes, a hard lump on the elbow.", {"lump"}),
        ("Hard nodule on the elbow? No pain.", {"nodule"}),
    ],
)
def test_a_question_answered_with_no(text: str, kinds: set[str]) -> None:
    assert told(text) == kinds


def test_hard_spots_and_results_in_a_word() -> None:
    assert [m.hardness for m in lesions("Marble-like lump to L calf.")] == ["definite"]
    assert [(m.kind, m.called_new) for m in lesions("Neu aufgetretene knochenharte Resistenz am Oberschenkel.")] == [
        ("mass", True)
    ]
    assert told("Harte Stelle am Gesäß links, seit 4 Wochen.") == {"induration"}
    film = ENGINE.read("XR L elbow: amorphous soft tissue mineralization.", kind="imaging").imaging
    assert [i.finding for i in film] == ["soft-tissue"]


@pytest.mark.parametrize(
    ("start", "end", "shared"), [(0, 2, False), (0, 3, True), (3, 4, True), (5, 8, False), (4, 9, True), (9, 12, False)]
)
def test_what_one_language_knows_is_found_by_place(start: int, end: int, shared: bool) -> None:
    assert overlaps([(2, 5), (8, 9)], start, end) is shared
