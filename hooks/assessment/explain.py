"""What would change the grade: asked by grading again with one thing different ("a normal ionized calcium would …")."""

from __future__ import annotations

from msgspec.structs import replace

from hooks.assessment.grading import LADDER, Weighed, grade
from hooks.knowledge.messages import Messages


def would_change(facts: Weighed, messages: Messages) -> tuple[str, ...]:
    """One sentence for each single finding that would move the grade, the most wanted first."""
    now = grade(facts).grade
    if now in ("urgent", "alternative", "none"):
        return ()
    said: list[str] = []

    def ask(key: str, changed: Weighed, **values: str) -> None:
        then = grade(changed).grade
        if then not in LADDER or then == now:
            return
        said.append(messages.say(key, grade=then, **values))

    if facts.calcium in ("unknown", "indeterminate", "stale", "borderline") or facts.calcium_fallback:
        ionized = facts.calcium == "indeterminate" and not facts.calcium_unreadable
        kind = messages.say(f"change.kind.{'ionized' if ionized else 'current'}")
        ask("change.calcium", replace(facts, calcium="normal", calcium_stale=False, calcium_fallback=False), kind=kind)
    if facts.phosphate in ("unknown", "borderline", "indeterminate"):
        ask("change.phosphate", replace(facts, phosphate="normal"))
    if facts.hardness in ("possible", "unstated"):
        ask("change.hard", replace(facts, hardness="definite"))
    if not facts.imaging_positive:
        ask("change.imaging", replace(facts, imaging_positive=True, imaging_negative=False))
        if not facts.imaging_negative:
            ask("change.imaging-negative", replace(facts, imaging_negative=True))
    if not facts.biopsy_positive:
        key = "change.biopsy-typical" if facts.imaging_positive else "change.biopsy"
        ask(key, replace(facts, biopsy_positive=True))
    if facts.ctd == "suspected":
        ask("change.ctd", replace(facts, ctd="confirmed"))
    if facts.crystals_needed:
        ask("change.crystals", replace(facts, crystals_needed=False))
    if now == "incomplete":
        said.append(messages.say("change.calcium-abnormal"))
    return tuple(said)
