"""The assessment: the one answer that the hook, the command line, the companion and population screening share.

`to_json` gives the contract's assessment JSON, schema 1 (camelCase, no nulls, numbers as numbers).
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Literal

from mappings.facts import Completeness, Hardness, Need, Quarantined, Site

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


@dataclass(frozen=True, slots=True)
class CtdCriterion:
    status: Met
    because: str
    certainty: Literal["confirmed", "suspected"] | None = None
    tier: int | None = None
    diagnoses: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class LesionCriterion:
    status: Met
    because: str
    hardness: Hardness | None = None
    newness: Newness | None = None
    newness_certain: bool = True
    sites: tuple[str, ...] = ()
    extent: Extent = "unknown"
    evidence: tuple[str, ...] = ()
    body_sites: tuple[Site, ...] = dataclasses.field(default=(), metadata={"json": False})
    chalky: bool = dataclasses.field(default=False, metadata={"json": False})


@dataclass(frozen=True, slots=True)
class LabCriterion:
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
    discordant: bool = False
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class KidneyCriterion:
    status: Literal["normal", "reduced", "severe", "unknown"]
    because: str
    egfr: Decimal | None = None
    unit: str | None = None
    date: str | None = None
    dialysis: bool = False
    transplant: bool = False
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ReportCriterion:
    """Imaging or biopsy: does a report show calcium where it counts?"""

    status: Literal["positive", "negative", "not-done", "unknown"]
    because: str
    date: str | None = None
    sites: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Criteria:
    ctd: CtdCriterion
    lesion: LesionCriterion
    calcium: LabCriterion
    phosphate: LabCriterion
    pth: LabCriterion
    kidney: KidneyCriterion
    imaging: ReportCriterion
    biopsy: ReportCriterion


@dataclass(frozen=True, slots=True)
class RedFlag:
    id: str
    text: str
    evidence: tuple[str, ...] = ()
    sources: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Differential:
    id: str
    because: str
    separating_test: str
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkupItem:
    id: str
    decision: WorkupDecision
    because: str
    evidence: tuple[str, ...] = ()
    sites: tuple[Site, ...] = dataclasses.field(default=(), metadata={"json": False})
    cautions: tuple[str, ...] = dataclasses.field(default=(), metadata={"json": False})
    """what the safety table asks to be careful about, should it be done (a biopsy); part of `because` when offered."""


@dataclass(frozen=True, slots=True)
class TherapyItem:
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
    described: bool = dataclasses.field(default=False, metadata={"json": False})
    """may be described as text on the card at this grade."""
    fits: bool = dataclasses.field(default=False, metadata={"json": False})
    """suits this extent, disease and lesion; an agent that does not is never shown as an option of its own."""


@dataclass(frozen=True, slots=True)
class Assessment:
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
    completeness: Mapping[Need, Completeness] = dataclasses.field(default_factory=dict)
    quarantined: tuple[Quarantined, ...] = ()
    sources: tuple[str, ...] = ()
    schema: str = "1"
    unreadable: tuple[Need, ...] = dataclasses.field(default=(), metadata={"json": False})
    """needs whose failure leaves the question open: the hook answers 412 (rule 2.5, what cannot be read)."""
    situation: Situation | None = dataclasses.field(default=None, compare=False, repr=False, metadata={"json": False})
    """what it tells in words, and the chart behind it; never kept longer than its request."""


def to_json(assessment: Assessment) -> dict[str, Any]:
    """The assessment as JSON data: None is left out (but for `_KEPT_NULL`), every list is kept, empty ones too."""
    body = _plain(assessment)
    order = ("schema", "knowledgeVersion", "asOf", "patient", "grade", "subtype", "card", "criteria")
    return {key: body[key] for key in order if key in body} | {k: v for k, v in body.items() if k not in order}


def _plain(value: Any) -> Any:
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        out: dict[str, Any] = {}
        for spec in dataclasses.fields(value):
            if not spec.metadata.get("json", True):
                continue
            item = _plain(getattr(value, spec.name))
            if item is None and spec.name not in _KEPT_NULL:
                continue
            out[_camel(spec.name)] = item
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
