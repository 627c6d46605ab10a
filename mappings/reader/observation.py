"""Observation: results and vital signs by analyte, coded answers, and examination findings in words."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Literal

from mappings.dates import PartialDate
from mappings.facts import Certainty, Finding, Hardness, Lesion, LesionKind, Result
from mappings.reader.access import (
    Concept,
    concept,
    concepts,
    confidential,
    first_date,
    items,
    mapping,
    notes,
    text,
    updated,
)
from mappings.reader.condition import _KINDS as LESION_KINDS
from mappings.reader.context import Collected
from mappings.reader.narrative import Source, add_reading, to_lesions
from mappings.values import Quantity, choose_range, number, parse_quantity, read_quantity, to_canonical

_USABLE = {"final", "amended", "corrected"}
_FOREIGN_SPECIMEN = (
    "urin",
    "csf",
    "cerebrospinal",
    "dialys",
    "sweat",
    "stool",
    "faec",
    "fec",
    "saliva",
    "harn",
    "orina",
    "pleural",
    "ascit",
    "24h",
    "24 h",
)
_NOT_URINE = ("harnsäure", "harnsaure", "harnsaeure", "harnstoff", "infect", "perfect")
"""German names of blood tests, and other words, that hold one of the parts above"""
_BLOOD = {"serum", "blood", "plasma", "ser/plas"}
_YES = {
    "yes",
    "y",
    "true",
    "present",
    "positive",
    "si",
    "sí",
    "sim",
    "oui",
    "ja",
    "373066001",
    "52101004",
    "10828004",
    "260373001",
}
_NO = {
    "no",
    "n",
    "false",
    "absent",
    "negative",
    "none",
    "não",
    "nao",
    "non",
    "nein",
    "373067005",
    "2667000",
    "260385009",
    "260415000",
}


State = Literal["final", "preliminary"]
Flag = Literal["normal", "low", "high", "critical-low", "critical-high", "abnormal"]
Word = Literal["normal", "low", "high", "abnormal", "positive", "negative", "indeterminate"]
_WORDS: dict[str, Word] = {
    "normal": "normal",
    "low": "low",
    "high": "high",
    "abnormal": "abnormal",
    "positive": "positive",
    "negative": "negative",
    "indeterminate": "indeterminate",
}
_FLAGS: dict[str, Flag] = {
    "normal": "normal",
    "low": "low",
    "high": "high",
    "critical-low": "critical-low",
    "critical-high": "critical-high",
    "abnormal": "abnormal",
}


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    status = resource.get("status")
    if status not in _USABLE and status != "preliminary":
        into.leave_out(ref, f"status {status}" if isinstance(status, str) and len(status) < 30 else "status missing")
        return
    name = concept(resource.get("code"))
    date = first_date(resource, "effectiveDateTime", "effectivePeriod", "effectiveInstant") or _timing(resource)
    date = date or PartialDate.parse(resource.get("issued"))
    source = Source(
        ref,
        date=date,
        recorded=date,
        updated=updated(resource),
        sites=into.sites_of(resource.get("bodySite")),
        confidential=confidential(resource),
    )
    state: State = "preliminary" if status == "preliminary" else "final"
    foreign = _other_material(_specimen(resource, into))
    if _result(resource, name, source, state, into, foreign=foreign):
        _components_as_results(resource, source, state, into, foreign=foreign)
        for comment in notes(resource):
            add_reading(into.tools.engine.read(comment, kind="note"), source, into)
        return
    if state == "preliminary":
        into.leave_out(ref, "status preliminary")
        return
    panel = _components_as_results(resource, source, state, into, foreign=foreign)
    _findings(resource, name, source, into, components=not panel)


def _timing(resource: Mapping[str, Any]) -> PartialDate | None:
    for event in items(mapping(resource.get("effectiveTiming")).get("event")):
        found = PartialDate.parse(event)
        if found:
            return found
    return None


def _analyte(name: Concept, into: Collected, *, foreign: bool) -> tuple[str, str | None, str | None] | None:
    """(analyte, LOINC property, antibody), by any coding, else by the whole name; None for another specimen: where the
    code says blood and the specimen says urine, nobody knows which of them is wrong."""
    for coding in name.codings:
        found = into.tools.terminology.analyte(coding.system, coding.code)
        if found is not None and not (foreign and found.specimen in _BLOOD):
            return found.analyte, found.property, found.antibody
    if foreign or _other_material(" ".join(name.texts)):
        return None
    for label in name.texts:
        named = into.tools.units.analyte_named(label)
        if named is not None:
            analyte, _, antibody = named.partition(":")
            return analyte, None, antibody or None
    return None


def _specimen(resource: Mapping[str, Any], into: Collected) -> str:
    """What the specimen is called: where it stands, contained, or as a resource of the chart."""
    body = mapping(resource.get("specimen"))
    words = [*concept(body).texts, text(body.get("display")) or ""]
    reference = body.get("reference")
    if isinstance(reference, str):
        contained = {f"#{mapping(c).get('id')}": mapping(c) for c in items(resource.get("contained"))}
        key = "/".join(reference.split("/")[-2:])
        found = contained.get(reference) or mapping(into.by_reference.get(key))
        words.extend(concept(found.get("type")).texts)
    return " ".join(words)


def _other_material(words: str) -> bool:
    said = words.casefold()
    for blood_test in _NOT_URINE:
        said = said.replace(blood_test, "")
    return any(part in said for part in _FOREIGN_SPECIMEN)


def _result(
    resource: Mapping[str, Any], name: Concept, source: Source, state: State, into: Collected, *, foreign: bool
) -> bool:
    """Reads one result; False when the code is no analyte we know. `foreign`: the specimen is no blood."""
    found = _analyte(name, into, foreign=foreign)
    if found is None:
        return False
    analyte, property_, antibody = found
    base = Result(
        analyte,
        source.ref,
        source.date,
        state,
        label=name.label,
        antibody=antibody,
        specimen=text(mapping(resource.get("specimen")).get("display")),
    )
    into.results.append(_valued(base, resource, property_, into))
    return True


def _valued(base: Result, body: Mapping[str, Any], property_: str | None, into: Collected) -> Result:
    table = into.tools.units
    base = replace(base, flag=_flag(body, into))
    if body.get("dataAbsentReason") is not None:
        return replace(base, problem="no-value")
    quantity = read_quantity(body.get("valueQuantity"), table)
    words: str | None = None
    if quantity is None:
        quantity, words = _other_value(body, into)
    if quantity is None:
        word = _WORDS.get(words or "") or _flag_word(body, into)
        if word is None:
            return replace(base, problem="no-value")
        clash = word == "normal" and base.flag not in (None, "normal")
        return replace(base, word=word, problem="flag-conflict" if clash else None)
    analyte = table.analytes.get(base.analyte)
    canonical = to_canonical(quantity, analyte, property_)
    limits = choose_range(body.get("referenceRange"), quantity, analyte, table, _age(base, into), into.sex)
    result = replace(
        base,
        low=quantity.low,
        high=quantity.high,
        comparator=quantity.comparator,
        unit=quantity.unit or quantity.unit_text,
        canonical_low=canonical.low,
        canonical_high=canonical.high,
        problem=canonical.problem,
        range_low=limits.low if limits else None,
        range_high=limits.high if limits else None,
    )
    return replace(result, problem=result.problem or _conflict(result))


def _conflict(result: Result) -> str | None:
    """The laboratory's flag against its own range: the result is then not relied on."""
    flag, low, high = result.flag, result.range_low, result.range_high
    if flag is None or result.low is None or result.low != result.high or (low is None and high is None):
        return None
    if low is not None and result.low < low:
        place = "low"
    elif high is not None and result.low > high:
        place = "high"
    elif (low is None and flag in ("low", "critical-low", "abnormal")) or (
        high is None and flag in ("high", "critical-high", "abnormal")
    ):
        return None  # the side that the flag is about has no limit
    else:
        place = "normal"
    said = {"critical-low": "low", "critical-high": "high", "abnormal": None}.get(flag, flag)
    if said is None:
        return "flag-conflict" if place == "normal" else None
    return "flag-conflict" if said != place else None


