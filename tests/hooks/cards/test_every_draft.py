"""Every draft that a suggestion can create, each forced to be offered once: valid R4, coded, and what it is called."""

from __future__ import annotations

from importlib import resources
from typing import Any

import pytest
from fhir.resources.R4B import get_fhir_model_class
from msgspec.structs import replace

from hooks.cards import write_cards
from hooks.knowledge import load_knowledge
from mappings.codelists import Coding, load_terminology
from mappings.facts import Action
from tests.charts import chart, reader
from tests.hooks.cards.examples import USUAL, XRAY, Example, context, drafts, understand

WORKUP = sorted(load_knowledge().orderables.workup)
THERAPIES = sorted(entry.id for entry in load_knowledge().therapies.therapies if entry.draft is not None)
NO_DRUG = {"co2-laser", "corticosteroid-intralesional", "eswl", "surgical-excision"}
"""what is done and no drug that is dispensed: no medication is drafted of them, unless by a hospital's own code."""
PROCEDURES = frozenset(entry.id for entry in load_knowledge().therapies.therapies if entry.group == "procedure")
OWN = Coding("urn:example:orders", "OWN-1", "as our hospital calls it")
UNCODED = {
    "crystal-examination", "complement-and-dsdna", "myositis-antibodies", "referral-paediatric-rheumatology",
    "referral-nephrology", "referral-wound-care",
}  # fmt: skip
"""no verified code is known of these: only a hospital's own makes an order of them."""


def valid(resource: dict[str, Any]) -> None:
    get_fhir_model_class(resource["resourceType"]).model_validate(resource)


def orders(workup: str, *actions: Action, **more: Any) -> list[dict[str, Any]]:
    """The drafts of a card that offers this order and no other."""
    assessment, facts = understand(Example(USUAL + XRAY))
    item = next(i for i in assessment.workup if i.id == workup)
    only = replace(assessment, workup=(replace(item, decision="offer"),), therapies=())
    found = write_cards(only, replace(facts, actions=actions), load_knowledge(), context(**more))
    return [r for r in drafts(found) if r["resourceType"] == "ServiceRequest"]


def test_every_id_of_the_contract_has_a_name_and_is_forced_here() -> None:
    contract = (resources.files("mappings") / "codes" / "tables" / "workup.csv").read_text(encoding="utf-8")
    assert set(contract.split()[1:]) == set(WORKUP)
    assert {item.id for item in understand(Example(USUAL + XRAY))[0].workup} == set(WORKUP)


@pytest.mark.parametrize("workup", WORKUP)
@pytest.mark.parametrize("units", ["conventional", "si"])
def test_every_order_is_drafted_with_our_codes(workup: str, units: str) -> None:
    found = orders(workup, units=units, encounter_id="visit-1")
    assert bool(found) is (workup not in UNCODED)
    for resource in found:
        valid(resource)
        assert resource["code"]["coding"]
        systems = [coding["system"] for coding in resource["code"]["coding"]]
        assert len(set(systems)) == len(systems)
        assert resource["status"] == "draft"


@pytest.mark.parametrize("workup", WORKUP)
def test_every_order_is_drafted_with_a_hospitals_code(workup: str) -> None:
    (resource,) = orders(workup, orderables={workup: (OWN,)})
    valid(resource)
    assert [c["code"] for c in resource["code"]["coding"]] == ["OWN-1"]
    assert resource["code"]["text"] == load_knowledge().orderables.name(workup)


def treatments(therapy: str, *actions: Action, **more: Any) -> list[dict[str, Any]]:
    """The drafts of a card that offers this treatment and no other, and no workup."""
    assessment, facts = understand(Example(USUAL + XRAY))
    item = next(i for i in assessment.therapies if i.id == therapy)
    only = replace(item, decision="offer", orderable=True, fits=True, described=True)
    offered = replace(assessment, therapies=(only,), workup=())
    found = write_cards(offered, replace(facts, actions=actions), load_knowledge(), context(**more))
    return [r for r in drafts(found) if r["resourceType"] != "Observation"]


@pytest.mark.parametrize("therapy", THERAPIES)
def test_every_drug_is_drafted(therapy: str) -> None:
    drafted = treatments(therapy)
    assert [r["resourceType"] for r in drafted] == ["MedicationRequest"] * (therapy not in NO_DRUG)
    for resource in drafted:
        valid(resource)
        assert resource["medicationCodeableConcept"]["coding"]


