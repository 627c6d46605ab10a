"""Known calcinosis: which changes make an event, to the day."""

from __future__ import annotations

import pytest

from hooks.model import Assessment
from mappings.dates import PartialDate
from mappings.facts import Finding, Medication
from tests.hooks.assessment.facts import (
    ELBOW,
    THIGH,
    days_ago,
    disease,
    judged,
    lesion,
    patient,
)


@pytest.mark.parametrize(
    ("known", "begun", "event"),
    [
        ({"recorded": days_ago(400)}, days_ago(100), True),
        ({"recorded": days_ago(400)}, days_ago(300), False),  # later than known, but not of the last six months
        ({"recorded": days_ago(400)}, days_ago(500), False),  # earlier than known
        ({"recorded": days_ago(400)}, days_ago(400), False),  # the same day
        ({"recorded": days_ago(400)}, None, False),
        ({"recorded": None, "onset": None}, days_ago(100), False),  # unknown since when
        ({"recorded": days_ago(400), "sites": (ELBOW,)}, days_ago(100), False),  # the known site itself
    ],
)
def test_known_without_a_site_a_later_lesion_is_a_new_site(known: dict, begun: PartialDate | None, event: bool) -> None:
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/known", **known)
    found = judged(patient(findings=(disease(), code), lesions=(lesion(onset=begun, recorded=days_ago(300)),)))
    assert (found.card == "management") == event, found.because


@pytest.mark.parametrize(("days", "event"), [(180, True), (181, False)])
def test_first_coded_within_the_episode(days: int, event: bool) -> None:
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/k", sites=(ELBOW,), recorded=days_ago(days))
    found = judged(patient(findings=(disease(), code), lesions=()))
    assert (found.card == "management") == event


def known(**more) -> Assessment:
    """Known, stable calcinosis under some drugs."""
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/k", sites=(ELBOW,), recorded=days_ago(900))
    return judged(patient(findings=(disease(), code, *more.pop("findings", ())), lesions=(), **more))


def drug(name: str, days: int | None, **more) -> Medication:
    started = None if days is None else days_ago(days)
    return Medication(f"MedicationRequest/{name}", name, frozenset({name}), started=started, **more)


@pytest.mark.parametrize(
    ("drugs", "event"),
    [
        ([drug("diltiazem", 180), drug("colchicine", 900)], True),
        ([drug("diltiazem", 181), drug("colchicine", 181)], False),
        ([drug("diltiazem", None), drug("colchicine", None)], False),
        ([drug("diltiazem", 900), drug("colchicine", 20, draft=True)], False),
        ([drug("warfarin", 20, classes=frozenset({"vka"}))], True),  # blocked by itself
        ([drug("warfarin", 900, classes=frozenset({"vka"}))], False),
        ([drug("hydroxychloroquine", 20)], False),  # no option
    ],
    ids=str,
)
def test_a_new_drug_conflict(drugs: list[Medication], event: bool) -> None:
    found = known(medications=tuple(drugs))
    assert (found.card == "management") == event, found.because
    assert any("drug conflict" in reason for reason in found.because) == event


def test_the_words_of_a_change() -> None:
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/k", sites=(ELBOW,), recorded=days_ago(900))
    for name, event in (("growing", "growth"), ("rapid", "growth"), ("new_site", "a new site"), ("pus", "infection"),
                        ("ulcerated", "an ulcer")):  # fmt: skip
        for days, speaks in ((180, True), (181, False)):
            changed = lesion(onset=None, recorded=days_ago(days), **{name: True})
            found = judged(patient(findings=(disease(), code), lesions=(changed,)))
            assert (found.card == "management") == speaks, (name, days)
            assert any(event in reason for reason in found.because) == speaks


@pytest.mark.parametrize(
    ("lump", "speaks"),
    [
        ({}, True),
        ({"kind": "induration"}, False),
        ({"bare_code": True}, False),
        ({"sites": ()}, False),
        ({"sites": (THIGH,)}, False),
        ({"growing": False}, False),
        ({"recorded": days_ago(181)}, False),
        ({"hardness": "against"}, False),
    ],
    ids=str,
)
def test_a_changed_lump_of_no_told_hardness_where_calcinosis_is_known_is_that_one(lump: dict, speaks: bool) -> None:
    """Rheumatoid arthritis is of the third tier, in which a plain mass is none that counts."""
    fields: dict = {"kind": "mass", "hardness": "unstated", "onset": None, "growing": True}
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/k", sites=(ELBOW,), recorded=days_ago(900))
    facts = patient(findings=(disease("ctd.ra"), code), lesions=(lesion(**(fields | lump)),))
    found = judged(facts)
    assert (found.card == "management") == speaks, found.because


def test_it_is_not_that_one_where_the_place_of_the_known_is_not_told() -> None:
    mass = lesion(kind="mass", hardness="unstated", onset=None, growing=True)
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/k", recorded=days_ago(900))
    assert judged(patient(findings=(disease("ctd.ra"), code), lesions=(mass,))).card == "none"


@pytest.mark.parametrize(
    ("known", "event"),
    [
        ({"recorded": days_ago(400)}, True),
        ({"recorded": None, "onset": None}, True),  # undated: what is called new is no part of it
        ({"recorded": days_ago(60)}, False),
    ],
)
def test_what_the_examiner_calls_new_is_a_new_site(known: dict, event: bool) -> None:
    code = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/known", **known)
    new = lesion(onset=None, called_new=True, recorded=days_ago(100))
    found = judged(patient(findings=(disease(), code), lesions=(new,)))
    assert any("a new site" in reason for reason in found.because) == event, found.because
