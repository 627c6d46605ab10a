"""Examination findings of an Observation: coded answers, and words read together with what stands around them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from msgspec.structs import replace

from mappings.facts import Certainty, Finding, Hardness, Lesion, LesionKind
from mappings.reader.access import Concept, categories, concept, items, mapping, notes, text
from mappings.reader.analyte import observation_words, other_material, specimen_words
from mappings.reader.condition import lesion_concepts
from mappings.reader.context import Collected
from mappings.reader.described import under_heading
from mappings.reader.identity import target
from mappings.reader.narrative import Source, add_reading, to_lesions
from mappings.reader.panel import is_pressure
from mappings.reader.plain import lines_of
from mappings.reader.result import answers, is_within_range
from mappings.text.reading import LabMention, TextReading
from mappings.values import number

USABLE = frozenset({"final", "amended", "corrected"})
_LOOKED_FOR = ("ctd.", "exclude.", "mimic.")
_SIZES = ("cm", "mm", "1", None)
"""units that a lesion's own measure can have; another unit makes the Observation a measurement of something else."""
_TELLS_ELSEWHERE = frozenset({"component", "hasMember", "note", "dataAbsentReason", "interpretation"})
"""what says more than a name; the narrative then repeats it."""
_BOUNDS = ("<", "<=", ">=", ">")


def add_findings(
    resource: Mapping[str, Any],
    name: Concept,
    source: Source,
    into: Collected,
    *,
    components: tuple[Mapping[str, Any], ...] = (),
) -> None:
    """Coded and worded findings. One Observation describes one examination: name, value, components that are no results
    and notes are read together, so that "Consistency: hard" and "Site: left elbow" describe the same lesion."""
    answer = concept(resource.get("valueCodeableConcept"))
    polarity = _polarity(resource, answer)
    lines = [line_of(name, resource, polarity)]
    lines.extend(line_of(concept(c.get("code")), c, _answered(c)) for c in components)
    lines.extend(notes(resource))
    lines.extend(_narrated(resource))
    words = ". ".join(line for line in lines if line)
    if not words:
        _coded(name, answer, polarity, frozenset(), source, into)
        return
    reading = into.tools.engine.read(words, kind="observation")
    members = _members(resource, into) if reading.lesions and "hasMember" in resource else ()
    if members:
        reading = into.tools.engine.read(". ".join((words, *members)), kind="observation")
    other = frozenset(m.concept for m in reading.concepts if m.status in ("family", "other-person"))
    _coded(name, answer, polarity, other, source, into)
    denied = _counts_none(resource) or polarity is False
    reading = _as_answered(reading, resource, name, polarity, denied=denied, source=source, into=into)
    coded = _lesion_concept(name, into) or _lesion_concept(answer, into)
    if coded is not None and not denied and not reading.lesions:
        reading = replace(reading, lesions=under_heading(coded, lines[1:], into))
    said = [le for le in to_lesions(reading.lesions, source) if not (coded and le.bare_code)]
    if coded is not None and not said:
        label = answer.label if _lesion_concept(answer, into) else name.label
        said = [_coded_lesion(coded, label, source, denied=denied)]
    into.lesions.extend(said)
    add_reading(reading, source, into, lesions=False)


def _as_answered(
    reading: TextReading,
    resource: Mapping[str, Any],
    name: Concept,
    polarity: bool | None,
    *,
    denied: bool,
    source: Source,
    into: Collected,
) -> TextReading:
    """What the words say, given what the Observation answers: a name says nothing that its value says otherwise."""
    heading = len(name.label or "")
    if polarity is False:
        reading = replace(reading, lesions=(), concepts=(), labs=())
    elif is_within_range(resource, into):
        reading = replace(reading, concepts=tuple(m for m in reading.concepts if m.start >= heading))
    elif denied:
        reading = replace(reading, lesions=())
    if is_pressure(name):
        reading = replace(reading, labs=())
    if _is_test(resource):
        reading = _without_its_name(reading, heading)
    reading = _without_misreadings(reading, resource, name, source, into)
    return _without_heading(_by_its_value(reading, heading), heading)


