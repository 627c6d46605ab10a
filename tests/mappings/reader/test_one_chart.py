"""One chart out of many resources: corrections, contradictions, panels, missing subjects, zones, last resorts."""

from __future__ import annotations

import itertools
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from hooks.assess import assess
from hooks.knowledge import load_knowledge
from mappings.dates import PartialDate
from mappings.facts import Completeness, PatientFacts, Result
from mappings.raw import RawChart
from mappings.reader.merge import merged
from mappings.reader.plain import lines_of_rtf
from mappings.units import load_units
from mappings.versions import REPLACES
from tests.charts import COMPLETE, TODAY
from tests.spec.harness import reader

CALCIUM = {"coding": [{"system": "http://loinc.org", "code": "2000-8"}]}
SUBJECT = {"subject": {"reference": "Patient/p"}}
NINE = "2026-05-20T09:00:00Z"
RANGE = [{"low": {"value": Decimal("2.15")}, "high": {"value": Decimal("2.57")}}]
PATIENT = {"resourceType": "Patient", "id": "p", "birthDate": "1980-01-01", "gender": "female"}


def read(*resources: dict[str, Any], zone: str | None = None) -> PatientFacts:
    place = ZoneInfo(zone) if zone else None
    return reader().read(RawChart("p", (PATIENT, *resources), COMPLETE, zone=place))


def calcium(name: str, value: str, when: str = NINE, **more: Any) -> dict[str, Any]:
    quantity = {"value": Decimal(value), "unit": "mmol/L"}
    return (
        {"resourceType": "Observation", "id": name, "status": "final", "code": CALCIUM, **SUBJECT}
        | {
            "effectiveDateTime": when,
            "valueQuantity": quantity,
        }
        | more
    )


def values(facts: PatientFacts) -> list[tuple[str, str | None]]:
    return sorted((str(r.low), r.problem) for r in facts.results)


def status_of_calcium(facts: PatientFacts) -> tuple[str, bool, bool]:
    found = assess(facts, load_knowledge(), TODAY).criteria.calcium
    return found.status, found.discordant, found.critical


# corrections


@pytest.mark.parametrize("status", ["corrected", "amended"])
def test_a_corrected_result_replaces_the_one_of_the_same_moment(status: str) -> None:
    facts = read(calcium("a", "2.31"), calcium("b", "3.31", status=status))
    assert values(facts) == [("3.31", None)]
    assert [(q.reference, q.reason) for q in facts.quarantined] == [("Observation/a", "replaced by a corrected result")]


def test_the_newest_of_two_corrections_counts() -> None:
    first = calcium("a", "2.31", status="corrected", issued="2026-05-20T10:00:00Z")
    second = calcium("b", "2.81", status="corrected", issued="2026-05-20T11:00:00Z")
    for order in itertools.permutations((first, second, calcium("c", "2.41"))):
        assert values(read(*order)) == [("2.81", None)]


def test_a_younger_result_is_not_taken_away_by_an_older_correction() -> None:
    corrected = calcium("a", "2.31", status="corrected", issued="2026-05-20T10:00:00Z")
    younger = calcium("b", "2.81", issued="2026-05-21T10:00:00Z", referenceRange=RANGE)
    assert [v for v, _ in values(read(corrected, younger))] == ["2.31", "2.81"]


def test_a_correction_finds_its_original_by_specimen_or_by_name() -> None:
    drawn = {"specimen": {"reference": "Specimen/s"}}
    later = "2026-05-20T12:00:00Z"
    by_specimen = read(calcium("a", "2.31", **drawn), calcium("b", "2.81", later, status="corrected", **drawn))
    extension = [{"url": REPLACES, "valueReference": {"reference": "Observation/a"}}]
    by_name = read(calcium("a", "2.31"), calcium("b", "2.81", later, extension=extension))
    assert values(by_specimen) == values(by_name) == [("2.81", None)]