def _other_value(body: Mapping[str, Any], into: Collected) -> tuple[Quantity | None, str | None]:
    """(quantity, word) from valueString, valueCodeableConcept, valueInteger, valueBoolean."""
    table = into.tools.units
    written = text(body.get("valueString"))
    if written is not None:
        return parse_quantity(written, table), table.word(written)
    plain = number(body.get("valueInteger", body.get("valueDecimal")))
    if plain is not None:
        return Quantity(plain, plain, None, None, None), None
    if isinstance(body.get("valueBoolean"), bool):
        return None, "positive" if body["valueBoolean"] else "negative"
    coded = concept(body.get("valueCodeableConcept"))
    for words in coded.texts:
        word = table.word(words)
        quantity = parse_quantity(words, table)
        if word or quantity:
            return quantity, word
    if any(c.code in _YES for c in coded.codings):
        return None, "positive"
    if any(c.code in _NO for c in coded.codings):
        return None, "negative"
    return None, None


def _flag(body: Mapping[str, Any], into: Collected) -> Flag | None:
    """The laboratory's flag; of several the first, but two that contradict each other are "abnormal"."""
    table = into.tools.units
    found: list[Flag] = []
    for entry in concepts(body.get("interpretation")):
        for code in (*(c.code for c in entry.codings), entry.text):
            said = table.interpretations.get((code or "").strip().upper()) or table.word(code)
            if said in _FLAGS:
                found.append(_FLAGS[said])
    if "normal" in found and any(flag != "normal" for flag in found):
        return "abnormal"
    return found[0] if found else None


