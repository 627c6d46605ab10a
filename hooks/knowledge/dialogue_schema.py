"""The questions of the dialogue: dialogue.yaml and its strict schema."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hooks.knowledge.base import FOLDER, Sourced, Strict, load
from hooks.knowledge.card_schema import CodingEntry
from mappings.facts import Hardness

UNKNOWN = "unknown"
"""the answer "don't know": it closes a question and says nothing."""
Kind = Literal["choice", "choices", "sites", "number"]
"""choice: one answer. choices: several. sites: several body sites. number: typed, within `least` and `most`."""
LesionField = Literal[
    "chalky", "ulcerated", "necrotic", "livedo", "inflamed", "size_cm", "onset", "long_standing", "growing", "rapid",
    "pain", "pain_score", "pus", "spreading_erythema", "infusion_at_site", "injection_at_site", "trauma_at_site",
]  # fmt: skip


class RecordText(Strict):
    """One resource of an answer. lesion and history are examination findings, the others what their name says."""

    as_: Literal["lesion", "history", "condition", "medication", "result"] = Field(alias="as")
    value: str
    code: str | None = None
    onset: Literal["years"] | None = None
    """years: the typed number is how many years ago it began."""


class Choice(Strict):
    """`noun` and `hardness`: how the lesion is called from then on. `alone`: excludes the others of its question."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    label: str
    records: tuple[RecordText, ...] = ()
    noun: str | None = None
    hardness: Hardness | None = None
    prefers: tuple[str, ...] = ()
    alone: bool = False


class Open(Strict):
    """When a question is open: every stated part holds, and the chart says nothing of the others."""

    criterion: dict[Literal["ctd", "lesion", "calcium", "kidney", "extent"], tuple[str, ...]] = Field(
        default_factory=dict
    )
    hardness: tuple[Hardness, ...] = ()
    lesion: tuple[LesionField, ...] = ()
    concepts: tuple[str, ...] = ()
    drugs: tuple[str, ...] = ()
    diagnoses: tuple[str, ...] = ()
    undated: tuple[str, ...] = ()
    sex: tuple[Literal["female", "male", "unknown"], ...] = ()
    ages: tuple[int, int] | None = None


class Question(Sourced):
    """`ask` is the wording, `effect` why it is asked. `trials` are the answers tried when the next question is chosen
    (default: each single answer)."""

    id: str = Field(pattern=r"^[a-z0-9-]+$")
    ask: str
    effect: str
    kind: Kind
    lesion: bool = False
    prerequisite: bool = False
    open: Open = Open()
    answers: tuple[Choice, ...] = ()
    trials: tuple[tuple[str, ...], ...] = ()
    record: RecordText | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    whole: bool = False
    unit: str | None = None
    prefers: tuple[str, ...] = ()
    prefers_from: Decimal | None = None
    tells_extent: bool = False
    """the answer names every region with lesions: more of them need not be feared in what was not read"""

    @model_validator(mode="after")
    def _of_its_kind(self) -> Self:
        number = self.kind == "number"
        if number != (self.least is not None and self.most is not None) or number == bool(self.answers):
            raise ValueError("a number has least and most, every other kind has answers")
        if (number or self.kind == "sites") and (self.record is None or not self.trials):
            raise ValueError("a number and sites need a record and trials")
        ids = [answer.id for answer in self.answers]
        if len(set(ids)) != len(ids) or UNKNOWN in ids:
            raise ValueError(f"answer ids must differ and never be {UNKNOWN}")
        if self.answers and any(name not in ids for trial in self.trials for name in trial):
            raise ValueError("trials must be answers of the question")
        return self

    @property
    def tried(self) -> tuple[tuple[str, ...], ...]:
        return self.trials or tuple((answer.id,) for answer in self.answers)

    def answer(self, answer_id: str) -> Choice | None:
        return next((answer for answer in self.answers if answer.id == answer_id), None)


class LesionNouns(Strict):
    kinds: dict[str, str]
    other: str
    hardness: dict[Hardness, str]


class DialogueData(Strict):
    version: str
    title: str
    headings: dict[str, str] = Field(default_factory=dict)
    """by grade, where the title would say something else than the verdict"""
    unknown: str
    weights: dict[str, int]
    longest: int
    """most answers in one dialogue: beyond it a request is refused."""
    code: CodingEntry
    history: str
    nouns: LesionNouns
    questions: tuple[Question, ...]

    @model_validator(mode="after")
    def _ids_differ(self) -> Self:
        ids = [question.id for question in self.questions]
        if len(set(ids)) != len(ids):
            raise ValueError("question ids must differ")
        if self.longest < len(ids):
            raise ValueError("longest must let every question be answered")
        return self

    def question(self, question_id: str) -> Question | None:
        return next((question for question in self.questions if question.id == question_id), None)


@cache
def load_dialogue(folder: Path = FOLDER) -> DialogueData:
    """KnowledgeError names the key that is wrong."""
    return load("dialogue.yaml", DialogueData, folder=folder)
