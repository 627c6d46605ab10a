"""Schema of answers/*.yaml: the words of questions, curated answers, what is declined, and question families."""

from functools import cache
from typing import Annotated, Literal, Self

from pydantic import BeforeValidator, Field, model_validator

from hooks.knowledge.base import KnowledgeError, Strict, Text, load

_Words = Annotated[frozenset[str], BeforeValidator(lambda text: frozenset(str(text).split()))]

Tongue = Literal["en", "es"]
"""the languages of questions."""

CURATED = ("about", "laboratory", "epidemiology", "workup", "treatment")
"""the files of curated entries, in the order in which they win a tie."""


class Ages(Strict):
    """How an age is written (a regular expression with the group `age`), and the words that are read in its place, from
    which age on."""

    pattern: str
    adult_from: int
    child: str
    adult: str


class Foreign(Strict):
    """The entity of all diseases, operations and drugs that no entry knows, and endings that give them away."""

    term: str
    endings: tuple[str, ...]


class Words(Strict):
    """How words become terms: `entities` are what a question may be about, `terms` what it may ask of them."""

    stopwords: _Words
    background: tuple[str, ...]
    """terms that nearly every question has; they decide little."""
    context: tuple[str, ...]
    """entities that often only describe the patient."""
    states: tuple[str, ...]
    """entities that a drug or disease may meet: beside one, a word that nobody knows is the subject."""
    aspects: tuple[str, ...]
    """terms that say what is asked of a subject; an answer that does not know of it is another one."""
    entities: dict[str, tuple[str, ...]]
    terms: dict[str, tuple[str, ...]]
    marks: dict[Tongue, _Words]
    """small words by which a question's language is told."""
    ages: Ages
    foreign: Foreign


class Sentence(Strict):
    """One sentence of an answer and the keys of the evidence base that carry it."""

    text: Text
    citations: tuple[str, ...] = Field(min_length=1)


class Entry(Strict):
    """One curated answer. `rules` are tests of the safety table that it tells after its own sentences, in the words
    that decide. `patient` names the parts of an assessment that belong to it, as in the contract's JSON."""

    id: str
    en: tuple[Text, ...] = Field(min_length=1)
    es: tuple[Text, ...] = Field(min_length=1)
    answer: tuple[Sentence, ...] = ()
    rules: tuple[str, ...] = ()
    patient: tuple[str, ...] = ()

    @model_validator(mode="after")
    def _says_something(self) -> Self:
        if not self.answer and not self.rules:
            raise ValueError("an entry needs sentences or rules")
        return self


class Entries(Strict):
    entries: tuple[Entry, ...]


class Said(Strict):
    """The same sentence in each language of questions."""

    en: Text
    es: Text

    def to(self, language: Tongue) -> str:
        return self.es if language == "es" else self.en


class Decline(Strict):
    """What is not answered: a question with one term of each list of `all` and none of `unless`."""

    id: str
    because: Said
    all: tuple[tuple[str, ...], ...]
    unless: tuple[str, ...] = ()


class Child(Strict):
    """How an assessment tells that the patient is a child, and the term that its questions then have: `rule` blocks
    drugs for a child; for an unknown age it asks."""

    rule: str
    term: str


class Request(Strict):
    """How a request to act is told from a question (`hooks.answers.requests`), and what is said to it. Words and
    phrases are plain: lower case, without accents or signs."""

    because: Said
    courtesy: tuple[Text, ...]
    of_the_service: tuple[Text, ...]
    """phrases that ask it of the service itself."""
    acts: dict[Tongue, tuple[Text, ...]]
    """verbs of acting in the form in which a request has them."""
    asking: tuple[Text, ...]
    """words that make a question of a sentence."""
    noun_before: tuple[Text, ...]
    """words behind which the verb was a noun ("order of treatment") or tells of something else ("start low")."""


class Declines(Strict):
    of_a_child: Child
    declines: tuple[Decline, ...]
    request: Request
    no_source: Said
    not_a_question: Said
    in_english: Text
    """said above an answer to a Spanish question: its sentences are quoted in the language of their sources."""


class Questions(Strict):
    """Ways to ask, in each language; {x} stands for the entity."""

    en: tuple[Text, ...]
    es: tuple[Text, ...]


class TherapyQuestions(Strict):
    evidence: Questions
    dose: Questions
    safety: Questions
    monitoring: Questions


class Phrases(Strict):
    dose: str
    label: str
    extent: str
    blocked: str
    of_rule: dict[str, str]
    """by what the rule does"""
    none_blocked: str
    more: str
    monitoring: str
    no_evidence: str
    workup: str
    mimic: str
    mimic_pointer: str


class Families(Strict):
    therapy: TherapyQuestions
    workup: Questions
    mimic: Questions
    flag: Questions
    flag_entities: dict[str, str]
    workup_entities: dict[str, tuple[str, ...]]
    sentences: Phrases
    most_rules: int = Field(ge=1)


class AnswerData(Strict):
    """All of it, ids of entries unique."""

    words: Words
    entries: tuple[Entry, ...]
    declines: Declines
    families: Families

    @model_validator(mode="after")
    def _known(self) -> Self:
        ids = [entry.id for entry in self.entries]
        if twice := {i for i in ids if ids.count(i) > 1}:
            raise ValueError(f"entry listed twice: {min(twice)}")
        both = self.words.entities.keys() & self.words.terms.keys()
        if both:
            raise ValueError(f"both an entity and a term: {min(both)}")
        known = self.words.entities.keys() | self.words.terms.keys()
        used = {t for d in self.declines.declines for group in (*d.all, d.unless) for t in group}
        used |= {
            *self.words.background,
            *self.words.context,
            *self.words.states,
            *self.words.aspects,
            *self.families.flag_entities.values(),
        }
        used |= {self.words.foreign.term}
        used |= {t for terms in self.families.workup_entities.values() for t in terms}
        if unknown := used - known:
            raise ValueError(f"no such term: {min(unknown)}")
        return self


@cache
def load_answers() -> AnswerData:
    """Reads hooks/knowledge/answers/*.yaml; KnowledgeError names file and key."""
    entries = tuple(e for file in CURATED for e in load(f"answers/{file}.yaml", Entries).entries)
    words = load("answers/vocabulary.yaml", Words)
    declines, families = load("answers/declines.yaml", Declines), load("answers/families.yaml", Families)
    try:
        return AnswerData(words=words, entries=entries, declines=declines, families=families)
    except ValueError as error:
        raise KnowledgeError("answers", "(all)", str(error).splitlines()[-2].strip()) from None
