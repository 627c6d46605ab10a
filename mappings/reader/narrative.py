"""From what the text engine read to facts: dates, reference and certainty come from the resource."""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from mappings.dates import PartialDate
from mappings.facts import Allergy, Biopsy, Certainty, Course, Finding, Imaging, Lesion, LesionTraits, Result, Site
from mappings.reader.beginnings import started
from mappings.reader.context import Collected
from mappings.reader.memo import EMPTY
from mappings.text.common import load_common
from mappings.text.reading import (
    ConceptMention,
    DoseTolerance,
    ImagingMention,
    LabMention,
    LesionMention,
    Status,
    TextReading,
    TimeSpan,
)
from mappings.values import parse_quantity, parse_range, to_canonical

_CERTAINTY: dict[Status, Certainty | None] = {
    "affirmed": "confirmed",
    "historical": "confirmed",
    "possible": "suspected",
    "negated": "absent",
    "hypothetical": None,
    "family": None,
    "other-person": None,
}
_TOLD = ("affirmed", "historical")
_THOUSANDS = -3
"""decimals that may as well be thousands"""
_DISEASE = ("ctd.", "calcinosis.", "mimic.", "exclude.")


class Source(Struct, frozen=True):
    """Where a text stood: its resource, its dates, the sites the resource itself names."""

    ref: str
    date: PartialDate | None = None
    onset: PartialDate | None = None
    recorded: PartialDate | None = None
    updated: PartialDate | None = None
    sites: tuple[Site, ...] = ()
    course: Course = "active"
    certainty: Certainty = "confirmed"
    title: bool = False
    """the text is the name of the condition itself, so a diagnosis in it is a diagnosis."""
    confidential: bool = False

    @property
    def first(self) -> PartialDate | None:
        return self.recorded or self.date


def add_reading(reading: TextReading, source: Source, into: Collected, *, lesions: bool = True) -> None:
    """Adds everything one text says to the facts, lesions too unless the caller makes them itself."""
    if reading is EMPTY:
        return
    for mention in reading.concepts:
        finding = to_finding(mention, source)
        if finding is not None:
            into.findings.append(finding)
    if lesions:
        into.lesions.extend(to_lesions(reading.lesions, source))
    for lab in reading.labs:
        result = to_result(lab, source, into)
        if result is not None:
            into.results.append(result)
    for tolerance in reading.tolerances:
        _add_tolerance(tolerance, source, into)
    into.imaging.extend(_imaging(mention, source) for mention in reading.imaging if mention.status in _TOLD)
    into.biopsies.extend(
        Biopsy(source.ref, mention.finding, source.date, sites=mention.sites, other=mention.other, label=mention.text)
        for mention in reading.biopsies
        if mention.status in _TOLD
    )
    if not reading.understood:
        into.not_understood.append(source.ref)


def _add_tolerance(tolerance: DoseTolerance, source: Source, into: Collected) -> None:
    """A drug that was tried in vain is a finding; one that was borne up to a dose only is an allergy with that dose."""
    drug = tolerance.drug
    if tolerance.failed:
        failed = Finding(frozenset({f"failed.{drug}"}), drug, source.ref, recorded=source.first, basis="text")
        into.findings.append(failed)
        return
    dose, unit = tolerance.tolerated_daily, tolerance.unit
    into.allergies.append(
        Allergy(source.ref, drug, drugs=frozenset({drug}), tolerated_dose=dose, dose_unit=unit),
    )


def _imaging(mention: ImagingMention, source: Source) -> Imaging:
    return Imaging(
        source.ref,
        mention.modality or "other",
        mention.finding,
        source.date,
        sites=mention.sites,
        calcified_sites=mention.sites if mention.finding == "soft-tissue" else (),
        vascular_too=mention.vascular_too,
        cystic=mention.cystic,
        internal_vascularity=mention.internal_vascularity,
        progressed=mention.progressed,
        label=mention.text,
    )


def to_finding(mention: ConceptMention, source: Source) -> Finding | None:
    """A diagnosis found only in a note is suspected; other findings are as the note says."""
    certainty = _CERTAINTY[mention.status]
    if certainty is None:
        return None
    if certainty == "confirmed":
        disease = mention.concept.startswith(_DISEASE)
        certainty = source.certainty if source.title else "suspected" if disease else "confirmed"
    lifelong = mention.concept.startswith("ctd.")
    past = mention.status == "historical" and not lifelong
    return Finding(
        frozenset({mention.concept}),
        mention.text,
        source.ref,
        certainty=certainty,
        course="resolved" if past else source.course,
        onset=(source.onset if source.title else None) or started(mention.onset, source.first),
        recorded=source.first,
        updated=source.updated,
        sites=mention.sites or source.sites,
        basis="text",
        confidential=source.confidential,
    )


