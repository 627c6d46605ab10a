"""What stands many times in a chart and says the same each time: the smoking status of every visit, the renewed
prescription, the yearly mammogram.

Of a form (`alike.py`) whose first resource gave findings, actions and medications with no other dates than its own, the
others give the same with theirs. What gave anything else is read each time. Tests compare the two."""

from __future__ import annotations

from msgspec import UNSET, Struct
from msgspec.structs import replace

from mappings.dates import PartialDate
from mappings.elements import Condition, DiagnosticReport, MedicationRequest, Observation, Procedure, Told
from mappings.facts import Action, Finding, Medication
from mappings.reader.access import lasted
from mappings.reader.analyte import foreign_members
from mappings.reader.context import Collected
from mappings.reader.measured import date_of
from mappings.unread import Unread


class Again(Struct, frozen=True):
    """The facts of the first."""

    findings: tuple[Finding, ...]
    actions: tuple[Action, ...]
    medications: tuple[Medication, ...]


_KINDS = {"findings", "actions", "medications"}


def again(unread: Unread, ref: str, sizes: tuple[int, ...], into: Collected) -> Again | None:
    """What a resource gave that was just read, for `read_again`; None when another of its form may give anything else.
    `sizes`: how many facts there were before."""
    told, given = unread.told, into.since(sizes)
    if not given.keys() <= _KINDS or not _is_plain(unread, ref, into):
        return None
    when, updated = _when(told), PartialDate.parse(told.meta.lastUpdated)
    found = Again(
        tuple(given.get("findings", ())),
        tuple(given.get("actions", ())),
        tuple(given.get("medications", ())),
    )
    of_its_dates = (
        when is not None
        and all(f.recorded == when and f.updated == updated and f.onset is f.ended is None for f in found.findings)
        and all(action.date == when for action in found.actions)
        and all(m.started == when and m.ended is None for m in found.medications)
    )
    return found if of_its_dates else None


def read_again(unread: Unread, ref: str, into: Collected) -> bool:
    """Adds the facts of a resource of this patient that is like one that was read; False, and nothing added, when it
    has to be read."""
    first, told = unread.form.again, unread.told
    if first is None or not _is_plain(unread, ref, into):
        return False
    when, updated = _when(told), PartialDate.parse(told.meta.lastUpdated)
    if when is None:
        return False
    for finding in first.findings:
        into.findings.append(replace(finding, ref=ref, recorded=when, updated=updated))
    for action in first.actions:
        into.actions.append(replace(action, ref=ref, date=when))
    for medication in first.medications:
        into.medications.append(replace(medication, ref=ref, started=when))
    return True


def _is_plain(unread: Unread, ref: str, into: Collected) -> bool:
    """Whether its facts rest on nothing but what it says and its dates, which can be read: it is not confidential, no
    member of a panel of urine, holds no number, and no text in which a date could stand."""
    told = unread.told
    if len(told.meta.security) or not unread.dated:
        return False
    if type(told) is Observation:
        open_ended = len(told.valueString) or told.component is not UNSET or len(told.valueQuantity.value)
        return not open_ended and ref not in foreign_members(into)
    return type(told) is not Condition


def _when(told: Told) -> PartialDate | None:
    """The day that its facts are of, of one whose dates are readable."""
    if type(told) is Observation or type(told) is DiagnosticReport:
        return date_of(told)
    if type(told) is Procedure:
        if told.performedDateTime is not UNSET:
            return PartialDate.parse(told.performedDateTime)
        return lasted(told.performedPeriod.start, told.performedPeriod.end)
    return PartialDate.parse(told.authoredOn) if type(told) is MedicationRequest else None
