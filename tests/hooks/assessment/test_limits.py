"""Exact limits of the data, and facts that no chart table can write down, one by one."""

from __future__ import annotations

from datetime import timedelta
from decimal import Decimal

import pytest
from msgspec.structs import replace

from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.dates import PartialDate
from mappings.facts import Completeness, Finding, Imaging, Medication, PatientFacts
from tests.charts import TODAY
from tests.hooks.assessment.facts import (
    COMPLETE,
    ELBOW,
    FACE,
    FINGER,
    THIGH,
    calcium,
    days_ago,
    disease,
    judged,
    lab,
    lesion,
    patient,
    phosphate,
)

CRITERIA = load_knowledge().criteria
STEP = Decimal("0.001")


def status_of(*results, born: str = "1980-01-01") -> str:
    facts = patient(results=(*results, phosphate()), born=PartialDate.parse(born))
    return judged(facts).criteria.calcium.status


# ---- every fallback range, on its limits and a step beside them


@pytest.mark.parametrize("entry", CRITERIA.calcium.fallback, ids=lambda e: f"{e.analyte} from {e.age_from}")
def test_calcium_on_the_limits_of_the_fallback_ranges(entry) -> None:
    born = TODAY.replace(year=TODAY.year - entry.age_from).isoformat()

    def status(value: Decimal) -> str:
        return status_of(lab(entry.analyte, str(value), None, None, 5, "Observation/ca"), born=born)

    assert status(entry.low) == status(entry.high) == "normal"
    assert status(entry.low - STEP) == status(entry.high + STEP) == "borderline"
    if entry.outer_low is not None:
        assert (status(entry.outer_low), status(entry.outer_low - STEP)) == ("borderline", "low")
        assert (status(entry.outer_high), status(entry.outer_high + STEP)) == ("borderline", "high")
    else:
        assert status(entry.low - Decimal("0.2")) == status(entry.high + Decimal("0.15")) == "borderline"


@pytest.mark.parametrize("entry", CRITERIA.phosphate.fallback, ids=lambda e: f"from {e.age_from}")
def test_phosphate_on_the_limits_of_the_fallback_ranges(entry) -> None:
    born = PartialDate.parse(TODAY.replace(year=TODAY.year - entry.age_from).isoformat())

    def status(value: Decimal) -> str:
        value_only = lab("phosphate", str(value), None, None, 5, "Observation/p")
        return judged(patient(results=(calcium(), value_only), born=born)).criteria.phosphate.status

    assert status(entry.low) == status(entry.high) == "normal"
    assert status(entry.low - STEP) == "low"
    assert status(entry.outer_high + STEP) == "high"
    if entry.outer_high > entry.high:
        assert status(entry.high + STEP) == status(entry.outer_high) == "borderline"


@pytest.mark.parametrize(
    ("born", "expected"),
    [
        ("2008-06-01", "borderline"),  # eighteen today: 2.55 is above the adult range
        ("2008-06-02", "normal"),  # eighteen tomorrow
        ("2008", "indeterminate"),  # seventeen or eighteen
        ("2025-06-01", "normal"),  # one today
        ("2025-06-02", "indeterminate"),
    ],
)
def test_the_fallback_range_of_the_age(born: str, expected: str) -> None:
    assert status_of(lab("calcium-total", "2.55", None, None, 5, "Observation/ca"), born=born) == expected


def test_without_an_age_there_is_no_fallback_range() -> None:
    bare = lab("calcium-total", "2.31", None, None, 5, "Observation/ca")
    assert judged(patient(results=(bare, phosphate()), born=None)).criteria.calcium.status == "indeterminate"


# ---- windows in days


@pytest.mark.parametrize(("days", "expected"), [(90, "normal"), (91, "stale"), (365, "stale"), (366, "unknown")])
def test_how_long_a_calcium_is_current(days: int, expected: str) -> None:
    assert status_of(calcium("2.31", days)) == expected


