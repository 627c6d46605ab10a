"""Every key of the condition language: when it holds, when it does not, and what it says of the facts behind it."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from msgspec.structs import replace

from hooks.case import Case
from hooks.chart import Chart
from hooks.knowledge import load_knowledge
from hooks.knowledge.safety_schema import Condition, walk
from hooks.model import Differential, RedFlag
from hooks.therapy.conditions import Compiler, about_agent
from hooks.therapy.view import Hit, View
from mappings.facts import Allergy, Completeness, Finding, Medication
from tests.charts import COMPLETE, TODAY
from tests.hooks.assessment.facts import ADULT, ELBOW, FACE, days_ago, judged, lab, lesion, patient

KNOWLEDGE = load_knowledge()
NAMED = {
    "lupus": Condition.model_validate({"dx": ["ctd.sle"]}),
    "own": Condition.model_validate({"not": {"agent": "active"}}),
    "after": Condition.model_validate({"rule": "D1.1"}),
}
VOCABULARY = KNOWLEDGE.safety.vocabulary
DILTIAZEM = KNOWLEDGE.therapies.get("diltiazem")
SLE = Finding(frozenset({"ctd.sle"}), "lupus", "Condition/sle")
OLD_MI = Finding(frozenset({"trigger.acute_mi"}), "infarction", "Condition/mi", course="resolved", onset=days_ago(20))
NO_BLOCK = Finding(frozenset({"trigger.sick_sinus"}), "no sick sinus", "Condition/no", certainty="absent")
DRUG = Medication("MedicationRequest/d", "diltiazem", frozenset({"diltiazem"}), started=days_ago(5), route="oral",
                  daily_dose=Decimal(120), dose_unit="mg")  # fmt: skip
REACTION = Allergy("AllergyIntolerance/a", "diltiazem", frozenset({"diltiazem"}), severe=True)
FACTS = patient(
    findings=(SLE, OLD_MI, NO_BLOCK),
    medications=(DRUG,),
    allergies=(REACTION,),
    lesions=(lesion(sites=(ELBOW, FACE), ulcerated=True, pain_score=Decimal(2)),),
    results=(
        lab("egfr", "45", None, None, 10, "Observation/gfr"),
        lab("alt", "130", None, "40", 10, "Observation/alt"),
        lab("iga", "1", "0.7", "4", 10, "Observation/iga", flag="low", range_low=None, range_high=None),
        lab("hbsag", "1", None, None, 10, "Observation/hb", low=None, high=None, canonical_low=None,
            canonical_high=None, word="positive"),
    ),
    completeness={**COMPLETE, "allergies": Completeness("partial", "page limit"),
                  "medications": Completeness("unavailable")},
)  # fmt: skip
FOUND = judged(patient(lesions=FACTS.lesions))
CASE = Case(
    grade="likely",
    criteria=FOUND.criteria,
    lesions=FACTS.lesions,
    red_flags=(RedFlag("infection", "x", ("Observation/l",)),),
    differential=(Differential("xanthoma", "yellow", "lipids", ("Observation/l",)),),
    missing=("pth",),
)


def ask(condition: Any, facts=FACTS, agent=None, fired=None, needs: frozenset[str] = frozenset()) -> Hit | None:
    view = View(Chart(facts, TODAY), CASE)
    view.therapy_needs = needs
    test = Compiler(NAMED, VOCABULARY.analytes).compile(Condition.model_validate(condition))
    return test(view, agent, fired or {})


HOLDS: list[tuple[Any, tuple[str, ...], tuple[str, ...]]] = [
    ({"always": True}, (), ()),
    ({"dx": ["ctd.sle"]}, ("Condition/sle",), ("lupus",)),
    ({"dx": ["ctd.*"]}, ("Condition/sle",), ("lupus",)),
    ({"hx": ["trigger.acute_mi"]}, ("Condition/mi",), ("infarction",)),
    ({"absent": ["trigger.sick_sinus"]}, ("Condition/no",), ("no sick sinus",)),
    ({"finding": {"concepts": ["trigger.acute_mi"], "history": True, "within_days": 28}}, ("Condition/mi",), ()),
    ({"finding": {"concepts": ["trigger.sick_sinus"], "certainty": "absent"}}, ("Condition/no",), ()),
    ({"is": "lupus"}, ("Condition/sle",), ("lupus",)),
    ({"all": [{"dx": ["ctd.sle"]}, {"hx": ["trigger.acute_mi"]}]}, ("Condition/sle", "Condition/mi"), ()),
    ({"any": [{"dx": ["ctd.ra"]}, {"hx": ["trigger.acute_mi"]}]}, ("Condition/mi",), ("infarction",)),
    ({"any": [{"dx": ["ctd.sle"]}, {"hx": ["trigger.acute_mi"]}]}, ("Condition/sle", "Condition/mi"), ()),
    ({"not": {"dx": ["ctd.ra"]}}, (), ()),
    ({"drug": ["diltiazem"]}, ("MedicationRequest/d",), ()),
    ({"medication": {"any": ["diltiazem"]}}, ("MedicationRequest/d",), ()),
    ({"medication": {"any": ["diltiazem"], "routes": ["oral"]}}, ("MedicationRequest/d",), ()),
    ({"medication": {"any": ["diltiazem"], "dose_above": 119}}, ("MedicationRequest/d",), ()),
    ({"medication": {"any": ["diltiazem"], "dose_at_least": 120}}, ("MedicationRequest/d",), ()),
    ({"medication": {"any": ["diltiazem"], "dose_at_most": 120}}, ("MedicationRequest/d",), ()),
    ({"lab": {"analyte": "egfr", "below": 60}}, ("Observation/gfr",), ()),
    ({"lab": {"analyte": "egfr", "at_most": 45}}, ("Observation/gfr",), ()),
    ({"lab": {"analyte": "egfr", "at_least": 45}}, ("Observation/gfr",), ()),
    ({"lab": {"analyte": "egfr", "above": 44}}, ("Observation/gfr",), ()),
    ({"lab": {"analyte": "egfr", "below": 60, "without_range": True}}, ("Observation/gfr",), ()),
    ({"lab": {"analyte": "alt", "times_upper": 3}}, ("Observation/alt",), ()),
    ({"lab": {"analyte": "iga", "category": ["low"]}}, ("Observation/iga",), ()),
    ({"lab": {"analyte": "hbsag", "word": ["positive"]}}, ("Observation/hb",), ()),
    ({"age": {"at_least": 46}}, ("Patient/1",), ()),
    ({"age": {"at_most": 46}}, ("Patient/1",), ()),
    ({"age": {"below": 47}}, ("Patient/1",), ()),
    ({"age": {"above": 45}}, ("Patient/1",), ()),
    ({"sex": ["female"]}, (), ()),
    ({"allergy": {"any": ["diltiazem"]}}, ("AllergyIntolerance/a",), ("diltiazem",)),
    ({"allergy": {"any": ["diltiazem"], "severe": True, "tolerated": False}}, ("AllergyIntolerance/a",), ()),
    ({"lesion": {"attributes": ["ulcerated"]}}, ("Observation/l",), ()),
    ({"lesion": {"attributes": ["painful"]}}, ("Observation/l",), ()),
    ({"lesion": {"regions": ["head-face"]}}, ("Observation/l",), ()),
    ({"lesion": {"places": ["elbow"], "not_places": ["face"]}}, ("Observation/l",), ()),
    ({"flag": ["infection"]}, ("Observation/l",), ()),
    ({"grade": ["likely"]}, (), ()),
    ({"extent": ["unknown"]}, (), ()),
    ({"criterion": {"name": "calcium", "status": ["normal"]}}, ("Observation/ca",), (FOUND.criteria.calcium.because,)),
    ({"criterion": {"name": "imaging", "status": ["not-done"]}}, (), (FOUND.criteria.imaging.because,)),
    ({"unread": "allergies"}, (), ("allergies: page limit",)),
    ({"unread": "medications"}, (), ("medications: unavailable",)),
    ({"missing": ["pth"]}, (), ()),
    ({"mimic": ["xanthoma"]}, ("Observation/l",), ("yellow",)),
]  # fmt: skip
NOT: list[Any] = [
    {"dx": ["ctd.ra"]},
    {"dx": ["trigger.acute_mi"]},  # resolved
    {"dx": ["trigger.sick_sinus"]},  # absent
    {"absent": ["ctd.sle"]},
    {"finding": {"concepts": ["trigger.acute_mi"], "history": True, "within_days": 19}},
    {"finding": {"concepts": ["ctd.sle"], "none_of": ["ctd.sle"]}},
    {"finding": {"concepts": ["ctd.sle"], "at_lesion": "overlap"}},
    {"finding": {"concepts": ["ctd.sle"], "reason_for_encounter": True}},
    {"all": [{"dx": ["ctd.sle"]}, {"dx": ["ctd.ra"]}]},
    {"any": [{"dx": ["ctd.ra"]}, {"dx": ["ctd.mctd"]}]},
    {"not": {"dx": ["ctd.sle"]}},
    {"rule": "D1.1"},
    {"agent": "active"},  # nobody is asked about
    {"drug": ["colchicine"]},
    {"medication": {"any": ["diltiazem"], "routes": ["iv"]}},
    {"medication": {"any": ["diltiazem"], "dose_above": 120}},
    {"medication": {"any": ["diltiazem"], "dose_at_least": 121}},
    {"medication": {"any": ["diltiazem"], "dose_at_most": 119}},
    {"medication": {"any": ["diltiazem"], "dose_above": 1, "unit": "g"}},
    {"medication": {"any": ["diltiazem"], "dose_unknown_above": 10}},
    {"lab": {"analyte": "egfr", "below": 45}},
    {"lab": {"analyte": "egfr", "at_most": 44}},
    {"lab": {"analyte": "egfr", "above": 45}},
    {"lab": {"analyte": "egfr", "at_least": 46}},
    {"lab": {"analyte": "egfr", "below": 60, "max_age_days": 9}},
    {"lab": {"analyte": "alt", "above": 1, "without_range": True}},
    {"lab": {"analyte": "iga", "above": 0, "without_range": True}},
    {"lab": {"analyte": "alt", "times_upper": 4}},
    {"lab": {"analyte": "iga", "category": ["high", "normal"]}},
    {"lab": {"analyte": "hbsag", "word": ["negative"]}},
    {"lab": {"analyte": "hbsag", "above": 0}},
    {"lab": {"analyte": "crp", "above": 0}},
    {"age": {"at_least": 47}},
    {"age": {"at_most": 45}},
    {"age": {"below": 46}},
    {"age": {"above": 46}},
    {"age_unknown": True},
    {"sex": ["male"]},
    {"allergy": {"any": ["colchicine"]}},
    {"allergy": {"any": ["diltiazem"], "severe": False}},
    {"allergy": {"any": ["diltiazem"], "tolerated": True}},
    {"lesion": {"attributes": ["necrotic"]}},
    {"lesion": {"regions": ["thigh"]}},
    {"lesion": {"regions": ["head-face"], "not_places": ["face"]}},
    {"flag": ["malignancy"]},
    {"grade": ["confirmed"]},
    {"extent": ["extensive"]},
    {"criterion": {"name": "calcium", "status": ["high"]}},
    {"unread": "conditions"},
    {"missing": ["calcium"]},
    {"mimic": ["gouty-tophus"]},
    {"any_failed": True},
    {"first_of": ["diltiazem", "colchicine"]},
    {"therapy_need": ["ecg"]},
]


@pytest.mark.parametrize(("condition", "refs", "said"), HOLDS, ids=str)
def test_holds_and_says_why(condition: Any, refs: tuple[str, ...], said: tuple[str, ...]) -> None:
    hit = ask(condition)
    assert hit is not None
    assert hit.refs == refs
    if said:
        assert all(any(words in phrase for phrase in hit.said) for words in said), hit.said


@pytest.mark.parametrize("condition", NOT, ids=str)
def test_does_not_hold(condition: Any) -> None:
    assert ask(condition) is None


def test_another_test_of_the_table() -> None:
    assert ask({"rule": "D1.1"}, fired={"D1.1": Hit(("a",))}) == Hit(("a",))
    assert ask({"rule": "D1.1"}, fired={"D1.1": None}) is None
    for kind in ("all", "any"):
        assert ask({kind: [{"rule": "D1.1"}]}, fired={"D1.1": Hit(("a",))}) is not None
        assert ask({kind: [{"rule": "D1.1"}]}, fired={}) is None
    assert ask({"is": "after"}, fired={"D1.1": Hit(("a",))}) == Hit(("a",))


def test_what_a_laboratory_value_says() -> None:
    hit = ask({"lab": {"analyte": "egfr", "below": 60}})
    assert hit is not None
    assert hit.said[0].startswith("eGFR 45")
    assert ask({"lab": {"analyte": "alt", "times_upper": 3}}).said[0].startswith("ALT 130")  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("word", "flag", "value", "holds"),
    [("high", None, None, True), ("low", None, None, False), (None, "high", "5", True),
     (None, "critical-high", "5", True),
     (None, "normal", "5", False), (None, None, "5", False)],
)  # fmt: skip
def test_times_upper_without_a_limit(word: str | None, flag: str | None, value: str | None, holds: bool) -> None:
    result = lab("alt", value or "1", None, None, 1, "Observation/alt", word=word, flag=flag)
    if value is None:
        result = replace(result, low=None, high=None, canonical_low=None, canonical_high=None)
    facts = patient(results=(result,))
    assert (ask({"lab": {"analyte": "alt", "times_upper": 3}}, facts) is not None) == holds


@pytest.mark.parametrize(
    ("upper", "value", "comparator", "holds"),
    [("40", "120", None, False), ("40", "120.1", None, True), ("40", "50", ">", True)],
)
def test_times_upper_on_its_limit(upper: str, value: str, comparator: str | None, holds: bool) -> None:
    result = lab("alt", value, None, upper, 1, "Observation/alt", comparator=comparator)
    if comparator:
        result = replace(result, high=None, canonical_high=None)
    assert (ask({"lab": {"analyte": "alt", "times_upper": 3}}, patient(results=(result,))) is not None) == holds


@pytest.mark.parametrize(
    ("comparator", "value", "test", "holds"),
    [
        # "<60" is every value below 60, 60 itself not among them
        ("<", "60", {"below": 60}, True), ("<", "60", {"below": 10}, True), ("<", "60", {"at_most": 10}, True),
        ("<", "60", {"above": 60}, False), ("<", "60", {"at_least": 60}, False), ("<", "60", {"at_least": 59}, True),
        ("<=", "60", {"at_least": 60}, True), ("<=", "60", {"above": 60}, False),
        # ">60" is every value above 60
        (">", "60", {"above": 60}, True), (">", "60", {"above": 90}, True), (">", "60", {"at_least": 90}, True),
        (">", "60", {"below": 60}, False), (">", "60", {"at_most": 60}, False), (">", "60", {"at_most": 61}, True),
        (">=", "60", {"at_most": 60}, True), (">=", "60", {"below": 60}, False),
    ],
)  # fmt: skip
def test_a_value_known_on_one_side_only(comparator: str, value: str, test: dict[str, int], holds: bool) -> None:
    result = lab("egfr", value, None, None, 1, "Observation/gfr", comparator=comparator)
    open_side = "canonical_low" if comparator.startswith("<") else "canonical_high"
    result = replace(result, **{open_side: None})
    assert (ask({"lab": {"analyte": "egfr", **test}}, patient(results=(result,))) is not None) == holds


def test_a_value_without_a_unit_that_is_known_touches_nothing() -> None:
    odd = replace(lab("egfr", "45", None, None, 1, "Observation/x"), canonical_low=None, canonical_high=None)
    assert ask({"lab": {"analyte": "egfr", "below": 60}}, patient(results=(odd,))) is None


UNKNOWN: list[tuple[dict[str, Any], bool]] = [
    ({"analytes": ["crp"], "need": "crp"}, True),
    ({"analytes": ["egfr"], "need": "creatinine"}, False),
    ({"analytes": ["egfr"], "max_age_days": 9, "need": "creatinine"}, True),
    ({"analytes": ["egfr"], "max_age_days": 10, "need": "creatinine"}, False),
    ({"analytes": ["crp", "egfr"], "need": "creatinine"}, False),
    ({"analytes": ["hbsag"], "need": "hepatitis-b-serology"}, True),  # a word is no number
    ({"analytes": ["hbsag"], "numeric": False, "need": "hepatitis-b-serology"}, False),
    ({"analytes": ["hbsag"], "numeric": False, "words": ["negative"], "need": "x"}, True),
    ({"analytes": ["hbsag"], "numeric": False, "words": ["positive"], "need": "x"}, False),
    ({"analytes": ["egfr"], "upper_limit": True, "need": "creatinine"}, True),
    ({"analytes": ["alt"], "upper_limit": True, "need": "ALT"}, False),
    ({"analytes": ["hbsag"], "numeric": False, "upper_limit": True, "need": "x"}, False),
    ({"analytes": ["iga"], "upper_limit": True, "need": "IgA"}, False),
]


@pytest.mark.parametrize(("test", "holds"), UNKNOWN, ids=str)
def test_unknown(test: dict[str, Any], holds: bool) -> None:
    hit = ask({"unknown": test})
    assert (hit is not None) == holds
    if hit is not None:
        assert hit.needs == (test["need"],)
        assert hit.refs == ()


def test_unknown_says_what_and_since_when() -> None:
    assert ask({"unknown": {"analytes": ["egfr"], "max_age_days": 9, "need": "creatinine"}}) == Hit(
        (), ("no eGFR within 9 days",), ("creatinine",)
    )
    assert ask({"unknown": {"analytes": ["crp"], "need": "crp"}}) == Hit((), ("no crp",), ("crp",))


def test_unread_asks_for_the_list() -> None:
    assert ask({"unread": "allergies"}) == Hit((), ("allergies: page limit",), ("allergies list",))


def test_ages_that_are_only_partly_known() -> None:
    born = patient(born=replace(ADULT, latest=ADULT.latest.replace(year=1981)))  # 45 or 46
    assert ask({"age": {"at_least": 46}}, born) is not None
    assert ask({"age": {"at_least": 46, "surely": True}}, born) is None
    assert ask({"age": {"below": 46}}, born) is not None
    assert ask({"age": {"below": 46, "surely": True}}, born) is None
    nobody = patient(born=None)
    assert ask({"age": {"at_least": 12}}, nobody) is None
    assert ask({"age": {"at_least": 12, "unknown": True}}, nobody) is not None
    assert ask({"age_unknown": True}, nobody) is not None


def test_doses_by_one_dose_when_the_day_is_unknown() -> None:
    one = replace(DRUG, daily_dose=None, dose_unit=None, strength=Decimal(60), strength_unit="mg")
    facts = patient(medications=(one,))
    assert ask({"medication": {"any": ["diltiazem"], "dose_above": 59}}, facts) is not None
    assert ask({"medication": {"any": ["diltiazem"], "dose_at_most": 500}}, facts) is None
    assert ask({"medication": {"any": ["diltiazem"], "dose_unknown_above": 60}}, facts) is not None
    assert ask({"medication": {"any": ["diltiazem"], "dose_unknown_above": 59}}, facts) is None
    nothing = patient(medications=(replace(one, strength=None),))
    assert ask({"medication": {"any": ["diltiazem"], "dose_unknown_above": 1}}, nothing) is not None
    assert ask({"medication": {"any": ["diltiazem"], "dose_above": 1}}, nothing) is None
    assert ask({"medication": {"any": ["diltiazem"], "dose_at_least": 1}}, nothing) is None


def test_about_the_agent_itself() -> None:
    assert ask({"agent": "active"}, agent=DILTIAZEM) == Hit(("MedicationRequest/d",), ("diltiazem",))
    assert ask({"agent": "allergic"}, agent=DILTIAZEM).refs == ("AllergyIntolerance/a",)  # type: ignore[union-attr]
    assert ask({"agent": "dose-intolerant"}, agent=DILTIAZEM) is None
    tolerated = replace(REACTION, tolerated_dose=Decimal(180), dose_unit="mg", severe=False)
    facts = patient(allergies=(tolerated,), medications=(replace(DRUG, failed=True),))
    assert ask({"agent": "dose-intolerant"}, facts, DILTIAZEM).doses == ((Decimal(180), "mg/d"),)  # type: ignore[union-attr]
    assert ask({"agent": "allergic"}, facts, DILTIAZEM) is None
    assert ask({"agent": "failed"}, facts, DILTIAZEM) is not None
    assert ask({"agent": "failed"}, FACTS, DILTIAZEM) is None
    assert ask({"any_failed": True}, facts) is not None
    absent = patient(allergies=(replace(REACTION, certainty="absent"),))
    assert ask({"allergy": {"any": ["diltiazem"]}}, absent) is None
    assert ask({"agent": "allergic"}, absent, DILTIAZEM) is None


def test_an_allergy_to_the_class() -> None:
    facts = patient(allergies=(Allergy("AllergyIntolerance/c", "", classes=frozenset({"statin"})),))
    assert ask({"allergy": {"any": ["statin"]}}, facts) == Hit(("AllergyIntolerance/c",), ())


def test_what_a_therapy_waits_for() -> None:
    assert ask({"therapy_need": ["ecg"]}, needs=frozenset({"ecg"})) is not None


def test_whether_the_answer_depends_on_the_agent() -> None:
    def depends(condition: Any) -> bool:
        return about_agent(Condition.model_validate(condition), NAMED)

    assert depends({"agent": "active"})
    assert depends({"all": [{"always": True}, {"any": [{"agent": "failed"}]}]})
    assert depends({"is": "own"})
    assert not depends({"is": "lupus"})
    assert not depends({"not": {"dx": ["ctd.sle"]}})


def test_any_and_all_ask_about_the_agent_too() -> None:
    for key in ("any", "all"):
        assert ask({key: [{"agent": "active"}]}, agent=DILTIAZEM) is not None
    nested = {**NAMED, "deeper": Condition.model_validate({"is": "own"})}
    assert about_agent(Condition.model_validate({"is": "deeper"}), nested)


def test_one_dose_in_another_unit_says_nothing() -> None:
    grams = replace(DRUG, daily_dose=None, dose_unit=None, strength=Decimal(1), strength_unit="g")
    facts = patient(medications=(grams,))
    assert ask({"medication": {"any": ["diltiazem"], "dose_above": 0}}, facts) is None
    assert ask({"medication": {"any": ["diltiazem"], "dose_unknown_above": 0}}, facts) is not None


def test_a_named_condition_is_asked_once_for_a_patient_and_anew_for_each_agent() -> None:
    compiler = Compiler(NAMED, VOCABULARY.analytes)
    view = View(Chart(FACTS, TODAY), CASE)
    shared = compiler.compile(Condition.model_validate({"is": "lupus"}))
    assert shared(view, None, {}) is shared(view, None, {})
    assert compiler.compile(Condition.model_validate({"is": "lupus"})) is shared
    own = compiler.compile(Condition.model_validate({"is": "own"}))
    assert own(view, DILTIAZEM, {}) is None
    assert own(view, KNOWLEDGE.therapies.get("colchicine"), {}) is not None
    assert "own" not in view.memo
    after = compiler.compile(Condition.model_validate({"is": "after"}))
    assert after(view, None, {}) is None
    assert after(view, None, {"D1.1": Hit(("a",))}) is not None


def test_every_kind_of_condition_is_asked_here() -> None:
    asked = {
        part.kind
        for condition in (*(c for c, _, _ in HOLDS), *NOT)
        for part in walk(Condition.model_validate(condition))
    }
    assert asked | {"unknown"} == set(Condition.model_fields)
