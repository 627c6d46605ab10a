"""Schemas of cards.yaml (wording), override_reasons.yaml and orderables.yaml, and their loaders."""

import re
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, Self, get_args

from pydantic import Field, model_validator

from hooks.knowledge.base import FOLDER, Strict, load
from hooks.model import CardKind, Grade, Subtype
from mappings.codelists import Coding
from mappings.facts import Hardness, LesionKind, Need

Indicator = Literal["info", "warning"]
Effect = Literal["done", "not-this-patient", "later", "disagrees"]
TextKind = Literal["detection", "management", "incomplete", "alternative", "urgent", "options", "order"]


class CardText(Strict):
    """Wording of one kind of card. `summary` holds templates, most telling first; the first that fits is used."""

    topic: str = Field(pattern=r"^[A-Za-z0-9]{1,100}$")
    topic_display: str
    indicator: Indicator
    warning_grades: tuple[Grade, ...] = ()
    summary: tuple[str, ...] = Field(min_length=1)
    lead: str


class DiagnosisName(Strict):
    short: str
    name: str


class LesionWords(Strict):
    kinds: dict[LesionKind, tuple[str, str]]
    any: tuple[str, str]
    hardness: dict[Hardness, str]
    white_yellow: str
    """counts as hard without chalky material."""
    new: str


class CodingEntry(Strict):
    system: str
    code: str
    display: str


class FindingRead(Strict):
    """What the next call reads in a recorded answer (checked against the reader in the tests)."""

    hardness: Hardness | None = None
    chalky: bool = False
    ulcerated: bool = False
    onset_days: int | None = Field(default=None, ge=0)
    long_standing: bool = False
    count: int | None = Field(default=None, ge=1)


class Answer(Strict):
    """`value` is what is recorded ({noun}, {nouns}: the lesion in our words, {kind}: without hardness); `coding` only
    where a verified code says it."""

    label: str
    value: str
    finding: FindingRead
    coding: CodingEntry | None = None


class Question(Strict):
    """A finding that can be recorded from the card (`cards`: of one of these kinds, none: any that asks). Open while
    the lesion's hardness is one of `hardness`, or while the chart says nothing of `unknown`. `bonus`: goes before
    others that move as much, where it moves enough to be asked at all."""

    id: str
    ask: str
    code: str
    hardness: tuple[Hardness, ...] = ()
    cards: tuple[CardKind, ...] = ()
    bonus: int = Field(default=0, ge=0)
    unknown: Literal["chalky", "ulcer", "onset", "extent"] | None = None
    answers: tuple[Answer, ...] = Field(min_length=1)


class Nouns(Strict):
    """How a record calls the lesion, one and several: kinds that name no disease, and hardness."""

    kinds: dict[LesionKind, tuple[str, str]]
    other: tuple[str, str]
    hardness: dict[Hardness, str]


class Conversation(Strict):
    """`weights`: how much a change of the answer counts; `least`: from where on a question is worth asking, by card."""

    code: CodingEntry
    weights: dict[str, int]
    least: dict[CardKind, int]
    nouns: Nouns
    questions: tuple[Question, ...]


class OrderRanks(Strict):
    """Which drafts come first on a card: `first`, then what is missing, then `next`, then the rest."""

    first: tuple[str, ...]
    next: tuple[str, ...]


class OrderNote(Strict):
    text: str
    sources: tuple[str, ...]


class OrderChecks(Strict):
    """What the order hooks look at: workup ids whose drafts are checked, verdicts that warn, sentences of their own.
    `classes`: drugs of a class are checked by an agent's rules, by route. `always`: tests of the safety table that hold
    for every patient and are no conflict of a draft. `instead`: what may be ordered in place of what is avoided."""

    workup: tuple[str, ...]
    classes: dict[str, dict[str, str]]
    always: tuple[str, ...]
    instead: dict[str, tuple[str, ...]]
    warning: tuple[str, ...]
    notes: dict[str, OrderNote]