@pytest.mark.parametrize(("days", "expected"), [(30, "normal"), (31, "stale")])
@pytest.mark.parametrize(
    "risk",
    [
        {"findings": (disease(), Finding(frozenset({"trigger.ckd_3b"}), "x", "Condition/k"))},
        {"medications": (Medication("MedicationRequest/t", "x", frozenset({"x"}), frozenset({"thiazide"})),)},
        {"medications": (Medication("MedicationRequest/d", "x", frozenset({"vitamin-d"}), frozenset({"vitamin-d"}),
                                    daily_dose=Decimal(4000), dose_unit="IU"),)},
        {"results": (lab("egfr", "44.9", None, None, 5, "Observation/gfr"),)},
    ],
    ids=["ckd 3b", "thiazide", "vitamin D", "eGFR"],
)  # fmt: skip
def test_at_risk_a_calcium_is_current_for_a_month(risk: dict, days: int, expected: str) -> None:
    more = {**risk, "results": (calcium("2.31", days), phosphate(), *risk.get("results", ()))}
    assert judged(patient(**more)).criteria.calcium.status == expected


@pytest.mark.parametrize(
    "no_risk",
    [
        {"medications": (Medication("MedicationRequest/d", "x", frozenset({"vitamin-d"}), frozenset({"vitamin-d"}),
                                    daily_dose=Decimal(3999), dose_unit="IU"),)},
        {"medications": (Medication("MedicationRequest/d", "x", frozenset({"vitamin-d"}), frozenset({"vitamin-d"}),
                                    daily_dose=Decimal(4000), dose_unit="ug"),)},
        {"medications": (Medication("MedicationRequest/t", "x", classes=frozenset({"thiazide"}), draft=True),)},
        {"results": (lab("egfr", "45", None, None, 5, "Observation/gfr"),)},
    ],
    ids=["vitamin D below", "another unit", "a draft", "eGFR 45"],
)  # fmt: skip
def test_not_at_risk(no_risk: dict) -> None:
    more = {**no_risk, "results": (calcium("2.31", 60), phosphate(), *no_risk.get("results", ()))}
    assert judged(patient(**more)).criteria.calcium.status == "normal"


@pytest.mark.parametrize(
    ("analyte", "value", "critical"),
    [
        ("calcium-total", "3.00", False), ("calcium-total", "3.01", True),
        ("calcium-total", "1.90", False), ("calcium-total", "1.89", True),
        ("calcium-ionized", "1.55", False), ("calcium-ionized", "1.56", True),
        ("calcium-ionized", "0.90", False), ("calcium-ionized", "0.89", True),
    ],
)  # fmt: skip
@pytest.mark.parametrize("days", [30, 31])
def test_critical_limits(analyte: str, value: str, critical: bool, days: int) -> None:
    found = judged(patient(results=(lab(analyte, value, "1.1", "2.6", days, "Observation/ca"), phosphate())))
    assert found.criteria.calcium.critical == (critical and days == 30)
    assert (found.grade == "urgent") == (critical and days == 30)


@pytest.mark.parametrize(
    ("value", "expected"), [("29.9", "indeterminate"), ("30", "normal"), ("35", "normal"), ("50", "normal")]
)
def test_low_albumin(value: str, expected: str) -> None:
    albumin = lab("albumin", value, None, None, 10, "Observation/alb", unit="g/L")
    assert status_of(calcium("2.31"), albumin) == expected


@pytest.mark.parametrize(("days", "counts"), [(17, True), (3, True), (18, False), (2, False)])
def test_albumin_is_paired_within_seven_days(days: int, counts: bool) -> None:
    albumin = lab("albumin", "25", None, None, days, "Observation/alb")
    assert (status_of(calcium("2.31", 10), albumin) == "indeterminate") == counts


def test_the_nearest_albumin_counts() -> None:
    near = lab("albumin", "42", None, None, 11, "Observation/near")
    far = lab("albumin", "25", None, None, 5, "Observation/far")
    assert status_of(calcium("2.31", 10), near, far) == "normal"


def test_albumin_reported_as_below_the_limit_is_low_and_low_in_words_is_asked_again() -> None:
    open_ended = lab("albumin", "30", None, None, 10, "Observation/alb", low=None, canonical_low=None, comparator="<")
    assert status_of(calcium("2.31"), open_ended) == "indeterminate"
    word = lab("albumin", "1", None, None, 10, "Observation/alb",
               low=None, high=None, canonical_low=None, canonical_high=None, word="low")  # fmt: skip
    found = judged(patient(results=(calcium(), phosphate(), word)))
    assert found.criteria.calcium.status == "normal"
    assert found.missing[0] == "albumin"
    assert "albumin" not in judged(patient(results=(calcium(), phosphate(), replace(word, word="normal")))).missing


