"""`write_cards`: the assessment as CDS Hooks cards. At most one primary and one supporting card; silence is []."""

from __future__ import annotations

from typing import Any, cast

from hooks.cards.context import CardContext
from hooks.cards.detail import detail, options_detail
from hooks.cards.markdown import escape
from hooks.cards.options import shown_therapies
from hooks.cards.phrases import summary
from hooks.cards.question import ask
from hooks.cards.suggestions import finding_suggestions, therapy_suggestions, workup_suggestions
from hooks.cards.voice import Voice
from hooks.knowledge import Knowledge
from hooks.knowledge.card_schema import Indicator, TextKind, load_override_reasons
from hooks.model import Assessment, TherapyItem
from mappings.facts import PatientFacts

Card = dict[str, Any]

_TREATED = frozenset({"likely", "confirmed"})
_WITH_OPTIONS = frozenset({"detection", "management"})


def write_cards(assessment: Assessment, facts: PatientFacts, knowledge: Knowledge, context: CardContext) -> list[Card]:
    """The cards of one assessment; [] when it is silent, or when no clinician but a patient or relative is looking.

    `facts` are those the assessment was made from: only resources that it names as evidence are quoted. Never raises on
    an assessment; the result is neutral and meant for `hooks.dialects.adapt`.
    """
    if assessment.card == "none" or not context.for_clinician:
        return []
    voice = Voice(assessment, facts, knowledge, context)
    kind = cast("TextKind", assessment.card)
    treated = assessment.card in _WITH_OPTIONS and assessment.grade in _TREATED
    shown = shown_therapies(voice) if treated else ()
    asked = ask(voice)
    primary = build_card(
        voice,
        kind,
        summary(kind, voice),
        detail(kind, voice, asked, with_options=bool(shown)),
        [*finding_suggestions(voice, asked), *workup_suggestions(voice)],
    )
    cards = [primary, _options_card(voice, shown)] if shown else [primary]
    return [card for card in cards if card["source"]["topic"]["code"] not in context.suppress]


def _options_card(voice: Voice, shown: tuple[TherapyItem, ...]) -> Card:
    """The supporting card: what may be considered, and what was left out."""
    voice.cited.clear()
    agents = ", ".join(voice.therapy_name(item.id) for item in shown)
    return build_card(
        voice,
        "options",
        summary("options", voice, agents=agents),
        options_detail(voice, shown, agents=escape(agents)),
        list(therapy_suggestions(voice, shown)),
    )


def build_card(voice: Voice, kind: TextKind, title: str, text: str, suggestions: list[dict[str, Any]]) -> Card:
    """One card with everything that every card carries."""
    card: Card = {
        "uuid": voice.context.new_uuid(),
        "summary": title,
        "detail": text,
        "indicator": _indicator(voice, kind),
        "source": _source(voice, kind),
    }
    if suggestions:
        card["suggestions"] = suggestions
        card["selectionBehavior"] = "any"
    card["overrideReasons"] = override_reasons()
    card["links"] = _links(voice, kind)
    return card


def override_reasons() -> list[dict[str, str]]:
    reasons = load_override_reasons()
    return [{"code": r.code, "system": reasons.system, "display": r.display} for r in reasons.reasons]


def _indicator(voice: Voice, kind: TextKind) -> Indicator:
    """warning where the kind says so, at its warning grades, and with a red flag; never critical."""
    text = voice.cards.kinds[kind]
    flagged = bool(voice.assessment.red_flags) and kind != "options"
    return "warning" if flagged or voice.assessment.grade in text.warning_grades else text.indicator


def _source(voice: Voice, kind: TextKind) -> dict[str, Any]:
    text, context = voice.cards.kinds[kind], voice.context
    return {
        "label": voice.cards.source_label,
        "url": context.evidence_url(),
        "topic": {
            "system": f"{context.base_url}{voice.cards.topic_path}",
            "code": text.topic,
            "display": text.topic_display,
        },
    }


def _links(voice: Voice, kind: TextKind) -> list[dict[str, str]]:
    context, say = voice.context, voice.cards.say
    links = [
        {"label": say("link_evidence"), "url": context.evidence_url(), "type": "absolute"},
        {
            "label": say("link_attributes"),
            "url": f"{context.base_url}/cds-services/{context.service_id}/source-attributes",
            "type": "absolute",
        },
    ]
    if context.companion_url:
        # what the chart itself is worth a card for; an order may be checked where it is worth none
        about = kind if voice.assessment.card == "none" else cast("TextKind", voice.assessment.card)
        app = {"service": context.service_id, "topic": voice.cards.kinds[about].topic}
        links.append(
            {
                "label": say("link_companion"),
                "url": context.companion_url,
                "type": "smart",
                "appContext": "&".join(f"{key}={value}" for key, value in app.items()),
            }
        )
    return links
