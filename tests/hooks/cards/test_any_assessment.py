"""For any assessment, in any dialect: the answer conforms, drafts are valid, hostile text stays text."""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from markdown_it import MarkdownIt
from markdown_it.token import Token

from hooks.cards import write_cards
from hooks.dialects import adapt, load_dialects, validate
from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.codelists import Coding
from mappings.facts import PatientFacts
from tests.conformance import GFM, check_response
from tests.hooks.cards.examples import context
from tests.hooks.cards.strategies import assessments, facts

DIALECTS = tuple(load_dialects().dialects)
EPIC_ORDER = Coding("urn:com.epic.cdshooks.action.code.system.preference-list-item", "4711", "Calcium")
often = settings(
    max_examples=12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],  # shrinking a whole assessment takes minutes
)
COMMON = MarkdownIt("commonmark")


long = settings(often, max_examples=600)


def written(assessment: Assessment, chart: PatientFacts, **more: Any) -> list[dict[str, Any]]:
    return write_cards(assessment, chart, load_knowledge(), context(**more))


@often
@given(assessments, facts)
def test_conforms(assessment: Assessment, chart: PatientFacts) -> None:
    found = written(assessment, chart, companion_url="https://cds.example.org/companion/launch")
    problems = check_response({"cards": found}, patient=assessment.patient)
    assert [p for p in problems if "never said" not in p] == []  # the generated sentences may hold any word
    assert (found == []) == (assessment.card == "none")


@often
@given(assessments, facts, st.sampled_from(DIALECTS), st.booleans())
def test_every_dialect_passes_its_validator(
    assessment: Assessment, chart: PatientFacts, dialect: str, mapped: bool
) -> None:
    found = written(
        assessment,
        chart,
        companion_url="https://cds.example.org/companion/launch",
        orderables={"calcium": (EPIC_ORDER,)} if mapped else {},
    )
    before = copy.deepcopy(found)
    adapted = adapt(found, dialect)
    assert found == before
    assert len(adapted) == len(found)
    for card in adapted:
        assert validate(card, dialect) == []
    assert [p for p in check_response({"cards": adapted}) if "never said" not in p] == []


@often
@given(assessments, facts)
def test_a_restricted_lesion_is_never_quoted(assessment: Assessment, chart: PatientFacts) -> None:
    secret = "zqx secret zqx"
    hidden = PatientFacts(
        chart.reference,
        lesions=tuple(_with_label(lesion, secret) for lesion in chart.lesions),
        findings=tuple(_with_label(finding, secret) for finding in chart.findings),
    )
    assert secret not in str(written(assessment, hidden))


def _with_label(entry: Any, label: str) -> Any:
    from msgspec.structs import replace

    return replace(entry, label=label, confidential=True)


@often
@given(assessments, facts)
def test_no_drug_is_drafted_that_is_not_orderable(assessment: Assessment, chart: PatientFacts) -> None:
    allowed = {
        load_knowledge().therapies.get(t.id).name
        for t in assessment.therapies
        if t.orderable and t.fits and t.decision in ("offer", "warn", "need")
    }
    drafted = [
        s["actions"][0]["resource"]["medicationCodeableConcept"]["text"]
        for card in written(assessment, chart)
        for s in card.get("suggestions", ())
        if s["actions"][0]["resource"]["resourceType"] == "MedicationRequest"
    ]
    assert set(drafted) <= allowed
    assert len(drafted) <= 3
    if assessment.grade not in ("likely", "confirmed") or assessment.card not in ("detection", "management"):
        assert not drafted


@often
@given(assessments, facts)
def test_drafted_or_not_offered_orders_are_not_suggested(assessment: Assessment, chart: PatientFacts) -> None:
    drafted = {item for action in chart.actions if action.kind == "draft" for item in action.workup}
    names = load_knowledge().orderables
    offered = {names.name(w.id) for w in assessment.workup if w.decision == "offer" and w.id not in drafted}
    suggested = {
        s["actions"][0]["resource"]["code"]["text"]
        for card in written(assessment, chart)
        for s in card.get("suggestions", ())
        if s["actions"][0]["resource"]["resourceType"] == "ServiceRequest"
    }
    assert suggested <= offered


@often
@given(assessments, facts, st.sampled_from(DIALECTS))
def test_the_last_paragraph_stays(assessment: Assessment, chart: PatientFacts, dialect: str) -> None:
    for card in adapt(written(assessment, chart), dialect):
        assert card["detail"].split("\n\n")[-1].startswith("_Rule-based")
        assert "<script" not in COMMON.render(card["detail"])


ALLOWED = {"text", "strong_open", "strong_close", "em_open", "em_close", "code_inline", "link_open", "link_close",
           "softbreak", "inline", "paragraph_open", "paragraph_close", "bullet_list_open", "bullet_list_close",
           "list_item_open", "list_item_close"}  # fmt: skip
AUTOLINK = re.compile(r"(?i)\bwww\.|\w://|\w@\w")


def _tokens(markdown: str) -> Iterator[Token]:
    for block in GFM.parse(markdown):
        yield block
        yield from block.children or ()


@often
@given(assessments, facts, st.sampled_from(DIALECTS))
def test_hostile_chart_text_stays_text(assessment: Assessment, chart: PatientFacts, dialect: str) -> None:
    """Our own marks and links to our own evidence pages, nothing else; nothing that a client would link by itself."""
    for card in adapt(written(assessment, chart), dialect):
        for token in _tokens(card["detail"]):
            assert token.type in ALLOWED, (token.type, token.content)
            if token.type == "link_open":
                assert str(token.attrs["href"]).startswith(f"{context().base_url}/evidence/")
            if token.type == "text":
                assert not AUTOLINK.search(token.content), token.content
        plain_texts = [card["summary"], *(s["label"] for s in card.get("suggestions", ()))]
        assert not [text for text in plain_texts if "\n" in text or re.search(r"[\x00-\x1f\u202a-\u202e\u200b]", text)]


@often
@given(assessments, facts, st.sampled_from(DIALECTS))
def test_the_point_comes_first(assessment: Assessment, chart: PatientFacts, dialect: str) -> None:
    """A narrow panel shows the title and some three hundred characters: they say what it is about."""
    for card in adapt(written(assessment, chart), dialect):
        assert 0 < len(card["summary"]) <= 139
        lead = card["detail"].split("\n\n")[0]
        assert len(lead) <= 300, len(lead)
        assert "**" in lead, "the verdict is set in bold"
        if card["source"]["topic"]["code"] in ("calcinosisUrgent", "calcinosisAlternative"):
            assert "No drug for calcinosis" in lead or "withdrawn" in lead


@pytest.mark.long
@long
@given(assessments, facts, st.sampled_from(DIALECTS))
def test_a_deep_search(assessment: Assessment, chart: PatientFacts, dialect: str) -> None:
    found = adapt(written(assessment, chart, companion_url="https://cds.example.org/companion/launch"), dialect)
    assert [problem for card in found for problem in validate(card, dialect)] == []
    problems = check_response({"cards": found}, patient=assessment.patient)
    assert [p for p in problems if "never said" not in p] == []
