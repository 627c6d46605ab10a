"""The card's question is chosen without putting every answer into words; here it is compared with doing just that."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from msgspec.structs import replace

from hooks.assess import assess
from hooks.cards import question as conversation
from hooks.cards.question import _answered, _open, ask
from hooks.cards.voice import Voice
from hooks.chart import Chart
from hooks.dialogue.change import distance, with_normal_calcium
from hooks.hypothetical import Outline, Supposing, prepare
from hooks.knowledge import load_knowledge
from mappings.facts import Lesion, PatientFacts
from tests.charts import TODAY
from tests.hooks.assessment.facts import charts
from tests.hooks.cards.examples import EXAMPLES, context, understand

KNOWLEDGE = load_knowledge()
QUESTIONS = KNOWLEDGE.cards.conversation.questions
some = settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
many = settings(some, max_examples=1500)


def plainly(facts: PatientFacts, lesion: Lesion | None = None) -> Outline:
    """The assessment of the chart that holds the lesion as any other."""
    every = facts.lesions if lesion is None else (*facts.lesions, lesion)
    return Outline.of(assess(replace(facts, lesions=every), KNOWLEDGE, TODAY))


def chosen(voice: Voice) -> tuple[str, tuple[str, ...]] | None:
    """(question, labels of its answers): each answer assessed on its own, nothing shared."""
    least = voice.cards.conversation.least.get(voice.assessment.card)
    if not voice.lesions or least is None:
        return None
    facts, lesion = voice.facts, voice.lesions[0]
    if voice.assessment.grade == "incomplete":
        facts = with_normal_calcium(facts, voice.assessment)
    site = lesion.sites[0] if len(lesion.sites) == 1 else None
    weights, now = voice.cards.conversation.weights, plainly(facts)
    best: tuple[int, str, tuple[str, ...]] | None = None
    for question in QUESTIONS:
        if not _open(question, voice):
            continue
        after = [plainly(facts, _answered(lesion, site, answer, voice)) for answer in question.answers]
        moves = [distance(now, outline, weights) for outline in after]
        if max(moves) >= least and (best is None or max(moves) + question.bonus > best[0]):
            labels = tuple(a.label for a, move in zip(question.answers, moves, strict=True) if move)
            best = max(moves) + question.bonus, question.id, labels
    return best[1:] if best else None


def compare(facts: PatientFacts) -> None:
    """Every answer to every question, open or not, then the question itself."""
    found = assess(facts, KNOWLEDGE, TODAY)
    voice = Voice(found, facts, KNOWLEDGE, context())
    supposing = Supposing(Chart(facts, TODAY), KNOWLEDGE)
    assert supposing.outline() == plainly(facts) == Outline.of(found)
    for lesion in facts.lesions[:1]:
        for site in {None, *lesion.sites[:1]}:
            for question in QUESTIONS:
                for answer in question.answers:
                    supposed = _answered(lesion, site, answer, voice)
                    assert supposing.outline(supposed) == plainly(facts, supposed), (question.id, answer.label)
    asked = ask(voice)
    told = (asked.question.id, tuple(answer.label for answer in asked.answers)) if asked else None
    assert told == chosen(voice)


@some
@given(charts())
def test_the_same_question_for_any_chart(facts: PatientFacts) -> None:
    compare(facts)


@pytest.mark.long
@many
@given(charts())
def test_the_same_question_for_many_charts(facts: PatientFacts) -> None:
    compare(facts)


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.hook == "patient-view"])
def test_the_same_question_for_the_examples(name: str) -> None:
    compare(understand(EXAMPLES[name])[1])


def test_what_every_question_needs_is_made_before_the_first(monkeypatch: pytest.MonkeyPatch) -> None:
    assessment, facts = understand(EXAMPLES["detection-possible-asks-for-hardness"])
    knowledge = replace(KNOWLEDGE)
    prepare(knowledge)
    monkeypatch.delattr("hooks.hypothetical._Units.of")
    assert ask(Voice(assessment, facts, knowledge, context()))


def test_the_comparison_would_notice(monkeypatch: pytest.MonkeyPatch) -> None:
    """Were an answer not looked at, some chart would show it."""
    monkeypatch.setattr(conversation.Supposing, "outline", lambda self, lesion=None: plainly(self._chart.given))
    with pytest.raises(AssertionError):
        for example in EXAMPLES.values():
            compare(understand(example)[1])
