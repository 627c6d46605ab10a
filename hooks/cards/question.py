"""The conversation by cards: the one finding that would change the answer most, offered for recording.

Each open question is put to the same rules as if it had been answered (`Supposing`: what `assess` would say, without
the words); the question whose answers move the result furthest is asked, and only with those of its answers that move
it. Nothing is asked that changes nothing.
"""

from __future__ import annotations

from datetime import timedelta

from msgspec import Struct

from hooks.cards.voice import Voice
from hooks.chart import Chart
from hooks.dialogue.change import HYPOTHETICAL, distance, with_normal_calcium
from hooks.hypothetical import Outline, Supposing
from hooks.knowledge.card_schema import Answer, Question
from mappings.dates import PartialDate
from mappings.facts import Lesion, Site


class Asked(Struct, frozen=True):
    """`answers` are those worth recording; `words` what their values are filled with: the lesion in our own words."""

    question: Question
    answers: tuple[Answer, ...]
    words: dict[str, str]
    site: Site | None


def ask(voice: Voice) -> Asked | None:
    """The question of this card, or None. A restricted lesion is never asked about: the answer would describe it."""
    least = voice.cards.conversation.least.get(voice.assessment.card)
    if not voice.lesions or least is None:
        return None
    lesion = voice.lesions[0]
    site = lesion.sites[0] if len(lesion.sites) == 1 else None
    weights = voice.cards.conversation.weights
    baseline, supposing = _supposing(voice)
    best: tuple[int, Asked] | None = None
    for question in voice.cards.conversation.questions:
        if not _open(question, voice):
            continue
        moves = [
            (answer, distance(baseline, supposing.outline(_answered(lesion, site, answer, voice)), weights))
            for answer in question.answers
        ]
        furthest = max(how_far for _, how_far in moves)
        rank = furthest + question.bonus
        if furthest >= least and (best is None or rank > best[0]):
            answers = tuple(answer for answer, how_far in moves if how_far)
            best = rank, Asked(question, answers, _words(voice, lesion), site)
    return best[1] if best else None


def _words(voice: Voice, lesion: Lesion) -> dict[str, str]:
    """Hardness and kind in our own words ("hard nodule"), so that the record describes the same lesion again."""
    names = voice.cards.conversation.nouns
    one, several = names.kinds.get(lesion.kind, names.other)
    kind = one if lesion.count == 1 else several  # a record of hardness must not say that there is only one
    hardness = names.hardness[lesion.hardness]
    return {"kind": kind, "noun": hardness.format(noun=kind), "nouns": hardness.format(noun=several)}


def _open(question: Question, voice: Voice) -> bool:
    """Whether the chart leaves it open. What the deciding lesions say counts, restricted ones included."""
    if question.cards and voice.assessment.card not in question.cards:
        return False
    criterion = voice.assessment.criteria.lesion
    entries = [le for le in voice.facts.lesions if le.ref in criterion.evidence and le.certainty != "absent"]
    if question.unknown == "chalky":
        return not any(le.chalky for le in entries)
    if question.unknown == "ulcer":
        return not any(le.ulcerated for le in entries)
    if question.unknown == "onset":
        return not any(le.onset is not None or le.long_standing for le in entries)
    if question.unknown == "extent":
        return criterion.extent == "unknown"
    return criterion.hardness in question.hardness


def _answered(lesion: Lesion, site: Site | None, answer: Answer, voice: Voice) -> Lesion:
    """The lesion as the next call would read it from the record."""
    today = voice.assessment.as_of
    found = answer.finding
    return Lesion(
        HYPOTHETICAL,
        lesion.kind,
        "",
        hardness=found.hardness or lesion.hardness,
        sites=(site,) if site else (),
        chalky=found.chalky or lesion.chalky,
        ulcerated=found.ulcerated,
        onset=PartialDate.of(today - timedelta(days=found.onset_days)) if found.onset_days is not None else None,
        long_standing=found.long_standing,
        count=found.count,
        recorded=PartialDate.of(today),
    )


def _supposing(voice: Voice) -> tuple[Outline, Supposing]:
    """The answer as it stands, and what the answers are put to. An unusable calcium is taken as normal on both sides of
    the comparison: it is asked for anyway, and what the finding adds shows only once it is back."""
    assessment, facts, knowledge = voice.assessment, voice.facts, voice.knowledge
    told = knowledge.criteria.told_drugs.days
    if assessment.grade == "incomplete":
        supposing = Supposing(Chart(with_normal_calcium(facts, assessment), assessment.as_of, told), knowledge)
        return supposing.outline(), supposing
    found, now = assessment.situation, Outline.of(assessment)
    if found is not None and found.therapies is not None and found.view.chart.given is facts:
        return now, Supposing.after(found.view, found.therapies, now, knowledge)
    return now, Supposing(Chart(facts, assessment.as_of, told), knowledge)
