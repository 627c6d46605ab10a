"""Procedure and ServiceRequest: what was done, and what is already ordered."""

from __future__ import annotations

import re
from collections.abc import Mapping
from functools import cache
from typing import Any, Literal

from msgspec.structs import replace

from mappings.data_schema import Orders, read_table
from mappings.dates import PartialDate
from mappings.drug_tables import Supply
from mappings.drugs import plain
from mappings.facts import Action, Finding, Site
from mappings.reader.access import concept, concepts, confidential, first_date, is_true, mapping, notes, updated
from mappings.reader.context import Coded, Collected
from mappings.reader.narrative import Source, add_reading
from mappings.reader.reasons import add_reasons

_ORDERED = {"draft", "active", "on-hold", "unknown", "requested", "accepted", "in-progress"}
_DONE = {"completed", "in-progress", "unknown"}
"""any other word says, or may say, that it was not: cancelled, aborted, planned. What was not done clears no drug."""
_TO_BE_DONE = {"preparation"}


def read_procedure(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    """A Procedure that was done, or one that is planned; of another status it is left out and named."""
    status = str(resource.get("status") or "unknown")
    if status.strip().lower() not in _DONE:
        if status in _TO_BE_DONE:
            coming = into.coded_of(resource)
            _plan(resource, coming.label, coming.texts, ref, into)
        into.leave_out(ref, f"status {status}")
        return
    coded = into.coded_of(resource)
    date = first_date(resource, "performedDateTime", "performedPeriod")
    sites = into.sites_of(resource.get("bodySite"))
    into.actions.append(
        Action(
            ref,
            coded.label,
            "done",
            workup=coded.workup,
            concepts=coded.concepts,
            date=date,
            sites=sites,
        )
    )
    source = Source(
        ref, date=date, recorded=date, updated=updated(resource), sites=sites, confidential=confidential(resource)
    )
    ids = coded.concepts
    before = len(into.findings)
    if ids:
        into.findings.append(Finding(ids, coded.label, ref, recorded=date, updated=source.updated, sites=sites))
    add_reasons(resource, ref, date, into)
    outcome = [c.label for c in (concept(resource.get("outcome")), *concepts(resource.get("complication"))) if c.label]
    for words in (*([] if ids else coded.texts), *outcome, *notes(resource)):
        add_reading(into.tools.engine.read(words, kind="procedure"), source, into, lesions=words not in coded.texts)
    performed = mapping(resource.get("performedPeriod"))
    over = PartialDate.parse(performed.get("end")) or (None if performed else date)
    if status == "completed" and over is not None:
        into.findings[before:] = [_passing(finding, over) for finding in into.findings[before:]]


@cache
def _passing_acts() -> dict[str, int]:
    return read_table(Supply).passing


def _passing(finding: Finding, over: PartialDate) -> Finding:
    """A session of dialysis tells of it for some time only; nothing is known of later ones."""
    known = _passing_acts()
    lasts = max((known[name] for name in finding.concepts if name in known), default=0)
    return replace(finding, course="resolved", ended=over.back(days=-lasts)) if lasts else finding


def read_order(resource: Mapping[str, Any], ref: str, into: Collected, *, draft: bool = False) -> None:
    """A ServiceRequest that stands, or a draft; what was ended or must not be performed is left out and named."""
    status = str(resource.get("status") or "unknown")
    if not draft and (status not in _ORDERED or is_true(resource.get("doNotPerform"))):
        into.leave_out(ref, f"status {status}")
        return
    coded = into.coded_of(resource)
    date = PartialDate.parse(resource.get("authoredOn")) or first_date(
        resource, "occurrenceDateTime", "occurrencePeriod"
    )
    kind: Literal["ordered", "draft"] = "draft" if draft else "ordered"
    sites = into.sites_of(resource.get("bodySite")) or _of_title(coded, into)
    into.actions.append(
        Action(
            ref,
            coded.label or mapping(resource.get("code")).get("text", ""),
            kind,
            workup=coded.workup,
            concepts=coded.concepts,
            parts=coded.parts,
            date=date,
            sites=sites,
        )
    )
    _plan(resource, coded.label, coded.texts, ref, into)


def _plan(resource: Mapping[str, Any], label: str, texts: tuple[str, ...], ref: str, into: Collected) -> None:
    """What is planned is known from the day on which it was asked for, not from the day to come."""
    asked = PartialDate.parse(resource.get("authoredOn"))
    for planned in _planned(texts):
        into.findings.append(Finding(frozenset({planned}), label, ref, recorded=asked, updated=updated(resource)))


def _of_title(coded: Coded, into: Collected) -> tuple[Site, ...]:
    """Most systems tell the side and place of an examination in its title alone ("X-ray left foot")."""
    return tuple(
        dict.fromkeys(site for words in coded.texts if coded.workup for site in into.tools.engine.sites(words))
    )


def _planned(texts: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(ids for ids, names in _names_of_planned() if any(names.search(plain(words)) for words in texts))


@cache
def _names_of_planned() -> tuple[tuple[str, re.Pattern[str]], ...]:
    planned = read_table(Orders).planned
    return tuple((ids, re.compile(rf"\b(?:{'|'.join(map(plain, names))})\b")) for ids, names in planned.items())
