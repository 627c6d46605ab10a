"""The published cases through the whole service: grade, card, newness, extent, what must and must not be offered."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.sandbox.cases import Stage, published_cases
from tests.ehr import AS_OF, Ehr, drafts, without_uuids

EXPECTED: dict[str, dict[str, dict[str, Any]]] = yaml.safe_load(
    Path(__file__).with_name("expected.yaml").read_text(encoding="utf-8")
)
STAGES = published_cases()
by_stage = pytest.mark.parametrize("stage", STAGES, ids=lambda stage: stage.id)


def expected(stage: Stage) -> dict[str, Any]:
    return EXPECTED[stage.case]["case"] | EXPECTED[stage.case][stage.stage]


def test_every_stage_has_an_expectation() -> None:
    assert {(s.case, s.stage) for s in STAGES} == {
        (case, stage) for case, stages in EXPECTED.items() for stage in stages if stage != "case"
    }


@by_stage
def test_grade_card_newness_extent(ehr: Ehr, stage: Stage) -> None:
    wanted, found = expected(stage), ehr.assess(stage.id)
    lesion = found["criteria"]["lesion"]
    assert (found["grade"], found["card"], lesion.get("newness"), lesion.get("extent")) == (
        wanted["grade"],
        wanted["card"],
        wanted["newness"],
        wanted["extent"],
    ), found["because"]


@by_stage
def test_hook_answers_with_that_card(ehr: Ehr, stage: Stage) -> None:
    answer = ehr.fire(stage.id)
    assert len(answer["cards"]) >= 1
    text = " ".join(card["summary"] + card.get("detail", "") for card in answer["cards"])
    for word in expected(stage).get("shows", {}).get("words", []):
        assert word in text.lower()


@by_stage
def test_never_orderable_is_not_orderable_and_no_draft_names_it(ehr: Ehr, stage: Stage) -> None:
    forbidden = set(expected(stage).get("never_orderable", []))
    assessment = ehr.assess(stage.id)
    assert not {t["id"] for t in assessment["therapies"] if t["orderable"]} & forbidden
    ordered = " ".join(
        str(resource) for resource in drafts(ehr.fire(stage.id)) if "medication" in str(resource).lower()
    )
    for agent in forbidden:
        assert agent not in ordered.lower()


@by_stage
def test_workup_not_to_repeat_is_not_offered(ehr: Ehr, stage: Stage) -> None:
    never = set(EXPECTED[stage.case]["case"].get("never_offered", [])) | set(
        EXPECTED[stage.case][stage.stage].get("never_offered", [])
    )
    offered = {w["id"] for w in ehr.assess(stage.id)["workup"] if w["decision"] == "offer"}
    assert not offered & never


@by_stage
def test_shows_what_must_be_shown(ehr: Ehr, stage: Stage) -> None:
    wanted, found = expected(stage), ehr.assess(stage.id)
    shows = wanted.get("shows", {})
    offered = {w["id"] for w in found["workup"] if w["decision"] == "offer"}
    therapies = {t["id"]: t for t in found["therapies"]}
    flags = {flag["id"]: flag["text"] for flag in found["redFlags"]}
    assert set(shows.get("workup", [])) <= offered
    assert set(shows.get("missing", [])) <= set(found["missing"])
    assert set(wanted.get("flags", [])) <= set(flags)
    for word in wanted.get("flag_words", []):
        assert word in " ".join(flags.values())
    for agent, rules in shows.get("rules", {}).items():
        assert set(rules) <= set(therapies[agent]["rules"]), agent
    for agent, cap in shows.get("caps", {}).items():
        assert cap in therapies[agent]["cap"]


@by_stage
def test_every_fact_named_is_in_the_chart(ehr: Ehr, stage: Stage) -> None:
    known = {f"{r['resourceType']}/{r['id']}" for r in stage.build(AS_OF).resources}
    found = ehr.assess(stage.id)
    named = {ref for criterion in found["criteria"].values() for ref in criterion["evidence"]}
    assert named <= known
    assert found["quarantined"] == []


@by_stage
def test_prefetch_fhir_and_mixed_give_the_same_cards(ehr: Ehr, fhir_server: str, stage: Stage) -> None:
    from_prefetch = without_uuids(ehr.fire(stage.id))
    from_fhir = without_uuids(ehr.fire(stage.id, prefetch=False, fhir_server=fhir_server))
    keys = tuple(ehr.services["calcinosis-patient-view"]["prefetch"])
    mixed = without_uuids(ehr.fire(stage.id, prefetch=keys[::2], fhir_server=fhir_server))
    assert from_prefetch == from_fhir == mixed
