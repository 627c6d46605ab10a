"""What the readers of the single resource types share: the tools, the patient, and the facts collected so far."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from msgspec import Struct, field

from mappings.codelists import Terminology
from mappings.dates import PartialDate
from mappings.drugs import Drugs
from mappings.facts import (
    Action,
    Allergy,
    Biopsy,
    Finding,
    Imaging,
    Lesion,
    Medication,
    Need,
    Quarantined,
    Result,
    Sex,
    Site,
)
from mappings.reader.access import Concept, items, mapping, name_of
from mappings.reader.memo import ChartText
from mappings.reader.merge import Stamp
from mappings.reader.names import Dosed, Meaning, Names
from mappings.units import UnitTable
from mappings.unread import Unread

_ENCODER = msgspec.json.Encoder(decimal_format="number")


def key_of(*values: object) -> bytes:
    """JSON data as a key: the same for the same data only. Empty when they can't be written."""
    try:
        return _ENCODER.encode(values)
    except (TypeError, ValueError, RecursionError):
        return b""


class Tools(Struct, frozen=True):
    terminology: Terminology
    drugs: Drugs
    engine: ChartText
    units: UnitTable
    names: Names[Meaning]
    doses: Names[Dosed]


class Named(Struct, frozen=True):
    """The code of an Observation: what it is called, and what that means."""

    label: str
    meaning: Meaning


class Coded(Struct):
    """A name with what code lists and words make of it."""

    label: str
    texts: tuple[str, ...]
    concepts: frozenset[str]
    workup: frozenset[str]
    parts: frozenset[str] = frozenset()


class Prescribed(Struct, frozen=True):
    """What a medication entry says of drug and dosage, whoever gave it when."""

    label: str
    dosed: Dosed
    sites: tuple[Site, ...] = ()


_KINDS = (
    "findings",
    "results",
    "lesions",
    "imaging",
    "biopsies",
    "medications",
    "allergies",
    "actions",
    "not_understood",
)
"""of facts, as `Collected` has them"""