@pytest.mark.parametrize("therapy", THERAPIES)
def test_a_hospitals_code_of_a_procedure_makes_an_order_of_a_service_and_that_of_a_drug_one_of_a_drug(
    therapy: str,
) -> None:
    (resource,) = treatments(therapy, orderables={therapy: (OWN,)}, encounter_id="visit-1")
    valid(resource)
    known = load_knowledge().therapies.get(therapy)
    of_service = therapy in PROCEDURES
    assert resource["resourceType"] == ("ServiceRequest" if of_service else "MedicationRequest")
    concept = resource["code" if of_service else "medicationCodeableConcept"]
    assert concept == {"coding": [{"system": OWN.system, "code": OWN.code, "display": OWN.display}], "text": known.name}
    said = resource["note"] if of_service else resource["dosageInstruction"]
    assert known.draft is not None
    assert known.draft.text in said[0]["text"]
    assert ("bodySite" in resource) is of_service


@pytest.mark.parametrize("therapy", sorted(PROCEDURES))
def test_a_procedure_that_is_drafted_or_ordered_is_not_drafted_again(therapy: str) -> None:
    (resource,) = treatments(therapy, orderables={therapy: (OWN,)})
    coded = {key: value for key, value in resource["code"].items() if key == "coding"}
    for status, code in (("draft", resource["code"]), ("active", resource["code"]), ("active", coded)):
        saved = resource | {"id": "draft-1", "status": status, "code": code}
        actions = reader().read(chart("").raw(saved)).actions
        assert treatments(therapy, *actions, orderables={therapy: (OWN,)}) == []
    other = resource | {"id": "draft-1", "code": {"text": "plain radiograph"}}
    actions = reader().read(chart("").raw(other)).actions
    assert treatments(therapy, *actions, orderables={therapy: (OWN,)}) == [resource]


@pytest.mark.parametrize("workup", sorted(set(WORKUP) - UNCODED))
def test_every_accepted_draft_is_known_again(workup: str) -> None:
    """As the next call reads what was written: none of it is drafted a second time."""
    saved = [resource | {"id": f"draft-{n}"} for n, resource in enumerate(orders(workup))]
    actions = reader().read(chart("").raw(*saved)).actions
    assert orders(workup, *actions) == []


# Hepatitis B: one order is not all of it --------------------------------------------------------------------------


def test_hepatitis_b_serology_is_an_order_of_the_antigen_and_one_of_the_core_antibody() -> None:
    antigen, antibody = orders("hepatitis-b-serology")
    assert antigen["code"]["text"] == "hepatitis B surface antigen"
    assert [c["code"] for c in antigen["code"]["coding"]] == ["5195-3"]
    assert antibody["code"]["text"] == "hepatitis B core antibody"
    assert [c["code"] for c in antibody["code"]["coding"]] == ["59582004", "13952-7"]


def test_when_one_of_them_is_drafted_the_other_one_still_is_to_be() -> None:
    antigen, antibody = orders("hepatitis-b-serology")
    for saved, left in ((antigen, antibody), (antibody, antigen)):
        actions = reader().read(chart("").raw(saved | {"id": "draft-1"})).actions
        assert [r["code"] for r in orders("hepatitis-b-serology", *actions)] == [left["code"]]


@pytest.mark.parametrize(
    ("codes", "decision"),
    [
        (["5195-3"], "not-indicated"),
        (["13952-7"], "not-indicated"),
        (["5195-3", "5196-1"], "not-indicated"),
        (["5196-1", "13952-7"], "already-ordered"),
        ([None], "already-ordered"),
    ],
)
def test_an_order_of_one_of_them_is_no_order_of_the_serology(codes: list[str | None], decision: str) -> None:
    coded = [
        {"coding": [{"system": "http://loinc.org", "code": code}]} if code else {"text": "Hepatitis B serology"}
        for code in codes
    ]
    asked = tuple(
        {"resourceType": "ServiceRequest", "id": f"order-{n}", "status": "active", "intent": "order", "code": code,
         "subject": {"reference": "Patient/patient-1"}, "authoredOn": "2026-05-30"}
        for n, code in enumerate(coded)
    )  # fmt: skip
    assessment, _ = understand(Example(USUAL + XRAY, drafts=asked))
    assert next(i for i in assessment.workup if i.id == "hepatitis-b-serology").decision == decision


def test_every_part_of_an_order_has_a_name_and_is_one_of_the_results_it_waits_for() -> None:
    knowledge, terms = load_knowledge(), load_terminology()
    awaited = {entry.id: set(entry.done.analytes) for entry in knowledge.workup.entries}
    for workup, entry in knowledge.orderables.workup.items():
        assert tuple(entry.parts) == terms.parts(workup)
        assert not entry.parts or set(entry.parts) == awaited[workup]