def _coded_lesion(kind: LesionKind, label: str, source: Source, *, denied: bool) -> Lesion:
    hardness: Hardness = "possible" if kind == "induration" else "unstated"
    return Lesion(
        source.ref,
        kind,
        label,
        basis="code",
        hardness=hardness,
        certainty="absent" if denied else "confirmed",
        sites=source.sites,
        recorded=source.date,
        updated=source.updated,
        confidential=source.confidential,
    )


def _narrated(resource: Mapping[str, Any]) -> tuple[str, ...]:
    """The narrative, where it alone says what was found."""
    if any(key.startswith("value") for key in resource) or not resource.keys().isdisjoint(_TELLS_ELSEWHERE):
        return ()
    narrative = text(mapping(resource.get("text")).get("div"))
    return (lines_of(narrative),) if narrative else ()


def _members(resource: Mapping[str, Any], into: Collected) -> tuple[str, ...]:
    """What the members of an examination say of its lesion ("Consistency: soft"), one line each; no test results. Of a
    panel that says nothing itself, nothing where a member is a lesion of its own ("Hard nodule")."""
    found = (
        mapping(into.by_reference.get(target(mapping(member).get("reference")) or ""))
        for member in items(resource.get("hasMember"))
    )
    bodies = [body for body in found if body.get("resourceType") == "Observation" and body.get("status") in USABLE]
    told = [body for body in bodies if not _is_test(body)]
    if not any(key.startswith("value") for key in resource):
        names = (words for body in told for words in concept(body.get("code")).texts)
        if any(into.tools.engine.read(words, kind="observation").lesions for words in names):
            return ()
    return tuple(line for body in told if (line := as_line(body)))


def _without_misreadings(
    reading: TextReading, resource: Mapping[str, Any], name: Concept, source: Source, into: Collected
) -> TextReading:
    """A number beside a name that holds the word "calcium" is no calcium unless the whole name says so, and a
    concentration is no lesion."""
    other = other_material((*specimen_words(resource, into), *name.texts), into)
    if other:
        reading = replace(reading, labs=())
    quantity = mapping(resource.get("valueQuantity"))
    table = into.tools.units
    unit = table.unit(quantity.get("code")) or table.unit(quantity.get("unit"))
    measured = quantity.get("value") is not None and unit not in _SIZES
    if not measured:
        return reading
    kept: tuple[LabMention, ...] = tuple(
        lab for lab in reading.labs if not ((known := table.analytes.get(lab.analyte)) and known.whole_name)
    )
    could_be_calcium = unit in table.analytes["calcium-total"].units and any(map(table.may_be_missed, name.texts))
    if could_be_calcium and not kept and not other:
        into.not_understood.append(source.ref)
    return replace(reading, labs=kept, lesions=())


def _is_test(resource: Mapping[str, Any]) -> bool:
    """Whether it is the result of a laboratory test: by its category, or by a range beside it."""
    listed = not categories(resource).isdisjoint(observation_words().laboratory)
    return listed or bool(resource.get("referenceRange"))


def _without_its_name(reading: TextReading, heading: int) -> TextReading:
    """A test is called after the disease that it looks for ("Sjogren's Anti-SS-A"), whatever it finds."""
    kept = tuple(m for m in reading.concepts if m.start >= heading or not m.concept.startswith(_LOOKED_FOR))
    return replace(reading, concepts=kept)


def _by_its_value(reading: TextReading, heading: int) -> TextReading:
    """ "Pregnancy status: not pregnant": where the value speaks of what the name names, the value says it."""
    said = {m.concept for m in reading.concepts if m.start >= heading}
    kept = tuple(m for m in reading.concepts if m.start >= heading or m.concept not in said)
    return replace(reading, concepts=kept)


