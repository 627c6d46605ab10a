"""The assessment: the one answer that the hook, the command line, the companion and population screening share.

`to_json` gives the contract's assessment JSON, schema 1 (camelCase, no nulls, numbers as numbers).
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, ClassVar, Literal

from msgspec import Struct, field

from mappings.facts import Completeness, Hardness, Need, Quarantined, Site
from mappings.guarded import Guarded

if TYPE_CHECKING:
    from hooks.situation import Situation

Grade = Literal["none", "incomplete", "possible", "probable", "likely", "confirmed", "alternative", "urgent"]
CardKind = Literal["none", "incomplete", "detection", "management", "alternative", "urgent"]
Subtype = Literal["dystrophic", "metastatic", "calciphylaxis", "iatrogenic", "idiopathic", "undetermined"]
Newness = Literal["N1", "N2", "N3", "N4", "N5"]
Extent = Literal["localized", "extensive", "unknown"]
Met = Literal["met", "not-met", "unknown"]
LabStatus = Literal["normal", "high", "low", "borderline", "indeterminate", "stale", "unknown"]
WorkupDecision = Literal["offer", "already-done", "already-ordered", "not-indicated", "avoid"]
TherapyDecision = Literal["offer", "warn", "need", "block", "not-indicated"]
DYSTROPHIC: frozenset[Grade] = frozenset({"incomplete", "possible", "probable", "likely", "confirmed"})
"""grades by which the calcinosis is dystrophic, or may be."""
OPEN: frozenset[TherapyDecision] = frozenset({"offer", "warn", "need"})
"""decisions by which nothing rules a therapy out."""


class CtdCriterion(Struct, frozen=True):
    status: Met
    because: str
    certainty: Literal["confirmed", "suspected"] | None = None
    tier: int | None = None
    diagnoses: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class LesionCriterion(Struct, frozen=True):
    """`unsaid`, here and below: what the assessment's JSON leaves out."""

    status: Met
    because: str
    hardness: Hardness | None = None
    newness: Newness | None = None
    newness_certain: bool = True
    sites: tuple[str, ...] = ()
    extent: Extent = "unknown"
    evidence: tuple[str, ...] = ()
    unsaid: ClassVar = frozenset({"body_sites", "chalky"})
    body_sites: tuple[Site, ...] = ()
    chalky: bool = False


class LabCriterion(Struct, frozen=True):
    """`category` is what the value says (normal, low, high, borderline) when `status` tells that it is stale or
    indeterminate; a value in words has value None."""

    status: LabStatus
    because: str
    kind: str | None = None
    category: str | None = None
    value: Decimal | None = None
    unit: str | None = None
    low: Decimal | None = None
    high: Decimal | None = None
    range_source: Literal["laboratory", "fallback"] | None = None
    date: str | None = None
    critical: bool = False
    critical_result: str | None = None
    """ "13.4 mg/dL on 2026-05-12": the newest critical value, which need not be the one that is judged."""
    discordant: bool = False
    evidence: tuple[str, ...] = ()


class KidneyCriterion(Struct, frozen=True):
    """`egfr` in `unit`, as the laboratory gave it, and its day; with a `comparator` it is a limit."""

    status: Literal["normal", "reduced", "severe", "unknown"]
    because: str
    egfr: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    date: str | None = None
    dialysis: bool = False
    transplant: bool = False
    evidence: tuple[str, ...] = ()


class ReportCriterion(Struct, frozen=True):
    """Imaging or biopsy: does a report show calcium where it counts?"""

    status: Literal["positive", "negative", "not-done", "unknown"]
    because: str
    date: str | None = None
    sites: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


class Criteria(Struct, frozen=True):
    ctd: CtdCriterion
    lesion: LesionCriterion
    calcium: LabCriterion
    phosphate: LabCriterion
    pth: LabCriterion
    kidney: KidneyCriterion
    imaging: ReportCriterion
    biopsy: ReportCriterion


class RedFlag(Struct, frozen=True):
    id: str
    text: str
    evidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


