"""What every card keeps to: protocol, wording, sources, confidentiality."""

from __future__ import annotations

from string import Formatter

import pytest

from hooks.knowledge import load_knowledge
from hooks.knowledge.card_schema import load_cards, load_orderables, load_override_reasons
from mappings.codelists import load_terminology
from mappings.facts import NEEDS
from tests.conformance import check_response
from tests.hooks.cards.examples import (
    CALCIUM,
    EXAMPLES,
    LUPUS,
    NODULES,
    PATIENT,
    Example,
    cards,
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_conforms(name: str) -> None:
    assert check_response({"cards": cards(EXAMPLES[name])}, patient="Patient/patient-1") == []


@pytest.mark.parametrize("name", EXAMPLES)
def test_says_no_banned_word(name: str) -> None:
    banned = load_cards().banned_words
    for card in cards(EXAMPLES[name]):
        said = [card["summary"], *(s["label"] for s in card.get("suggestions", ()))]
        said += [s["actions"][0]["description"] for s in card.get("suggestions", ())]
        assert not [text for text in said if banned.search(text)]


def test_the_same_chart_gives_the_same_cards() -> None:
    example = EXAMPLES["detection-likely-with-options"]
    assert cards(example) == cards(example)


@pytest.mark.parametrize("kind", ["Patient", "RelatedPerson"])
def test_a_patient_gets_no_card(kind: str) -> None:
    for example in EXAMPLES.values():
        assert cards(example, user_kind=kind) == []


def test_the_basis_names_value_unit_range_date_and_resource() -> None:
    detail = cards(EXAMPLES["detection-probable"])[0]["detail"]
    assert "2.31 mmol/L, laboratory range 2.15–2.57, 22 May 2026: normal (`Observation/laboratory-1`)" in detail
    assert "(`Condition/condition-1`)" in detail
    assert "“stony-hard nodules over both elbows, first noticed 3 months ago”" in detail


def test_words_alone_are_said_to_be_words() -> None:
    table = PATIENT + LUPUS + NODULES + "Laboratory | Calcium | normal | -10d\n"
    card = cards(Example(table))[0]
    assert "calcium reported normal 22 May 2026" in card["summary"]
    assert "without a number" in card["detail"]


def test_a_fallback_range_is_said_to_be_one() -> None:
    table = PATIENT + LUPUS + NODULES + "Laboratory | Calcium | 2.31 mmol/L | -10d\n"
    assert "no laboratory range, fallback range" in cards(Example(table))[0]["detail"]


def test_suspected_disease_is_said_to_be_suspected() -> None:
    table = PATIENT + "Condition | SLE | provisional | onset -1y\n" + NODULES + CALCIUM
    card = cards(Example(table))[0]
    assert "suspected SLE" in card["summary"]
    assert "only suspected" in card["detail"]


def test_what_could_not_be_read_is_named() -> None:
    detail = cards(EXAMPLES["incomplete-unread"])[0]["detail"]
    assert "Could not read: medications (403), allergies (timeout)." in detail


def test_left_out_agents_carry_rule_and_source() -> None:
    likely = cards(EXAMPLES["detection-likely-with-options"])
    line = next(row for card in likely for row in card["detail"].split("\n") if row.startswith("- minocycline"))
    assert "Not offered" in line
    assert "M1" in line
    assert "https://cds.example.org/evidence/" in line


def test_two_cards_at_most_and_options_on_their_own() -> None:
    likely = cards(EXAMPLES["detection-likely-with-options"])
    assert [card["source"]["topic"]["code"] for card in likely] == ["calcinosisDetection", "calcinosisOptions"]
    assert likely[0]["indicator"] == "warning"
    for example in EXAMPLES.values():
        assert len(cards(example)) <= 2


def test_every_link_of_a_detail_leads_to_a_known_source() -> None:
    known = load_knowledge().evidence
    for example in EXAMPLES.values():
        for card in cards(example):
            for part in card["detail"].split("](https://cds.example.org/evidence/")[1:]:
                assert part.split(")")[0] in known


def test_suppressed_topics_stay_away() -> None:
    likely = EXAMPLES["detection-likely-with-options"]
    left = cards(likely, suppress=frozenset({"calcinosisDetection"}))
    assert [card["source"]["topic"]["code"] for card in left] == ["calcinosisOptions"]
    assert cards(likely, suppress=frozenset({"calcinosisDetection", "calcinosisOptions"})) == []


def test_companion_is_a_smart_link_with_its_context() -> None:
    links = cards(EXAMPLES["incomplete"], companion_url="https://cds.example.org/companion/launch")[0]["links"]
    smart = [link for link in links if link["type"] == "smart"]
    assert smart[0]["appContext"] == "service=calcinosis-patient-view&topic=calcinosisIncomplete"
    assert all("appContext" not in link for link in links if link["type"] == "absolute")


# Confidential entries -------------------------------------------------------------------------------------------------


def test_a_restricted_lesion_counts_but_is_not_quoted() -> None:
    open_table = PATIENT + LUPUS + "Exam | stony-hard nodules on the scrotum | -10d\n" + CALCIUM
    hidden_table = PATIENT + LUPUS + "Exam | stony-hard nodules on the scrotum | -10d | security=R\n" + CALCIUM
    assert "scrotum" in str(cards(Example(open_table)))
    found = cards(Example(hidden_table))
    assert found
    said = str([(card["summary"], card["detail"]) for card in found])
    assert "stony-hard" not in said
    assert "nodule" not in said.replace("nodules on record", "")
    assert "restricted access" in found[0]["detail"]


def test_a_restricted_disease_is_not_named() -> None:
    table = PATIENT + "Condition | SLE | onset -17y | security=R\n" + NODULES + CALCIUM
    found = cards(Example(table))
    assert found
    assert "SLE" not in found[0]["summary"]
    assert "connective tissue disease" in found[0]["summary"]
    said = str([(card["summary"], card["detail"].partition("**Sources**")[0]) for card in found]).casefold()
    assert "lupus" not in said  # "systemic lupus erythematosus: calcinosis in 2 of 78 in one series"


# Data -----------------------------------------------------------------------------------------------------------------

CONTRACT = {
    "diagnoses": "sle cutaneous-lupus lupus-panniculitis dermatomyositis juvenile-dermatomyositis polymyositis "
    "systemic-sclerosis mctd overlap uctd sjogren rheumatoid-arthritis morphea",
    "flags": "infection calciphylaxis malignancy critical-calcium digital-ischaemia nerve-compression rapid-onset "
    "breast-lesion",
    "mimics": "rheumatoid-nodule gouty-tophus panniculitis cutaneous-lymphoma atypical-infection metastasis xanthoma "
    "pilomatricoma osteoma-cutis erythema-nodosum sarcoidosis cyst-or-lipoma idiopathic-scrotal vascular-calcification "
    "multicentric-reticulohistiocytosis",
    "grades": "none incomplete possible probable likely confirmed alternative urgent",
    "subtypes": "dystrophic metastatic calciphylaxis iatrogenic idiopathic undetermined",
    "needs": " ".join(NEEDS),
}


@pytest.mark.parametrize("name", CONTRACT)
def test_every_id_of_the_contract_has_words(name: str) -> None:
    assert set(getattr(load_cards(), name)) == set(CONTRACT[name].split())


def test_every_order_of_the_contract_has_a_name() -> None:
    workup = {entry.id for entry in load_knowledge().workup.entries}
    assert workup <= set(load_orderables().workup)


def test_drug_codings_are_in_the_reviewed_lists() -> None:
    drugs = load_terminology().drugs
    therapies = {therapy.id: therapy for therapy in load_knowledge().therapies.therapies}
    for therapy, codings in load_orderables().drug_codings.items():
        for coding in codings:
            found = drugs.by_code(coding.system, coding.code)
            assert found is not None
            assert set(found.drugs) <= set(therapies[therapy].drugs), coding


def test_templates_say_no_banned_word() -> None:
    texts = load_cards()
    templates = [*texts.phrases.values(), *texts.headings.values(), *texts.reasons.values(), *texts.calcium.values()]
    for kind in texts.kinds.values():
        templates += [*kind.summary, kind.lead, kind.topic_display]
    templates += [question.ask for question in texts.conversation.questions]
    templates += [answer.label for question in texts.conversation.questions for answer in question.answers]
    templates += [entry.name for entry in load_orderables().workup.values()]
    templates += [reason.display for reason in load_override_reasons().reasons]
    assert not [text for text in templates if texts.banned_words.search(text)]


PLACEHOLDERS = {
    "grade", "ctd", "ctd_first", "ctd_few", "lesion", "at", "at_few", "calcium", "reason", "subtype", "flags",
    "missing", "documented", "first", "agents", "order", "verdict", "more",
}  # fmt: skip


def test_templates_ask_only_for_what_is_filled_in() -> None:
    for kind in load_cards().kinds.values():
        for template in (*kind.summary, kind.lead):
            assert {name for _, name, _, _ in Formatter().parse(template) if name is not None} <= PLACEHOLDERS


@pytest.mark.parametrize("word", ["Start diltiazem", "the diagnosis is clear", "patient HAS DYSTROPHIC calcinosis"])
def test_the_lint_catches(word: str) -> None:
    assert load_cards().banned_words.search(word)


def test_the_lint_lets_pass() -> None:
    for text in ("starting point", "not a diagnosis", "given as reported", "may be considered"):
        assert not load_cards().banned_words.search(text)


def test_reasons_and_their_effects() -> None:
    reasons = load_override_reasons()
    table = {reason.code: (reason.effect, reason.days) for reason in reasons.reasons}
    assert table == {
        "action-completed": ("done", 365),
        "patient-ineligible": ("not-this-patient", None),
        "wrong-time-workflow": ("later", 7),
        "expert-contradicts": ("disagrees", 180),
    }
    assert reasons.effect(reasons.system, "wrong-time-workflow") is reasons.reasons[2]
    assert reasons.effect("http://else.where", "wrong-time-workflow") is None
    assert reasons.effect(reasons.system, "unknown") is None


def test_phrases_that_claim_something_cite_it() -> None:
    known = load_knowledge().evidence
    for keys in load_cards().cited.values():
        assert keys
        assert all(key in known for key in keys)
    for note in load_cards().order_checks.notes.values():
        assert all(key in known for key in note.sources)
