"""The assessment read aloud: what was found, why, from which resources, and what would change it, one sentence each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from hooks.knowledge.messages import Messages
from hooks.model import (
    Assessment,
    Criteria,
    CtdCriterion,
    KidneyCriterion,
    LabCriterion,
    LesionCriterion,
    ReportCriterion,
)

Criterion = CtdCriterion | LesionCriterion | LabCriterion | KidneyCriterion | ReportCriterion
_NAMES = Criteria.__struct_fields__


def read_aloud(assessment: Assessment, messages: Messages) -> tuple[str, ...]:
    """Sentences in the order in which a colleague would want them; references stand in brackets."""
    return tuple(_sentences(assessment, messages))


def _sentences(found: Assessment, messages: Messages) -> Iterator[str]:
    yield messages.say("aloud.verdict", grade=found.grade, card=found.card, date=found.as_of.isoformat())
    yield from found.because
    yield from found.subtype_because
    for name in _NAMES:
        yield _criterion(name, getattr(found.criteria, name), messages)
    for flag in found.red_flags:
        yield messages.say("aloud.flag", text=flag.text) + _cited(flag.evidence)
    for mimic in found.differential:
        name = mimic.id.replace("-", " ")
        said = messages.say("aloud.mimic", name=name, because=mimic.because, test=mimic.separating_test)
        yield said + _cited(mimic.evidence)
    yield from found.notes
    if found.missing:
        yield messages.say("aloud.missing", names=_listed(found.missing))
    yield from found.would_change
    for need, state in found.completeness.items():
        if state.state != "complete":
            yield messages.say("aloud.unread", need=need, reason=state.reason or state.state)
    for left_out in found.quarantined:
        yield messages.say("aloud.left-out", reference=left_out.reference, reason=left_out.reason)


def _criterion(name: str, criterion: Criterion, messages: Messages) -> str:
    said = [messages.say(f"aloud.{name}", status=criterion.status), criterion.because]
    if isinstance(criterion, LesionCriterion) and criterion.status == "met":
        where = _listed(criterion.sites) or messages.say("aloud.no-site")
        said.append(messages.say("aloud.extent", sites=where, extent=criterion.extent))
    if isinstance(criterion, LabCriterion):
        if criterion.critical:
            said.append(messages.say("aloud.critical"))
        if criterion.discordant:
            said.append(messages.say("aloud.discordant"))
    if isinstance(criterion, ReportCriterion) and criterion.sites:
        said.append(messages.say("aloud.sites", sites=_listed(criterion.sites)))
    return " ".join(said) + _cited(criterion.evidence)


def _listed(names: Iterable[str]) -> str:
    return ", ".join(names)


def _cited(references: tuple[str, ...]) -> str:
    return f" [{_listed(references)}]" if references else ""
