"""Which options a card shows: at most three in full, the rest left out with the reason."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from hooks.cards.markdown import escape
from hooks.cards.voice import Voice
from hooks.model import OPEN, TherapyItem, WorkupItem

_BRACKET = re.compile(r"\(([^()]*)\)")
"""the fact of the chart that a reason ends with: "(no eGFR within 90 days)"."""
Line = tuple[str, tuple[str, ...]]


def shown_therapies(voice: Voice) -> tuple[TherapyItem, ...]:
    """Described at this grade and open for this patient: those that can be drafted first, then in their own order."""
    open_ones = [item for item in voice.assessment.therapies if item.described and item.fits and item.decision in OPEN]
    ranked = sorted(open_ones, key=lambda item: (not item.orderable, item.decision == "need"))
    return tuple(ranked[: voice.cards.limits["therapies"]])


def therapy_lines(voice: Voice, items: Iterable[TherapyItem]) -> Iterator[Line]:
    """Each with decision and reason, what comes first, ceiling, dose as reported, evidence, status, monitoring."""
    say = voice.cards.say
    for item in items:
        therapy = voice.knowledge.therapies.get(item.id)
        because = voice.verdict(item.because, item.evidence)
        parts = [say("therapy" if item.decision != "need" else "therapy_text", name=therapy.name, because=because)]
        if item.needs:
            parts.append(say("needs", items=", ".join(escape(voice.order_name(need)) for need in item.needs)))
        if item.cap:
            parts.append(say("cap", cap=escape(item.cap)))
        others = list(_new_reasons(item))[: voice.cards.limits["notes"]]
        if others and not voice.reveals(item.evidence):
            parts.append(say("also", notes=" ".join(voice.sentence(note) for note in others)))
        if therapy.dose != therapy.label_status:
            parts.append(_sentence(say("dose", dose=escape(therapy.dose))))
        evidence = therapy.evidence[:1]
        sources = tuple(key for entry in evidence for key in entry.sources) or therapy.sources[:1]
        parts.extend(_sentence(say("evidence", text=escape(entry.text))) for entry in evidence)
        parts.append(_sentence(say("label_status", status=escape(therapy.label_status))))
        if therapy.monitoring:
            parts.append(_sentence(say("monitoring", items=escape("; ".join(therapy.monitoring)))))
        if item.rules:
            parts.append(f"({say('rules', rules=', '.join(item.rules))})")
        yield " ".join(parts), sources


def _new_reasons(item: TherapyItem) -> Iterator[str]:
    """The notes that say more than what is said already: two rules that wait for one missing result say it once."""
    told = set(_BRACKET.findall(item.because))
    for note in item.notes:
        facts = set(_BRACKET.findall(note))
        if note not in item.because and not (facts and facts <= told):
            told |= facts
            yield note


def brief_therapies(voice: Voice, items: Iterable[TherapyItem]) -> Iterator[Line]:
    """One line each, for a card on which therapy is only described."""
    for item in items:
        because = voice.verdict(item.because, item.evidence)
        sources = voice.knowledge.therapies.get(item.id).sources[:1]
        yield voice.cards.say("therapy_text", name=voice.therapy_name(item.id), because=because), sources


def in_use(voice: Voice) -> Iterator[Line]:
    """Agents that the patient takes, with what speaks against them as they are taken."""
    for item in voice.assessment.therapies:
        use = item.in_use
        if use is None or not use.notes:
            continue
        if voice.reveals(use.evidence):
            because = voice.cards.say("hidden_reason")
        else:
            because = " ".join(voice.sentence(note) for note in use.notes[: voice.cards.limits["notes"]])
        rules = f" ({voice.cards.say('rules', rules=', '.join(use.rules))})"
        line = voice.cards.say("group", names=voice.therapy_name(item.id), because=because)
        yield line + rules, use.sources[: voice.cards.limits["sources"]]


def left_out(voice: Voice, shown: Iterable[TherapyItem]) -> Iterator[Line]:
    """Agents that are not offered, and orders better avoided, grouped by their reason."""
    in_full = {item.id for item in shown}
    groups: dict[str, list[TherapyItem]] = {}
    for item in voice.assessment.therapies:
        held_back = item.decision == "block" or (item.fits and item.decision in OPEN and item.id not in in_full)
        if item.described and held_back:
            groups.setdefault(voice.verdict(item.because, item.evidence), []).append(item)
    for because, items in groups.items():
        names = ", ".join(voice.therapy_name(item.id) for item in items)
        rules, cited = voice.decisive(items[0].because, items[0].rules, tuple(item.id for item in items))
        shown_rules = f" ({voice.cards.say('rules', rules=', '.join(rules))})" if rules else ""
        yield voice.cards.say("group", names=names, because=because) + shown_rules, cited
    for work in voice.assessment.workup:
        if work.decision == "avoid":
            because = voice.sentence(work.because, work.evidence)
            yield voice.cards.say("avoid", name=voice.order_name(work.id), because=because), ()


def workup_lines(voice: Voice, items: Iterable[WorkupItem], at_lesion: str) -> Iterator[Line]:
    """Offered orders, grouped by their reason; those at the lesion carry its site."""
    groups: dict[str, list[str]] = {}
    for item in items:
        entry = voice.knowledge.orderables.workup.get(item.id)
        where = voice.sites_plain(item.sites, voice.cards.limits["sites"]) or at_lesion
        name = voice.order_name(item.id) + (f" ({where})" if entry and entry.at_lesion and where else "")
        groups.setdefault(voice.sentence(item.because, item.evidence), []).append(escape(name))
    for because, names in groups.items():
        yield voice.cards.say("group", names=", ".join(names), because=because), ()


def _sentence(text: str) -> str:
    return text if text.endswith((".", "!", "?")) else f"{text}."