@pytest.mark.parametrize(
    ("albumin", "egfr", "expected"),
    [
        ("34.9", None, "indeterminate"),  # 2.10 is low, 2.202 adjusted is normal
        ("35", None, "low"),  # trusted
        ("50", None, "low"),
        ("34.9", "29", "low"),
        ("34.9", "30", "low"),  # 30 to 59: the plain total is judged
        ("34.9", "59.9", "low"),
        ("34.9", "60", "indeterminate"),
    ],
)
def test_raw_and_adjusted(albumin: str, egfr: str | None, expected: str) -> None:
    results = [calcium("2.10"), lab("albumin", albumin, None, None, 10, "Observation/alb")]
    if egfr == "29":
        expected = "indeterminate"  # the renal line decides the grade; the calcium itself is still in doubt
    if egfr is not None:
        results.append(lab("egfr", egfr, None, None, 10, "Observation/gfr"))
    assert status_of(*results) == expected


@pytest.mark.parametrize(
    ("low", "high", "expected"),
    [("32", "48", "low"), ("36", "48", "indeterminate"), (None, "48", "indeterminate"), ("32", None, "indeterminate")],
)
def test_albumin_inside_its_own_range_is_trusted(low: str | None, high: str | None, expected: str) -> None:
    assert status_of(calcium("2.10"), lab("albumin", "34", low, high, 10, "Observation/alb")) == expected


def test_a_range_of_one_side_is_adjusted_by_the_fallback() -> None:
    one_sided = calcium("2.10", range_high=None)
    found = judged(patient(results=(one_sided, phosphate(), lab("albumin", "31", None, None, 10, "Observation/alb"))))
    assert found.criteria.calcium.status in ("indeterminate", "low")


def test_words_and_intervals_are_not_adjusted() -> None:
    albumin = lab("albumin", "31", None, None, 10, "Observation/alb")
    word = calcium("2.1", low=None, high=None, canonical_low=None, canonical_high=None, word="normal")
    assert status_of(word, albumin) == "normal"
    above = calcium("2.6", high=None, canonical_high=None, comparator=">")
    assert status_of(above, albumin) == "high"


def test_a_laboratory_word_that_is_no_direction_can_not_be_placed() -> None:
    word = calcium("2.1", low=None, high=None, canonical_low=None, canonical_high=None, word="abnormal")
    assert status_of(word) == "indeterminate"
    assert status_of(calcium("2.31", flag="high")) == "indeterminate"  # the flag contradicts the range
    assert status_of(calcium("2.31", flag="normal")) == "normal"
    assert status_of(calcium("2.75", flag="normal")) == "indeterminate"
    flagged = lab("calcium-total", "2.31", None, None, 5, "Observation/ca", flag="abnormal")
    assert status_of(flagged) == "indeterminate"


def test_an_interval_has_no_fallback() -> None:
    above = lab(
        "calcium-total", "2.60", None, None, 5, "Observation/ca", high=None, canonical_high=None, comparator=">"
    )
    assert status_of(above) == "indeterminate"


# ---- the product of calcium and phosphate


@pytest.mark.parametrize(
    ("value", "age", "alternative", "caution"),
    [
        ("1.772", 13, False, False),  # 4.43
        ("1.7721", 13, False, True),
        ("2.256", 13, False, True),  # 5.64
        ("2.2561", 13, True, False),
        ("2.096", 12, False, False),  # 5.24
        ("2.0961", 12, False, True),
        ("2.4", 12, False, True),
    ],
)
def test_limits_of_the_product(value: str, age: int, alternative: bool, caution: bool) -> None:
    born = PartialDate.parse(TODAY.replace(year=TODAY.year - age).isoformat())
    found = judged(patient(results=(calcium("2.50"), phosphate(value, range_high=Decimal(3))), born=born))
    assert (found.grade == "alternative") == alternative
    assert any("product" in note for note in found.notes) == caution


