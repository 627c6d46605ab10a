"""Cross references: every source that is cited and every id that is named exists somewhere."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Literal

from pydantic import BaseModel

from hooks.knowledge import Knowledge
from hooks.knowledge.base import KnowledgeError, Sourced
from hooks.knowledge.card_schema import Orderables, OrderChecks
from hooks.knowledge.check.known import Known
from hooks.knowledge.criteria_schema import (
    CalciumRule,
    CtdRule,
    Diagnosis,
    FallbackRange,
    IatrogenicRule,
    KidneyRule,
    LesionRule,
    MineralDisorders,
    ScopeRule,
)
from hooks.knowledge.dialogue_schema import Choice, DialogueData, Open, Question
from hooks.knowledge.entries import Entry, entries
from hooks.knowledge.mimics import FindingGroup, Pointers
from hooks.knowledge.red_flags import Calciphylaxis, Infection, Malignancy, RedFlags
from hooks.knowledge.safety_schema import (
    CARD_TEXT,
    AllergyTest,
    Condition,
    FindingTest,
    LabTest,
    LesionTest,
    MedicationTest,
    Rule,
    UnknownTest,
)
from hooks.knowledge.therapy_schema import Therapy
from hooks.knowledge.workup_schema import Avoid, Done

Kind = Literal[
    "concepts",
    "analytes",
    "drugs",
    "antibodies",
    "places",
    "regions",
    "attributes",
    "histology",
    "diagnoses",
    "workup",
    "therapies",
    "agents",
    "options",
    "needs",
    "flags",
    "mimics",
]

_WHAT: Mapping[Kind, str] = {
    "concepts": "concept has neither a code list nor a lexicon entry",
    "analytes": "no analyte of this id can be read",
    "drugs": "neither a drug nor a class of the dictionary",
    "antibodies": "no antibody of this id can be read",
    "places": "no place of the body of this id",
    "regions": "no body region of this id",
    "attributes": "nothing of this name is read of a lesion",
    "histology": "no text can name this",
    "diagnoses": "no diagnosis of this id in criteria.yaml",
    "workup": "no workup of this id in workup.yaml",
    "therapies": "no therapy of this id in therapies.yaml",
    "agents": "neither a therapy, nor a set of agents, nor another subject of rules",
    "options": "neither a therapy nor a workup id",
    "needs": "neither a workup id nor one of `asked` in safety/conditions.yaml",
    "flags": "no red flag of this id in red_flags.yaml",
    "mimics": "no mimic of this id in mimics.yaml",
}

_FIELDS: Mapping[tuple[type[BaseModel], str], Kind] = {
    (Diagnosis, "concepts"): "concepts",
    (CtdRule, "skin_indurated"): "diagnoses",
    (CtdRule, "adult_dermatomyositis"): "diagnoses",
    (CtdRule, "juvenile"): "diagnoses",
    (LesionRule, "calcinosis_concepts"): "concepts",
    (LesionRule, "exact_place"): "concepts",
    (LesionRule, "scrotal_places"): "places",
    (CalciumRule, "risk_concepts"): "concepts",
    (CalciumRule, "risk_drugs"): "drugs",
    (CalciumRule, "critical"): "analytes",
    (FallbackRange, "analyte"): "analytes",
    (MineralDisorders, "names"): "concepts",
    (KidneyRule, "severe_concepts"): "concepts",
    (KidneyRule, "dialysis_concepts"): "concepts",
    (KidneyRule, "transplant_concepts"): "concepts",
    (IatrogenicRule, "drugs"): "drugs",
    (IatrogenicRule, "extravasation"): "concepts",
    (ScopeRule, "silent_concepts"): "concepts",
    (Infection, "culture"): "analytes",
    (Infection, "fever_concepts"): "concepts",
    (Infection, "infection_concepts"): "concepts",
    (Calciphylaxis, "concepts"): "concepts",
    (Calciphylaxis, "kidney_failure_concepts"): "concepts",
    (Calciphylaxis, "vka"): "drugs",
    (Calciphylaxis, "necrosis_concepts"): "concepts",
    (Calciphylaxis, "livedo_concepts"): "concepts",
    (Malignancy, "cancer_concepts"): "concepts",
    (Malignancy, "antibodies"): "antibodies",
    (RedFlags, "digital_ischaemia_concepts"): "concepts",
    (RedFlags, "nerve_concepts"): "concepts",
    (RedFlags, "breast_places"): "places",
    (FindingGroup, "concepts"): "concepts",
    (Pointers, "concepts"): "concepts",
    (Pointers, "high"): "analytes",
    (Pointers, "places"): "places",
    (Pointers, "lesion"): "attributes",
    (Pointers, "flags"): "flags",
    (Pointers, "named"): "histology",
    (Pointers, "biopsy"): "histology",
    (Condition, "dx"): "concepts",
    (Condition, "hx"): "concepts",
    (Condition, "absent"): "concepts",
    (Condition, "drug"): "drugs",
    (Condition, "missing"): "workup",
    (Condition, "mimic"): "mimics",
    (Condition, "flag"): "flags",
    (Condition, "first_of"): "therapies",
    (Condition, "therapy_need"): "options",
    (FindingTest, "concepts"): "concepts",
    (FindingTest, "none_of"): "concepts",
    (MedicationTest, "any"): "drugs",
    (AllergyTest, "any"): "drugs",
    (LabTest, "analyte"): "analytes",
    (UnknownTest, "analytes"): "analytes",
    (UnknownTest, "done"): "workup",
    (UnknownTest, "need"): "needs",
    (Rule, "needs"): "needs",
    (LesionTest, "places"): "places",
    (LesionTest, "not_places"): "places",
    (LesionTest, "regions"): "regions",
    (LesionTest, "attributes"): "attributes",
    (Rule, "agents"): "agents",
    (Rule, "except_agents"): "agents",
    (Therapy, "drugs"): "drugs",
    (Therapy, "drug_classes"): "drugs",
    (Therapy, "own_classes"): "drugs",
    (Therapy, "allergy_classes"): "drugs",
    (Therapy, "orders"): "workup",
    (Done, "analytes"): "analytes",
    (Avoid, "places"): "places",
    (Avoid, "not_places"): "places",
    (Avoid, "regions"): "regions",
    (OrderChecks, "workup"): "workup",
    (Orderables, "workup"): "workup",
    (Open, "concepts"): "concepts",
    (Open, "drugs"): "drugs",
    (Open, "undated"): "concepts",
    (Open, "diagnoses"): "diagnoses",
    (Question, "prefers"): "therapies",
    (Choice, "prefers"): "therapies",
    (Orderables, "medications"): "therapies",
}
"""Which field names what. A mapping names by its keys."""

_OTHER_SUBJECTS = frozenset({CARD_TEXT, "skin-biopsy"})
"""Rules can be about the card itself and about a biopsy, which are no therapies."""


def wrong_references(knowledge: Knowledge, known: Known, dialogue: DialogueData) -> Iterator[KnowledgeError]:
    """One problem for each name that leads nowhere."""
    ours = _ours(knowledge)
    for entry in entries(knowledge, dialogue):
        for field in type(entry.value).model_fields:
            kind = _FIELDS.get((type(entry.value), field))
            if kind is None:
                continue
            names = _names(getattr(entry.value, field))
            unknown = known.unknown(kind, names) if kind not in ours else [n for n in names if n not in ours[kind]]
            for name in unknown:
                yield KnowledgeError(entry.file, entry.at(field), f"{name}: {_WHAT[kind]}")
        yield from _citations(entry, knowledge)
    yield from _wording(knowledge)


def _ours(knowledge: Knowledge) -> dict[Kind, frozenset[str]]:
    """What the knowledge itself defines."""
    therapies = frozenset(therapy.id for therapy in knowledge.therapies.therapies)
    workup = frozenset(entry.id for entry in knowledge.workup.entries)
    return {
        "diagnoses": frozenset(diagnosis.id for diagnosis in knowledge.criteria.ctd.diagnoses),
        "workup": workup,
        "therapies": therapies,
        "agents": therapies | _OTHER_SUBJECTS | frozenset(knowledge.safety.vocabulary.sets),
        "options": therapies | workup,
        "needs": workup | frozenset(knowledge.safety.vocabulary.asked),
        "flags": frozenset(knowledge.red_flags.flags),
        "mimics": frozenset(mimic.contract_id or mimic.id for mimic in knowledge.mimics.mimics),
    }


def _names(value: Iterable[str] | None) -> tuple[str, ...]:
    if value is None:
        return ()
    return (value,) if isinstance(value, str) else tuple(value)


def _citations(entry: Entry, knowledge: Knowledge) -> Iterator[KnowledgeError]:
    value = entry.value
    cited = getattr(value, "cited", None)
    groups = {"sources": getattr(value, "sources", ())}
    if isinstance(cited, dict):
        groups |= {f"cited.{key}": keys for key, keys in cited.items()}
    for field, keys in groups.items():
        if isinstance(keys, tuple):
            for key in knowledge.evidence.missing(keys):
                yield KnowledgeError(entry.file, entry.at(field), f"{key}: no such source in evidence.yaml")
    if isinstance(value, Sourced):
        if value.basis == "source" and not value.sources:
            yield KnowledgeError(entry.file, entry.at("basis"), "basis is source, but no source is named")
        if value.basis == "unverified" and value.sources:
            yield KnowledgeError(entry.file, entry.at("basis"), "unverified, yet a source is named: which is it?")


def _wording(knowledge: Knowledge) -> Iterator[KnowledgeError]:
    """The cards have words for everything that can be on them."""
    ours, cards = _ours(knowledge), knowledge.cards
    worded: tuple[Kind, ...] = ("diagnoses", "flags", "mimics")
    for kind in worded:
        for name in sorted(ours[kind] ^ frozenset(getattr(cards, kind))):
            said = "no wording for it" if name in ours[kind] else _WHAT[kind]
            yield KnowledgeError("cards.yaml", f"{kind}.{name}", said)
    for name in sorted(ours["workup"] - frozenset(knowledge.orderables.workup)):
        yield KnowledgeError("orderables.yaml", f"workup.{name}", "no name for this order")
    for name, members in knowledge.safety.vocabulary.sets.items():
        for member in members:
            if member not in ours["agents"]:
                yield KnowledgeError("safety/conditions.yaml", f"sets.{name}", f"{member}: {_WHAT['agents']}")
