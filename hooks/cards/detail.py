"""The text of a card, section by section, in the order in which a clinician reads it."""

from __future__ import annotations

from collections.abc import Iterable

from hooks.cards.context import CardContext
from hooks.cards.markdown import code, escape
from hooks.cards.phrases import values
from hooks.knowledge import Knowledge
from hooks.model import Assessment, LabCriterion, TherapyItem

_MAX_LIST = 6


def detail(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> str:
    """GFM without raw HTML; everything from the chart escaped."""
    kind = knowledge.cards.kinds[assessment.card]
    sections = [
        kind.lead.format(**values(assessment, knowledge)),
        _section("red_flags", _red_flags(assessment, knowledge, context), knowledge),
        _section("why", _why(assessment, knowledge), knowledge),
        _section("missing", _missing(assessment, knowledge), knowledge),
        _section("options", _options(assessment, knowledge, context), knowledge),
        _section("left_out", _left_out(assessment, knowledge), knowledge),
        _section("instead", _instead(assessment), knowledge),
        _section("change", (escape(s) for s in assessment.would_change), knowledge),
        _section("notes", (escape(s) for s in assessment.notes), knowledge),
        _section("unread", _unread(assessment, knowledge), knowledge),
        _section("sources", _sources(assessment, knowledge, context), knowledge),
        "_" + knowledge.cards.disclaimer.format(version=assessment.knowledge_version, as_of=assessment.as_of.isoformat()) + "_",
    ]
    return "\n\n".join(section for section in sections if section)


def _section(name: str, lines: Iterable[str], knowledge: Knowledge) -> str:
    found = [f"- {line}" for line in lines if line]
    return f"**{knowledge.cards.headings[name]}**\n" + "\n".join(found) if found else ""


def _red_flags(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> Iterable[str]:
    for flag in assessment.red_flags:
        yield f"{escape(flag.text)} {_cited(flag.sources, knowledge, context)}{_refs(flag.evidence)}".rstrip()


def _why(assessment: Assessment, knowledge: Knowledge) -> Iterable[str]:
    criteria, labels = assessment.criteria, knowledge.cards.labels
    for reason in assessment.because:
        yield escape(reason)
    for name in ("ctd", "lesion", "calcium", "phosphate", "kidney", "imaging", "biopsy"):
        criterion = getattr(criteria, name)
        if criterion.status in ("not-done",) or (name in ("phosphate", "kidney") and criterion.status == "unknown"):
            continue
        label = labels[name]
        extra = ""
        if isinstance(criterion, LabCriterion) and criterion.range_source == "fallback":
            extra = f" ({knowledge.cards.rule})"
        yield f"{label}: {escape(criterion.because)}{extra}{_refs(criterion.evidence)}"


def _missing(assessment: Assessment, knowledge: Knowledge) -> Iterable[str]:
    if assessment.missing:
        orders = knowledge.orderables.orders
        yield ", ".join(orders[m].label.lower() if m in orders else m for m in assessment.missing)


def _options(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> Iterable[str]:
    """At most three agents, those with the fewest objections first; "may", with what it hangs on."""
    for item in shown_therapies(assessment, knowledge):
        therapy = knowledge.therapies.get(item.id)
        note = escape(item.because) if item.decision != "offer" else ""
        line = knowledge.cards.therapy_line.format(
            name=therapy.name, dose=escape(therapy.dose), label=escape(therapy.label_status), note=note
        )
        evidence = therapy.evidence[0] if therapy.evidence else None
        said = f" {escape(evidence.text)} {_cited(evidence.sources, knowledge, context)}" if evidence else ""
        yield (line.rstrip() + said).rstrip()


def shown_therapies(assessment: Assessment, knowledge: Knowledge) -> tuple[TherapyItem, ...]:
    described = [t for t in assessment.therapies if t.described and t.decision in ("offer", "warn", "need")]
    ranked = sorted(described, key=lambda t: (not t.orderable, {"offer": 0, "warn": 1, "need": 2}[t.decision]))
    return tuple(ranked[: knowledge.cards.max_therapies])


def _left_out(assessment: Assessment, knowledge: Knowledge) -> Iterable[str]:
    blocked = [t for t in assessment.therapies if t.described and t.decision == "block"]
    for item in blocked[:_MAX_LIST]:
        rules = f" ({', '.join(item.rules)})" if item.rules else ""
        yield knowledge.cards.left_line.format(name=knowledge.therapies.get(item.id).name, why=escape(item.because)) + rules
    avoided = [w for w in assessment.workup if w.decision == "avoid"]
    for work in avoided:
        label = knowledge.orderables.orders[work.id].label
        yield knowledge.cards.left_line.format(name=label, why=escape(work.because))


def _instead(assessment: Assessment) -> Iterable[str]:
    for item in assessment.differential[:3]:
        yield f"{item.id.replace('-', ' ')}: {escape(item.because)} — {escape(item.separating_test)}{_refs(item.evidence)}"


def _unread(assessment: Assessment, knowledge: Knowledge) -> Iterable[str]:
    for need, state in assessment.completeness.items():
        if state.state != "complete":
            reason = f" ({escape(state.reason)})" if state.reason else ""
            yield f"{knowledge.cards.needs[need]}{reason}"
    if assessment.quarantined:
        yield knowledge.cards.quarantine_line.format(count=len(assessment.quarantined))


def _sources(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> Iterable[str]:
    cited = _cited(assessment.sources[:12], knowledge, context)
    if cited:
        yield cited


def _cited(keys: Iterable[str], knowledge: Knowledge, context: CardContext) -> str:
    known = [k for k in dict.fromkeys(keys) if k in knowledge.evidence]
    return " ".join(f"[{key}]({context.evidence_url(key)})" for key in known)


def _refs(references: Iterable[str]) -> str:
    found = [code(ref) for ref in dict.fromkeys(references)]
    return f" {', '.join(found[:4])}{' …' if len(found) > 4 else ''}" if found else ""
