"""DiagnosticReport and text documents: imaging, histopathology, and everything else a conclusion says."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from mappings.data_schema import Reports, read_table
from mappings.facts import Action, Biopsy, BiopsyFinding, Finding, Imaging, ImagingFinding, Modality, Result, Site
from mappings.reader import observation
from mappings.reader.access import (
    Concept,
    codes,
    concept,
    concepts,
    confidential,
    first_date,
    items,
    mapping,
    text,
    updated,
)
from mappings.reader.analyte import test_of
from mappings.reader.attachment import unread, words_of
from mappings.reader.context import Collected, key_of
from mappings.reader.culture import ANALYTE, culture_word, is_wound_culture
from mappings.reader.examination import as_line
from mappings.reader.identity import target
from mappings.reader.narrative import Source, add_reading
from mappings.reader.plain import lines_of
from mappings.reader.sensitivity import add_told
from mappings.reader.taking import add_taken
from mappings.text.reading import TextReading
from mappings.units import plain

_USABLE = {"final", "amended", "corrected", "appended"}
_RANK: tuple[ImagingFinding, ...] = ("soft-tissue", "vascular-only", "joint-or-tendon-only", "none", "not-understood")


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """A DiagnosticReport as imaging, histopathology or a text; of another status it is left out and named."""
    status = resource.get("status")
    if status not in _USABLE:
        into.leave_out(ref, f"status {status}" if isinstance(status, str) and len(status) < 30 else "status missing")
        return
    name = concept(resource.get("code"))
    date = first_date(resource, "effectiveDateTime", "effectivePeriod", "issued")
    source = Source(ref, date=date, recorded=date, updated=updated(resource), confidential=confidential(resource))
    source = replace(source, sites=into.sites_of(resource.get("bodySite")) or _title_sites(name, into))
    observation.read_contained(resource, ref, into)
    words = report_text(resource)
    forms = tuple(items(resource.get("presentedForm")))
    if words is None and not resource.get("result"):
        _name_unread(forms, ref, into)
    if is_wound_culture(name.texts):
        said = "\n".join((words or "", *_organisms(resource, into)))
        grown = culture_word(said) if said.strip() else None
        into.results.append(
            Result(ANALYTE, ref, date, "final", label=name.label, word=grown, problem=None if grown else "no-value")
        )
    kind = _kind(resource, name, into)
    if words is None and kind != "note":
        found = [as_line(body) for body in _results(resource, into)]
        found.extend(entry.label for entry in concepts(resource.get("conclusionCode")) if entry.texts)
        words = "\n".join(f"{line}." for line in found if line) or None
    read_text(words, kind, name, source, into, filed=unread(forms) is not None)
    for entry in concepts(resource.get("conclusionCode")):
        ids = into.concepts_of(entry)
        if ids:
            into.findings.append(
                Finding(ids, entry.label, ref, certainty="suspected", recorded=date, sites=source.sites)
            )


def _organisms(resource: Mapping[str, Any], into: Collected) -> Iterator[str]:
    """What the results of a culture say."""
    for body in _results(resource, into):
        yield text(body.get("valueString")) or concept(body.get("valueCodeableConcept")).label


def _results(resource: Mapping[str, Any], into: Collected) -> Iterator[Mapping[str, Any]]:
    """The results of a report, contained in it or named by it."""
    within = {f"#{mapping(inner).get('id')}": mapping(inner) for inner in items(resource.get("contained"))}
    for entry in items(resource.get("result")):
        reference = mapping(entry).get("reference")
        named = target(reference) if isinstance(reference, str) else None
        found = within.get(reference) if isinstance(reference, str) else None
        body = found or mapping(into.by_reference.get(named or ""))
        if body.get("resourceType") == "Observation" and body.get("status") in _USABLE:
            yield body


def read_document(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """DocumentReference: a plain-text attachment is read as a note or report; a pathology or imaging document whose
    text lies elsewhere still says that the examination was done."""
    if resource.get("status") in ("superseded", "entered-in-error") or resource.get("docStatus") == "entered-in-error":
        into.leave_out(ref, "status superseded or entered-in-error")
        return
    date = first_date(resource, "date") or first_date(mapping(resource.get("context")), "period")
    source = Source(ref, date=date, recorded=date, updated=updated(resource), confidential=confidential(resource))
    attachments = [mapping(c).get("attachment") for c in items(resource.get("content"))]
    words = "\n".join(t for t in (words_of(a) for a in attachments) if t)
    name = concept(resource.get("type"))
    kind = "note" if _asks(name) else _kind(resource, name, into)
    if words and _is_leaflet(name):
        read_text(words, "leaflet", name, source, into)
    elif words or kind != "note":
        read_text(words or None, kind, name, source, into)
    caption = text(resource.get("description"))
    if not words:
        _name_unread(attachments, ref, into)
    if caption and kind == "note" and caption not in words:
        # what a photograph shows, or a file is about, in the words of who filed it
        read_text(caption, kind, name, source, into)


def _name_unread(attachments: Iterable[object], ref: str, into: Collected) -> None:
    """What a PDF, a picture or a link says stays unknown, and is named: silence about it would look like nothing."""
    reason = unread(attachments)
    if reason is not None:
        into.leave_out(ref, reason)


def read_text(
    words: str | None, kind: str, name: Concept, source: Source, into: Collected, *, filed: bool = False
) -> None:
    """What a report or a note says. `filed`: there is a report, but its words cannot be read."""
    engine = into.tools.engine
    test = test_of(name, into, foreign=False) if words else None
    if kind in ("note", "leaflet"):
        if words:
            told = engine.read(f"{name.label}: {words}" if test else words, kind="note")
            if kind == "leaflet":
                told = replace(told, lesions=(), imaging=(), biopsies=(), concepts=())
            add_reading(told, source, into)
            whole = engine.unbroken(words, into.tools.drugs.places)
            add_told(whole, source, into)
            add_taken(whole, source, into)
        return
    reading = engine.read(words, kind="pathology" if kind == "pathology" else "imaging") if words else None
    workup = into.workup_of(name) or (_by_place(name, into) if kind == "imaging" else frozenset())
    if kind == "pathology":
        # "Thyroid FNA": "Psammomatous calcification"; what was taken stands in the title alone
        elsewhere = reading is not None and bool(reading.biopsies) and engine.of_another_organ(f"{name.label}. {words}")
        _pathology(None if elsewhere else reading, name, source, into, has_report=reading is not None)
    else:
        modality = _by_workup(workup)
        _imaging(reading, modality, name, source, into, has_report=filed or reading is not None)
    into.actions.append(
        Action(
            source.ref, name.label, "done", workup=workup, date=source.date, sites=source.sites, has_report=bool(words)
        )
    )
    if test is not None:
        # "Barium swallow": "Normal motility"; the title names the test that the words are the result of
        named = engine.read(f"{name.label}: {words}", kind="note")
        add_reading(replace(named, lesions=(), imaging=(), biopsies=(), concepts=()), source, into)
    if reading is not None:
        # the lesion words of a report describe what the image shows, not an examination of the skin
        add_reading(replace(reading, lesions=(), imaging=(), biopsies=()), source, into)


def _kind(resource: Mapping[str, Any], name: Concept, into: Collected) -> str:
    """note, imaging or pathology: by code, category and title, found out once a chart for each of these."""
    key = key_of(resource.get("category"), resource.get("code"), resource.get("type"))
    found = into.kinds.get(key)
    if found is None:
        found = _new_kind(resource, name, into)
        if key:
            into.kinds[key] = found
    return found


def _new_kind(resource: Mapping[str, Any], name: Concept, into: Collected) -> str:
    categories = {code for entry in items(resource.get("category")) for code in codes(entry)} | codes(
        resource.get("code")
    )
    workup = into.workup_of(name)
    title = plain(" ".join(name.texts))
    known = _kinds()
    for kind, ids in (
        ("pathology", {"skin-biopsy"}),
        ("imaging", {"radiograph", "ct", "mri", "ultrasound", "breast-imaging"}),
    ):
        codes_, titles = known[kind]
        if workup & ids or categories & codes_ or any(words in title for words in titles):
            return kind
    return "imaging" if _by_place(name, into) else "note"


def _asks(name: Concept) -> bool:
    """Whether a document asks for an examination instead of telling of one."""
    title = f" {plain(' '.join(name.texts))} "
    requests, answers, _ = _titled()
    return any(f" {word} " in title for word in requests) and not any(f" {word} " in title for word in answers)


def _is_leaflet(name: Concept) -> bool:
    title = plain(" ".join(name.texts))
    return any(words in title for words in _titled()[2])


@cache
def _titled() -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
    data = read_table(Reports)
    return tuple(map(plain, data.requests)), tuple(map(plain, data.answers)), tuple(map(plain, data.leaflets))


def _by_place(name: Concept, into: Collected) -> frozenset[str]:
    """The test that a title means by a place of the body and a word that is none alone ("Elbow 3 views")."""
    words = set(plain(" ".join(name.texts)).split())
    found = frozenset(test for test, said in _at_place().items() if not said.isdisjoint(words))
    return found if found and _title_sites(name, into) else frozenset()


@cache
def _kinds() -> Mapping[str, tuple[frozenset[str], tuple[str, ...]]]:
    data = read_table(Reports)
    kinds = {"pathology": data.pathology, "imaging": data.imaging}
    return {kind: (frozenset(entry.codes), tuple(map(plain, entry.titles))) for kind, entry in kinds.items()}


@cache
def _at_place() -> Mapping[str, frozenset[str]]:
    return {test: frozenset(words) for test, words in read_table(Reports).imaging.at_place.items()}


def _by_workup(workup: frozenset[str]) -> Modality:
    for modality in ("radiograph", "ct", "mri", "ultrasound"):
        if modality in workup:
            return modality
    return "mammography" if "breast-imaging" in workup else "other"


def _title_sites(name: Concept, into: Collected) -> tuple[Site, ...]:
    return tuple(dict.fromkeys(site for words in name.texts for site in into.tools.engine.sites(words)))


def _imaging(
    reading: TextReading | None,
    modality: Modality | None,
    name: Concept,
    source: Source,
    into: Collected,
    *,
    has_report: bool,
) -> None:
    mentions = [m for m in (reading.imaging if reading else ()) if m.status in ("affirmed", "historical")]
    finding: ImagingFinding = min((m.finding for m in mentions), key=_RANK.index, default="not-understood")
    calcified = tuple(dict.fromkeys(s for m in mentions if m.finding == "soft-tissue" for s in m.sites))
    other_modality = next((m.modality for m in mentions if m.modality), None)
    into.imaging.append(
        Imaging(
            source.ref,
            modality if modality and modality != "other" else other_modality or modality or "other",
            finding,
            source.date,
            sites=source.sites or tuple(dict.fromkeys(s for m in mentions for s in m.sites)),
            calcified_sites=calcified or (source.sites if finding == "soft-tissue" else ()),
            vascular_too=any(m.vascular_too or m.finding == "vascular-only" for m in mentions)
            and finding == "soft-tissue",
            cystic=any(m.cystic for m in mentions),
            internal_vascularity=any(m.internal_vascularity for m in mentions),
            progressed=any(m.progressed for m in mentions),
            label=name.label,
            has_report=has_report,
        )
    )


def _pathology(
    reading: TextReading | None, name: Concept, source: Source, into: Collected, *, has_report: bool
) -> None:
    mentions = [m for m in (reading.biopsies if reading else ()) if m.status in ("affirmed", "historical")]
    findings = {m.finding for m in mentions}
    finding: BiopsyFinding = "not-understood"
    if findings & {"calcium", "no-calcium"}:
        finding = "calcium" if "calcium" in findings else "no-calcium"
    into.biopsies.append(
        Biopsy(
            source.ref,
            finding,
            source.date,
            sites=source.sites or tuple(dict.fromkeys(s for m in mentions for s in m.sites)),
            other=frozenset[str]().union(*(m.other for m in mentions)),
            label=name.label,
            has_report=has_report,
        )
    )


def report_text(resource: Mapping[str, Any]) -> str | None:
    """Conclusion and plain-text attachments; the narrative only when there is neither."""
    parts = [text(resource.get("conclusion"))]
    parts.extend(words_of(a) for a in items(resource.get("presentedForm")))
    parts.extend(text(mapping(n).get("text")) for n in items(resource.get("note")))
    words = "\n".join(dict.fromkeys(p for p in parts if p))
    if words:
        return words
    narrative = text(mapping(resource.get("text")).get("div"))
    status = mapping(resource.get("text")).get("status")
    return lines_of(narrative) if narrative and status in ("additional", "extensions") else None