def _flag_word(body: Mapping[str, Any], into: Collected) -> Word | None:
    table = into.tools.units
    for entry in concepts(body.get("interpretation")):
        for code in (*(c.code for c in entry.codings), entry.text):
            said = table.interpretations.get((code or "").strip().upper()) or table.word(code)
            if said and said.removeprefix("critical-") in _WORDS:
                return _WORDS[said.removeprefix("critical-")]
    return None


def _age(base: Result, into: Collected) -> tuple[int, int] | None:
    if into.born is None or base.date is None:
        return None
    youngest = base.date.earliest.year - into.born.latest.year - 1
    oldest = base.date.latest.year - into.born.earliest.year
    exact = into.born.exact and base.date.exact
    if exact:
        born, day = into.born.earliest, base.date.earliest
        whole = day.year - born.year - ((day.month, day.day) < (born.month, born.day))
        return whole, whole
    return max(youngest, 0), max(oldest, 0)


def _components(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for component in items(resource.get("component")):
        if isinstance(component, Mapping):
            yield component


def _components_as_results(
    resource: Mapping[str, Any], source: Source, state: State, into: Collected, *, foreign: bool
) -> bool:
    """Analytes among the components; a panel of urine has no serum analytes in it, whatever they are called."""
    foreign = foreign or _other_material(" ".join(concept(resource.get("code")).texts))
    found = False
    for component in _components(resource):
        name = concept(component.get("code"))
        found = _result(component, name, source, state, into, foreign=foreign) or found
    return found


def _findings(resource: Mapping[str, Any], name: Concept, source: Source, into: Collected, *, components: bool) -> None:
    """Coded and worded findings. One Observation describes one examination: name, value, components and notes are read
    together, so that "Consistency: hard" and "Site: left elbow" describe the same lesion."""
    answer = concept(resource.get("valueCodeableConcept"))
    polarity = _polarity(resource, answer)
    lines = [_line(name, resource, polarity)]
    if components:
        lines.extend(
            _line(concept(c.get("code")), c, _polarity(c, concept(c.get("valueCodeableConcept"))))
            for c in _components(resource)
        )
    lines.extend(notes(resource))
    words = ". ".join(line for line in lines if line)
    if not words:
        _coded(name, answer, polarity, frozenset(), source, into)
        return
    reading = into.tools.engine.read(words, kind="observation")
    other = frozenset(m.concept for m in reading.concepts if m.status in ("family", "other-person"))
    _coded(name, answer, polarity, other, source, into)
    if polarity is False:
        reading = replace(reading, lesions=(), concepts=(), labs=())
    if _other_material(" ".join((_specimen(resource, into), *name.texts))):
        reading = replace(reading, labs=())
    coded = _lesion_concept(name, into) or _lesion_concept(answer, into)
    said = [le for le in to_lesions(reading.lesions, source) if not (coded and le.bare_code)]
    if coded is not None and not said:
        certainty: Certainty = "absent" if polarity is False else "confirmed"
        hardness: Hardness = "possible" if coded == "induration" else "unstated"
        said = [
            Lesion(
                source.ref,
                coded,
                (answer.label if coded and _lesion_concept(answer, into) else name.label),
                basis="code",
                hardness=hardness,
                certainty=certainty,
                sites=source.sites,
                recorded=source.date,
                updated=source.updated,
                confidential=source.confidential,
            )
        ]
    into.lesions.extend(said)
    add_reading(reading, source, into, lesions=False)


def _polarity(body: Mapping[str, Any], answer: Concept) -> bool | None:
    """A yes or no value; None when the value is something else or missing."""
    if isinstance(body.get("valueBoolean"), bool):
        return bool(body["valueBoolean"])
    said = {
        str(v).strip().lower() for v in (*answer.texts, *(c.code for c in answer.codings), body.get("valueString")) if v
    }
    if said & _NO:
        return False
    return True if said & _YES else None


def _line(name: Concept, body: Mapping[str, Any], polarity: bool | None) -> str:
    """One name with its value as a short text ("Consistency: hard")."""
    label = name.label
    if polarity is not None:
        return f"{label}: {'yes' if polarity else 'no'}"
    value = text(body.get("valueString")) or concept(body.get("valueCodeableConcept")).label
    quantity = mapping(body.get("valueQuantity"))
    if not value and quantity.get("value") is not None:
        value = f"{quantity.get('value')} {quantity.get('unit') or quantity.get('code') or ''}".strip()
    if not value and isinstance(body.get("valueInteger"), int):
        value = str(body["valueInteger"])
    if not value:
        value = text(body.get("valueDateTime")) or ""
    return f"{label}: {value}" if label and value else label or value


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
    return next(
        (LESION_KINDS[c] for c in into.concepts_of(name) if c in LESION_KINDS and c != "calcinosis.cutis"), None
    )
