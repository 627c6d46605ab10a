"""Schema of the safety rules (clinical table 4.2) and of the small condition language that they, the therapies and the
workup are written in. A condition is a mapping with exactly one key; the closed list of keys is `Condition`."""

from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Literal, Self

from pydantic import ConfigDict, Field, model_validator

from hooks.knowledge.base import FOLDER, KnowledgeError, Sourced, Strict, load
from mappings.facts import Need

Action = Literal["block", "need", "replace", "warn", "cap", "none"]
"""Strictest first; a warn with `order_off` lies between replace and cap."""

Category = Literal["low", "high", "normal", "borderline"]


class FindingTest(Strict):
    """A finding with any of the concepts ("trigger.heart_failure*" matches by prefix).

    `history`: resolved ones too. `none_of`: not the findings that carry one of these. `within_days`: dated so recently
    that some day of its date fits; an undated one counts only while active, and never when `certainty` is absent.
    `at_lesion`: its sites overlap those of a lesion (overlap), or do not contradict them (possible)."""

    concepts: tuple[str, ...] = Field(min_length=1)
    history: bool = False
    certainty: Literal["present", "absent"] = "present"
    none_of: tuple[str, ...] = ()
    within_days: int | None = None
    at_lesion: Literal["overlap", "possible"] | None = None
    reason_for_encounter: bool | None = None


class MedicationTest(Strict):
    """A drug on the list, by ingredient or class. Doses are a day's, in `unit`: `dose_above` and `dose_at_least` hold
    when the daily dose, or one dose of unknown frequency as its lower bound, is so; `dose_at_most` needs a known daily
    dose; `dose_unknown`: neither can be said."""

    any: tuple[str, ...] = Field(min_length=1)
    none_of: tuple[str, ...] = ()
    """members of a class that are taken out of it"""
    stopped_within_days: int = 0
    routes: tuple[str, ...] = ()
    unit: str = "mg"
    dose_above: Decimal | None = None
    dose_at_least: Decimal | None = None
    dose_at_most: Decimal | None = None
    dose_unknown_above: Decimal | None = None
    """no daily dose, and one dose of it is not above this."""


class LabTest(Strict):
    """The latest usable value of the analyte, in its canonical unit; holds when the value's interval touches the
    stated one. `times_upper`: above so many times the laboratory's upper limit. `category`: against the laboratory's
    range. `within_upper`: not above the laboratory's upper limit. `without_range`: only if the result carries no range,
    word or flag. `newer_than`: only if it is newer than the latest usable value of that analyte."""

    analyte: str
    below: Decimal | None = None
    at_most: Decimal | None = None
    above: Decimal | None = None
    at_least: Decimal | None = None
    times_upper: Decimal | None = None
    category: tuple[Category, ...] = ()
    word: tuple[str, ...] = ()
    max_age_days: int | None = None
    within_upper: bool = False
    without_range: bool = False
    newer_than: str | None = None


class UnknownTest(Strict):
    """No usable value within the window. `numeric`: words do not count. `upper_limit`: the value must be comparable
    with the laboratory's upper limit. `words`: only these words count. `done`: an action of this workup id counts too.
    `need` is the workup id, or plain word, of what is missing."""

    analytes: tuple[str, ...] = Field(min_length=1)
    max_age_days: int | None = None
    numeric: bool = True
    upper_limit: bool = False
    words: tuple[str, ...] = ()
    done: str | None = None
    any_status: bool = False
    """an examination without a value we read is on record all the same (ECG)."""
    need: str


class AgeTest(Strict):
    """Completed years; an incomplete birth date counts if any day of it fits. An unknown one only with `unknown`."""

    below: int | None = None
    above: int | None = None
    at_least: int | None = None
    at_most: int | None = None
    unknown: bool = False
    surely: bool = False
    """every day of the birth date must fit."""


