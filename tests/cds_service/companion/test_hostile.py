"""Chart text is data: whatever it says, cards and pages have the bones of a harmless chart's, and the same verdict."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import httpx
import pytest
from markdown_it import MarkdownIt

from cds_service.pages import rendered
from cds_service.pipeline import Brain, load_brain
from hooks.answer import answer
from hooks.cards import CardContext
from hooks.model import to_json
from mappings.raw import RawChart
from tests.cds_service.companion.hospital import hospital, post
from tests.cds_service.companion.structure import bones
from tests.hostile import BATCHES, CORPUS, ORDERS, READ_OTHERWISE, resources

DAY = date(2026, 6, 1)
GRADES = ("none", "incomplete", "possible", "probable", "likely", "confirmed")
_SOME = CORPUS[::5]
_REST = [text for text in CORPUS if text not in _SOME]


@cache
def brain() -> Brain:
    return load_brain(DAY)


def harmless(number: int) -> tuple[str, ...]:
    return tuple(f"entry {chr(97 + at)}" for at in range(number))


def judged(texts: tuple[str, ...]) -> tuple[dict[str, Any], list[list[Any]]]:
    """(grade, criteria and decisions; bones of each card's rendered text)."""
    facts, assessment = brain().understand(RawChart("p", tuple(resources(texts, "p"))))
    found = to_json(assessment)
    verdict = {
        "grade": found["grade"],
        "criteria": {key: one["status"] for key, one in found["criteria"].items()},
        "therapies": {item["id"]: item["decision"] for item in found["therapies"]},
        "workup": {item["id"]: item["decision"] for item in found["workup"]},
        "flags": sorted(flag["id"] for flag in found["redFlags"]),
    }
    context = CardContext("https://cds.example.org", "companion", lambda: "u")
    cards = answer("patient-view", assessment, facts, brain().knowledge, context)
    markdown = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
    return verdict, [bones(markdown.render(str(card.get("detail", "")))) for card in cards]


def test_the_corpus_is_large() -> None:
    assert len(set(CORPUS)) >= 150


@pytest.mark.parametrize("text", [*_SOME, *(pytest.param(t, marks=pytest.mark.long) for t in _REST)])
def test_a_card_says_the_same_with_the_same_bones(text: str) -> None:
    verdict, cards = judged((text,))
    plain_verdict, plain_cards = _plain()
    if text in READ_OTHERWISE:
        assert GRADES.index(verdict["grade"]) <= GRADES.index(plain_verdict["grade"])
        return
    assert verdict == plain_verdict
    assert cards == plain_cards
    assert cards, "or nothing was looked at"


@cache
def _plain() -> tuple[dict[str, Any], list[list[Any]]]:
    return judged(harmless(1))


@pytest.mark.parametrize("text", CORPUS)
def test_a_typed_question_stays_text(text: str) -> None:
    """Nothing of it is answered as an order, nothing becomes markup."""
    reply = brain().answers.ask(text)
    html = rendered("companion/reply.html", asked=text, reply=reply, base="https://cds.example.org")
    plain = rendered("companion/reply.html", asked="x", reply=reply, base="https://cds.example.org")
    assert bones(html) == bones(plain)
    if text in ORDERS:
        assert reply.abstained, "an order is no question"


@pytest.mark.long
@pytest.mark.parametrize("number", range(len(BATCHES)))
def test_the_pages_have_the_bones_of_a_harmless_chart(
    number: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The page, the fragments after an answer, the summary note, a reply and the SDC response."""
    with hospital(tmp_path, monkeypatch) as place:
        client = place.app()
        seen = []
        for patient, texts in (("bad", BATCHES[number]), ("good", harmless(len(BATCHES[number])))):
            for resource in resources(texts, patient):
                url = f"{place.origin}/fhir/{resource['resourceType']}/{resource['id']}"
                assert httpx.put(url, json=resource, timeout=20).status_code in (200, 201)
            path = place.opened(client, patient)
            page = client.get(path)
            assert "unsafe" not in page.headers["content-security-policy"]
            pain = post(client, path, "answers", {"question": "q6", "answers": ["2"]}).json()
            reply = post(client, path, "questions", {"question": f"why was she flagged {texts[0]}"}).json()
            session, key = path.rpartition("/")[2], page.text.partition('data-key="')[2].partition('"')[0]
            parts = [
                part.replace(session, "SESSION").replace(key, "KEY").replace(f"{patient}-", "")
                for part in (page.text, pain["live"], pain["dialogue"], reply["reply"])
            ]
            seen.append([bones(part) for part in parts[:3]])
            assert not {tag for tag, _, _ in bones(parts[3])} - {"article", "h3", "p", "div", "a", "code", "button"}
            plot = client.get(f"{path}/timeline-light.svg").text
            assert {tag for tag, _, _ in bones(plot)} <= _PLOT, "only what the plotting library draws"
        assert seen[0] == seen[1]


_PLOT = {
    "declaration", "comment", "svg", "metadata", "rdf:rdf", "cc:work", "dc:type", "dc:date", "dc:format", "dc:creator",
    "cc:agent", "dc:title", "defs", "style", "g", "path", "use", "clippath", "rect", "text", "tspan",
}  # fmt: skip
