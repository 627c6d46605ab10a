"""The single tests of the condition language: a fact of one patient, or its absence, as a Hit or None."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal

from hooks.assessment.labs import judge
from hooks.assessment.red_flags import painful
from hooks.knowledge.safety_schema import (
    AgeTest,
    AllergyTest,
    CriterionTest,
    LabTest,
    LesionTest,
    MedicationTest,
    UnknownTest,
)
from hooks.therapy.view import Hit, View, said_lesion
from mappings.facts import Lesion, Medication, Result

HOLDS = Hit()
"""holds, and nothing is to be said of it."""


def medication_test(view: View, test: MedicationTest) -> Hit | None:
    others = view.drugs(test.none_of, test.stopped_within_days)
    found = [d for d in view.drugs(test.any, test.stopped_within_days) if d not in others]
    return joined([view.said_of(d) for d in found if _route_fits(d, test) and _dose_fits(d, test)])


def _route_fits(drug: Medication, test: MedicationTest) -> bool:
    return not test.routes or drug.route in test.routes


def _dose_fits(drug: Medication, test: MedicationTest) -> bool:
    daily = drug.daily_dose if drug.dose_unit == test.unit else None
    one = drug.strength if daily is None and drug.strength_unit == test.unit else None
    least = daily if daily is not None else one
    if test.dose_above is not None:
        return least is not None and least > test.dose_above
    if test.dose_at_least is not None:
        return least is not None and least >= test.dose_at_least
    if test.dose_at_most is not None:
        return daily is not None and daily <= test.dose_at_most
    if test.dose_unknown_above is not None:
        return daily is None and (one is None or one <= test.dose_unknown_above)
    return True


def lab_test(view: View, test: LabTest, name: str) -> Hit | None:
    numeric = not (test.word or test.category or test.times_upper is not None)
    result = view.latest(test.analyte, test.max_age_days, numeric=numeric)
    if result is None:
        return None
    if test.without_range and (
        result.range_low is not None or result.range_high is not None or result.flag or result.word
    ):
        return None
    if test.newer_than is not None and not _is_newer(view, result, test.newer_than):
        return None
    if test.word or test.category:
        holds = result.word in test.word or judge(result, view.chart, ()).category in test.category
    elif test.within_upper:
        holds = result.high is not None and result.range_high is not None and result.high <= result.range_high
    elif test.times_upper is not None:
        holds = _above_upper(result, test.times_upper)
    else:
        holds = _touches(result, test)
    return view.said_result(result, name) if holds else None


def _is_newer(view: View, result: Result, analyte: str) -> bool:
    other = view.latest(analyte, numeric=True)
    return (
        other is not None
        and result.date is not None
        and other.date is not None
        and result.date.sort_key > other.date.sort_key
    )


def _touches(result: Result, test: LabTest) -> bool:
    """Whether some value of the result's interval lies in the stated interval. "<60" is open above, ">60" below."""
    low, high = result.canonical_low, result.canonical_high
    if low is None and high is None:
        return False
    below_open, above_open = result.comparator == ">", result.comparator == "<"
    for limit, strict in ((test.below, True), (test.at_most, False)):
        if limit is not None and low is not None and (low > limit or (low == limit and (strict or below_open))):
            return False
    for limit, strict in ((test.above, True), (test.at_least, False)):
        if limit is not None and high is not None and (high < limit or (high == limit and (strict or above_open))):
            return False
    return True


def _above_upper(result: Result, times: Decimal) -> bool:
    """Above so many times the upper limit; without a limit "high" may mean it, so it counts."""
    if result.low is None and result.high is None:
        return result.word == "high"
    if result.range_high is None:
        return result.flag in ("high", "critical-high")
    return result.high is None or result.high > times * result.range_high


def _comparable(result: Result) -> bool:
    return result.range_high is not None or result.flag is not None or result.word is not None


def unknown_test(view: View, test: UnknownTest, names: Mapping[str, str]) -> Hit | None:
    for analyte in test.analytes:
        result = view.latest(analyte, test.max_age_days, numeric=test.numeric, any_status=test.any_status)
        if result is None or (test.upper_limit and not _comparable(result)):
            continue
        if test.words and result.word not in test.words:
            continue
        return None
    if test.done is not None and view.done(test.done, test.max_age_days):
        return None
    name = names.get(test.analytes[0], test.analytes[0])
    window = f" within {test.max_age_days} days" if test.max_age_days is not None else ""
    return Hit((), (f"no {name}{window}",), (test.need,))


def age_test(view: View, test: AgeTest) -> Hit | None:
    age = view.chart.age
    if age is None:
        return HOLDS if test.unknown else None
    youngest, oldest = age
    if test.surely:
        youngest, oldest = oldest, youngest
    holds = (
        (test.below is None or youngest < test.below)
        and (test.at_most is None or youngest <= test.at_most)
        and (test.above is None or oldest > test.above)
        and (test.at_least is None or oldest >= test.at_least)
    )
    return Hit((view.facts.reference,)) if holds else None


def allergy_test(view: View, test: AllergyTest) -> Hit | None:
    wanted = frozenset(test.any)
    return joined(
        [
            Hit((a.ref,), (a.label,) if a.label else ())
            for a in view.facts.allergies
            if a.certainty != "absent"
            and wanted & (a.drugs | a.classes)
            and (test.severe is None or a.severe == test.severe)
            and (test.tolerated is None or (a.tolerated_dose is not None) == test.tolerated)
        ]
    )


def lesion_test(test: LesionTest) -> Callable[[Lesion], Hit | None]:
    """The test of one lesion."""
    attributes, regions, places, elsewhere = test.attributes, test.regions, test.places, test.not_places

    def run(lesion: Lesion) -> Hit | None:
        if attributes and not any(has(lesion, name) for name in attributes):
            return None
        if not (regions or places):
            return Hit((lesion.ref,))
        sites = tuple(
            [
                site
                for site in lesion.sites
                if (site.region in regions or site.place in places) and site.place not in elsewhere
            ]
        )
        return said_lesion(lesion, sites) if sites else None

    return run


def has(lesion: Lesion, name: str) -> bool:
    """Whether the lesion has an attribute that conditions name."""
    if name == "painful":
        return painful(lesion)
    return bool(getattr(lesion, name))


def criterion_test(view: View, test: CriterionTest) -> Hit | None:
    criterion = getattr(view.case.criteria, test.name)
    holds = criterion.status in test.status or getattr(criterion, "category", None) in test.status
    return Hit(criterion.evidence, (criterion.because,)) if holds else None


def unread_test(view: View, need: str) -> Hit | None:
    state = view.facts.need(need)  # type: ignore[arg-type]
    if state.state == "complete":
        return None
    return Hit((), (f"{need}: {state.reason or state.state}",), (f"{need} list",))


def joined(hits: list[Hit]) -> Hit | None:
    return Hit.join(hits) if hits else None
