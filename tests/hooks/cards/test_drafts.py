"""The orders and recordings that a suggestion drafts."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from msgspec.structs import replace

from hooks.cards import write_cards
from hooks.knowledge import load_knowledge
from mappings.codelists import Coding, load_terminology
from mappings.facts import Medication
from mappings.text.engine import TextEngine
from tests.hooks.cards.examples import (
    CALCIUM,
    EXAMPLES,
    KIDNEY,
    LUPUS,
    PATIENT,
    PHOSPHATE,
    USUAL,
    XRAY,
    Example,
    cards,
    context,
    drafts,
    understand,
)


@pytest.mark.parametrize("name", EXAMPLES)
def test_drafts_are_valid_r4(name: str) -> None:
    for resource in drafts(cards(EXAMPLES[name], encounter_id="visit-1")):
        get_fhir_model_class(resource["resourceType"]).model_validate(resource)
        assert resource["encounter"] == {"reference": "Encounter/visit-1"}


def test_an_order_carries_site_and_reasons_of_the_lesion() -> None:
    table = PATIENT + LUPUS + "Exam | stony-hard nodules | -10d | site=Left forearm | sitecode=SCT:66480008\n" + CALCIUM
    assessment, _ = understand(Example(table))
    radiograph = next(r for r in drafts(cards(Example(table))) if r["code"]["text"] == "plain radiograph")
    assert [r["reference"] for r in radiograph["reasonReference"]] == ["Condition/condition-1", "Observation/exam-1"]
    for site, body in zip(assessment.criteria.lesion.body_sites, radiograph["bodySite"], strict=True):
        assert body.get("coding", [{}])[0].get("code") == site.code
        assert "forearm" in body["text"]


def test_a_site_in_words_gets_no_code() -> None:
    radiograph = next(
        r for r in drafts(cards(EXAMPLES["detection-probable"])) if r["code"]["text"] == "plain radiograph"
    )
    assert radiograph["bodySite"] == [{"text": "both elbows"}]


def test_blood_tests_carry_no_site() -> None:
    found = [r for r in drafts(cards(EXAMPLES["incomplete"])) if r["resourceType"] == "ServiceRequest"]
    for resource in found:
        lesional = resource["code"]["text"] in ("plain radiograph", "skin biopsy", "wound culture")
        assert ("bodySite" in resource) <= lesional


def test_an_order_without_a_code_is_text_only() -> None:
    card = cards(EXAMPLES["incomplete"])[0]
    assert "No order code is mapped here for: complement C3/C4 and anti-dsDNA" in card["detail"]
    assert not [r for r in drafts([card]) if "complement" in r.get("code", {}).get("text", "")]


def test_a_tenants_codings_replace_ours() -> None:
    own = Coding("urn:example:orders", "CA-1", "Calcium, our laboratory")
    found = drafts(cards(EXAMPLES["incomplete"], orderables={"calcium": (own,)}))
    calcium = next(r for r in found if r["code"]["text"] == "serum calcium")
    assert calcium["code"]["coding"] == [
        {"system": "urn:example:orders", "code": "CA-1", "display": "Calcium, our laboratory"}
    ]


def test_units_choose_the_laboratory_code() -> None:
    codes = {
        units: {
            c["code"]
            for r in drafts(cards(EXAMPLES["incomplete"], units=units))
            for c in r["code"].get("coding", ())
            if r["code"]["text"] == "serum calcium"
        }
        for units in ("conventional", "si")
    }
    assert "17861-6" in codes["conventional"]
    assert "2000-8" in codes["si"]


def test_what_is_drafted_already_is_not_suggested_again() -> None:
    example = EXAMPLES["detection-probable"]
    offered = {r["code"]["text"] for r in drafts(cards(example)) if "code" in r}
    assert "plain radiograph" in offered
    coding = load_terminology().codings("radiograph")[0]
    draft = {
        "resourceType": "ServiceRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/patient-1"},
        "code": {"coding": [{"system": coding.system, "code": coding.code}]},
    }
    again = {r["code"]["text"] for r in drafts(cards(replace(example, drafts=(draft,)))) if "code" in r}
    assert "plain radiograph" not in again


def drug_drafts(example: Example) -> list[dict[str, Any]]:
    return [r for r in drafts(cards(example)) if r["resourceType"] == "MedicationRequest"]


READY = (
    PHOSPHATE
    + KIDNEY
    + "Medication | hydroxychloroquine | 400 mg/d | -3y\nVital | Heart rate | 72 /min | -3d\n"
    + "Vital | Blood pressure | 128/76 mm[Hg] | -3d\nLaboratory | ECG | normal | -20d\n"
    + "Laboratory | ALT | 20 U/L [0–40] | -10d\nLaboratory | Creatine kinase | 80 U/L [30–170] | -10d\n"
    + "Laboratory | White cells | 6.1 10*9/L [4–10] | -10d\n"
)
EXTENSIVE = (
    "Exam | stony-hard nodules on both elbows, thighs, hands and the back, first noticed 3 months ago | -10d\n"
    + "Imaging | X-ray of both thighs | Extensive subcutaneous calcification of both thighs. | -5d\n"
)


def test_a_drug_draft_only_where_the_assessment_allows_it() -> None:
    example = Example(PATIENT + LUPUS + EXTENSIVE + CALCIUM + READY)
    assessment, _ = understand(example)
    orderable = {item.id for item in assessment.therapies if item.orderable}
    names = {load_knowledge().therapies.get(item).name for item in orderable}
    found = drug_drafts(example)
    assert {r["medicationCodeableConcept"]["text"] for r in found} <= names
    for resource in found:
        assert "Off-label" in resource["note"][0]["text"]
        assert resource["dosageInstruction"][0]["text"]


def test_forced_orderable_agents_get_drafts_and_never_more_than_three() -> None:
    assessment, facts = understand(Example(USUAL + XRAY))
    forced = tuple(
        replace(item, decision="offer", orderable=True, fits=True, described=True) for item in assessment.therapies
    )
    found = write_cards(replace(assessment, therapies=forced), facts, load_knowledge(), context())
    kinds = [r["resourceType"] for r in drafts(found)]
    assert kinds.count("MedicationRequest") <= 3
    only = tuple(item for item in forced if item.id in ("diltiazem", "colchicine"))
    both = write_cards(replace(assessment, therapies=only), facts, load_knowledge(), context())
    drugs = [r for r in drafts(both) if r["resourceType"] == "MedicationRequest"]
    assert [r["medicationCodeableConcept"]["coding"][0]["code"] for r in drugs] == ["2683", "3443"]
    labels = [s["label"] for s in both[1]["suggestions"]]
    assert all("may be considered" in label for label in labels)
    assert all("isRecommended" not in s for s in both[1]["suggestions"])
    blocked = tuple(replace(item, orderable=False) for item in only)
    none = write_cards(replace(assessment, therapies=blocked), facts, load_knowledge(), context())
    assert not [r for r in drafts(none) if r["resourceType"] == "MedicationRequest"]


def test_a_drafted_agent_is_not_suggested_again() -> None:
    assessment, facts = understand(Example(USUAL + XRAY))
    item = next(i for i in assessment.therapies if i.id == "colchicine")
    open_ = replace(item, decision="offer", orderable=True, fits=True, described=True)
    alone = replace(assessment, therapies=(open_,))
    found = write_cards(alone, facts, load_knowledge(), context())
    assert "MedicationRequest" in {r["resourceType"] for r in drafts(found)}
    drafted = Medication("MedicationRequest/d", "colchicine", drugs=frozenset({"colchicine"}), draft=True)
    again = write_cards(alone, replace(facts, medications=(drafted,)), load_knowledge(), context())
    assert "MedicationRequest" not in {r["resourceType"] for r in drafts(again)}


def test_a_vitamin_k_antagonist_beside_the_lesion_is_said_with_its_source() -> None:
    card = cards(Example(USUAL + "Medication | phenprocoumon | 3 mg/d | -300d\n"))[0]
    line = next(row for row in card["detail"].split("\n") if "vitamin K antagonist with a calcified" in row)
    assert "/evidence/vka_calci" in line


@pytest.mark.parametrize("name", [n for n in EXAMPLES if n.startswith(("incomplete", "alternative", "urgent"))])
def test_no_drug_draft_below_likely(name: str) -> None:
    assert drug_drafts(EXAMPLES[name]) == []


def test_urgent_orders_are_urgent() -> None:
    assert {r["priority"] for r in drafts(cards(EXAMPLES["urgent-calciphylaxis"]))} == {"urgent"}
    found = drafts(cards(EXAMPLES["detection-probable"]))
    assert {r["priority"] for r in found if "priority" in r} == {"routine"}


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_an_accepted_draft_leaves_in_the_chart_says_nothing_clinical(name: str) -> None:
    """Notes of our own drafts are read by the next call: they must not look like a finding."""
    engine = TextEngine.load()
    for resource in drafts(cards(EXAMPLES[name])):
        for note in resource["note"]:
            reading = engine.read(note["text"], kind="note")
            assert (reading.lesions, reading.concepts, reading.labs) == ((), (), ())
