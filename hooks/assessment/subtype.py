"""The five subtypes (rule 2.6), urgent and alternative paths first; only with CTD and lesion.

Every step is told, those that do not hold too. Mixed pictures name both.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from hooks.assessment.grading import Weighed
from hooks.knowledge.messages import Messages
from hooks.model import Grade, LabStatus, Subtype


class Subtypes(Struct, frozen=True):
    """`because`: one sentence a step, in order, the deciding one last."""

    subtype: Subtype | None
    mixed_with: Subtype | None = None
    because: tuple[str, ...] = ()


class _Step(Struct, frozen=True):
    subtype: Subtype
    why: tuple[str, ...]
    """keys of what makes the step hold; empty: it does not."""
    mixed_with: Subtype | None = None


def classify_subtype(grade: Grade, calcium: LabStatus, facts: Weighed, messages: Messages) -> Subtypes:
    """The first step that holds; a low or unusable calcium, and necrosis alone, leave it undetermined."""
    said: list[str] = []
    for step in _steps(grade, calcium, facts):
        if not step.why:
            said.append(messages.say(f"subtype.not-{step.subtype}"))
            continue
        why = "; ".join(messages.say(f"subtype.why.{key}") for key in step.why)
        said.append(messages.say(f"subtype.{step.subtype}", why=why))
        if step.mixed_with:
            said.append(messages.say(f"subtype.mixed.{step.mixed_with}"))
        return Subtypes(step.subtype, step.mixed_with, tuple(said))
    return Subtypes("dystrophic", None, (*said, messages.say("subtype.dystrophic")))


def _steps(grade: Grade, calcium: LabStatus, facts: Weighed) -> Iterator[_Step]:
    also_dystrophic: Subtype | None = "dystrophic" if facts.kidney_severe else None
    pattern = facts.calciphylaxis_flag and facts.necrosis_or_livedo
    yield _Step(
        "calciphylaxis", _held(("code", facts.calciphylaxis_code), ("pattern", pattern)), mixed_with=also_dystrophic
    )
    yield _Step(
        "metastatic",
        _held(
            ("calcium-high", calcium == "high"),
            ("phosphate-high", facts.phosphate == "high"),
            ("product", facts.product_over),
            ("kidney", facts.kidney_severe),
        ),
        mixed_with=also_dystrophic or ("iatrogenic" if facts.infusion_at_site else None),
    )
    yield _Step("iatrogenic", _held(("infusion", facts.infusion_at_site)))
    yield _Step(
        "undetermined",
        _held(
            ("calcium-low", calcium == "low"),
            ("calcium-critical", grade == "urgent"),
            ("calcium-unusable", grade == "incomplete"),
            ("necrosis", grade == "alternative" and facts.necrosis_or_livedo),
            ("scrotum", facts.scrotum_only),
        ),
    )


def _held(*checks: tuple[str, bool]) -> tuple[str, ...]:
    return tuple(key for key, holds in checks if holds)
