"""What the text engine returns for one text: structured mentions, before dates and references are attached.

The FHIR reader (`mappings/reader/`) turns these into facts: it knows the resource, its date and its reference.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from mappings.facts import BiopsyFinding, ImagingFinding, LesionKind, LesionTraits, Modality, Site

Status = Literal["affirmed", "negated", "possible", "historical", "hypothetical", "family", "other-person"]
"""ConText: only "affirmed" (and "possible" as suspected) may support anything; "historical" means resolved or past."""


class TimeSpan(Struct, frozen=True):
    """How long ago something began, as written: an amount of units before the note, an absolute date, or vague."""

    amount: Decimal | None = None
    unit: Literal["day", "week", "month", "year"] | None = None
    up_to: Decimal | None = None
    """the most that a vague amount can be ("a few weeks"); `amount` is then the least."""
    date_text: str | None = None
    """FHIR-style partial date ("2024", "2024-05", "2024-05-12") when the text names one."""
    long_standing: bool = False
    recurring: str | None = None
    """a month ("02"), a day ("12-25") or "easter": the last one before the note is meant."""


class LesionMention(LesionTraits, frozen=True):
    """One lesion as described in one clause group."""

    kind: LesionKind
    status: Status
    text: str
    start: int
    end: int
    bare: bool = False
    """only lump/swelling/mass and nothing else said."""
    resolved: bool = False
    onset: TimeSpan | None = None
    seen: str | None = None
    """FHIR-style partial date on which it was there, when the text tells only that ("had nodules in 2015")."""


class ConceptMention(Struct, frozen=True):
    """A diagnosis, sign, drug, procedure or state named in the text: concept ids of the lexicon."""

    concept: str
    status: Status
    text: str
    start: int
    end: int
    onset: TimeSpan | None = None
    sites: tuple[Site, ...] = ()


class LabMention(Struct, frozen=True):
    """A test named with a result in words ("calcium normal") or with a number and unit ("Ca 2.35 mmol/L")."""

    analyte: str
    status: Status
    text: str
    word: Literal["normal", "low", "high", "abnormal", "positive", "negative"] | None = None
    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    date_text: str | None = None
    """FHIR-style partial date; two parted by a bar where nobody knows which number is the month."""
    undated: bool = False
    """an earlier result, and nothing says of which day."""
    unsure: bool = False
    """told in a sentence whose words are not all known (`mappings.text.further`): there is a result, never a normal
    one."""
    month: str | None = None
    """the month or day of the test, where its year is not told ("11", "11-14"): the last one before the note. Two are
    parted by a bar: nobody knows which number is the month."""
    limits: str | None = None
    """the bracket behind the number, in which the laboratory's range may stand."""


class ImagingMention(Struct, frozen=True):
    finding: ImagingFinding
    modality: Modality | None
    text: str
    sites: tuple[Site, ...] = ()
    vascular_too: bool = False
    cystic: bool = False
    internal_vascularity: bool = False
    progressed: bool = False
    status: Status = "affirmed"


class BiopsyMention(Struct, frozen=True):
    finding: BiopsyFinding
    text: str
    sites: tuple[Site, ...] = ()
    other: frozenset[str] = frozenset()
    status: Status = "affirmed"


class DoseTolerance(Struct, frozen=True):
    """A documented dose limit: "diltiazem 90 mg TDS not tolerated, 90 mg BD tolerated"."""

    drug: str
    text: str
    tolerated_daily: Decimal | None = None
    not_tolerated_daily: Decimal | None = None
    unit: str | None = None
    failed: bool = False
    """tried for calcinosis without effect."""


class TextReading(Struct, frozen=True):
    language: str
    lesions: tuple[LesionMention, ...] = ()
    concepts: tuple[ConceptMention, ...] = ()
    labs: tuple[LabMention, ...] = ()
    imaging: tuple[ImagingMention, ...] = ()
    biopsies: tuple[BiopsyMention, ...] = ()
    tolerances: tuple[DoseTolerance, ...] = ()
    understood: bool = True
    """False: a relevant word was seen that the engine could not place (the text is then reported, not ignored)."""