def _polarity(body: Mapping[str, Any], answer: Concept) -> bool | None:
    """A yes or no value; None when the value is something else or missing."""
    if isinstance(body.get("valueBoolean"), bool):
        return bool(body["valueBoolean"])
    said = {
        str(v).strip().lower() for v in (*answer.texts, *(c.code for c in answer.codings), body.get("valueString")) if v
    }
    yes, no = answers()
    if said & no:
        return False
    return True if said & yes else None


def _counts_none(body: Mapping[str, Any]) -> bool:
    """Whether the finding was counted or measured and the answer is zero ("Number of nodules: 0")."""
    counted = body.get("valueInteger", mapping(body.get("valueQuantity")).get("value"))
    return number(body.get("valueString") if counted is None else counted) == 0


def _answered(component: Mapping[str, Any]) -> bool | None:
    return False if _counts_none(component) else _polarity(component, concept(component.get("valueCodeableConcept")))


def _without_heading(reading: TextReading, heading: int) -> TextReading:
    """A name such as "Nodule" whose value describes a lesion itself ("soft nodule, right forearm") is its heading, no
    second lesion. A place that only the heading names is the lesion's."""
    above = [le for le in reading.lesions if le.end <= heading and le.hardness == "unstated" and not le.chalky]
    below = [le for le in reading.lesions if le.start >= heading]
    if not above or not below:
        return reading
    sites = next((le.sites for le in above if le.sites), ())
    kept = tuple(
        replace(le, sites=sites) if le.start >= heading and not le.sites else le
        for le in reading.lesions
        if le not in above
    )
    return replace(reading, lesions=kept)


def line_of(name: Concept, body: Mapping[str, Any], polarity: bool | None) -> str:
    """One name with its value as a short text ("Consistency: hard")."""
    label = name.label
    if polarity is not None:
        return f"{label}: {'yes' if polarity else 'no'}"
    value = text(body.get("valueString")) or concept(body.get("valueCodeableConcept")).label
    quantity = mapping(body.get("valueQuantity"))
    if not value and quantity.get("value") is not None:
        amount = number(quantity["value"])  # 1.40 and 14e-1 are the same words
        written = f"{amount:f}" if amount is not None else f"{quantity['value']}"
        bound = quantity["comparator"] if quantity.get("comparator") in _BOUNDS else ""
        value = f"{bound}{written} {quantity.get('unit') or quantity.get('code') or ''}".strip()
    if not value and isinstance(body.get("valueInteger"), int):
        value = str(body["valueInteger"])
    if not value:
        value = text(body.get("valueDateTime")) or ""
    return f"{label}: {value}" if label and value else label or value


def as_line(body: Mapping[str, Any]) -> str:
    """An Observation as one line of a report."""
    return line_of(concept(body.get("code")), body, _answered(body))


def _coded(
    name: Concept, answer: Concept, polarity: bool | None, others: frozenset[str], source: Source, into: Collected
) -> None:
    """Findings by code: of the value where there is one ("Smoking status: smoker"), else of the name itself.

    `others`: what the words say of relatives. A disease in an Observation is suspected, as one in a note is."""
    for entry, certain in ((answer, True), (name, polarity is not False)):
        ids = into.concepts_of(entry)
        if ids & others:
            continue
        for absent in into.absences_of(entry):
            into.findings.append(_finding(frozenset({absent}), entry.label, source, "absent"))
        if ids:
            unanswered = entry is name and polarity is None and (answer.codings or answer.text)
            if not unanswered:
                disease = any(concept_id.startswith("ctd.") for concept_id in ids)
                affirmed: Certainty = "suspected" if disease else "confirmed"
                into.findings.append(_finding(ids, entry.label, source, affirmed if certain else "absent"))


def _finding(ids: frozenset[str], label: str, source: Source, certainty: Certainty) -> Finding:
    return Finding(
        ids,
        label,
        source.ref,
        certainty=certainty,
        recorded=source.date,
        updated=source.updated,
        sites=source.sites,
        confidential=source.confidential,
    )


def _lesion_concept(name: Concept, into: Collected) -> LesionKind | None:
    known = lesion_concepts()
    return next((known.kinds[c] for c in into.concepts_of(name) if c in known.kinds and c not in known.diagnoses), None)
