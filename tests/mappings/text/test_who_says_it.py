"""Who tells of a lump and whose it is: companions who report, texts filed for another patient, doubts that end."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    ("text", "status"),
    [
        ("Hard calcified nodules over both elbows, wife says new this winter.", "affirmed"),
        ("Hard nodules over both elbows, her partner thinks since May.", "affirmed"),
        ("Hard nodules of both elbows, wife present.", "affirmed"),
        ("Nódulos duros en ambos codos, su esposa dice que desde enero.", "affirmed"),
        ("Su mujer dice que los nódulos duros de los codos son nuevos.", "affirmed"),
        ("Nódulos duros nos cotovelos, a esposa diz que são novos.", "affirmed"),
        ("Nodules durs des coudes, sa femme dit depuis janvier.", "affirmed"),
        ("Harte Knoten an beiden Ellenbogen, die Ehefrau meint seit Januar.", "affirmed"),
        ("Harte Knoten an beiden Ellenbogen, Ehefrau anwesend.", "affirmed"),
        ("Wife says her sister has hard nodules of the elbows.", "family"),
        ("His wife has hard nodules on the elbows.", "other-person"),
        ("Family history: sister says she has hard lumps.", "family"),
        ("Su mujer tiene nódulos duros en los codos.", "other-person"),
        ("Sa femme a des nodules durs des coudes.", "other-person"),
        ("Seine Frau hat harte Knoten an den Ellenbogen.", "other-person"),
        ("A esposa tem nódulos duros nos cotovelos.", "other-person"),
    ],
)
def test_a_companion_who_tells_does_not_have_it(text: str, status: str) -> None:
    assert ENGINE.read(text).lesions[0].status == status


@pytest.mark.parametrize(
    "text",
    [
        "NOTE: filed in error, belongs to another patient. Hard calcified nodules of both knees.",
        "This encounter was created in error. Please disregard. Hard nodules of the elbow.",
        "Filed in the wrong chart. SLE, hard nodules.",
        "Nota registrada por error, paciente equivocado. Nódulos duros en codos.",
        "Registado por engano, pertence a outro doente. Nódulos duros nos cotovelos.",
        "Saisi par erreur, erreur de patient. Nodules durs des coudes.",
        "Irrtümlich angelegt. Harte Knoten am Ellenbogen.",
    ],
)
def test_a_text_that_calls_itself_another_patients_says_nothing(text: str) -> None:
    reading = ENGINE.read(text)
    assert (reading.lesions, reading.concepts, reading.labs) == ((), (), ())


@pytest.mark.parametrize(
    "text",
    [
        "The previous note was filed in error. Hard nodules of both elbows.",
        "X-ray of 3 May was entered in error. Hard nodules of both elbows.",
        "She had the wrong patient leaflet. Hard nodules of both elbows.",
        "Hard nodules of both elbows. The calcium of May belongs to another patient.",
    ],
)
def test_another_note_filed_in_error_is_not_this_one(text: str) -> None:
    assert [lesion.status for lesion in ENGINE.read(text).lesions] == ["affirmed"]


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("The differential diagnosis was lupus panniculitis and gout.", {"possible"}),
        ("El diagnóstico diferencial fue paniculitis lúpica.", {"possible"}),
        ("O diagnóstico diferencial foi paniculite lúpica.", {"possible"}),
        ("Le diagnostic différentiel comportait une panniculite lupique.", {"possible"}),
        ("Die Differentialdiagnose war eine Lupus-Pannikulitis.", {"possible"}),
        ("Possible lupus panniculitis. Lupus panniculitis was excluded.", {"negated"}),
        ("Possible SLE. SLE was ruled out. Now again possible SLE.", {"negated", "possible"}),
        ("Possible SLE. No SLE flare.", {"possible", "negated"}),
        ("SLE since 2010. SLE was excluded as the cause of the rash.", {"affirmed", "negated"}),
        ("Ruled out lupus", {"negated"}),
        ("Descartado LES", {"negated"}),
        ("Excluído lúpus", {"negated"}),
        ("Éliminé : lupus", {"negated"}),
        ("Ausgeschlossen: SLE", {"negated"}),
        ("Lupus ruled out, scleroderma", {"negated", "affirmed"}),
    ],
)
def test_an_exclusion_ends_the_doubt_before_it_and_nothing_else(text: str, statuses: set[str]) -> None:
    found = {m.status for m in ENGINE.read(text).concepts if m.concept.startswith("ctd.")}
    assert found == statuses
