"""Lesions of which a later sentence of the same text says that they are gone, and those of which it does not."""

from __future__ import annotations

import pytest

from mappings.text.engine import TextEngine

ENGINE = TextEngine.load()


@pytest.mark.parametrize(
    "text",
    [
        "Exam (copied forward): hard nodules over both elbows. Today the nodules are no longer palpable.",
        "Hard nodules over both elbows in March. Nodules have resolved.",
        "Hard nodules over both elbows. The nodules have resolved, no recurrence.",
        "Harte Knoten an beiden Ellenbogen im März. Heute sind die Knoten nicht mehr tastbar.",
        "Nódulos duros en ambos codos en marzo. Hoy los nódulos ya no se palpan.",
        "Nodules durs des deux coudes en mars. Ce jour les nodules ne sont plus palpables.",
        "Nódulos duros nos cotovelos em março. Hoje os nódulos não são mais palpáveis.",
    ],
)
def test_what_is_no_longer_there_is_gone(text: str) -> None:
    assert {lesion.status for lesion in ENGINE.read(text).lesions} == {"historical"}


@pytest.mark.parametrize(
    "text",
    [
        "Hard nodules R elbow. The nodules on the left knee have resolved.",
        "Hard nodules R elbow. Two of the nodules have resolved.",
        "Hard nodules R elbow. Some nodules have resolved.",
        "Harte Knoten am Ellenbogen. Einige der Knoten sind nicht mehr tastbar.",
        "Nódulos duros en codos. Algunos de los nódulos han desaparecido.",
        "Hard nodules over both elbows. The ulcer has healed.",
        "Hard nodules over both elbows. The nodules have not resolved.",
        "Hard nodules over both elbows. The nodules are no longer painful.",
        "The nodules had resolved on diltiazem. Today hard nodules over both elbows.",
        "Hard nodules over both elbows. The nodules had resolved in 2019.",
        "Hard nodules over both elbows. The nodules resolved but recurred in May.",
    ],
)
def test_what_is_gone_in_part_elsewhere_or_came_back_is_there(text: str) -> None:
    (there, *_) = [lesion for lesion in ENGINE.read(text).lesions if lesion.hardness == "definite"]
    assert there.status == "affirmed"


def test_only_the_place_that_is_named_is_free_again() -> None:
    (there, *_) = ENGINE.read("Hard nodules R elbow and L knee. The nodules at the knee have resolved.").lesions
    assert (there.status, [site.place for site in there.sites]) == ("affirmed", ["elbow"])


@pytest.mark.parametrize(
    "text", ["Exérèse d'une calcinose du pouce en 2014.", "Excisão de calcinose do polegar em 2014."]
)
def test_what_was_taken_out_is_gone_also_where_the_word_has_accents(text: str) -> None:
    assert {mention.status for mention in ENGINE.read(text).concepts} == {"historical"}


@pytest.mark.parametrize(
    ("text", "statuses"),
    [
        ("Calcinosis cutis, resolved", {"historical"}),
        ("Calcinosis cutis resuelta", {"historical"}),
        ("Calcinosis cutis, partially resolved", {"affirmed"}),
        ("H/O calcinosis cutis", {"affirmed"}),
        ("SLE, resolved", {"affirmed"}),
    ],
)
def test_calcinosis_that_a_title_calls_resolved_is_past(text: str, statuses: set[str]) -> None:
    assert {mention.status for mention in ENGINE.read(text, kind="condition").concepts} == statuses


@pytest.mark.parametrize("text", ["Weichteilverkalkung Unterarm", "Hautverkalkungen an den Fingern"])
def test_a_calcification_in_one_german_word_is_a_lesion(text: str) -> None:
    assert [lesion.kind for lesion in ENGINE.read(text, kind="condition").lesions] == ["calcification"]