class Cards(Strict):
    """All wording. Every dictionary of names is complete for its ids (checked in the tests against the contract)."""

    version: str
    language: str
    summary_limit: int = Field(le=139)
    lead_limit: int
    quote_limit: int
    source_label: str
    topic_path: str
    banned: tuple[str, ...]
    kinds: dict[TextKind, CardText]
    headings: dict[str, str]
    labels: dict[str, str]
    phrases: dict[str, str]
    cited: dict[str, tuple[str, ...]]
    """sources of the phrases that make a claim of their own."""
    calcium: dict[str, str]
    calcium_kinds: dict[str, str]
    reasons: dict[str, str]
    subtypes: dict[Subtype, str]
    grades: dict[Grade, str]
    diagnoses: dict[str, DiagnosisName]
    lesions: LesionWords
    places: dict[str, str]
    """place ids whose words are not just the id with blanks."""
    sides: dict[str, str]
    both: dict[str, str]
    """place id -> words for both sides, where an s does not make the plural."""
    flags: dict[str, str]
    needs: dict[Need, str]
    mimics: dict[str, str]
    order_checks: OrderChecks
    verdicts: dict[str, str]
    limits: dict[str, int]
    order_ranks: OrderRanks
    conversation: Conversation

    @cached_property
    def banned_words(self) -> re.Pattern[str]:
        """Matches any banned word or phrase, whole words, whatever the case."""
        return re.compile(rf"\b(?:{'|'.join(re.escape(words) for words in self.banned)})\b", re.IGNORECASE)

    def say(self, phrase: str, **values: object) -> str:
        """A phrase with its values filled in; an unknown phrase is a programming error (KeyError)."""
        return self.phrases[phrase].format(**values)

    @model_validator(mode="after")
    def _every_kind(self) -> Self:
        missing = set(get_args(TextKind)) - set(self.kinds)
        if missing:
            raise ValueError(f"no wording for {', '.join(sorted(missing))}")
        topics = [kind.topic for kind in self.kinds.values()]
        if len(set(topics)) != len(topics):
            raise ValueError("a topic is used by two kinds of card")
        return self


class OverrideReason(Strict):
    """`effect` is what dismissing with this reason does; `days` how long it lasts, none: for good on these facts."""

    code: str
    display: str
    effect: Effect
    days: int | None = Field(default=None, ge=1)


class OverrideReasons(Strict):
    system: str
    reasons: tuple[OverrideReason, ...] = Field(min_length=3, max_length=5)

    def effect(self, system: str | None, code: str | None) -> OverrideReason | None:
        """The reason a client sent back; None for a coding that is not ours."""
        if system != self.system:
            return None
        return next((reason for reason in self.reasons if reason.code == code), None)


class Orderable(Strict):
    """How an order is called. `at_lesion`: it carries the body site of the lesion. `parts`: names by analyte, where
    each is ordered by itself."""

    name: str
    at_lesion: bool = False
    parts: dict[str, str] = Field(default_factory=dict)


class Orderables(Strict):
    """Orders by workup id; codings of drugs by therapy id (ingredient level)."""

    workup: dict[str, Orderable]
    medications: dict[str, tuple[CodingEntry, ...]]

    def name(self, workup: str) -> str:
        """The plain name of a workup id; an id without an entry stands for itself."""
        entry = self.workup.get(workup)
        return entry.name if entry else workup.replace("-", " ")

    @cached_property
    def drug_codings(self) -> dict[str, tuple[Coding, ...]]:
        return {
            therapy: tuple(Coding(e.system, e.code, e.display) for e in entries)
            for therapy, entries in self.medications.items()
        }


@cache
def load_cards(folder: Path = FOLDER) -> Cards:
    """Reads cards.yaml; KnowledgeError names the key that is wrong."""
    return load("cards.yaml", Cards, folder=folder)


@cache
def load_override_reasons(folder: Path = FOLDER) -> OverrideReasons:
    return load("override_reasons.yaml", OverrideReasons, folder=folder)


@cache
def load_orderables(folder: Path = FOLDER) -> Orderables:
    return load("orderables.yaml", Orderables, folder=folder)