class Differential(Struct, frozen=True):
    id: str
    because: str
    separating_test: str
    evidence: tuple[str, ...] = ()


class WorkupItem(Struct, frozen=True):
    id: str
    decision: WorkupDecision
    because: str
    evidence: tuple[str, ...] = ()
    unsaid: ClassVar = frozenset({"sites", "cautions"})
    sites: tuple[Site, ...] = ()
    cautions: tuple[str, ...] = ()
    """what the safety table asks to be careful about, should it be done (a biopsy); part of `because` when offered."""


class InUse(Struct, frozen=True):
    """What speaks against the present use of an agent that the patient takes: one sentence for each rule, the gravest
    first, the resources behind them, and whether one of the rules forbids the agent."""

    notes: tuple[str, ...] = ()
    rules: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    forbidden: bool = False


class TherapyItem(Struct, frozen=True):
    """One agent. `rules` are the fired rule ids of the safety table, `notes` one plain sentence for each."""

    id: str
    decision: TherapyDecision
    orderable: bool
    because: str
    rules: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    """workup ids (or plain words such as "vitals") that must come first."""
    cap: str | None = None
    evidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()
    unsaid: ClassVar = frozenset({"described", "fits", "in_use"})
    described: bool = False
    """may be described as text on the card at this grade."""
    fits: bool = False
    """suits this extent, disease and lesion; an agent that does not is never shown as an option of its own."""
    in_use: InUse | None = None
    """None for an agent that the patient does not take."""


class Assessment(Guarded, frozen=True):
    """The answer for one patient on one day, as the contract has it; what the chart does not say is unknown in it."""

    hidden = frozenset({"situation"})
    knowledge_version: str
    as_of: date
    patient: str
    grade: Grade
    card: CardKind
    criteria: Criteria
    subtype: Subtype | None = None
    mixed_with: Subtype | None = None
    subtype_because: tuple[str, ...] = ()
    """every step of the classifier, the deciding one last."""
    because: tuple[str, ...] = ()
    """the reasons of the grade and of the card (silence included), in the order in which they were found."""
    would_change: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    red_flags: tuple[RedFlag, ...] = ()
    differential: tuple[Differential, ...] = ()
    missing: tuple[str, ...] = ()
    workup: tuple[WorkupItem, ...] = ()
    therapies: tuple[TherapyItem, ...] = ()
    completeness: Mapping[Need, Completeness] = field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    sources: tuple[str, ...] = ()
    schema: str = "1"
    unsaid: ClassVar = frozenset({"unreadable", "situation"})
    unreadable: tuple[Need, ...] = ()
    """needs whose failure leaves the question open: the hook answers 412 (rule 2.5, what cannot be read)."""
    situation: Situation | None = None
    """what it tells in words, and the chart behind it; never kept longer than its request, and never compared."""

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Assessment):
            return NotImplemented
        return all(getattr(self, n) == getattr(other, n) for n in self.__struct_fields__ if n != "situation")


def to_json(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON data: None is left out (but for `_KEPT_NULL`), every list is kept, empty ones too."""
    body = _plain(assessment)
    order = ("schema", "knowledgeVersion", "asOf", "patient", "grade", "subtype", "card", "criteria")
    return {key: body[key] for key in order if key in body} | {k: v for k, v in body.items() if k not in order}


def _plain(value: Any) -> Any:
    if isinstance(value, Struct):
        out: dict[str, Any] = {}
        unsaid = getattr(value, "unsaid", ())
        for name in value.__struct_fields__:
            item = None if name in unsaid else _plain(getattr(value, name))
            if item is not None or (name in _KEPT_NULL and name not in unsaid):
                out[_camel(name)] = item
        return out
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, tuple | list):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, date):
        return value.isoformat()
    return value


_KEPT_NULL = frozenset({"subtype", "value"})
"""a null that says something: no subtype applies; a result in words has no number."""


def _camel(name: str) -> str:
    head, *tail = name.split("_")
    return head + "".join(part.title() for part in tail)
