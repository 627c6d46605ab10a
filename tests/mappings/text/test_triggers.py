"""How far one trigger reaches: of each sentence, the words that are denied, doubted, past or another person's."""

from __future__ import annotations

from collections.abc import Iterable

import pytest

from mappings.text.document import build
from mappings.text.reading import Status
from mappings.text.tokens import cut
from mappings.text.vocabulary import vocabulary


def reached(text: str, status: Status, language: str = "en") -> set[str]:
    """The words that triggers of this status speak of."""
    words = cut(text)
    reaches = build(words, vocabulary(language)).contexts.reaches
    spans: Iterable[range] = (range(reach.first, reach.last) for reach in reaches if reach.status == status)
    return {words.words[index] for span in spans for index in span if words.words[index].isalpha()}


@pytest.mark.parametrize(
    ("text", "denied", "left"),
    [
        ("no rash, nodules or ulcers", {"rash", "nodules", "ulcers"}, set()),
        ("no rash but nodules", {"rash"}, {"nodules"}),
        ("no rash, nodules since 2019", {"rash"}, {"nodules"}),  # a time begins a new statement
        ("No digital ulcers, and hard lumps along the forearm", {"ulcers"}, {"lumps"}),
        ("No oedema, both forearms studded with stony lumps", {"oedema"}, {"lumps"}),
        ("Mass of the finger without trauma: firm, tender", {"trauma"}, {"firm", "tender"}),
        ("non-insulin-dependent diabetes", set(), {"diabetes"}),  # denies one word only
        ("Scleroderma with negative Scl-70", set(), {"scleroderma"}),  # of the test behind it
        ("Ruled out lupus", {"lupus"}, set()),  # nothing stands before it
        ("Lupus was ruled out", {"lupus"}, set()),
        ("dermatomyositis and malignancy excluded", {"malignancy"}, {"dermatomyositis"}),
        ("systemic sclerosis and lupus excluded", {"systemic", "sclerosis", "lupus"}, set()),
    ],
)
def test_what_is_denied(text: str, denied: set[str], left: set[str]) -> None:
    found = reached(text, "negated")
    assert denied <= found
    assert left.isdisjoint(found)


@pytest.mark.parametrize(
    ("text", "doubted", "left"),
    [
        ("?lupus", {"lupus"}, set()),
        ("lupus?", {"lupus"}, set()),
        ("SLE, suspected", {"sle"}, set()),
        ("hard nodule on R elbow?", {"hard", "nodule"}, set()),  # the question is for what stands before the place
        ("nodules since early May", set(), {"nodules", "early"}),  # a month, no doubt
        ("VS 0600: BP 84/52", set(), {"bp"}),  # nothing stands before it to be weighed
    ],
)
def test_what_is_doubted(text: str, doubted: set[str], left: set[str]) -> None:
    found = reached(text, "possible")
    assert doubted <= found
    assert left.isdisjoint(found)


@pytest.mark.parametrize(
    ("language", "text", "status", "meant", "left"),
    [
        ("de", "Lupusverdacht", "possible", {"lupus"}, set()),
        ("de", "harte Knoten seit März, Schmerzen verneint", "negated", {"schmerzen"}, {"knoten"}),
        ("es", "Descartado LES", "negated", {"les"}, set()),
        ("pt", "Queixa-se de nódulos", "hypothetical", set(), {"nodulos"}),  # "herself", not "if"
    ],
)
def test_other_languages(language: str, text: str, status: Status, meant: set[str], left: set[str]) -> None:
    found = reached(text, status, language)
    assert meant <= found
    assert left.isdisjoint(found)


def test_a_duration_before_history_tells_when_it_began() -> None:
    assert "nodules" in reached("history of nodules", "historical")
    assert "nodules" not in reached("2-month history of nodules", "historical")


def test_a_relative_who_is_there_is_not_the_one_who_has_it() -> None:
    assert "nodules" in reached("her mother has hard nodules", "family")
    assert "lumps" not in reached("noticed by her mother, hard lumps on both elbows", "family")
