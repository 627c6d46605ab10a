"""`write_cards`: the assessment as CDS Hooks cards. One primary card at most; silence is an empty list."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from hooks.cards.context import CardContext
from hooks.cards.detail import detail, shown_therapies
from hooks.cards.markdown import plain, shorten
from hooks.cards.phrases import values
from hooks.drafts import finding, medication_request, service_request
from hooks.knowledge import Knowledge
from hooks.model import Assessment
from mappings.codelists import load_terminology
from mappings.facts import PatientFacts


def write_cards(
    assessment: Assessment, facts: PatientFacts, knowledge: Knowledge, context: CardContext
) -> list[dict[str, Any]]:
    """The cards of one assessment; [] when it is silent or when a patient, not a clinician, is looking."""
    if assessment.card == "none" or not context.for_clinician:
        return []
    kind = knowledge.cards.kinds[assessment.card]
    likely = assessment.grade in ("likely", "confirmed") and kind.indicator_likely is not None
    summary = plain(kind.summary.format(**_unescaped(assessment, knowledge)))
    card: dict[str, Any] = {
        "uuid": context.new_uuid(),
        "summary": shorten(summary, knowledge.cards.max_summary),
        "detail": detail(assessment, knowledge, context),
        "indicator": kind.indicator_likely if likely or assessment.red_flags and kind.indicator_likely else kind.indicator,
        "source": {
            "label": knowledge.cards.source_label,
            "url": context.evidence_url(),
            "topic": {
                "system": f"{context.public_url.rstrip('/')}/topics",
                "code": kind.topic,
                "display": knowledge.cards.source_label,
            },
        },
        "overrideReasons": [
            {"code": r.code, "system": knowledge.cards.override_reasons.system, "display": r.display}
            for r in knowledge.cards.override_reasons.reasons
        ],
    }
    suggestions = list(_suggestions(assessment, facts, knowledge, context))
    if suggestions:
        card["suggestions"] = suggestions
        card["selectionBehavior"] = "any"
    links = [{"label": knowledge.cards.read_more, "url": context.evidence_url(), "type": "absolute"}]
    if context.companion_url:
        links.append({"label": "Open the companion", "url": context.companion_url, "type": "smart"})
    card["links"] = links
    return [card]


def _unescaped(assessment: Assessment, knowledge: Knowledge) -> dict[str, str]:
    """Titles are plain text: the same values, without Markdown escapes."""
    return {
        key: value.replace("\\", "").replace("&lt;", "<").replace("&gt;", ">").replace("&amp;", "&")
        for key, value in values(assessment, knowledge).items()
    }


def _suggestions(
    assessment: Assessment, facts: PatientFacts, knowledge: Knowledge, context: CardContext
) -> Iterable[dict[str, Any]]:
    yield from _findings(assessment, knowledge, context)
    yield from _workup(assessment, knowledge, context)
    yield from _therapies(assessment, knowledge, context)


def _workup(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> Iterable[dict[str, Any]]:
    """One suggestion per order that is offered and has a code to write it with."""
    for item in assessment.workup:
        if item.decision != "offer":
            continue
        orderable = knowledge.orderables.orders.get(item.id)
        codings = context.orderables.get(item.id) or load_terminology().codings(item.id)
        if orderable is None or not codings:
            continue
        note = f"Proposed by a rule-based decision support tool: {plain(item.because)}"
        resource = service_request(assessment, item, codings, orderable.label, note, with_site=orderable.site)
        yield _suggestion(orderable.label, orderable.description, resource, context)


def _therapies(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> Iterable[dict[str, Any]]:
    """Only what the safety rules leave orderable, at most three, never recommended."""
    for item in shown_therapies(assessment, knowledge):
        therapy = knowledge.therapies.get(item.id)
        if not item.orderable or therapy.draft is None:
            continue
        codings = context.orderables.get(item.id) or _drug_codings(therapy.drugs)
        if not codings:
            continue
        dose = f"{therapy.draft.text}{f' (at most {item.cap})' if item.cap else ''}"
        note = f"{therapy.label_status}. Option from a rule-based tool, to be decided by the clinician. {plain(item.because)}"
        resource = medication_request(assessment, codings, therapy.name, dose, note)
        yield _suggestion(
            f"{therapy.name} may be considered", f"Draft order, off-label: {therapy.name}, {dose}.", resource, context
        )


def _drug_codings(drugs: tuple[str, ...]) -> tuple[Any, ...]:
    writable = getattr(load_terminology().drugs, "codings", None)
    return tuple(c for drug in drugs for c in writable(drug)) if writable is not None else ()


def _findings(assessment: Assessment, knowledge: Knowledge, context: CardContext) -> Iterable[dict[str, Any]]:
    """For EHRs that open no apps: record the finding that would change the answer most."""
    hardness = assessment.criteria.lesion.hardness
    if hardness not in knowledge.cards.findings.when_hardness or assessment.card not in ("incomplete", "detection"):
        return
    for choice in knowledge.cards.findings.choices:
        resource = finding(assessment, choice.code_text, choice.value, "Recorded from a decision support suggestion.")
        yield _suggestion(choice.label, f"Records in the chart: {choice.code_text} — {choice.value}.", resource, context)


def _suggestion(label: str, description: str, resource: dict[str, Any], context: CardContext) -> dict[str, Any]:
    return {
        "label": plain(label),
        "uuid": context.new_uuid(),
        "actions": [{"type": "create", "description": plain(description), "resource": resource}],
    }
