"""Which topics are held back because a clinician has seen or dismissed them, until something material changes.

A card is held back only while every material fact of today was already there when it was last shown: a new lesion, a
new calcium result, a new connective tissue disease, a red flag or another grade brings it back. Whatever can't be read
holds nothing back.
"""

from collections.abc import Callable, Iterable
from functools import cache
from importlib import resources

from pydantic import Field

from cds_service.store import Shown
from hooks.knowledge.base import Strict, parse
from hooks.knowledge.card_schema import OverrideReasons
from hooks.model import Assessment

_MINUTE_MS, _DAY_MS = 60_000, 86_400_000


class Suppression(Strict):
    """suppression.yaml: windows in days and minutes, topics by code."""

    repeat_days: int = Field(ge=0)
    grace_minutes: int = Field(ge=0)
    dismissed_days: int = Field(ge=0)
    always: frozenset[str]
    follows: dict[str, tuple[str, ...]]


@cache
def load_suppression() -> Suppression:
    """Reads the rules; KnowledgeError names the key that is wrong."""
    import yaml

    text = (resources.files("cds_service") / "data/suppression.yaml").read_text(encoding="utf-8")
    return parse("suppression.yaml", yaml.safe_load(text), Suppression)


def material_facts(assessment: Assessment) -> frozenset[str]:
    """What makes a card worth showing again when it is new. References and codes; hash them before keeping them."""
    criteria = assessment.criteria
    calcium = criteria.calcium
    return frozenset(
        {
            f"grade {assessment.grade} {assessment.subtype}",
            *(f"ctd {diagnosis}" for diagnosis in criteria.ctd.diagnoses),
            *(f"lesion {reference}" for reference in criteria.lesion.evidence),
            *(f"site {site.region} {site.place} {site.laterality}" for site in criteria.lesion.body_sites),
            *(f"calcium {calcium.status} {reference}" for reference in calcium.evidence),
            *(f"flag {flag.id}" for flag in assessment.red_flags),
        }
    )


def hashed(facts: Iterable[str], key: Callable[..., str]) -> frozenset[str]:
    """The facts as short keyed hashes, as the store keeps them."""
    return frozenset(key("fact", fact)[:16] for fact in facts)


def held_back(
    before: Iterable[Shown],
    material: frozenset[str],
    now_ms: int,
    rules: Suppression,
    reasons: OverrideReasons,
    *,
    user_key: str | None = None,
    encounter_key: str | None = None,
    client_remembers: bool = False,
) -> frozenset[str]:
    """The topics not to show now. `before` are this patient's earlier cards, `material` the hashed facts of today.

    `client_remembers`: the EHR applies dismissals itself, so that they have no second effect here."""
    held: set[str] = set()
    relevant = [shown for shown in before if material <= shown.material and shown.topic not in rules.always]
    for topic in {shown.topic for shown in relevant}:
        same = [shown for shown in relevant if shown.topic == topic]
        dismissed = not client_remembers and _dismissed(same, now_ms, rules, reasons)
        if dismissed or _repeated(same, now_ms, rules, user_key, encounter_key):
            held.add(topic)
            if dismissed:
                held.update(other for other, primaries in rules.follows.items() if topic in primaries)
    return frozenset(held)


def _dismissed(same: list[Shown], now_ms: int, rules: Suppression, reasons: OverrideReasons) -> bool:
    """The latest word counts: accepting after a dismissal lifts it."""
    said = [shown for shown in same if shown.verdict is not None]
    if not said:
        return False
    last = max(said, key=lambda shown: shown.verdict_ms)
    if last.verdict != "overridden":
        return False
    reason = reasons.effect(*last.reason) if last.reason else None
    if reason is not None and reason.days is None:
        return True
    days = reason.days if reason is not None and reason.days is not None else rules.dismissed_days
    return now_ms < last.verdict_ms + days * _DAY_MS


def _repeated(
    same: list[Shown], now_ms: int, rules: Suppression, user_key: str | None, encounter_key: str | None
) -> bool:
    """Seen by this user within the window, or by anybody in this encounter, and not just now."""
    seen = [
        shown.at_ms
        for shown in same
        if (user_key is not None and shown.user_key == user_key and now_ms - shown.at_ms < rules.repeat_days * _DAY_MS)
        or (encounter_key is not None and shown.encounter_key == encounter_key)
    ]
    return bool(seen) and now_ms - min(seen) > rules.grace_minutes * _MINUTE_MS
