"""Which test an Observation is: by any of its codes, else by its whole name; never that of another material.

A serum calcium and a urine calcium look alike in every number, so the words around the code are asked too."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import Any

from msgspec import UNSET, Struct

from mappings.data_schema import Observations, read_table
from mappings.elements import DiagnosticReport
from mappings.reader.access import Concept, concept, items, mapping, text
from mappings.reader.context import Collected
from mappings.reader.identity import target
from mappings.reader.names import Test
from mappings.units import plain
from mappings.unread import Unread


class _Material(Struct, frozen=True):
    parts: tuple[str, ...]
    exceptions: tuple[str, ...]
    edges: frozenset[str]
    blood: frozenset[str]
    blood_words: frozenset[str]
    any_material: frozenset[str]


@cache
def observation_words() -> Observations:
    """`mappings/data/observations.yaml`."""
    return read_table(Observations)


@cache
def _material() -> _Material:
    data = observation_words().other_material
    return _Material(
        data.parts,
        data.except_,
        frozenset(data.edge_tokens),
        frozenset(data.blood),
        frozenset(data.blood_words),
        frozenset(data.any_material),
    )


def test_of(name: Concept, into: Collected, *, foreign: bool, foreign_panel: bool = False) -> Test | None:
    """The test that a code and its words name; None when it is none of ours, or one of another material.

    `foreign`: the specimen is no blood. Where code and specimen contradict each other nobody knows which of them is
    wrong, so the result is not read. `foreign_panel`: it is a member of a panel of urine or the like, so that only a
    code for blood makes it a blood test, never a name."""
    foreign = foreign or other_material(name.texts, into)
    for coding in name.codings:
        found = into.tools.terminology.analyte(coding.system, coding.code)
        if found is None or (foreign and found.specimen in _material().blood):
            continue
        return _narrowed(Test(found.analyte, found.property, found.antibody), name, into)
    for label in name.texts:
        named = into.test_named(label)
        if named is not None:
            analyte, _, antibody = named.partition(":")
            if (foreign or foreign_panel) and analyte not in _material().any_material:
                return None
            return Test(analyte, None, antibody or None)
    return None


def is_contradicted(name: Concept, into: Collected) -> bool:
    """Whether a code of ours for blood was passed over because of its words or its specimen."""
    found = (into.tools.terminology.analyte(c.system, c.code) for c in name.codings)
    return any(f is not None and f.specimen in _material().blood for f in found)


def _narrowed(test: Test, name: Concept, into: Collected) -> Test:
    """A code for total calcium whose own words say "corrected" is the corrected one; "ionised" contradicts it."""
    table = into.tools.units
    known = table.analytes.get(test.analyte)
    if known is None or not known.narrower:
        return test
    for label in name.texts:
        rule = known.narrower.get(into.test_named(label) or "")
        if rule == "conflict":
            return Test(test.analyte, test.property, test.antibody, conflict=True)
        if rule == "take":
            return Test(into.test_named(label) or test.analyte, test.property, test.antibody)
    return test


def specimen_words(resource: Mapping[str, Any], into: Collected) -> tuple[str, ...]:
    """What the specimen is called: where it stands, contained, or as a resource of the chart."""
    body = mapping(resource.get("specimen"))
    if not body:
        return ()
    words = [*concept(body).texts, text(body.get("display")) or ""]
    reference = body.get("reference")
    if isinstance(reference, str):
        contained = {f"#{mapping(c).get('id')}": mapping(c) for c in items(resource.get("contained"))}
        found = contained.get(reference) or mapping(into.by_reference.get(target(reference) or ""))
        words.extend(concept(found.get("type")).texts)
    return tuple(word for word in words if word)


def other_material(words: tuple[str, ...], into: Collected) -> bool:
    """Whether a name or specimen says that it is urine or another material that is no blood."""
    known = into.other_material
    for word in words:
        if word not in known:
            known[word] = _is_other(word)
        if known[word]:
            return True
    return False


def foreign_members(into: Collected) -> frozenset[str]:
    """References of the members of panels and reports that are of urine or another material and not of blood too."""
    if into.foreign_members is None:
        found: set[str] = set()
        for resource in into.by_reference.values():
            if type(resource) is Unread:
                if type(resource.told) is DiagnosticReport:
                    found.update(_of_another_material(resource, resource.told, into))
                continue
            if "hasMember" not in resource and "result" not in resource:
                continue
            members = [*items(resource.get("hasMember")), *items(resource.get("result"))]
            words = (*concept(resource.get("code")).texts, *specimen_words(resource, into)) if members else ()
            if words and other_material(words, into) and not names_blood(words):
                found.update(ref for m in members if (ref := target(mapping(m).get("reference"))) is not None)
        into.foreign_members = frozenset(found)
    return into.foreign_members


def _of_another_material(report: Unread, told: DiagnosticReport, into: Collected) -> Iterator[str]:
    """The results that a report names which came as bytes, when it is of another material than blood. It names no
    specimen; what it is called is found out once for all that are called so."""
    form = report.form
    if told.result is UNSET:
        return
    if form.is_foreign is None:
        words = concept(report.body.get("code")).texts
        form.is_foreign = other_material(words, into) and not names_blood(words)
    if form.is_foreign:
        yield from (ref for entry in told.result if (ref := target(entry.reference)) is not None)


def names_blood(words: tuple[str, ...]) -> bool:
    return any(_material().blood_words & set(plain(word).split()) for word in words)


def _is_other(word: str) -> bool:
    known = _material()
    said = word.casefold()
    for blood_test in known.exceptions:
        if blood_test in said:
            said = said.replace(blood_test, "")
    for part in known.parts:
        if part in said:
            return True
    tokens = plain(word.partition("(")[0]).split()
    return len(tokens) > 1 and (tokens[0] in known.edges or tokens[-1] in known.edges)
