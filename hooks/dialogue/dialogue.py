"""The dialogue: which question next, and what the answers so far amount to. Pure: no clock, no store.

The state is the answers alone, so a dialogue can be stopped, sent over the wire and taken up again.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import date
from decimal import Decimal, InvalidOperation
from typing import Protocol, TypeVar

from msgspec import Struct
from msgspec.structs import replace

from hooks.assess import assess
from hooks.chart import Chart
from hooks.dialogue.change import distance, with_normal_calcium
from hooks.dialogue.opening import is_open
from hooks.dialogue.records import Given, Resource, Subject, chosen_of, records
from hooks.hypothetical import Outline
from hooks.knowledge import Knowledge
from hooks.knowledge.dialogue_schema import UNKNOWN, DialogueData, Question
from hooks.model import Assessment
from hooks.restricted import without_restricted
from mappings.facts import NEEDS, Completeness, Lesion, PatientFacts

Read = Callable[[str, tuple[Resource, ...]], PatientFacts]
"""(patient id, resources) -> their facts: the chart's own reader."""


class AnswerError(ValueError):
    """An answer that does not fit its question. `question` names it; the text never repeats what was sent."""

    def __init__(self, question: str, message: str) -> None:
        super().__init__(message)
        self.question, self.message = question, message


class Step(Struct, frozen=True):
    """Where a dialogue stands: the facts with the answers in them, the verdict on those without what restricted entries
    tell, the next question (None: no open question would change anything), and the options that the answers move to
    the front."""

    facts: PatientFacts
    assessment: Assessment
    next: Question | None
    records: tuple[Resource, ...]
    preferred: tuple[str, ...]


class Dialogue:
    """One patient's dialogue on one day. `facts` are those of the chart, or of nobody (`nobody()`)."""

    def __init__(self, facts: PatientFacts, data: DialogueData, knowledge: Knowledge, read: Read, as_of: date) -> None:
        self.facts, self.data, self.as_of = facts, data, as_of
        self._knowledge, self._read = knowledge, read
        self._known: dict[str, PatientFacts] = {}
        self.baseline = assess(facts, knowledge, as_of)
        self.subject = Subject(facts.reference, as_of, _lesion(facts, self.baseline))

    def at(self, given: Given, *, ask: bool = True) -> Step:
        """The state after these answers; without `ask` no next question is looked for. AnswerError names an answer
        that does not fit."""
        check(self.data, given)
        facts, made = self._with(given)
        assessment = assess(facts, self._knowledge, self.as_of)
        following = self._next(given, facts, assessment) if ask else None
        shown = without_restricted(assessment, facts, self._knowledge)
        return Step(facts, shown, following, made, preferred(self.data, given))

    def open(self, given: Given) -> tuple[Question, ...]:
        """Every question that could still be answered, in the order of the data."""
        facts, _ = self._with(given)
        assessment = assess(facts, self._knowledge, self.as_of)
        chart = self._chart(facts)
        return tuple(q for q in self.data.questions if q.id not in given and is_open(q, chart, assessment))

    @property
    def of_a_child(self) -> bool:
        """Whether the patient surely is one, by the safety table's own age."""
        years = self._knowledge.safety.grown_up
        return years is not None and self._chart(self.facts).age_below(years) is True

    def _chart(self, facts: PatientFacts) -> Chart:
        return Chart(facts, self.as_of, self._knowledge.criteria.told_drugs.days)

    def _with(self, given: Given) -> tuple[PatientFacts, tuple[Resource, ...]]:
        made = records(self.data, given, self.subject)
        if not made:
            return self.facts, made
        told = any(q.tells_extent and given.get(q.id, (UNKNOWN,)) != (UNKNOWN,) for q in self.data.questions)
        facts = joined(self.facts, (self._facts_of(resource) for resource in made))
        return (replace(facts, extent_told=True) if told else facts), made

    def _facts_of(self, resource: Resource) -> PatientFacts:
        """Each record is read once in a dialogue: it means the same beside any others."""
        key = repr(resource)
        found = self._known.get(key)
        if found is None:
            found = self._known[key] = self._read(self.facts.reference.removeprefix("Patient/"), (resource,))
        return found

    def _next(self, given: Given, facts: PatientFacts, assessment: Assessment) -> Question | None:
        """The open question whose possible answers, taken as equally likely, move the verdict furthest; the earlier
        one in the data when two move it as far. What everything else rests on comes first."""
        chart = self._chart(facts)
        for question in self.data.questions:
            if question.prerequisite and is_open(question, chart, assessment):
                return None if question.id in given else question
        supposed = assessment.grade == "incomplete"
        before = assess(with_normal_calcium(facts, assessment), self._knowledge, self.as_of) if supposed else assessment
        outline, now_outline = Outline.of(before), Outline.of(assessment)
        now, now_made = preferred(self.data, given), records(self.data, given, self.subject)
        best: tuple[Decimal, Question] | None = None
        for question in self.data.questions:
            if question.id in given or not is_open(question, chart, assessment):
                continue
            moves = 0
            for trial in question.tried:
                answered = {**given, question.id: trial}
                after_facts, made = self._with(answered)
                if made == now_made:
                    moves += self._shifts(answered, now, assessment)
                    continue
                asks_calcium = supposed and question.id != "calcium"
                if asks_calcium:
                    after_facts = with_normal_calcium(after_facts, assessment)
                after = assess(after_facts, self._knowledge, self.as_of)
                moves += distance(outline if asks_calcium else now_outline, Outline.of(after), self.data.weights)
                moves += self._shifts(answered, now, after)
            worth = Decimal(moves) / len(question.tried)
            if moves and (best is None or worth > best[0]):
                best = worth, question
        return best[1] if best else None

    def _shifts(self, given: Given, now: tuple[str, ...], after: Assessment) -> int:
        """What an answer is worth that only reorders the options, where there are any."""
        reorders = preferred(self.data, given) != now and any(option.fits for option in after.therapies)
        return self.data.weights["prefers"] * reorders


