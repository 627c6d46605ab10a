"""All that can be answered: the curated entries, and one entry for each question family and row of the knowledge."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from msgspec import Struct

from hooks.knowledge import Knowledge
from hooks.knowledge.answers_schema import AnswerData, Questions, Sentence, Tongue
from hooks.knowledge.base import KnowledgeError
from hooks.knowledge.therapy_schema import Therapy

TOOL_RULE = "tool_rule"
"""the source of our own inferences in the evidence base."""
_WHY = re.compile(r"\s*\(\{\w+\}\)")


class Answerable(Struct, frozen=True):
    """One answer: the ways to ask for it (with the entities that a family puts for {x}), its sentences, and the parts
    of an assessment that belong to it. `asked` is the question as it is shown."""

    id: str
    asked: str
    questions: tuple[tuple[str, tuple[str, ...]], ...]
    sentences: tuple[Sentence, ...]
    patient: tuple[str, ...]
    asked_es: str = ""

    def shown(self, language: Tongue) -> str:
        """The question as it is offered in this language."""
        return self.asked_es if language == "es" and self.asked_es else self.asked


def answerables(data: AnswerData, knowledge: Knowledge) -> tuple[Answerable, ...]:
    """Curated ones first: they win a tie."""
    families = _Families(data, knowledge)
    curated = (
        Answerable(
            e.id, e.en[0], tuple((q, ()) for q in (*e.en, *e.es)), (*e.answer, *families.rules(e.rules)), e.patient,
            e.es[0],
        )
        for e in data.entries
    )  # fmt: skip
    return (*curated, *families.therapies(), *families.workup(), *families.mimics(), *families.flags())


class _Families:
    def __init__(self, data: AnswerData, knowledge: Knowledge) -> None:
        self._families, self._knowledge = data.families, knowledge
        self._say = data.families.sentences
        self._terms = {**data.words.entities, **data.words.terms}

    def _entry(
        self,
        entry_id: str,
        questions: Questions,
        entities: tuple[str, ...],
        name: str,
        sentences: Iterable[Sentence],
        patient: str,
    ) -> Answerable:
        asked = questions.en[0].replace("{x}", name)
        texts = ((q.replace("{x}", " "), entities) for q in (*questions.en, *questions.es))
        return Answerable(entry_id, asked, (*texts, (asked, entities)), tuple(sentences), (patient,))

    def therapies(self) -> Iterator[Answerable]:
        ask = self._families.therapy
        for therapy in self._knowledge.therapies.therapies:
            if therapy.id not in self._terms:
                continue
            where, about = f"therapies.{therapy.id}", (therapy.id,)
            yield self._entry(
                f"{therapy.id}/evidence", ask.evidence, about, therapy.name, self._evidence(therapy), where
            )
            yield self._entry(f"{therapy.id}/dose", ask.dose, about, therapy.name, self._dose(therapy), where)
            yield self._entry(f"{therapy.id}/safety", ask.safety, about, therapy.name, self._safety(therapy), where)
            if therapy.monitoring:
                text = self._say.monitoring.format(text="; ".join(therapy.monitoring))
                watch = (Sentence(text=text, citations=_cited(therapy.sources)),)
                yield self._entry(f"{therapy.id}/monitoring", ask.monitoring, about, therapy.name, watch, where)

    def _evidence(self, therapy: Therapy) -> Iterator[Sentence]:
        for evidence in therapy.evidence:
            yield Sentence(text=_ended(evidence.text), citations=evidence.sources)
        if not therapy.evidence:
            found = [(s.key, c.text) for s, c in self._knowledge.evidence.about(therapy.id)]
            for key, text in found:
                yield Sentence(text=_ended(text), citations=(key,))
            if not found:
                yield Sentence(text=self._say.no_evidence, citations=(TOOL_RULE,))
        yield Sentence(text=self._say.label.format(text=therapy.label_status), citations=_cited(therapy.sources))

    def _dose(self, therapy: Therapy) -> Iterator[Sentence]:
        cited = _cited(therapy.sources)
        yield Sentence(text=self._say.dose.format(text=therapy.dose), citations=cited)
        yield Sentence(text=self._say.extent.format(text=therapy.extent), citations=cited)

    def _safety(self, therapy: Therapy) -> Iterator[Sentence]:
        safety = self._knowledge.safety
        rules = [r for r in safety.rules if therapy.id in safety.agents_of(r)]
        blocks = [r for r in rules if r.action == "block" and therapy.id in r.agents]
        shown = blocks[: self._families.most_rules]
        for rule in shown:
            yield Sentence(
                text=self._say.blocked.format(text=rule.text.rstrip(".")),
                citations=_cited(rule.sources_for(therapy.id)),
            )
        if not shown:
            yield Sentence(text=self._say.none_blocked, citations=(TOOL_RULE,))
        if rest := len(rules) - len(shown):
            yield Sentence(text=self._say.more.format(count=rest), citations=(TOOL_RULE,))

    def rules(self, ids: Iterable[str]) -> Iterator[Sentence]:
        """Tests of the safety table as sentences; KnowledgeError for one that there is not."""
        known = {rule.id: rule for rule in self._knowledge.safety.rules}
        for name in ids:
            rule = known.get(name)
            if rule is None:
                raise KnowledgeError("answers", name, "no such test in the safety table")
            cap = f": {rule.cap.text}" if rule.cap else ""
            text = self._say.of_rule[rule.action].format(text=f"{rule.text.rstrip('.')}{cap}")
            yield Sentence(text=text, citations=_cited(rule.sources))

    def workup(self) -> Iterator[Answerable]:
        for entry in self._knowledge.workup.entries:
            entities = self._families.workup_entities.get(entry.id, (entry.id,))
            if not set(entities) <= self._terms.keys():
                continue
            because = "; ".join(dict.fromkeys(_lower(offer.because) for offer in entry.offer))
            text = self._say.workup.format(name=entry.name[:1].upper() + entry.name[1:], text=because or entry.idle)
            sentence = Sentence(text=text, citations=_cited(entry.sources))
            yield self._entry(
                f"workup/{entry.id}",
                self._families.workup,
                entities,
                entry.name,
                (sentence,),
                f"workup.{entry.id}",
            )

    def mimics(self) -> Iterator[Answerable]:
        seen: set[str] = set()
        for mimic in self._knowledge.mimics.mimics:
            about = mimic.contract_id or mimic.id
            if about in seen or about not in self._terms:
                continue
            seen.add(about)
            name = about.replace("-", " ")
            cited = _cited(mimic.sources)
            sentences = [Sentence(text=self._say.mimic.format(name=name, text=mimic.test), citations=cited)]
            if reasons := "; ".join(dict.fromkeys(mimic.reasons.values())):
                sentences.append(Sentence(text=self._say.mimic_pointer.format(text=reasons), citations=cited))
            yield self._entry(
                f"mimic/{about}", self._families.mimic, (about,), name, sentences, f"differential.{about}"
            )

    def flags(self) -> Iterator[Answerable]:
        for flag, rule in self._knowledge.red_flags.flags.items():
            entity = self._families.flag_entities.get(flag)
            if entity is None:
                continue
            sentence = Sentence(text=_unfilled(rule.text), citations=_cited(rule.sources))
            yield self._entry(
                f"flag/{flag}", self._families.flag, (entity,), flag.replace("-", " "), (sentence,), f"redFlags.{flag}"
            )


def _cited(sources: tuple[str, ...]) -> tuple[str, ...]:
    return sources or (TOOL_RULE,)


def _ended(text: str) -> str:
    return text if text.endswith(".") else f"{text}."


def _lower(text: str) -> str:
    """For the middle of a sentence; abbreviations stay."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def _unfilled(text: str) -> str:
    """A red flag's sentence without what is filled in for a patient."""
    return re.sub(r"\s*within \{days\} days", "", _WHY.sub("", text))