def test_a_correction_that_takes_the_value_back_leaves_none() -> None:
    gone = calcium("b", "2.31", status="corrected", dataAbsentReason={"text": "error"})
    assert values(read(calcium("a", "2.31"), gone)) == [("None", "no-value")]


# contradictions


def test_of_two_values_at_one_moment_the_normal_one_never_wins() -> None:
    for order in itertools.permutations((calcium("a", "2.31"), calcium("b", "3.31"))):
        facts = read(*(body | {"referenceRange": RANGE} for body in order))
        assert values(facts) == [("2.31", "same-time-conflict"), ("3.31", None)]
        assert status_of_calcium(facts) == ("high", False, True)


def test_without_a_laboratory_range_neither_is_relied_on_but_the_critical_one_is_seen() -> None:
    facts = read(calcium("a", "2.31"), calcium("b", "3.31"))
    assert {problem for _, problem in values(facts)} == {"same-time-conflict"}
    assert status_of_calcium(facts) == ("indeterminate", False, True)


def test_two_normal_values_at_one_moment_contradict_nothing() -> None:
    facts = read(*(calcium(name, v, referenceRange=RANGE) for name, v in (("a", "2.31"), ("b", "2.35"))))
    assert status_of_calcium(facts) == ("normal", False, False)


def test_of_the_heart_rates_of_one_visit_the_lowest_stands() -> None:
    """A pulse and the rate of an ECG differ within minutes and contradict nothing; the rules ask for the lowest."""
    coded = {"coding": [{"system": "http://loinc.org", "code": "8867-4"}]}
    rates = [("a", "74"), ("b", "58"), ("c", "66")]
    for order in itertools.permutations(
        calcium(name, v, code=coded, valueQuantity={"value": Decimal(v), "unit": "/min"}) for name, v in rates
    ):
        standing = [str(r.low) for r in read(*order).results if r.usable]
        assert standing == ["58"]


def test_of_two_results_of_one_day_without_a_time_the_less_reassuring_counts() -> None:
    day = "2026-05-20"
    for order in itertools.permutations((calcium("a", "2.31", day), calcium("b", "2.71", day))):
        facts = read(*(body | {"referenceRange": RANGE} for body in order))
        assert status_of_calcium(facts) == ("high", True, False)


# zones


def test_a_time_without_a_zone_is_placed_where_the_hospital_is() -> None:
    here, there = calcium("a", "2.31", "2026-05-20T09:00:00"), calcium("b", "2.31", "2026-05-20T09:00:00-05:00")
    assert len(read(here, there, zone="America/Chicago").results) == 1, "the same result twice"
    marked = read(here).results[0].date
    placed = read(here, zone="America/Chicago").results[0].date
    assert marked is not None
    assert placed is not None
    assert (marked.zone_missing, placed.zone_missing) == (True, False)
    assert (placed.earliest, str(placed.instant)) == (marked.earliest, "2026-05-20 14:00:00+00:00")


def test_the_zone_decides_which_of_two_results_is_the_newer() -> None:
    local, utc = calcium("a", "2.81", "2026-05-20T08:00:00"), calcium("b", "2.31", "2026-05-20T10:00:00Z")
    ranged = [body | {"referenceRange": RANGE} for body in (local, utc)]
    assert status_of_calcium(read(*ranged))[0] == "normal"
    assert status_of_calcium(read(*ranged, zone="America/New_York"))[0] == "high"


# panels


