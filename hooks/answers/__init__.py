"""Typed questions, answered from curated entries with a citation on every sentence, or not at all.

What a sentence says is written or comes from the knowledge; nothing is made up from the question. The one port for
another writer of sentences is `Writer`: off unless a hospital attaches it, its output held to the same checker.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from msgspec import Struct

from hooks.answers.citations import supported
from hooks.answers.entries import Answerable, answerables
from hooks.answers.index import Index
from hooks.answers.language import language_of
from hooks.answers.patient import PatientFact, patient_facts
from hooks.answers.requests import Requests
from hooks.answers.words import LONGEST, Asked, Vocabulary
from hooks.knowledge import Knowledge
from hooks.knowledge.answers_schema import AnswerData, Said, Sentence, Tongue, load_answers
from mappings.drugs import drug_names
from mappings.raw import as_list


class Reply(Struct, frozen=True):
    """`abstained` answers have no sentences and say why; `related` are questions that can be answered and are near.
    `note` is said above an answer in another language than the question's."""

    abstained: bool
    answer: tuple[Sentence, ...] = ()
    patient: tuple[PatientFact, ...] = ()
    related: tuple[str, ...] = ()
    because: str | None = None
    entry: str | None = None
    note: str | None = None


class Writer(Protocol):
    """Words the found sentences anew. It sees no patient; a sentence that its citations do not carry is dropped."""

    def write(self, question: str, found: tuple[Sentence, ...], language: str) -> tuple[Sentence, ...]: ...


class Answers:
    """The question-and-evidence base; safe to share between threads."""

    def __init__(self, knowledge: Knowledge, data: AnswerData, writer: Writer | None = None) -> None:
        self.entries: tuple[Answerable, ...] = answerables(data, knowledge)
        self._evidence, self._declines, self._writer = knowledge.evidence, data.declines, writer
        self._vocabulary = Vocabulary(data.words, drug_names())
        self._marks = data.words.marks
        self._requests = Requests(data.declines.request)
        self._index = Index(self.entries, self._vocabulary)

    def ask(
        self,
        question: str,
        *,
        language: str | None = None,
        assessment: Mapping[str, Any] | None = None,
        child: bool = False,
    ) -> Reply:
        """The answer to a question in English or Spanish; `assessment` is the contract's JSON of the patient.
        `language` is a language tag; without it, or where it is not Spanish, the question's own words tell. `child`:
        the patient is known to be one; an assessment mostly tells so itself."""
        asked = self._vocabulary.read(question)
        tongue = language_of(question, self._marks, language)
        request = self._requests.made_in(question[:LONGEST])
        if not asked.terms and not asked.unknown and request is None:
            return Reply(abstained=True, because=self._declines.not_a_question.to(tongue))
        found = self._index.find(asked)
        declined = self._declined(asked, child=child or self._of_a_child(assessment))
        if declined is None and request is not None:
            declined, tongue = self._declines.request.because, "es" if "es" in (request, tongue) else "en"
        if declined is not None or found.best is None:
            near = ((found.best,) if found.best else ()) + found.near
            because = (declined or self._declines.no_source).to(tongue)
            return Reply(abstained=True, related=_shown(near, tongue), because=because)
        sentences = found.best.sentences
        if self._writer is not None:
            written = self._writer.write(question, sentences, tongue)
            sentences = supported(written, self._evidence) or sentences
        patient = patient_facts(assessment, found.best.patient) if assessment is not None else ()
        note = self._declines.in_english if tongue == "es" else None
        return Reply(False, sentences, patient, _shown(found.near, tongue), entry=found.best.id, note=note)

    def _of_a_child(self, assessment: Mapping[str, Any] | None) -> bool:
        """Whether the rule for children blocks drugs; where it only asks, the age is unknown."""
        items = as_list((assessment or {}).get("therapies"))
        named = (
            i for i in items if isinstance(i, Mapping) and self._declines.of_a_child.rule in as_list(i.get("rules"))
        )
        decisions = {i.get("decision") for i in named}
        return "block" in decisions and "need" not in decisions

    def _declined(self, asked: Asked, *, child: bool) -> Said | None:
        terms = {*asked.terms, self._declines.of_a_child.term} if child else set(asked.terms)
        for decline in self._declines.declines:
            if all(terms & set(group) for group in decline.all) and not terms & set(decline.unless):
                return decline.because
        return None


def _shown(near: tuple[Answerable, ...], tongue: Tongue) -> tuple[str, ...]:
    return tuple(dict.fromkeys(entry.shown(tongue) for entry in near))[:3]


def load(knowledge: Knowledge) -> Answers:
    """The base over the service's own knowledge; KnowledgeError when a file is wrong."""
    return Answers(knowledge, load_answers())