@pytest.mark.parametrize("born", [None, PartialDate.parse("2013")])
def test_the_product_needs_an_age_that_is_surely_on_one_side(born: PartialDate | None) -> None:
    found = judged(patient(results=(calcium("2.50"), phosphate("2.4", range_high=Decimal(3))), born=born))
    assert found.grade == "probable"


# ---- kidney


@pytest.mark.parametrize(
    ("value", "expected"), [("29.9", "severe"), ("30", "reduced"), ("59.9", "reduced"), ("60", "normal")]
)
def test_limits_of_egfr(value: str, expected: str) -> None:
    found = judged(patient(results=(calcium(), phosphate(), lab("egfr", value, None, None, 365, "Observation/gfr"))))
    assert found.criteria.kidney.status == expected


def test_an_egfr_of_more_than_a_year_ago_is_unknown() -> None:
    found = judged(patient(results=(calcium(), phosphate(), lab("egfr", "12", None, None, 366, "Observation/gfr"))))
    assert found.criteria.kidney.status == "unknown"


# ---- extent


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


def test_imaging_adds_the_regions_where_it_shows_calcium() -> None:
    image = Imaging("DiagnosticReport/1", "ct", "soft-tissue", days_ago(3), calcified_sites=(ELBOW, THIGH, FINGER))
    found = judged(patient(lesions=(lesion(count=1),), imaging=(image,)))
    assert found.criteria.lesion.extent == "extensive"


# ---- lesions


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


def test_only_positive_antibodies_are_named() -> None:
    def text(word: str, antibody: str) -> str:
        antibody_result = lab("myositis-antibodies", "1", None, None, 10, "Observation/ab",
                              low=None, high=None, canonical_low=None, canonical_high=None,
                              word=word, antibody=antibody)  # fmt: skip
        young = disease("ctd.dermatomyositis", onset=days_ago(300))
        found = judged(patient(findings=(young,), results=(calcium(), phosphate(), antibody_result)))
        (flag,) = found.red_flags
        assert ("sae1_italy" in flag.sources) == ("odds ratio" in flag.text)
        assert ("Observation/ab" in flag.evidence) == ("odds ratio" in flag.text)
        return flag.text

    assert "12.3" in text("positive", "anti-tif1g")
    assert "11.9" in text("positive", "anti-sae1")
    assert "odds ratio" not in text("negative", "anti-tif1g")
    assert "odds ratio" not in text("positive", "anti-jo1")


# ---- notes, unreadable needs


def test_what_is_only_a_note() -> None:
    found = judged(patient(lesions=(lesion(injection_at_site=True),), not_understood=("Observation/odd",)))
    assert any("injection" in note for note in found.notes)
    assert any("could not be interpreted" in note for note in found.notes)
    assert not any("injection" in note for note in judged(patient()).notes)


@pytest.mark.parametrize(
    ("changes", "unread", "unreadable"),
    [
        ({"findings": ()}, {"conditions": "unavailable"}, ("conditions",)),
        ({"findings": ()}, {"conditions": "partial"}, ()),
        ({"lesions": ()}, {"observations": "unavailable"}, ("observations",)),
        ({"lesions": ()}, {"observations": "unavailable", "conditions": "unavailable"}, ("conditions", "observations")),
        ({}, {"observations": "unavailable"}, ()),
        ({"findings": (), "deceased": True}, {"conditions": "unavailable"}, ()),
    ],
)  # fmt: skip
def test_which_failed_reads_leave_the_question_open(changes: dict, unread: dict, unreadable: tuple) -> None:
    needs = {**COMPLETE, **{need: Completeness(state, "timeout") for need, state in unread.items()}}
    found: Assessment = judged(patient(**changes, completeness=needs))
    assert found.unreadable == unreadable


def test_sources_are_those_of_what_is_said() -> None:
    found = judged(patient())
    evidence = load_knowledge().evidence
    assert found.sources
    assert len(set(found.sources)) == len(found.sources)
    assert all(key in evidence for key in found.sources)
    assert {"balin2012", "lopez2017"} <= set(found.sources)
    assert judged(patient(findings=())).sources == ()


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


