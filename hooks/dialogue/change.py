"""How far an answer moves the assessment, and in words what it moved."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from msgspec import Struct
from msgspec.structs import replace

from hooks.hypothetical import Outline
from hooks.model import Assessment, Grade
from hooks.therapy import Verdict
from mappings.dates import PartialDate
from mappings.facts import PatientFacts, Result

STEPS: tuple[Grade, ...] = (
    "none",
    "incomplete",
    "possible",
    "probable",
    "likely",
    "confirmed",
    "alternative",
    "urgent",
)
HYPOTHETICAL = "Observation/-"
"""the reference of what nobody has recorded: it is never shown."""


def distance(before: Outline, after: Outline, weights: Mapping[str, int]) -> int:
    """How far the answer moves: grade, card, red flags, what may be ordered (where the weights say so), newness,
    then single decisions."""
    decisions = before.workup ^ after.workup
    gone, come = before.therapies - after.therapies, after.therapies - before.therapies
    options = {entry[:3] for entry in gone} ^ {entry[:3] for entry in come}
    return (
        weights["grade"] * abs(STEPS.index(before.grade) - STEPS.index(after.grade))
        + weights["card"] * (before.card != after.card)
        + weights["flag"] * len(before.flags ^ after.flags)
        + weights.get("options", 0) * len(_orderable(gone) ^ _orderable(come))
        + weights["newness"] * (before.newness != after.newness)
        + weights["decision"] * ((len(decisions) + len(options)) // 2)
    )


def _orderable(found: Iterable[Verdict]) -> set[str]:
    return {therapy for therapy, _, _, orderable in found if orderable}


def with_normal_calcium(facts: PatientFacts, assessment: Assessment) -> PatientFacts:
    """The facts as if calcium and phosphate had come back normal: it is asked for anyway, and what another finding
    adds shows only once it is back. Only for comparing, never for an answer."""
    day = PartialDate.of(assessment.as_of)
    results = tuple(
        Result(analyte, HYPOTHETICAL, day, "final", word="normal") for analyte in ("calcium-ionized", "phosphate")
    )
    return replace(facts, results=(*facts.results, *results))


class Moved(Struct, frozen=True):
    """One thing that an answer changed: `what` is grade, extent, flag, missing, workup or therapy; `id` which one."""

    what: str
    id: str
    before: str | None
    after: str | None
    because: str


def moved(before: Assessment, after: Assessment) -> tuple[Moved, ...]:
    """What differs, with the reason that the new assessment gives. Empty when nothing did."""
    found: list[Moved] = []
    if before.grade != after.grade:
        found.append(Moved("grade", "grade", before.grade, after.grade, " ".join(after.because)))
    earlier, later = before.criteria.lesion.extent, after.criteria.lesion.extent
    if earlier != later:
        found.append(Moved("extent", "extent", earlier, later, after.criteria.lesion.because))
    flags = {f.id: f for f in before.red_flags}
    found.extend(Moved("flag", f.id, None, "raised", f.text) for f in after.red_flags if f.id not in flags)
    gone = {f.id for f in after.red_flags}
    found.extend(Moved("flag", f.id, "raised", None, "") for f in before.red_flags if f.id not in gone)
    agents = {t.id: t for t in before.therapies}
    for option in after.therapies:
        old = agents.get(option.id)
        if old is None or old.decision != option.decision:
            found.append(Moved("therapy", option.id, old.decision if old else None, option.decision, option.because))
    tests = {w.id: w.decision for w in before.workup}
    found.extend(
        Moved("workup", w.id, tests.get(w.id), w.decision, w.because)
        for w in after.workup
        if tests.get(w.id) != w.decision
    )
    return tuple(found)