def test_a_contained_member_is_read_once_and_with_the_date_of_its_panel() -> None:
    inner = {"resourceType": "Observation", "id": "ca", "status": "final", "code": CALCIUM}
    inner["valueQuantity"] = {"value": Decimal("2.31"), "unit": "mmol/L"}
    panel = calcium("panel", "0", code={"text": "Bone profile"}, contained=[inner], hasMember=[{"reference": "#ca"}])
    del panel["valueQuantity"]
    report = {"resourceType": "DiagnosticReport", "id": "r", "status": "final", "code": {"text": "Bone profile"}}
    report |= SUBJECT | {"effectiveDateTime": NINE, "contained": [inner], "result": [{"reference": "#ca"}]}
    for holder in ([panel], [report], [panel, report], [panel, calcium("own", "2.31")]):
        (found,) = read(*holder).results
        assert (str(found.low), found.date.earliest.isoformat() if found.date else None) == ("2.31", "2026-05-20")


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"subject": {"reference": "Patient/q"}}, "contained Observation belongs to another patient"),
        ({"code": "x"}, "contained Observation: code: must be an object"),
        ({"status": "entered-in-error"}, "status entered-in-error"),
    ],
)
def test_a_contained_member_that_is_not_to_be_used_is_named(change: dict[str, Any], reason: str) -> None:
    inner = calcium("ca", "2.31") | change
    facts = read({"resourceType": "DiagnosticReport", "id": "r", "status": "final", "contained": [inner], **SUBJECT})
    assert facts.results == ()
    assert ("DiagnosticReport/r", reason) in [(q.reference, q.reason) for q in facts.quarantined]


def test_a_member_of_a_urine_panel_is_no_blood_test_by_its_name_alone() -> None:
    named = calcium("m", "2.31", code={"text": "Calcium"})
    for kind, link in (("Observation", "hasMember"), ("DiagnosticReport", "result")):
        panel = {"resourceType": kind, "id": "panel", "status": "final", "code": {"text": "Urine chemistry"}, **SUBJECT}
        panel[link] = [{"reference": "Observation/m"}]
        assert read(named, panel).results == ()
        assert len(read(calcium("m", "2.31"), panel).results) == 1, "its own code says blood"
        mixed = panel | {"code": {"text": "Blood and urine chemistry"}}
        assert len(read(named, mixed).results) == 1


# subjects


@pytest.mark.parametrize("subject", [{"display": "Somebody"}, {"reference": "#gone"}])
def test_a_resource_without_a_readable_subject_is_named_and_its_need_partial(subject: Any) -> None:
    facts = read(calcium("a", "2.31", subject=subject))
    assert facts.results == ()
    assert facts.need("observations") == Completeness("partial", "subject missing")
    assert [q.reference for q in facts.quarantined] == ["Observation/a"]
    assert facts.need("conditions").state == "complete"


def test_another_patients_resource_beside_ours_is_named_and_nothing_is_missing() -> None:
    facts = read(calcium("a", "2.31", subject={"reference": "Patient/q"}), calcium("b", "2.35"))
    assert (values(facts), facts.need("observations").state) == (values(read(calcium("b", "2.35"))), "complete")


# last resorts


def narrative(words: str) -> dict[str, Any]:
    return {"text": {"status": "generated", "div": f'<div xmlns="http://www.w3.org/1999/xhtml"><p>{words}</p></div>'}}


def test_the_narrative_is_read_only_where_nothing_else_names_the_condition() -> None:
    words = narrative("Stony-hard nodule of the left elbow")
    bare = {"resourceType": "Condition", "id": "c", **SUBJECT} | words
    (lesion,) = read(bare).lesions
    assert (lesion.kind, lesion.hardness) == ("nodule", "definite")
    assert read(bare | {"code": {"text": "Hypertension"}}).lesions == ()
    assert read(bare | {"code": {"coding": [{"code": "X1"}]}}).lesions == ()


def test_a_disease_in_a_narrative_is_suspected_only() -> None:
    bare = {"resourceType": "Condition", "id": "c", **SUBJECT} | narrative("Systemic lupus erythematosus")
    assert {f.certainty for f in read(bare).findings if "ctd.sle" in f.concepts} == {"suspected"}


def test_a_drug_in_a_narrative_is_recognised() -> None:
    bare = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order", **SUBJECT}
    assert [m.drugs for m in read(bare | narrative("diltiazem 60 mg tablet")).medications] == [{"diltiazem"}]


