"""What each kind of client gets: taken away is only what it can't use, and its validator sees what is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest

from hooks.dialects import adapt, load_dialects, validate
from hooks.dialects.adapt import fit
from mappings.codelists import Coding
from tests.conformance import check_response
from tests.hooks.cards.examples import EXAMPLES, cards

DIALECTS = tuple(load_dialects().dialects)
COMPANION = "https://cds.example.org/companion/launch"
PREFERENCE = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
RICH = EXAMPLES["detection-possible-asks-for-hardness"]


def neutral(**more: Any) -> list[dict[str, Any]]:
    return cards(RICH, companion_url=COMPANION, **more)


def drafts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [s["actions"][0]["resource"] for card in found for s in card.get("suggestions", ())]


@pytest.mark.parametrize("dialect", DIALECTS)
@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_in_every_dialect(name: str, dialect: str) -> None:
    found = adapt(cards(EXAMPLES[name], companion_url=COMPANION), dialect)
    assert [problem for card in found for problem in validate(card, dialect)] == []
    assert check_response({"cards": found}) == []


def test_the_generic_dialects_change_nothing() -> None:
    for dialect in ("generic-2.0", "generic-3.0"):
        assert adapt(neutral(), dialect) == neutral()


def test_an_unknown_dialect_is_an_error() -> None:
    with pytest.raises(KeyError):
        adapt([], "esperanto")


def test_epic_gets_orders_it_can_build_and_no_others() -> None:
    own = Coding(PREFERENCE, "4711", "Plain radiograph")
    found = drafts(adapt(neutral(orderables={"radiograph": (own,)}), "epic"))
    assert [r["code"]["text"] for r in found] == ["plain radiograph"]
    unmapped = adapt(neutral(), "epic")
    assert drafts(unmapped) == []
    assert "selectionBehavior" not in unmapped[0]
    assert "plain radiograph" in unmapped[0]["detail"]


def test_epic_creates_no_observations() -> None:
    assert {r["resourceType"] for r in drafts(neutral())} == {"Observation", "ServiceRequest"}
    own = Coding(PREFERENCE, "4711", "x")
    codings = dict.fromkeys(("radiograph", "phosphate"), (own,))
    assert {r["resourceType"] for r in drafts(adapt(neutral(orderables=codings), "epic"))} == {"ServiceRequest"}


def test_oracle_gets_short_text_and_no_app_context() -> None:
    long = cards(EXAMPLES["detection-probable"], companion_url=COMPANION)
    assert max(len(card["detail"]) for card in long) > 4000
    short = adapt(long, "oracle")
    assert "**Why**" in short[0]["detail"]
    for card in short:
        assert len(card["detail"]) <= 4000
        assert not card["detail"].split("\n\n")[-2].endswith("**")
        assert [link["type"] for link in card["links"]].count("smart") == 1
        assert not any("appContext" in link for link in card["links"])


def test_athena_gets_no_smart_links() -> None:
    assert {link["type"] for link in adapt(neutral(), "athena")[0]["links"]} == {"absolute"}


@pytest.mark.parametrize("limit", [120, 300, 800, 2000])
def test_fitting_keeps_whole_lines_and_the_last_paragraph(limit: int) -> None:
    detail = neutral()[0]["detail"]
    short = fit(detail, limit)
    assert len(short) <= limit
    last = detail.split("\n\n")[-1]
    assert short.endswith(last[:limit])
    whole = set(detail.split("\n"))
    assert all(line in whole for line in short.split("\n")) or limit < len(last)


def test_red_flags_are_never_cut_for_space() -> None:
    urgent = cards(EXAMPLES["urgent-calciphylaxis"])
    for dialect in ("oracle", "athena"):
        detail = adapt(urgent, dialect)[0]["detail"]
        assert "**Red flags**" in detail
        assert "same-day nephrology" in detail


BROKEN: dict[str, tuple[str, Any]] = {
    "summary of 140 characters": ("card.summary", lambda c: c.update(summary="x" * 140)),
    "markdown in the summary": ("card.summary", lambda c: c.update(summary="**bold**")),
    "critical": ("card.indicator", lambda c: c.update(indicator="critical")),
    "no uuid": ("card.uuid", lambda c: c.pop("uuid")),
    "uuid with prefix": ("card.uuid", lambda c: c.update(uuid="urn:uuid:" + c["uuid"])),
    "no source": ("card.source.label", lambda c: c.pop("source")),
    "relative source": ("card.source.url", lambda c: c["source"].update(url="/evidence")),
    "topic with a hyphen": ("card.source.topic", lambda c: c["source"]["topic"].update(code="a-b")),
    "reason without display": ("card.overrideReasons", lambda c: c["overrideReasons"][0].pop("display")),
    "reason twice": ("card.overrideReasons", lambda c: c["overrideReasons"].append(c["overrideReasons"][0])),
    "system actions": ("card.systemActions", lambda c: c.update(systemActions=[{"type": "create"}])),
    "no selection behaviour": ("card.selectionBehavior", lambda c: c.pop("selectionBehavior")),
    "at most one": ("card.selectionBehavior", lambda c: c.update(selectionBehavior="at-most-one")),
    "pre-selected": ("card.suggestions", lambda c: c["suggestions"][0].update(isRecommended=True)),
    "no description": ("card.suggestions", lambda c: c["suggestions"][0]["actions"][0].pop("description")),
    "delete": ("card.suggestions", lambda c: c["suggestions"][0]["actions"][0].update(type="delete")),
    "resource as text": ("card.suggestions", lambda c: c["suggestions"][0]["actions"][0].update(resource="{}")),
    "html": ("card.detail", lambda c: c.update(detail="a <b>bold</b> word")),
    "null": ("card.detail", lambda c: c.update(detail=None)),
    "empty list": ("card.links", lambda c: c.update(links=[])),
    "link without type": ("card.links", lambda c: c["links"][0].pop("type")),
    "app context on an absolute link": ("card.links", lambda c: c["links"][0].update(appContext="x")),
}


@pytest.mark.parametrize("what", BROKEN)
def test_the_validator_sees(what: str) -> None:
    element, spoil = BROKEN[what]
    card = copy.deepcopy(neutral()[0])
    spoil(card)
    assert any(problem.startswith(element) for problem in validate(card, "generic-2.0"))


def test_the_validator_sees_what_a_client_can_not_use() -> None:
    card = neutral()[0]
    assert any("can't be created" in problem for problem in validate(card, "epic"))
    assert any("no coding" in problem for problem in validate(card, "epic"))
    assert any("appContext" in problem for problem in validate(card, "oracle"))
    assert any("type" in problem for problem in validate(card, "athena"))
    two = copy.deepcopy(adapt(neutral(orderables={"radiograph": (Coding(PREFERENCE, "1", "x"),)}), "epic")[0])
    two["suggestions"][0]["actions"] *= 2
    assert any("exactly one" in problem for problem in validate(two, "epic"))
    table = card | {"detail": "| a | b |\n|---|---|\n| 1 | 2 |"}
    assert any("table" in problem for problem in validate(table, "oracle"))
    assert any("longer" in problem for problem in validate(card | {"detail": "x" * 4001}, "oracle"))
