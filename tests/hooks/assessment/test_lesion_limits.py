"""Exact limits of the lesion criterion: extent, newness, softness, what was injected at the site."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from mappings.dates import PartialDate
from mappings.facts import Completeness, Finding, Imaging, Medication, PatientFacts, Site
from tests.charts import TODAY
from tests.hooks.assessment.facts import (
    COMPLETE,
    ELBOW,
    FACE,
    FINGER,
    THIGH,
    days_ago,
    disease,
    judged,
    lesion,
    patient,
)


@pytest.mark.parametrize(
    ("lesions", "expected"),
    [
        ([{"count": 1}], "localized"),
        ([{"count": 5}], "localized"),
        ([{"count": 6}], "extensive"),
        ([{"count": 1, "size_cm": Decimal(10)}], "localized"),
        ([{"count": 1, "size_cm": Decimal("10.1")}], "extensive"),
        ([{"count": 1, "deep": True}], "extensive"),
        ([{"count": 1}, {"count": 1, "sites": (THIGH,)}], "localized"),
        ([{"count": 1}, {"count": 1, "sites": (THIGH,)}, {"count": 1, "sites": (FACE,)}], "extensive"),
        ([{"multiple": True}], "unknown"),
        ([{"multiple": True, "sites": (ELBOW, THIGH)}], "extensive"),
        ([{"multiple": True, "count": 3}], "unknown"),  # "at least three"
        ([{"multiple": True, "count": 3, "sites": (ELBOW, THIGH)}], "unknown"),
        ([{"multiple": True, "count": 6}], "extensive"),
        ([{"sites": ()}], "unknown"),
        ([{"count": 3}, {"count": 4}], "localized"),  # two descriptions of the same place
        ([{"sites": (replace(ELBOW, laterality="bilateral"),)}], "localized"),
        ([{"sites": (replace(ELBOW, laterality="bilateral"),), "multiple": True}], "unknown"),
        ([{}], "unknown"),
    ],
    ids=str,
)
def test_extent(lesions: list[dict], expected: str) -> None:
    described = tuple(lesion(f"Observation/l{i}", **more) for i, more in enumerate(lesions))
    assert judged(patient(lesions=described)).criteria.lesion.extent == expected


@pytest.mark.parametrize(
    ("lesions", "expected"),
    [
        ([{"count": 1, "sites": ()}, {}], "localized"),  # "a nodule of 5 mm", where it is stands in the line before
        ([{"count": 4}, {"sites": ()}], "localized"),  # "wants the lumps taken off … four nodules of the elbow"
        ([{"count": 4}, {"sites": (), "multiple": True}], "unknown"),
        ([{"count": 1}, {"count": 1, "sites": (THIGH,)}, {"sites": ()}], "unknown"),  # of two places nobody knows which
    ],
    ids=str,
)
def test_what_one_text_describes_without_a_place_is_what_it_describes_at_its_only_place(
    lesions: list[dict], expected: str
) -> None:
    described = tuple(lesion("DocumentReference/one", **more) for more in lesions)
    assert judged(patient(lesions=described)).criteria.lesion.extent == expected


def test_imaging_adds_the_regions_where_it_shows_calcium() -> None:
    image = Imaging("DiagnosticReport/1", "ct", "soft-tissue", days_ago(3), calcified_sites=(ELBOW, THIGH, FINGER))
    found = judged(patient(lesions=(lesion(count=1),), imaging=(image,)))
    assert found.criteria.lesion.extent == "extensive"


@pytest.mark.parametrize(
    ("need", "state", "reason", "expected"),
    [
        ("observations", "unavailable", "403", "unknown"),
        ("observations", "partial", "not in prefetch: examinations", "unknown"),
        ("diagnosticReports", "unavailable", None, "localized"),
        ("observations", "partial", "2 left out", "localized"),
        ("medications", "unavailable", "403", "localized"),
    ],
)
def test_a_localized_extent_is_unknown_where_more_lesions_may_be_unread(
    need, state, reason: str | None, expected: str
) -> None:
    unread = {**COMPLETE, need: Completeness(state, reason)}
    found = judged(replace(patient(lesions=(lesion("Condition/l", count=1),)), completeness=unread)).criteria.lesion
    assert found.extent == expected and found.status == "met"
    assert ("Extent unknown" in found.because) == (expected == "unknown")
    wide = judged(replace(patient(lesions=(lesion("Condition/l", count=6),)), completeness=unread))
    assert wide.criteria.lesion.extent == "extensive"


def test_an_examination_that_was_read_tells_the_extent() -> None:
    """Vital signs may be missing, or their key: a hook of few keys would never get an option."""
    some = {**COMPLETE, "observations": Completeness("partial", "not in prefetch: vitals")}
    seen = patient(lesions=(lesion(count=1, ref="Observation/exam"),))
    assert judged(replace(seen, completeness=some)).criteria.lesion.extent == "localized"


def test_local_treatment_is_no_draft_where_more_lesions_may_be_unread() -> None:
    facts = patient(lesions=(lesion(count=1, ulcerated=True, pain="severe"),))
    unread = {**COMPLETE, "observations": Completeness("unavailable", "403")}
    before, after = (
        next(t for t in judged(chart).therapies if t.id == "sodium-thiosulfate-intralesional")
        for chart in (facts, replace(facts, completeness=unread))
    )
    assert before.fits and not after.fits and not after.orderable


@pytest.mark.parametrize(
    ("state", "reason", "status"),
    [
        ("unavailable", "403", "unknown"),
        ("partial", "page limit", "unknown"),
        ("partial", "2 left out", "not-met"),  # single resources that were broken leave the rest complete
        ("unavailable", "2 left out", "unknown"),
        ("partial", None, "unknown"),
    ],
)
def test_what_was_not_read_could_hold_the_lesion(state, reason: str | None, status: str) -> None:
    needs = {**COMPLETE, "observations": Completeness(state, reason)}
    assert judged(patient(lesions=(), completeness=needs)).criteria.lesion.status == status


@pytest.mark.parametrize(("soft_days", "counts"), [(4, False), (5, False), (6, True)])
def test_a_later_word_on_softness_decides(soft_days: int, counts: bool) -> None:
    firm = lesion(hardness="possible", recorded=days_ago(5))
    soft = lesion("Observation/soft", hardness="against", recorded=days_ago(soft_days))
    assert (judged(patient(lesions=(firm, soft))).criteria.lesion.status == "met") == counts


def test_softness_without_a_date_or_a_site() -> None:
    firm = lesion(hardness="possible", recorded=None, sites=())
    soft = lesion("Observation/soft", hardness="against", recorded=None, sites=())
    assert judged(patient(lesions=(firm, soft))).criteria.lesion.status == "not-met"
    assert judged(patient(lesions=(firm, replace(soft, sites=(ELBOW,))))).criteria.lesion.status == "met"
    assert judged(patient(lesions=(firm, replace(soft, certainty="absent")))).criteria.lesion.status == "met"


@pytest.mark.parametrize(
    ("described", "counts"),
    [
        ({"hardness": "unstated"}, False),
        ({"hardness": "unstated", "chalky": True}, True),
        ({"hardness": "definite"}, True),
    ],
    ids=str,
)
def test_softness_takes_back_only_what_says_nothing_stronger(described: dict, counts: bool) -> None:
    soft = lesion("Observation/soft", hardness="against", recorded=days_ago(1))
    assert (judged(patient(lesions=(lesion(**described), soft))).criteria.lesion.status == "met") == counts


@pytest.mark.parametrize(
    ("described", "gone", "counts"),
    [
        ({}, {}, False),
        ({"basis": "code"}, {}, True),
        ({"sites": ()}, {}, True),  # of another place, for all that is known
        ({"sites": ()}, {"sites": ()}, True),
        ({}, {"sites": (THIGH,)}, True),
        ({}, {"recorded": days_ago(5)}, True),  # of the same day: which was written first?
        ({}, {"recorded": days_ago(6)}, True),
        ({}, {"certainty": "suspected"}, True),
        ({}, {"gone": False}, True),  # there once was one
    ],
    ids=str,
)
def test_a_later_word_that_it_has_gone_takes_it_back(described: dict, gone: dict, counts: bool) -> None:
    there = lesion(**({"recorded": days_ago(5)} | described))
    later = lesion("Observation/later", **({"recorded": days_ago(1), "course": "resolved", "gone": True} | gone))
    assert (judged(patient(lesions=(there, later))).criteria.lesion.status == "met") == counts


def test_gone_in_part_is_not_gone() -> None:
    there = lesion(recorded=days_ago(5))
    gone = lesion("Observation/later", recorded=days_ago(1), course="resolved", gone=True)
    remains = lesion("Observation/later", recorded=days_ago(1), hardness="unstated", kind="mass")
    assert judged(patient(lesions=(there, gone, remains))).criteria.lesion.status == "met"
    denied = replace(remains, certainty="absent")
    assert judged(patient(lesions=(there, gone, denied))).criteria.lesion.status == "not-met"


@pytest.mark.parametrize(
    ("ulcer", "infected"),
    [
        ({}, True),
        ({"sites": (THIGH,)}, False),
        ({"ref": "Observation/other", "sites": ()}, False),  # of nobody knows which place
        ({"sites": ()}, True),  # told beside it
        ({"ref": "Observation/other"}, True),
    ],
    ids=str,
)
def test_an_ulcer_told_beside_the_lesion_or_at_its_place_is_the_lesions(ulcer: dict, infected: bool) -> None:
    known = Finding(frozenset({"calcinosis.cutis"}), "x", "Condition/k", sites=(ELBOW,), recorded=days_ago(900))
    fields = {"ref": "Observation/l", "kind": "ulcer", "hardness": "unstated", "pus": True} | ulcer
    chart = patient(findings=(disease(), known), lesions=(lesion(onset=None), lesion(onset=None, **fields)))
    told = [reason for reason in judged(chart).because if "infection" in reason or "ulcer" in reason]
    assert bool(told) == infected, told


def test_a_suspected_hard_nodule_is_not_made_sure_by_another_lesion() -> None:
    hard = lesion(hardness="definite", certainty="suspected")
    plain = lesion("Observation/plain", hardness="unstated", sites=(THIGH,))
    assert judged(patient(lesions=(hard, plain))).grade == "possible"
    assert judged(patient(lesions=(replace(hard, certainty="confirmed"), plain))).grade == "probable"


def test_a_lesion_that_does_not_count_is_told_with_what_is_known_of_it() -> None:
    old = lesion(onset=days_ago(3000), recorded=days_ago(1000), hardness="possible")
    mimic = Finding(frozenset({"mimic.rheumatoid_nodule"}), "x", "Condition/m", sites=(THIGH,), titled=True)
    other = lesion("Observation/o", sites=(THIGH,), hardness="definite")
    found = judged(patient(lesions=(old, other), findings=(disease(), mimic))).criteria.lesion
    assert (found.status, found.hardness, found.newness) == ("not-met", "definite", None)
    assert found.sites == ("left elbow", "right thigh")
    only = judged(patient(lesions=(other,), findings=(disease(), mimic))).criteria.lesion
    assert (only.newness, only.evidence) == ("N5", ("Observation/o",))


@pytest.mark.parametrize(
    ("place", "titled", "status"),
    [
        (Site("hand", "palm"), True, "not-met"),
        (Site("hand", "palm", "right"), True, "met"),
        (Site("hand", "fingertip", "left"), True, "met"),
        (Site("hand", "palm"), False, "met"),
    ],
)
def test_dupuytren_of_the_palm_explains_a_lump_of_the_palm_alone(place: Site, titled: bool, status: str) -> None:
    dupuytren = Finding(
        frozenset({"mimic.other_lump"}), "x", "Condition/d", sites=(Site("hand", "palm", "left"),), titled=titled
    )
    nodule = lesion(hardness="definite", sites=(place,))
    assert judged(patient(lesions=(nodule,), findings=(disease(), dupuytren))).criteria.lesion.status == status


@pytest.mark.parametrize(
    ("described", "hardness", "says"),
    [
        ({"hardness": "against"}, "against", "does not qualify"),
        ({"hardness": "unstated", "bare_code": True}, None, "does not qualify"),
        ({"certainty": "absent"}, None, "no such lesion"),
    ],
)
def test_why_what_is_described_does_not_qualify(described: dict, hardness: str | None, says: str) -> None:
    found = judged(patient(lesions=(lesion(**described),))).criteria.lesion
    assert (found.status, found.hardness, found.evidence) == ("not-met", hardness, ("Observation/l",))
    assert says in found.because


@pytest.mark.parametrize(("months", "newness"), [(6, "N1"), (24, "N2")])
def test_calendar_months_to_the_day(months: int, newness: str) -> None:
    limit = (
        TODAY.replace(year=TODAY.year - months // 12, month=TODAY.month)
        if months == 24
        else TODAY.replace(year=2025, month=12)
    )
    on = judged(patient(lesions=(lesion(onset=PartialDate.of(limit)),)))
    before = judged(patient(lesions=(lesion(onset=PartialDate.of(limit - timedelta(days=1))),)))
    assert on.criteria.lesion.newness == newness
    assert before.criteria.lesion.newness != newness


def test_called_new_without_a_record_is_new_today() -> None:
    new = lesion(onset=None, recorded=None, called_new=True)
    assert judged(patient(lesions=(new,))).criteria.lesion.newness == "N1"
    recorded = replace(new, recorded=days_ago(300))
    assert judged(patient(lesions=(recorded,))).criteria.lesion.newness == "N2"
    assert judged(patient(lesions=(replace(new, updated=days_ago(300)),))).criteria.lesion.newness == "N2"


def test_iatrogenic_window_and_route() -> None:
    def given(**more) -> PatientFacts:
        drug = Medication(
            "MedicationAdministration/1", "x", frozenset({"calcium-gluconate"}), route="iv", sites=(ELBOW,), **more
        )
        return patient(lesions=(lesion(onset=days_ago(20)),), medications=(drug,))

    assert judged(given(started=days_ago(110))).subtype == "iatrogenic"
    assert judged(given(started=days_ago(111))).subtype == "dystrophic"
    assert judged(given(started=days_ago(20))).subtype == "iatrogenic"
    assert judged(given(started=days_ago(19))).subtype == "dystrophic"  # after the lesion appeared
    assert judged(given(ended=days_ago(30), state="stopped")).subtype == "iatrogenic"
    assert judged(given(started=days_ago(30), draft=True)).subtype == "dystrophic"
    assert judged(given()).subtype == "dystrophic"
    facts = given(started=days_ago(30))
    by_mouth = replace(facts.medications[0], route="oral")
    assert judged(replace(facts, medications=(by_mouth,))).subtype == "dystrophic"
    assert judged(replace(facts, medications=(replace(by_mouth, infusion=True),))).subtype == "iatrogenic"
    undated = replace(facts, lesions=(lesion(onset=None),))
    assert judged(undated).subtype == "iatrogenic"
    said = patient(lesions=(lesion(onset=days_ago(20), infusion_at_site=True, infusion_date=days_ago(200)),))
    assert judged(said).subtype == "dystrophic"
