"""Rule 2.4, the new drug conflict: which drugs are named, and when nothing is new."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import load_knowledge
from hooks.model import InUse, TherapyItem
from hooks.therapy.conflicts import new_conflicts
from hooks.therapy.view import View
from mappings.facts import Medication
from tests.charts import TODAY
from tests.hooks.assessment.facts import days_ago, patient

KNOWLEDGE = load_knowledge()
CASE = Case(grade="likely", criteria=None, lesions=())  # type: ignore[arg-type]
EPISODE = 90
NEW, OLD = days_ago(5), days_ago(EPISODE + 1)
DILTIAZEM = Medication("MedicationRequest/d", "diltiazem", frozenset({"diltiazem"}), started=OLD, route="oral")
THIOSULFATE = Medication("MedicationRequest/t", "sodium thiosulfate", frozenset({"sodium-thiosulfate"}), started=NEW)
OTHER = Medication("MedicationRequest/o", "metoprolol", frozenset({"metoprolol"}), started=NEW)


def found(
    *drugs: Medication, decision: str, option: str = "diltiazem", evidence: tuple[str, ...] = ()
) -> tuple[str, ...]:
    """`decision`: of the rules that speak against the present use; "none" when no rule does."""
    use = InUse(("A rule.",) if decision != "none" else (), evidence=evidence, forbidden=decision == "block")
    item = TherapyItem(option, "block", False, "", in_use=use)
    view = View(Chart(patient(medications=drugs), TODAY), CASE)
    return new_conflicts(view, (item,), KNOWLEDGE.therapies, EPISODE)


@pytest.mark.parametrize(
    ("decision", "evidence", "expected"),
    [
        ("block", (OTHER.ref,), (DILTIAZEM.ref, OTHER.ref)),
        ("warn", (OTHER.ref,), (DILTIAZEM.ref, OTHER.ref)),
        ("warn", (), ()),  # a warning that is not about another drug is no conflict of drugs
        ("none", (), ()),
    ],
)
def test_a_drug_begun_beside_an_option_that_is_taken(
    decision: str, evidence: tuple[str, ...], expected: tuple[str, ...]
) -> None:
    assert found(DILTIAZEM, OTHER, decision=decision, evidence=evidence) == expected


def test_a_blocked_option_begun_now_needs_no_other_drug() -> None:
    new = replace(DILTIAZEM, started=NEW)
    assert found(new, decision="block") == (new.ref,)
    assert found(new, decision="warn") == ()
    assert found(new, decision="none") == ()  # it is "block" because it is in use, which is no conflict


def test_what_was_begun_before_the_episode_or_without_a_date_is_not_new() -> None:
    old = replace(OTHER, started=OLD)
    assert found(DILTIAZEM, old, decision="block", evidence=(old.ref,)) == ()
    undated = replace(OTHER, started=None)
    assert found(DILTIAZEM, undated, decision="block", evidence=(undated.ref,)) == ()


def test_an_option_that_nobody_takes_is_no_conflict() -> None:
    assert found(OTHER, decision="block", evidence=(OTHER.ref,)) == ()
    item = TherapyItem("diltiazem", "block", False, "", evidence=(OTHER.ref,))
    view = View(Chart(patient(medications=(DILTIAZEM, OTHER)), TODAY), CASE)
    assert new_conflicts(view, (item,), KNOWLEDGE.therapies, EPISODE) == ()


def test_a_draft_is_neither_taken_nor_another_drug() -> None:
    assert found(replace(DILTIAZEM, draft=True), OTHER, decision="block", evidence=(OTHER.ref,)) == ()
    draft = replace(OTHER, draft=True)
    assert found(DILTIAZEM, draft, decision="warn", evidence=(draft.ref,)) == ()


@pytest.mark.parametrize(
    ("route", "option", "taken"),
    [
        ("topical", "sodium-thiosulfate-topical", True),
        ("iv", "sodium-thiosulfate-topical", False),
        ("iv", "sodium-thiosulfate-iv", True),
        ("topical", "sodium-thiosulfate-iv", False),
        (None, "sodium-thiosulfate-topical", True),  # an unknown route may be this one
        (None, "sodium-thiosulfate-iv", True),
    ],
)
def test_the_route_tells_the_option(route: str | None, option: str, taken: bool) -> None:
    drug = replace(THIOSULFATE, route=route)
    assert bool(found(drug, decision="block", option=option)) == taken


def test_an_option_without_routes_of_its_own_is_taken_by_any() -> None:
    for route in ("oral", "iv", None):
        assert found(replace(DILTIAZEM, route=route, started=NEW), decision="block") == (DILTIAZEM.ref,)
