"""Condition: diagnoses, and the lesions that are coded or worded as Conditions."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from typing import Any

from msgspec.structs import replace

from mappings.data_schema import Lesions, read_table
from mappings.dates import PartialDate
from mappings.facts import Certainty, Course, Finding, Hardness, Lesion, LesionKind
from mappings.reader.access import (
    Concept,
    codes,
    concept,
    concepts,
    confidential,
    dated_notes,
    first_date,
    items,
    mapping,
    name_of,
    notes,
    text,
    updated,
)
from mappings.reader.beginnings import started
from mappings.reader.certainty import certainty_of, is_of_relatives
from mappings.reader.context import Collected
from mappings.reader.described import under_heading
from mappings.reader.long_term import add_long_term, titled
from mappings.reader.narrative import Source, add_reading, to_finding, to_lesions
from mappings.reader.sensitivity import add_allergy
from mappings.text.reading import LesionMention, TextReading
from mappings.values import number

_CONFIRMED = {"confirmed", "unknown"}
"""what counts as confirmed; a status of another kind (a local word) counts as suspected, a missing one as confirmed"""
_DROPPED = {"refuted", "entered-in-error", "entered in error", "error"}
_RESOLVED = {"resolved"}
_STILL_THERE = {"active", "recurrence", "relapse", "remission"}
_BEGINS = re.compile(r"[,;:.\n]")
_SENTENCES = re.compile(r"\.\s|\n")
_FEW = 2
"""words at most by which the note on a bare lump code begins to describe it ("Stone-hard, 1 cm, …")"""


@cache
def lesion_concepts() -> Lesions:
    """What coded findings are as lesions."""
    return read_table(Lesions)


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """A Condition as findings and lesions; refuted or entered in error it is left out and named."""
    verification = codes(resource.get("verificationStatus"))
    if verification & _DROPPED:
        into.leave_out(ref, f"verificationStatus {sorted(verification & _DROPPED)[0]}")
        return
    coded_as = certainty_of(resource.get("code"))
    if coded_as == "excluded":
        into.leave_out(ref, "coded as an excluded diagnosis")
        return
    if is_of_relatives(resource):
        into.leave_out(ref, "family history")
        return
    clinical = codes(resource.get("clinicalStatus"))
    if "entered-in-error" in clinical:
        into.leave_out(ref, "clinicalStatus entered-in-error")
        return
    name, narrated = name_of(resource)
    name = titled(name)
    sure = (not verification or verification & _CONFIRMED) and coded_as != "suspected"
    certainty: Certainty = "confirmed" if sure else "suspected"
    ended = first_date(resource, "abatementDateTime", "abatementPeriod")
    abated = ended is not None or resource.get("abatementBoolean") is True or text(resource.get("abatementString"))
    over = clinical & _RESOLVED or ((abated or coded_as == "past") and not clinical & _STILL_THERE)
    course: Course = "resolved" if over else "active"
    recorded = PartialDate.parse(resource.get("recordedDate"))
    onset = onset_of(resource, recorded, into)
    source = Source(
        ref,
        date=recorded,
        onset=onset,
        recorded=recorded or (updated(resource) if onset is None else None),
        updated=updated(resource),
        sites=into.sites_of(resource.get("bodySite")),
        course=course,
        certainty=certainty,
        title=not narrated,
        confidential=confidential(resource),
    )
    source = replace(source, recorded=recorded)
    _read_named(resource, name, source, ended, into)


def _read_named(
    resource: Mapping[str, Any], name: Concept, source: Source, ended: PartialDate | None, into: Collected
) -> None:
    engine = into.tools.engine
    stages = [concept(mapping(entry).get("summary")) for entry in items(resource.get("stage"))]
    coded = into.concepts_of(name).union(*map(into.concepts_of, stages)) or into.titled_of(name)
    known_texts = (*name.texts, *(f"{name.label} {stage.label}" for stage in stages if stage.label))
    titles = [engine.read(words, kind="condition") for words in known_texts]
    certainty = _weakened(coded, titles, source.certainty)
    encounter = bool(codes_of_category(resource) & {"encounter-diagnosis"})
    named_sites = (m.sites for reading in titles for m in reading.concepts if m.concept in coded)
    base = Finding(
        coded,
        name.label,
        source.ref,
        certainty=certainty,
        course=source.course,
        onset=source.onset,
        recorded=source.recorded,
        updated=source.updated,
        ended=ended,
        sites=source.sites or tuple(dict.fromkeys(site for found in named_sites for site in found)),
        titled=True,
        reason_for_encounter=encounter,
        confidential=source.confidential,
    )
    if coded:
        into.findings.append(base)
    into.findings.extend(
        replace(base, concepts=frozenset({absent}), certainty="absent") for absent in into.absences_of(name)
    )
    seen: set[tuple[str, str]] = set()
    for reading in titles:
        for mention in reading.concepts:
            if mention.concept in coded or (mention.concept, mention.status) in seen:
                continue
            seen.add((mention.concept, mention.status))
            finding = to_finding(mention, source)
            if finding is not None and not (coded and finding.certainty == "absent"):
                finding = replace(finding, label=name.label, ended=ended, titled=True)
                into.findings.append(replace(finding, reason_for_encounter=encounter))
        add_reading(replace(reading, concepts=(), lesions=()), source, into)
    add_allergy(name, ". ".join(notes(resource)), source, into)
    add_long_term(name, source, into)
    _lesions(resource, name, coded, certainty, titles, source, into)


def _lesions(
    resource: Mapping[str, Any],
    name: Concept,
    coded: frozenset[str],
    certainty: Certainty,
    titles: list[TextReading],
    source: Source,
    into: Collected,
) -> None:
    """Lesions of the title, its notes read with it; a coded lesion with nothing more is what its code says."""
    engine = into.tools.engine
    comment = ". ".join(notes(resource))
    known = lesion_concepts()
    shown = [found.label for entry in items(resource.get("evidence")) for found in _evidence(entry) if found.label]
    kind = next((known.kinds[c] for c in coded if c in known.kinds), None)
    bare = not coded.isdisjoint(known.bare) and kind is None
    mentions: list[LesionMention] = [m for reading in titles for m in reading.lesions]
    lesion_like = kind is not None or bare or bool(mentions)
    if lesion_like and shown:
        comment = ". ".join((*shown, comment)) if comment else ". ".join(shown)
    if comment and lesion_like:
        title = (name.texts or ("nodule",))[0]
        reading = engine.read(f"{title}. {comment}", kind="condition")
        if reading.lesions:
            mentions = list(reading.lesions)
            if not any(m.sites for m in mentions):
                mentions = _placed(mentions, title, comment, into)
        undescribed = bare and all(m.bare or m.hardness == "unstated" for m in mentions)
        if undescribed and len(_BEGINS.split(comment, maxsplit=1)[0].split()) <= _FEW:
            mentions = [m for m in under_heading("mass", [comment], into) if m.hardness != "unstated"] or mentions
        mentions = _described_below(mentions, title, comment, into)
        add_reading(replace(reading, lesions=(), concepts=()), replace(source, title=False), into)
    elif comment:
        untimed = replace(source, title=False, onset=None, sites=())
        for written, words in dated_notes(resource):
            when = replace(untimed, date=written, recorded=written) if written else untimed
            add_reading(engine.read(words, kind="note"), when, into)
    lesions = [replace(le, certainty=_least(le.certainty, certainty)) for le in to_lesions(mentions, source)]
    said = [le for le in lesions if not le.bare_code]
    if kind is not None and not said:
        said = [_coded(kind, name, certainty, source)]
    into.lesions.extend(said or lesions[:1] or ([_coded("mass", name, certainty, source, bare=True)] if bare else []))


def _evidence(entry: object) -> tuple[Concept, ...]:
    """What was found that tells of it: R4 has a list of codes, STU3 a code, R5 a concept beside a reference."""
    body = mapping(entry)
    coded = body.get("code") or body.get("concept")
    return concepts(coded) if isinstance(coded, list) else (concept(coded),)


def _placed(mentions: list[LesionMention], title: str, comment: str, into: Collected) -> list[LesionMention]:
    """The place that a note begins with ("Arms and thighs, developed over the spring"), when nothing else says one."""
    begins = _BEGINS.split(comment, maxsplit=1)[0]
    sites = [m.sites for m in into.tools.engine.read(f"{title}. {begins}.", kind="condition").lesions]
    return [replace(m, sites=sites[0]) for m in mentions] if len(sites) == 1 and sites[0] else mentions


def _described_below(mentions: list[LesionMention], title: str, comment: str, into: Collected) -> list[LesionMention]:
    """What a sentence of the note says of the lesion of the title, where it begins with that ("Overview: First
    noted in March. Rock hard, non-mobile, finger pulps.")."""
    if not mentions or any(m.hardness != "unstated" for m in mentions if m.status == "affirmed"):
        return mentions
    for words in _SENTENCES.split(comment):
        if 0 < len(_BEGINS.split(words.strip(), maxsplit=1)[0].split()) <= _FEW:
            found = into.tools.engine.read(f"{title}: {words.strip()}", kind="condition").lesions
            if len(found) == 1 and found[0].hardness != "unstated":
                return [replace(found[0], onset=found[0].onset or mentions[0].onset), *mentions[1:]]
    return mentions


def _coded(kind: LesionKind, name: Concept, certainty: Certainty, source: Source, *, bare: bool = False) -> Lesion:
    hardness: Hardness = "unstated"
    if kind == "induration":
        hardness = "possible"
    elif kind == "calcinosis" and certainty == "confirmed":
        hardness = "definite"
    return Lesion(
        source.ref,
        kind,
        name.label,
        hardness=hardness,
        certainty=certainty,
        course=source.course,
        sites=source.sites,
        basis="code",
        bare_code=bare,
        onset=source.onset,
        recorded=source.recorded,
        updated=source.updated,
        ulcerated=kind == "ulcer",
        confidential=source.confidential,
    )


def _weakened(coded: frozenset[str], titles: list[TextReading], certainty: Certainty) -> Certainty:
    """A code whose own words say "rule out", "family history" or "no evidence of" is not confirmed by the code."""
    if not coded:
        return certainty
    doubtful = {"possible", "hypothetical", "negated", "family", "other-person"}
    for reading in titles:
        said = [m.status for m in reading.concepts if m.concept in coded or m.concept.split(".")[0] == "ctd"]
        if said and all(status in doubtful for status in said):
            return "suspected"
    return certainty


def _least(one: Certainty, other: Certainty) -> Certainty:
    order: tuple[Certainty, ...] = ("absent", "suspected", "confirmed")
    return min(one, other, key=order.index)


def codes_of_category(resource: Mapping[str, Any]) -> frozenset[str]:
    found = resource.get("category")
    entries = found if isinstance(found, list) else [found]
    return frozenset(code for entry in entries for code in codes(entry))


def onset_of(resource: Mapping[str, Any], recorded: PartialDate | None, into: Collected) -> PartialDate | None:
    """onsetDateTime, onsetPeriod.start, onsetAge with the birth date, onsetRange, or the words of onsetString."""
    direct = PartialDate.parse(resource.get("onsetDateTime"))
    if direct is not None:
        return direct
    start = PartialDate.parse(mapping(resource.get("onsetPeriod")).get("start"))
    if start is not None:
        return start
    age = mapping(resource.get("onsetAge"))
    limits = [age, age] if age else [mapping(mapping(resource.get("onsetRange")).get(side)) for side in ("low", "high")]
    at = [_at_age(limit, into.born) for limit in limits]
    if at[0] is not None and at[1] is not None:
        return PartialDate(at[0].earliest, at[1].latest)
    words = text(resource.get("onsetString"))
    return started(into.tools.engine.onset(words), recorded) if words else None


def _at_age(age: Mapping[str, Any], born: PartialDate | None) -> PartialDate | None:
    value = number(age.get("value"))
    if value is None or born is None:
        return None
    unit = str(age.get("code") or age.get("unit") or "a").lower()
    months = {"a": Decimal(12), "y": Decimal(12), "mo": Decimal(1), "m": Decimal(1)}.get(
        unit[:2] if unit.startswith("mo") else unit[:1]
    )
    if months is None:
        return None
    begin = born.back(months=-int(value * months))
    end = born.back(months=-int((value + 1) * months))
    return PartialDate(begin.earliest, end.latest)