class AllergyTest(Strict):
    """An allergy or adverse reaction to any ingredient or class; `tolerated` false: without a tolerated lower dose."""

    any: tuple[str, ...] = Field(min_length=1)
    severe: bool | None = None
    tolerated: bool | None = None


class LesionTest(Strict):
    """A lesion that counts: in one of the regions or places, and with any of the attributes."""

    regions: tuple[str, ...] = ()
    not_places: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()


class CriterionTest(Strict):
    """A laboratory criterion of the assessment: its category (what the value says) or its status."""

    name: Literal["calcium", "phosphate", "pth", "imaging", "biopsy", "kidney"]
    status: tuple[str, ...]


class Condition(Strict):
    """One test. `is`: a condition named in conditions.yaml. `rule`: another test of the table fired. `agent`: of the
    agent that is asked about. `first_of`: a pair of which only the first in presentation order keeps its draft."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    always: Literal[True] | None = None
    all: tuple["Condition", ...] | None = None
    any: tuple["Condition", ...] | None = None
    not_: "Condition | None" = Field(default=None, alias="not")
    is_: str | None = Field(default=None, alias="is")
    rule: str | None = None
    dx: tuple[str, ...] | None = None
    hx: tuple[str, ...] | None = None
    absent: tuple[str, ...] | None = None
    finding: FindingTest | None = None
    drug: tuple[str, ...] | None = None
    medication: MedicationTest | None = None
    lab: LabTest | None = None
    unknown: UnknownTest | None = None
    age: AgeTest | None = None
    age_unknown: Literal[True] | None = None
    sex: tuple[str, ...] | None = None
    allergy: AllergyTest | None = None
    lesion: LesionTest | None = None
    flag: tuple[str, ...] | None = None
    grade: tuple[str, ...] | None = None
    extent: tuple[str, ...] | None = None
    criterion: CriterionTest | None = None
    unread: Need | None = None
    missing: tuple[str, ...] | None = None
    mimic: tuple[str, ...] | None = None
    agent: Literal["allergic", "dose-intolerant", "failed", "active"] | None = None
    any_failed: Literal[True] | None = None
    first_of: tuple[str, ...] | None = None
    therapy_need: tuple[str, ...] | None = None
    """one of these therapies is a live option, or a live option waits for one of these workup ids (workup only)."""

    @model_validator(mode="after")
    def _one_key(self) -> Self:
        keys = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(keys) != 1:
            raise ValueError(f"a condition has exactly one key, not {keys}")
        return self

    @property
    def kind(self) -> str:
        return next(name for name in type(self).model_fields if getattr(self, name) is not None)


class Cap(Strict):
    """A ceiling: `text` as shown; `amount` and `unit` so that the lowest of several can be chosen."""

    text: str
    amount: Decimal
    unit: str


CARD_TEXT = "card-text"
"""the agent of a rule whose sentence stands on the card itself, and belongs to no therapy."""


class Rule(Sourced):
    """One test of table 4.2. The part of `id` before the dot is what is reported."""

    id: str = Field(pattern=r"^[A-Z][0-9]*[a-z0-9]*\.[0-9]+$")
    agents: tuple[str, ...] = Field(min_length=1)
    except_agents: tuple[str, ...] = ()
    when: Condition
    action: Action
    order_off: bool = False
    of_order: bool = False
    """it speaks of an order of the agent, and not of the agent as it is taken."""
    text: str = Field(min_length=10, pattern=r"[^.]$")
    cap: Cap | None = None
    needs: tuple[str, ...] = ()
    speaks_of: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    """source -> the agents it speaks of; a source that is not named here speaks of every agent of the rule."""

    @property
    def reported(self) -> str:
        return self.id.split(".")[0]

    def sources_for(self, agent: str) -> tuple[str, ...]:
        """The sources that carry the rule for this agent: a label of one drug says nothing of another."""
        return tuple(key for key in self.sources if agent in self.speaks_of.get(key, (agent,)))

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if strangers := set(self.speaks_of) - set(self.sources):
            raise ValueError(f"{self.id}: speaks_of names {sorted(strangers)}, which are none of its sources")
        of_record = self.when.agent == "dose-intolerant"  # then the highest tolerated dose is the ceiling
        if (self.action == "cap") != (self.cap is not None or of_record):
            raise ValueError(f"{self.id}: a cap, and only a cap, states its ceiling")
        if self.basis == "unverified" and self.action in ("none",) and self.order_off:
            raise ValueError(f"{self.id}: an unverified note can't take the order away unseen")
        return self


class Analyte(Strict):
    name: str
    unit: str = ""


class Vocabulary(Strict):
    """conditions.yaml: agent sets, named conditions, and how analytes are named in a sentence."""

    sets: dict[str, tuple[str, ...]]
    asked: tuple[str, ...]
    """what can be needed beside work-up ids, in plain words."""
    conditions: dict[str, Condition]
    analytes: dict[str, Analyte]


class RuleFile(Strict):
    rules: tuple[Rule, ...]


class Safety(Strict):
    """The whole table, in table order; sets and agents of each rule already resolved in `agents_of`."""

    vocabulary: Vocabulary
    rules: tuple[Rule, ...]
    files: dict[str, str] = Field(default_factory=dict)
    """the file each test stands in, for messages about it."""

    @property
    def grown_up(self) -> int | None:
        """The years below which the named condition "child" holds."""
        child = self.vocabulary.conditions.get("child")
        return child.age.below if child is not None and child.age is not None else None

    def agents_of(self, rule: Rule) -> tuple[str, ...]:
        left_out = set(self._expand(rule.except_agents))
        return tuple(agent for agent in self._expand(rule.agents) if agent not in left_out)

    def _expand(self, names: tuple[str, ...]) -> tuple[str, ...]:
        sets = self.vocabulary.sets
        found: list[str] = []
        for name in names:
            found.extend(self._expand(sets[name]) if name in sets else (name,))
        return tuple(dict.fromkeys(found))

    @model_validator(mode="after")
    def _references(self) -> Self:
        ids = [rule.id for rule in self.rules]
        if len(ids) != len(set(ids)):
            raise ValueError("a test id is used twice")
        known = set(ids)
        for where, condition in (
            *((rule.id, rule.when) for rule in self.rules),
            *self.vocabulary.conditions.items(),
        ):
            for part in walk(condition):
                if part.is_ is not None and part.is_ not in self.vocabulary.conditions:
                    raise ValueError(f"{where}: no condition is named {part.is_}")
                if part.rule is not None and part.rule not in known:
                    raise ValueError(f"{where}: no test {part.rule}")
        return self


FILES = (
    "general",
    "diltiazem",
    "colchicine",
    "bisphosphonates",
    "minocycline",
    "historical",
    "infusions",
    "procedures",
    "tnf_inhibitors",
)
"""In table order: the order in which fired rule ids are reported."""


def walk(condition: Condition) -> tuple[Condition, ...]:
    """The condition and every condition inside it."""
    inner = (*(condition.all or ()), *(condition.any or ()), *((condition.not_,) if condition.not_ else ()))
    return (condition, *(part for child in inner for part in walk(child)))


@cache
def load_safety(folder: Path = FOLDER) -> Safety:
    """Reads safety/*.yaml of the knowledge folder; KnowledgeError names file and key."""
    vocabulary = load("safety/conditions.yaml", Vocabulary, folder=folder)
    rules: list[Rule] = []
    files: dict[str, str] = {}
    for name in FILES:
        found = load(f"safety/{name}.yaml", RuleFile, folder=folder).rules
        rules.extend(found)
        files.update({rule.id: f"safety/{name}.yaml" for rule in found})
    try:
        return Safety(vocabulary=vocabulary, rules=tuple(rules), files=files)
    except ValueError as error:
        raise KnowledgeError("safety", "rules", str(error)) from None