class Collected(Struct):
    """Facts of one patient while they are being read."""

    tools: Tools
    patient: str
    by_reference: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    sex: Sex = "unknown"
    born: PartialDate | None = None
    deceased: bool = False
    findings: list[Finding] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)
    lesions: list[Lesion] = field(default_factory=list)
    imaging: list[Imaging] = field(default_factory=list)
    biopsies: list[Biopsy] = field(default_factory=list)
    medications: list[Medication] = field(default_factory=list)
    allergies: list[Allergy] = field(default_factory=list)
    actions: list[Action] = field(default_factory=list)
    quarantined: list[Quarantined] = field(default_factory=list)
    not_understood: list[str] = field(default_factory=list)
    stamps: dict[str, Stamp] = field(default_factory=dict)
    """of the Observations, by reference."""
    unstamped: list[Unread] = field(default_factory=list)
    """Observations like others that were read, whose stamps may not be asked for."""
    other_material: dict[str, bool] = field(default_factory=dict)
    tests_named: dict[str, str | None] = field(default_factory=dict)
    """words that were looked at already: the names of tests repeat within a chart, and outlive it never."""
    prescribed: dict[bytes, Prescribed] = field(default_factory=dict)
    """of medications with their own code, by that code and the dosage"""
    kinds: dict[bytes, str] = field(default_factory=dict)
    """of reports, by category and code"""
    coded: dict[bytes, Coded] = field(default_factory=dict)
    named: dict[bytes, Named] = field(default_factory=dict)
    unread: dict[Need, str] = field(default_factory=dict)
    """needs of which an entry was there and could not be understood at all, with the reason."""
    foreign_members: frozenset[str] | None = None
    """members of panels that are no blood tests; None until somebody asked."""

    def sizes(self) -> tuple[int, ...]:
        """How many facts of each kind there are."""
        return tuple(map(len, self._lists()))

    def cut_back(self, sizes: tuple[int, ...]) -> None:
        """Takes back what was added since `sizes`."""
        for facts, size in zip(self._lists(), sizes, strict=True):
            del facts[size:]

    def since(self, sizes: tuple[int, ...]) -> dict[str, list[Any]]:
        """What was added since `sizes`, by kind."""
        lists = zip(_KINDS, self._lists(), sizes, strict=True)
        return {kind: facts[size:] for kind, facts, size in lists if len(facts) > size}

    def _lists(self) -> tuple[list[Any], ...]:
        return (
            self.findings,
            self.results,
            self.lesions,
            self.imaging,
            self.biopsies,
            self.medications,
            self.allergies,
            self.actions,
            self.not_understood,
        )

    def leave_out(self, reference: str, reason: str) -> None:
        self.quarantined.append(Quarantined(reference, reason))

    def test_named(self, label: str) -> str | None:
        """The analyte that a test is called, each name looked up once a chart."""
        if label not in self.tests_named:
            self.tests_named[label] = self.tools.units.analyte_named(label)
        return self.tests_named[label]

    def concepts_of(self, concept: Concept) -> frozenset[str]:
        terminology = self.tools.terminology
        return frozenset[str]().union(*(terminology.concepts(c.system, c.code) for c in concept.codings))

    def titled_of(self, concept: Concept) -> frozenset[str]:
        """What the words say that are the official title of a code of ours."""
        return frozenset[str]().union(*map(self.tools.terminology.titled, concept.texts))

    def coded_of(self, resource: Mapping[str, Any]) -> Coded:
        """What a resource is called (`name_of`), found out once a chart for each code with words."""
        code = resource.get("code")
        key = key_of(code) if type(code) is dict else b""
        found = self.coded.get(key)
        if found is None:
            found, narrated = self.newly_coded(resource)
            if key and not narrated and found.label:
                self.coded[key] = found
        return found

    def newly_coded(self, resource: Mapping[str, Any]) -> tuple[Coded, bool]:
        """The same without memory, and whether it is the narrative that names the resource."""
        name, narrated = name_of(resource)
        workup = self.workup_of(name)
        parts = self._parts_of(name) if workup else frozenset[str]()
        return Coded(name.label, name.texts, self.concepts_of(name), workup, parts), narrated

    def absences_of(self, concept: Concept) -> frozenset[str]:
        terminology = self.tools.terminology
        return frozenset[str]().union(*(terminology.absences(c.system, c.code) for c in concept.codings))

    def sites_of(self, value: object) -> tuple[Site, ...]:
        """Body sites of bodySite elements: by code, else by the words of text and display."""
        found: list[Site] = []
        for entry in items(value):
            concept = _site_concept(entry)
            coded = [s for c in concept.codings for s in self.tools.terminology.sites(c.system, c.code)]
            words = [s for words in concept.texts for s in self.tools.engine.sites(words)]
            code = next((c for c in concept.codings if c.code), None)
            best = _with_side(coded, words) if coded else words
            found.extend(
                _labelled(s, code.code if code else None, concept.label, code.system if code else None) for s in best
            )
        return tuple(dict.fromkeys(found))

    def _parts_of(self, concept: Concept) -> frozenset[str]:
        terminology = self.tools.terminology
        return frozenset(part for c in concept.codings if (part := terminology.part(c.system, c.code)))

    def workup_of(self, concept: Concept) -> frozenset[str]:
        terminology = self.tools.terminology
        coded = frozenset[str]().union(*(terminology.workup(c.system, c.code) for c in concept.codings))
        if coded:
            return coded
        return frozenset(w for words in concept.texts for w in self.tools.engine.workup(words))


def _site_concept(entry: object) -> Concept:
    from mappings.reader.access import concept

    body = mapping(entry)
    return concept(body.get("concept") if "concept" in body else entry)


def _with_side(coded: list[Site], words: list[Site]) -> list[Site]:
    side = next((w.laterality for w in words if w.laterality), None)
    return [Site(s.region, s.place, s.laterality or side, s.code, s.display) for s in coded]


def _labelled(site: Site, code: str | None, display: str, system: str | None) -> Site:
    snomed = code if system and "snomed" in system.lower() else site.code
    return Site(site.region, site.place, site.laterality, snomed, display or site.display)