def to_lesions(mentions: Iterable[LesionMention], source: Source) -> list[Lesion]:
    """Lesions that a text tells of this patient; those of relatives and mere possibilities to come are none."""
    found = ((mention, _CERTAINTY[mention.status]) for mention in mentions)
    return [_lesion(mention, certainty, source) for mention, certainty in found if certainty is not None]


def _lesion(mention: LesionMention, certainty: Certainty, source: Source) -> Lesion:
    resolved = mention.resolved or mention.status == "historical" or source.course == "resolved"
    traits: dict[str, Any] = {name: getattr(mention, name) for name in LesionTraits.__struct_fields__}
    traits["sites"] = mention.sites or source.sites
    return Lesion(
        ref=source.ref,
        kind=mention.kind,
        label=mention.text,
        certainty=source.certainty if certainty == "confirmed" else certainty,
        course="resolved" if resolved else "active",
        gone=mention.resolved,
        bare_code=mention.bare,
        onset=started(mention.onset, source.first) or source.onset,
        long_standing=bool(mention.onset and mention.onset.long_standing),
        recorded=_first_seen(mention, source.first),
        updated=source.updated,
        confidential=source.confidential,
        **traits,
    )


def _first_seen(mention: LesionMention, note: PartialDate | None) -> PartialDate | None:
    """When a lesion was first recorded: by the note, or on an earlier day that the note tells of, unless it tells of
    today too ("documented in 2015, now growing")."""
    changed = mention.growing or mention.rapid or mention.new_site or mention.pus or mention.ulcerated
    told = PartialDate.parse(mention.seen) if mention.seen and not changed else None
    return told if told is not None and (note is None or told.latest < note.earliest) else note


def _one_of(told: list[PartialDate | None], note: PartialDate | None) -> PartialDate | None:
    """Of two days that the same figures may mean ("5/12") the one shortly before the note, else the older."""
    days = sorted((day for day in told if day is not None), key=lambda day: day.sort_key)
    days = [day for day in days if note is None or day.earliest <= note.latest] or days
    if days and note is not None and (note.latest - days[-1].latest).days <= load_common().results.lately_days:
        return days[-1]
    return days[0] if days else None


def to_result(lab: LabMention, source: Source, into: Collected) -> Result | None:
    """A test named with its result in a text; negated or hypothetical ones say nothing."""
    if lab.status not in _TOLD:
        return None
    table = into.tools.units
    date = None if lab.undated else source.date or source.recorded
    if lab.date_text:
        date = _one_of([PartialDate.parse(day) for day in lab.date_text.split("|")], source.date or source.recorded)
    if lab.month is not None:
        date = _one_of([started(TimeSpan(recurring=name), date) for name in lab.month.split("|")], date)
    analyte, _, antibody = lab.analyte.partition(":")
    base = Result(analyte, source.ref, date, "final", label=lab.text, from_text=True, antibody=antibody or None)
    if lab.value is None:
        return replace(base, word=lab.word) if lab.word else None
    if lab.unsure:
        return replace(base, problem="not-understood")
    least = load_common().results.positive_from.get(analyte)
    if least is not None and lab.comparator != "<":
        thousands = lab.value.as_tuple().exponent == _THOUSANDS  # "18,400"
        if (lab.value.scaleb(-_THOUSANDS) if thousands else lab.value) >= Decimal(least):
            return replace(base, word="positive")
    unit = f"x{lab.unit}" if lab.unit and lab.unit[0].isdigit() else lab.unit  # "72 10^9/L" is no number of its own
    quantity = parse_quantity(f"{lab.comparator or ''}{lab.value} {unit or ''}".strip(), table)
    if quantity is None:
        return replace(base, problem="unit-unknown")
    known = table.analytes.get(lab.analyte)
    bare = known if lab.unit is None else None
    if bare and (number := quantity.high or quantity.low) is not None:
        said, unit = bare.surely(lab.text.rpartition(" ")[0], number) or (None, None)
        if said and unit is None:
            return replace(base, word=said, unitless=True)
        if unit:
            base = replace(base, flag=said)
            quantity = replace(quantity, unit=unit, unit_text=unit)
    canonical = to_canonical(quantity, known, None)
    limits = parse_range(lab.limits, quantity, known, table) if lab.limits else None
    return replace(
        base,
        low=quantity.low,
        high=quantity.high,
        comparator=quantity.comparator,
        unit=quantity.unit,
        canonical_low=canonical.low,
        canonical_high=canonical.high,
        problem=canonical.problem,
        range_low=limits.low if limits else None,
        range_high=limits.high if limits else None,
    )
