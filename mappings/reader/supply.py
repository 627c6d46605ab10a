"""MedicationDispense, List and Immunization: drugs that stand on no order but were handed out, listed or given.

A drug that was dispensed is taken for as long as it lasts; one that was given on a ward for a day or two after. Both
count beside the list of drugs and give way to an order of the same drug that was stopped since. The figures and words
are data (`mappings/data/supply.yaml`)."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from typing import Any

from msgspec.structs import replace

from mappings.data_schema import read_table
from mappings.dates import PartialDate
from mappings.drug_tables import Supply
from mappings.facts import Finding, Medication
from mappings.reader import medication
from mappings.reader.access import concept, first_date, is_true, items, mapping, text, updated
from mappings.reader.context import Collected
from mappings.reader.identity import target
from mappings.reader.narrative import Source, add_reading
from mappings.text.folding import fold
from mappings.values import number


@cache
def supply() -> Supply:
    """How long what was handed out or given counts, and what a list of drugs is called."""
    return read_table(Supply)


def read_dispense(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    status = str(resource.get("status") or "unknown")
    if status in supply().not_dispensed:
        into.leave_out(ref, f"status {status}")
        return
    handed = first_date(resource, "whenHandedOver", "whenPrepared", "recorded")
    medication.add(resource, ref, into, given=handed, ended=_lasts(resource, handed))


def _lasts(resource: Mapping[str, Any], handed: PartialDate | None) -> PartialDate | None:
    if handed is None:
        return None
    supplied = mapping(resource.get("daysSupply"))
    unit = str(supplied.get("code") or supplied.get("unit") or "d").lower()
    told = number(supplied.get("value")) if unit in supply().day_units else None
    days = int(told) if told is not None and 0 < told <= supply().longest_days else supply().dispensed_days
    return handed.back(days=-days)


def read_list(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """A List of drugs: the entries that no resource of the chart stands for."""
    if resource.get("status", "current") != "current" or not _lists_drugs(resource):
        return
    day = resource.get("date")
    for entry in map(mapping, items(resource.get("entry"))):
        flag = fold(concept(entry.get("flag")).label)
        if is_true(entry.get("deleted")) or any(word in flag for word in supply().ended_flags):
            continue
        item = mapping(entry.get("item"))
        shown = text(item.get("display"))
        if (target(item.get("reference")) or "") in into.by_reference or not shown:
            continue
        line = {"status": "active", "medicationCodeableConcept": {"text": shown}, "effectivePeriod": {"start": day}}
        medication.add(line, ref, into, given=PartialDate.parse(day))


def _lists_drugs(resource: Mapping[str, Any]) -> bool:
    name = concept(resource.get("code"))
    if any(coding.code in supply().list_codes for coding in name.codings):
        return True
    called = fold(" ".join((*name.texts, text(resource.get("title")) or "")))
    return any(word in called for word in supply().list_words)


def read_immunization(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """A vaccine that was given; another status is left out and named."""
    status = str(resource.get("status") or "completed")
    if status != "completed" or is_true(resource.get("notGiven")) or is_true(resource.get("wasNotGiven")):
        into.leave_out(ref, f"status {status}")
        return
    name = concept(resource.get("vaccineCode"))
    given = first_date(resource, "occurrenceDateTime", "date")
    source = Source(ref, date=given, recorded=given, updated=updated(resource))
    if coded := into.concepts_of(name):
        into.findings.append(Finding(coded, name.label, ref, recorded=given, updated=source.updated))
    by_code = (into.tools.drugs.by_code(coding.system, coding.code) for coding in name.codings)
    named = (ids for words in name.texts for ids in into.tools.drugs.by_name(words))
    for ids in () if coded else (*filter(None, by_code), *named):
        into.medications.append(
            Medication(ref, name.label, ids.drugs, ids.classes, state="stopped", started=given, ended=given)
        )
    for words in () if coded else name.texts:
        reading = into.tools.engine.read(words, kind="procedure")  # not the illness that it is against
        vaccines = tuple(m for m in reading.concepts if m.concept in supply().vaccines)
        add_reading(replace(reading, concepts=vaccines), source, into, lesions=False)


def read_episode(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """What an episode of care that goes on is for ("Maternity")."""
    status = str(resource.get("status") or "")
    if status not in supply().going_on:
        into.leave_out(ref, f"status {status}")
        return
    begun = PartialDate.parse(mapping(resource.get("period")).get("start"))
    source = Source(ref, date=begun, recorded=begun, updated=updated(resource), title=True)
    for kind in map(concept, items(resource.get("type"))):
        if coded := into.concepts_of(kind):
            into.findings.append(Finding(coded, kind.label, ref, recorded=begun, updated=source.updated))
        for words in kind.texts:
            add_reading(into.tools.engine.read(words, kind="condition"), source, into, lesions=False)
