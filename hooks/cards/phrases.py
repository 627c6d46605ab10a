"""The variable parts of a card's wording, from the assessment: short ones for the title, longer ones for the text."""

from __future__ import annotations

from datetime import date

from hooks.cards.markdown import escape, plain
from hooks.knowledge import Knowledge
from hooks.model import Assessment, LabCriterion

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def day(text: str | None) -> str:
    """2026-05-12 as "12 May 2026": no one can take the day for the month."""
    if text is None:
        return "no date"
    try:
        found = date.fromisoformat(text)
    except ValueError:
        return text
    return f"{found.day} {_MONTHS[found.month - 1]} {found.year}"


def values(assessment: Assessment, knowledge: Knowledge) -> dict[str, str]:
    """What the templates of cards.yaml are filled with; every value is already escaped."""
    cards, criteria = knowledge.cards, assessment.criteria
    names = [cards.ctd_names.get(d, d) for d in criteria.ctd.diagnoses]
    suspected = "suspected " if criteria.ctd.certainty == "suspected" else ""
    sites = criteria.lesion.sites
    site = f" ({', '.join(plain(s) for s in sites[:2])}{' …' if len(sites) > 2 else ''})" if sites else ""
    alternatives = [
        (cards.short[key], knowledge.messages.say(key))
        for key in cards.short
        if knowledge.messages.messages[key].text in assessment.because
    ]
    newness = criteria.lesion.newness or "N3"
    certain = "" if criteria.lesion.newness_certain else ".possibly"
    event = next((b for b in assessment.because if b.startswith(knowledge.messages.messages["card.event"].text[:20])), "")
    return {
        "grade": assessment.grade,
        "ctd": f"{suspected}{' + '.join(names[:2]) or 'connective tissue disease'}",
        "lesion": cards.lesions.get(criteria.lesion.hardness or "unstated", "lesion"),
        "site": escape(site),
        "newness": knowledge.messages.say(f"newness.{newness}{certain if newness != 'N4' else ''}"),
        "calcium": calcium_short(criteria.calcium),
        "calcium_long": escape(_calcium_long(criteria.calcium)),
        "calcium_reason": escape(_lower_first(criteria.calcium.because)),
        "event": f"{escape(event)} " if event else "",
        "alternative": ", ".join(short for short, _ in alternatives) or assessment.grade,
        "alternative_long": " ".join(escape(text) for _, text in alternatives),
    }


def calcium_short(calcium: LabCriterion) -> str:
    """ "normal 12 May 2026", "unknown", "indeterminate (low albumin)" … for the title."""
    if calcium.status in ("normal", "high", "low", "borderline"):
        return f"{calcium.status} {day(calcium.date)}"
    if calcium.status == "stale":
        return f"normal but stale ({day(calcium.date)})"
    return calcium.status


def _calcium_long(calcium: LabCriterion) -> str:
    if calcium.value is None:
        return f"{calcium_short(calcium)}"
    return f"{calcium.value} {calcium.unit or ''} {calcium_short(calcium)}".replace("  ", " ")


def _lower_first(text: str) -> str:
    return text[:1].lower() + text[1:] if text[:2] != text[:2].upper() else text