# ---- what a criterion says, field by field


def test_the_fields_of_a_mineral() -> None:
    found = judged(patient(results=(calcium(), phosphate("1.1", 12)))).criteria.phosphate
    assert (found.value, found.unit, found.date, found.low, found.high) == (
        Decimal("1.1"),
        "mmol/L",
        days_ago(12).earliest.isoformat(),
        Decimal("0.8"),
        Decimal("1.5"),
    )
    assert (found.range_source, found.category, found.evidence) == ("laboratory", "normal", ("Observation/p",))
    open_ended = phosphate("0.5", low=None, canonical_low=None, comparator="<")
    below = judged(patient(results=(calcium(), open_ended))).criteria.phosphate
    assert (below.status, below.value, below.unit) == ("low", None, None)
    assert "<0.5 mmol/L" in below.because
    above = judged(patient(results=(calcium(), phosphate("2", high=None, canonical_high=None, comparator=">"))))
    assert "0" not in (above.criteria.phosphate.unit or "")
    assert ">2 mmol/L" in above.criteria.phosphate.because
    word = phosphate("1", low=None, high=None, canonical_low=None, canonical_high=None, word="normal")
    said = judged(patient(results=(calcium(), word))).criteria.phosphate
    assert "Reported as normal" in said.because


def test_a_calcium_in_another_unit_is_told_with_the_fallback_in_its_own() -> None:
    mass = lab("calcium-total", "9.2", None, None, 5, "Observation/ca", unit="mg/dL",
               canonical_low=Decimal("2.2954"), canonical_high=Decimal("2.2954"))  # fmt: skip
    found = judged(patient(results=(mass, phosphate()))).criteria.calcium
    assert "9.2 mg/dL" in found.because
    assert "fallback range 2.2–2.5 mmol/L" in found.because
    flagged = judged(patient(results=(replace(mass, flag="normal"), phosphate()))).criteria.calcium
    assert "laboratory flag" in flagged.because


@pytest.mark.parametrize(
    ("problem", "days", "status"),
    [
        ("implausible", 5, "indeterminate"),
        ("implausible", 10, "normal"),  # not newer
        ("implausible", 20, "normal"),
        ("no-value", 5, "normal"),  # nothing was measured
    ],
)
def test_a_newer_result_that_can_not_be_read(problem: str, days: int, status: str) -> None:
    odd = replace(calcium("9.4", days), ref="Observation/odd", problem=problem)
    assert status_of(calcium("2.31", 10), odd) == status
    assert status_of(calcium("2.31", 10), replace(odd, status="preliminary")) == "normal"


@pytest.mark.parametrize(("score", "flagged"), [("0", False), ("0.5", True), ("1", True)])
def test_any_pain_under_a_vitamin_k_antagonist(score: str, flagged: bool) -> None:
    vka = Medication("MedicationRequest/w", "warfarin", frozenset({"warfarin"}), frozenset({"vka"}))
    found = judged(patient(lesions=(lesion(pain_score=Decimal(score), pain="none"),), medications=(vka,)))
    assert any(flag.id == "calciphylaxis" for flag in found.red_flags) == flagged


def test_called_new_without_a_record_is_new_today() -> None:
    new = lesion(onset=None, recorded=None, called_new=True)
    assert judged(patient(lesions=(new,))).criteria.lesion.newness == "N1"
    recorded = replace(new, recorded=days_ago(300))
    assert judged(patient(lesions=(recorded,))).criteria.lesion.newness == "N2"
    assert judged(patient(lesions=(replace(new, updated=days_ago(300)),))).criteria.lesion.newness == "N2"


def test_low_albumin_excuses_a_low_total_but_no_low_ionized_calcium() -> None:
    albumin = lab("albumin", "25", None, None, 5, "Observation/alb")
    total = lab("calcium-total", "1.70", "2.15", "2.57", 5, "Observation/ca")
    ionized = lab("calcium-ionized", "0.85", "1.15", "1.33", 5, "Observation/ca")
    assert judged(patient(results=(total, phosphate(), albumin))).grade == "incomplete"
    assert judged(patient(results=(ionized, phosphate(), albumin))).grade == "urgent"
