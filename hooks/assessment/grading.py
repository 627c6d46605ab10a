"""The grade (rule 2.5): urgent, then alternative, then usable calcium, then the evidence row, caps, calcium quality,
negative imaging. A pure function of `Weighed`, so that "what would change it" is answered by asking it again."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from hooks.model import Grade, LabStatus, Newness
from mappings.facts import Hardness

LADDER: tuple[Grade, ...] = ("none", "possible", "probable", "likely", "confirmed")


class Weighed(Struct, frozen=True):
    """Everything the grade looks at, and nothing else."""

    ctd: Literal["confirmed", "suspected"] | None
    tier: int | None
    hardness: Hardness | None
    chalky: bool
    newness: Newness | None
    lesion_confirmed: bool = True
    calcium: LabStatus = "unknown"
    calcium_unreadable: bool = False
    """indeterminate for want of a value that can be read, not for what the value says."""
    calcium_fallback: bool = False
    calcium_stale: bool = False
    calcium_discordant: bool = False
    critical_calcium: bool = False
    phosphate: LabStatus = "unknown"
    product_over: bool = False
    kidney_severe: bool = False
    infusion_at_site: bool = False
    necrosis_or_livedo: bool = False
    calciphylaxis_flag: bool = False
    calciphylaxis_code: bool = False
    imaging_positive: bool = False
    imaging_doubtful: bool = False
    imaging_negative: bool = False
    biopsy_positive: bool = False
    calcinosis_coded: bool = False
    scrotum_only: bool = False
    crystals_needed: bool = False


class Graded(Struct, frozen=True):
    """The grade and the message keys of its reasons, in the order in which they acted."""

    grade: Grade
    reasons: tuple[str, ...]


def grade(facts: Weighed) -> Graded:
    """The grade of what was weighed: "none" without a disease or a lesion that counts, then urgent, then alternative,
    then incomplete where the calcium says nothing; what is left goes by its evidence, of which caps take away."""
    if facts.ctd is None or facts.hardness is None:
        return Graded("none", ("grade.none",))
    urgent = _urgent(facts)
    if urgent:
        return Graded("urgent", urgent)
    alternative = _alternative(facts)
    if alternative:
        return Graded("alternative", alternative)
    if facts.calcium in ("unknown", "indeterminate"):
        return _incomplete(facts)
    level, reasons = _capped(facts, *_evidence(facts))
    if facts.calcium_stale or facts.calcium_fallback:
        reasons.append("step.stale" if facts.calcium_stale else "step.fallback")
        level = max(level - 1, _level("possible"))
    if facts.imaging_negative:
        reasons.append("step.negative-imaging")
        level -= 1
    return Graded(LADDER[level], tuple(reasons))


def _urgent(facts: Weighed) -> tuple[str, ...]:
    found = []
    if facts.calciphylaxis_code:
        found.append("urgent.code")
    elif facts.calciphylaxis_flag and facts.necrosis_or_livedo:
        found.append("urgent.calciphylaxis")
    if facts.critical_calcium:
        found.append("urgent.critical-calcium")
    return tuple(found)


def _alternative(facts: Weighed) -> tuple[str, ...]:
    checks = (
        (facts.calcium == "low", "alternative.calcium-low"),
        (facts.calcium == "high", "alternative.calcium-high"),
        (facts.phosphate == "high", "alternative.phosphate-high"),
        (facts.product_over, "alternative.product"),
        (facts.kidney_severe, "alternative.kidney"),
        (facts.infusion_at_site, "alternative.infusion"),
        (facts.necrosis_or_livedo, "alternative.necrosis"),
    )
    return tuple(key for holds, key in checks if holds)


def _incomplete(facts: Weighed) -> Graded:
    shown = facts.imaging_positive or facts.biopsy_positive or facts.calcinosis_coded
    reasons = ("incomplete.calcified" if shown else "incomplete.calcium",)
    if facts.imaging_negative and LADDER[_normal_calcium_level(facts)] == "none":
        return Graded("none", ("step.negative-imaging",))
    return Graded("incomplete", reasons)


def _normal_calcium_level(facts: Weighed) -> int:
    return _capped(facts, *_evidence(facts))[0] - 1


def _evidence(facts: Weighed) -> tuple[int, list[str]]:
    if facts.biopsy_positive or facts.calcinosis_coded:
        return _level("confirmed"), ["evidence.biopsy" if facts.biopsy_positive else "evidence.coded"]
    if facts.imaging_positive:
        return _level("likely"), ["evidence.imaging"]
    hard = facts.hardness in ("definite", "equivalent") and facts.lesion_confirmed
    if hard:
        return _level("probable"), [f"evidence.{facts.hardness}"]
    if not facts.lesion_confirmed:
        return _level("possible"), ["evidence.lesion-suspected"]
    return _level("possible"), [f"evidence.{facts.hardness}"]


def _capped(facts: Weighed, level: int, reasons: list[str]) -> tuple[int, list[str]]:
    shown = facts.imaging_positive or facts.biopsy_positive
    caps: tuple[tuple[bool, Grade, str], ...] = (
        (facts.ctd == "suspected", "possible", "cap.ctd-suspected"),
        (facts.tier == 3 and not facts.chalky and not shown, "possible", "cap.tier-3"),
        (facts.calcium == "borderline", "possible", "cap.calcium-borderline"),
        (facts.calcium_discordant, "possible", "cap.calcium-discordant"),
        (facts.scrotum_only, "possible", "cap.scrotum"),
        (facts.crystals_needed, "possible", "cap.crystals"),
        (facts.imaging_doubtful, "possible", "cap.imaging-doubtful"),
        (facts.phosphate in ("unknown", "borderline", "indeterminate"), "probable", "cap.phosphate"),
    )
    for holds, ceiling, reason in caps:
        if holds and level >= _level(ceiling):
            level = _level(ceiling)
            reasons.append(reason)
    return level, reasons


def _level(name: Grade) -> int:
    return LADDER.index(name)