RTF = (
    r"{\rtf1\ansi\deff0{\fonttbl{\f0\fswiss Arial;}}{\colortbl;\red255\green0\blue0;}{\*\generator Riched20;}"
    r"\viewkind4\uc1\pard\f0\fs20 No hard nodules.\par Stony-hard nodule on the left elbow, 2\'a0cm, "
    r"b\u246?sartig unwahrscheinlich.\par}"
)


def test_rtf_comments_are_read_without_their_markup() -> None:
    assert (
        lines_of_rtf(RTF) == "No hard nodules.\nStony-hard nodule on the left elbow, 2 cm, bösartig unwahrscheinlich."
    )
    exam = calcium("e", "0", code={"text": "Skin examination"}, note=[{"text": RTF}])
    del exam["valueQuantity"]
    lesions = read(exam).lesions
    assert {(le.certainty, le.hardness) for le in lesions} >= {("confirmed", "definite")}
    assert not any("rtf" in le.label or "Arial" in le.label for le in lesions)


@pytest.mark.parametrize("text", ["{\\rtf", "{\\rtf1 \\'zz \\u99999999 }}}}", "{\\rtf1" + "{" * 5000, "plain {text}"])
def test_broken_rtf_never_raises(text: str) -> None:
    assert isinstance(lines_of_rtf(text), str)


# drafts


def order(kind: str, **more: Any) -> dict[str, Any]:
    return {"resourceType": kind, "id": "d", "status": "draft", "intent": "proposal", **SUBJECT} | more


def test_an_accepted_suggestion_in_the_chart_is_a_draft_and_no_active_drug() -> None:
    (found,) = read(order("MedicationRequest", medicationCodeableConcept={"text": "Diltiazem 60 mg"})).medications
    assert (found.draft, found.drugs) == (True, {"diltiazem"})


def test_a_draft_order_in_the_chart_counts_as_ordered() -> None:
    (found,) = read(order("ServiceRequest", code={"text": "X-ray of the left elbow"})).actions
    assert (found.kind, found.workup) == ("ordered", {"radiograph"})


@pytest.mark.parametrize("same", [("1.4", "1.400", "14e-1"), ("30", "30.0", "3e1"), ("20", "2.0E+1")])
def test_a_number_spelt_otherwise_gives_the_same_words(same: tuple[str, ...]) -> None:
    first, *others = (read(lesion(Decimal(size))) for size in same)
    assert f"Size: {same[0]}" in first.lesions[0].label
    assert others == [first] * len(others)


def test_a_bound_is_no_number() -> None:
    """A component keeps its comparator when it becomes words."""
    assert "Size: <5" in read(lesion(Decimal(5), comparator="<")).lesions[0].label


def lesion(size: Decimal, **more: str) -> dict[str, Any]:
    """A hard nodule described in components."""
    said = (("Consistency", "stony hard"), ("Location", "left elbow"))
    components: list[dict[str, Any]] = [{"code": {"text": name}, "valueString": words} for name, words in said]
    components.append({"code": {"text": "Size"}, "valueQuantity": {"value": size, "unit": "mm", **more}})
    found = {"resourceType": "Observation", "id": "l", "status": "final", "code": {"text": "Nodule"}, **SUBJECT}
    return {**found, "effectiveDateTime": NINE, "component": components}


class _Unhashed(Decimal):
    def __hash__(self) -> int:
        raise AssertionError("compared with itself")


def test_a_result_that_stands_alone_is_not_compared() -> None:
    """Most results do, and numbers are slow to hash."""
    number = _Unhashed("2.31")
    days = [PartialDate.parse(f"2026-05-{day:02}T09:00:00Z") for day in (20, 21)]
    results = tuple(
        Result(
            "calcium-total", f"Observation/{n}", day, "final", low=number, canonical_low=number, canonical_high=number
        )
        for n, day in enumerate(days)
    )
    assert merged(PatientFacts("Patient/p", results=results), {}, None, load_units()).results == results
