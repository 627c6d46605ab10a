"""The results of one Observation: its own, those of its components, and a blood pressure written as one text."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mappings.facts import Result
from mappings.reader.access import Concept, concept, items, mapping, notes, text
from mappings.reader.analyte import (
    foreign_members,
    is_contradicted,
    observation_words,
    other_material,
    specimen_words,
    test_of,
)
from mappings.reader.context import Collected
from mappings.reader.culture import ANALYTE, is_culture_of_wound, is_wound_culture
from mappings.reader.names import Test
from mappings.reader.narrative import Source
from mappings.reader.result import State, valued
from mappings.units import plain

_PRESSURES = re.compile(r"\s*(\d{2,3})\s*/\s*(\d{2,3})\s*(?:mm\s*\[?Hg\]?)?\s*", re.IGNORECASE)


def read_result(
    resource: Mapping[str, Any], name: Concept, source: Source, state: State, into: Collected, *, foreign: bool
) -> bool:
    """Reads one result; False when the code is no analyte we know. `foreign`: the specimen is no blood."""
    test = test_of(name, into, foreign=foreign, foreign_panel=source.ref in foreign_members(into))
    if test is None and (
        is_wound_culture(name.texts)
        or ("specimen" in resource and is_culture_of_wound(name.texts, specimen_words(resource, into)))
    ):
        test = Test(ANALYTE)
    if test is None:
        if is_contradicted(name, into):
            into.leave_out(source.ref, "code and specimen contradict each other")
        return False
    base = Result(
        test.analyte,
        source.ref,
        source.date,
        state,
        label=name.label,
        antibody=test.antibody,
        specimen=text(mapping(resource.get("specimen")).get("display")),
    )
    into.results.append(valued(base, resource, test, into))
    return True


def read_pressures(resource: Mapping[str, Any], name: Concept, source: Source, into: Collected) -> bool:
    """A blood pressure written as one text ("128/76 mmHg") where its two components should stand."""
    coded = concept(resource.get("valueCodeableConcept")).texts
    written = (text(resource.get("valueString")), *coded, *notes(resource))
    pair = next((found for words in written if words and (found := _PRESSURES.fullmatch(words))), None)
    if pair is None or not is_pressure(name) or resource.get("component"):
        return False
    for analyte, value in (("systolic", pair[1]), ("diastolic", pair[2])):
        body = {"valueQuantity": {"value": value, "unit": "mm[Hg]"}}
        base = Result(analyte, source.ref, source.date, "final", label=name.label)
        into.results.append(valued(base, body, Test(analyte), into))
    return True


def is_pressure(name: Concept) -> bool:
    """Whether the name is that of a blood pressure; two of them in one text are then not read at all."""
    known = observation_words().blood_pressure
    if any(c.code in known.codes for c in name.codings):
        return True
    said = plain(name.label)
    told = " ".join(word for word in said.split() if word not in known.besides and not word.isdigit())
    return said in known.names or told in known.names


def parts(resource: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for component in items(resource.get("component")):
        if isinstance(component, Mapping):
            yield component


def read_components(
    resource: Mapping[str, Any], source: Source, state: State, into: Collected, *, foreign: bool
) -> tuple[Mapping[str, Any], ...]:
    """Reads the analytes among the components; what is left are the others. A panel of urine has no serum analytes in
    it, whatever they are called."""
    foreign = foreign or other_material(concept(resource.get("code")).texts, into)
    left = []
    for component in parts(resource):
        name = concept(component.get("code"))
        found = read_result(component, name, source, state, into, foreign=foreign)
        if not ((state == "final" and read_pressures(component, name, source, into)) or found):
            left.append(component)
    return tuple(left)