def nobody() -> PatientFacts:
    """The facts of a dialogue without a patient: nothing was read, so nothing counts as absent."""
    return PatientFacts(
        "Patient/nobody", completeness={need: Completeness("unavailable", "no chart") for need in NEEDS}
    )


def joined(facts: PatientFacts, extras: Iterable[PatientFacts]) -> PatientFacts:
    """The chart's facts and those of the answers together; what the chart could not be read for stays unread."""
    every = (facts, *extras)
    return replace(
        facts,
        findings=_in_order(fact for part in every for fact in part.findings),
        results=_in_order(fact for part in every for fact in part.results),
        lesions=_in_order(fact for part in every for fact in part.lesions),
        medications=_in_order(fact for part in every for fact in part.medications),
    )


class _Referred(Protocol):
    @property
    def ref(self) -> str: ...


_Fact = TypeVar("_Fact", bound=_Referred)


def _in_order(facts: Iterable[_Fact]) -> tuple[_Fact, ...]:
    """By type and id, as the reader orders resources: the saved record will give the same words."""
    return tuple(sorted(facts, key=lambda fact: fact.ref.partition("/")))


def check(data: DialogueData, given: Given) -> None:
    """Raises AnswerError for a question or answer that does not exist, two answers to a choice, a number off its
    scale."""
    for question_id, values in given.items():
        question = data.question(question_id)
        if question is None:
            raise AnswerError(question_id, "no such question")
        if not values:
            raise AnswerError(question_id, "has no answer")
        if values == (UNKNOWN,):
            continue
        if question.kind == "number":
            _number(question, values)
        elif any(question.answer(value) is None for value in values):
            raise AnswerError(question_id, "is not one of the answers")
        elif len(values) > 1 and (question.kind == "choice" or any(c.alone for c in chosen_of(question, given))):
            raise AnswerError(question_id, "takes one of these answers only")


def _number(question: Question, values: tuple[str, ...]) -> None:
    try:
        number = Decimal(values[0])
    except InvalidOperation:
        raise AnswerError(question.id, "must be a number") from None
    least, most = question.least, question.most
    if least is None or most is None or len(values) > 1 or not (number.is_finite() and least <= number <= most):
        raise AnswerError(question.id, f"must be one number from {least} to {most}")
    if question.whole and number != number.to_integral_value():
        raise AnswerError(question.id, "must be a whole number")
    if len(values[0]) > 8 or not set(values[0]) <= set("0123456789."):
        raise AnswerError(question.id, "must be written in plain digits")


def preferred(data: DialogueData, given: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Ids of the options that the answers move to the front, the first answer's first."""
    found: list[str] = []
    for question in data.questions:
        values = given.get(question.id, ())
        if question.prefers_from is not None and values and values != (UNKNOWN,):
            found.extend(question.prefers if Decimal(values[0]) >= question.prefers_from else ())
        for choice in chosen_of(question, given):
            found.extend(choice.prefers)
    return tuple(dict.fromkeys(found))


def _lesion(facts: PatientFacts, assessment: Assessment) -> Lesion | None:
    """The lesion that is spoken of: the first of those that decide. A restricted one is never described."""
    named = assessment.criteria.lesion.evidence
    return next((le for le in facts.lesions if le.ref in named and not le.confidential), None)
