"""`ChartReader`: raw FHIR JSON in, `PatientFacts` out. Pure, tolerant, and it says what it left out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from itertools import chain
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from mappings.codelists import Terminology
from mappings.dates import forget_dates
from mappings.drugs import Drugs
from mappings.facts import (
    Action,
    Allergy,
    Biopsy,
    Completeness,
    Finding,
    Imaging,
    Lesion,
    Medication,
    Need,
    PatientFacts,
    Quarantined,
    Result,
)
from mappings.raw import RawChart
from mappings.reader import (
    access,
    action,
    adverse,
    allergy,
    condition,
    measured,
    medication,
    observation,
    patient,
    report,
    shape,
    supply,
    told,
)
from mappings.reader.again import again, read_again
from mappings.reader.alike import Alike, Look
from mappings.reader.analyte import foreign_members
from mappings.reader.context import Collected, Tools
from mappings.reader.identity import (
    NO_REFERENCE,
    ONLY_STRANGERS,
    OTHER_FOCUS,
    OTHER_PATIENT,
    Owners,
    belongs,
    reference_of,
    unique,
)
from mappings.reader.joined_sites import with_sites_of_panels
from mappings.reader.long_texts import READ_IN_PART, is_read_in_part
from mappings.reader.measured import BROKEN
from mappings.reader.memo import ChartText
from mappings.reader.merge import merged
from mappings.reader.names import Dosed, Meaning, Names
from mappings.reader.settled import settled
from mappings.reader.silence import Digests, Silence, well_formed
from mappings.reader.titles import Titles
from mappings.units import load_units
from mappings.unread import Unread
from mappings.versions import Version, as_r4

if TYPE_CHECKING:
    from mappings.text.engine import TextEngine

__all__ = ["READ_TYPES", "ChartReader"]

_Fact = Finding | Result | Lesion | Imaging | Biopsy | Medication | Allergy | Action
_Reader = Callable[[Mapping[str, Any], str, Collected], None]
_LEFT_OUT, _NAMELESS = "resources left out", "results of no known test left out"
_OF_SINGLE = frozenset({_LEFT_OUT, READ_IN_PART})
"""reasons that concern single resources; where one of them was the newest result of its test, that is noted as such."""
_TAKEN_BACK = ("entered-in-error", "cancelled", "revoked", "stopped")
"""what a draft may be that asks for nothing; of any type, as it comes from outside"""
_READERS: dict[str, tuple[Need, _Reader]] = {
    "Condition": ("conditions", condition.read),
    "Observation": ("observations", observation.read),
    "DiagnosticReport": ("diagnosticReports", report.read),
    "DocumentReference": ("diagnosticReports", report.read_document),
    "Composition": ("diagnosticReports", told.read_document),
    "ClinicalImpression": ("diagnosticReports", told.read_impression),
    "QuestionnaireResponse": ("diagnosticReports", told.read_answers),
    "MedicationRequest": ("medications", medication.read),
    "MedicationOrder": ("medications", medication.read),
    "MedicationStatement": ("medications", medication.read),
    "MedicationUsage": ("medications", medication.read),
    "MedicationAdministration": ("medications", medication.read),
    "MedicationDispense": ("medications", supply.read_dispense),
    "List": ("medications", supply.read_list),
    "AllergyIntolerance": ("allergies", allergy.read),
    "AdverseEvent": ("allergies", adverse.read),
    "Procedure": ("procedures", action.read_procedure),
    "Immunization": ("procedures", supply.read_immunization),
    "EpisodeOfCare": ("conditions", supply.read_episode),
    "ServiceRequest": ("serviceRequests", action.read_order),
    "ProcedureRequest": ("serviceRequests", action.read_order),
    "ReferralRequest": ("serviceRequests", action.read_order),
}
READ_TYPES = tuple(_READERS)
"""the resource types that facts come from (besides Patient)."""


class ChartReader:
    """Reads charts. Holds the tools only, never a patient, which readings said nothing, and what names, prescriptions
    and short titles mean; safe to share between threads."""

    def __init__(self, terminology: Terminology, drugs: Drugs, text: TextEngine) -> None:
        self._terminology, self._drugs, self._text, self._units = terminology, drugs, text, load_units()
        self._silence, self._names, self._titles = Silence(text.telling_numbers), Names[Meaning](), Titles()
        self._alike, self._doses = Alike(text.telling_numbers), Names[Dosed]()

    def look(self, patient_id: str, version: Version | None) -> Look:
        """The early look at the bytes of a patient's resources, which will be read as that release."""
        return Look(self._alike, patient_id, version)

    def read(self, raw: RawChart) -> PatientFacts:
        """The facts of the chart. A resource that can't be read is left out and named; nothing raises."""
        try:
            return self._read(raw)
        finally:
            forget_dates()

    def is_coded(self, resource: object, concepts: frozenset[str]) -> bool:
        """Whether the code of a resource stands for one of the concepts: a quick look before it is read."""
        name = access.concept(access.mapping(resource).get("code"))
        return any(not concepts.isdisjoint(self._terminology.concepts(c.system, c.code)) for c in name.codings)

    def _read(self, raw: RawChart) -> PatientFacts:
        reference = f"Patient/{raw.patient_id}"
        every, left_out = unique(_in_r4(raw.resources, raw.version))
        engine = ChartText(self._text, self._silence, self._titles)
        tools = Tools(self._terminology, self._drugs, engine, self._units, self._names, self._doses)
        drafts = tuple(as_r4(draft, raw.version) for draft in raw.drafts)
        known = {reference_of(draft): draft for draft in drafts} | dict(every)
        into = Collected(tools, reference, known, quarantined=list(left_out))
        unreadable: dict[Need, str] = {}
        patients = raw.aliases | {raw.patient_id}
        decoded = tuple([named for named in every if type(named[1]) is not Unread])
        self._patient(decoded, patients, into)
        good_dates: set[str] = set()
        strangers: set[Need] = set()
        nameless = 0
        owners = Owners(patients, decoded)
        for ref, found in every:
            unread = found if type(found) is Unread else None
            if unread is not None and _read_already(unread, ref, into):
                continue
            resource = found if unread is None else unread.body
            kind = resource["resourceType"]
            entry = _READERS.get(kind)
            if entry is None:
                continue
            need, reader = entry
            if kind == "Observation" and observation.read_measurement(resource, ref, into):
                continue
            digests = self._silence.of_resource(resource, kind)
            place = self._silence.place(digests)
            if place is not None and well_formed(resource, kind, reference, good_dates):
                if unread is not None:
                    unread.form.said_nothing(unread.number, exactly=place == 1)
                continue
            problem = owners.problem_of(resource)
            if problem is not None:
                into.leave_out(ref, problem)
                if problem == OTHER_PATIENT:
                    strangers.add(need)
                elif problem != OTHER_FOCUS:
                    unreadable.setdefault(need, "subject missing")
            elif not self._is_read(reader, resource, ref, into, digests, unread):
                unreadable[need] = _LEFT_OUT
                nameless += _is_nameless(resource, ref, into)
        for need in strangers:
            if not any(_serves(named[1], need) and belongs(named[1], patients) is None for named in every):
                unreadable.setdefault(need, ONLY_STRANGERS)
        for draft in drafts:
            self._draft(draft, patients, into)
        if nameless:
            unreadable["observations"] = _NAMELESS
        return self._facts(raw, reference, into, into.unread | unreadable)

    def _is_read(
        self,
        reader: _Reader,
        resource: Mapping[str, Any],
        ref: str,
        into: Collected,
        digests: Digests | None,
        unread: Unread | None,
    ) -> bool:
        """Whether a resource of this patient could be read; why not is put down, as are dates that say nothing."""
        if (wrong := shape.unreadable(resource)) is not None:
            into.leave_out(ref, wrong)
            return False
        if is_read_in_part(resource):
            digests, unread = None, None  # what stands behind may speak another time: nothing is remembered of it
            into.leave_out(ref, READ_IN_PART)
            into.unread.setdefault(_READERS[resource["resourceType"]][0], READ_IN_PART)
        if not self._guarded(reader, resource, ref, into, digests, unread):
            return False
        for name in shape.unreadable_dates(resource):
            into.leave_out(ref, f"{name}: not a FHIR date, read without it")
        return True

    def _patient(
        self, resources: tuple[tuple[str, Mapping[str, Any]], ...], patients: frozenset[str], into: Collected
    ) -> None:
        own = strangers = 0
        for ref, resource in resources:
            if resource["resourceType"] != "Patient":
                continue
            found = resource.get("id")
            if found is not None and not (isinstance(found, str) and found in patients):
                into.leave_out(ref, "another patient")
                strangers += 1
            else:
                self._guarded(patient.read, resource, ref, into)
                own += 1
        if strangers and not own:
            into.unread["patient"] = ONLY_STRANGERS

    def _draft(self, draft: Mapping[str, Any], patients: frozenset[str], into: Collected) -> None:
        """A draft order of the hook. It is this patient's unless it names another. "Do not perform" is no order, nor is
        one that is taken back: what is signed then is that nothing shall be done."""
        kind = draft.get("resourceType")
        ref = reference_of(draft)
        problem = belongs(draft, patients) if draft.get("subject") else None
        problem = problem if problem != NO_REFERENCE else None
        status = draft.get("status")
        if problem is None and access.is_true(draft.get("doNotPerform")):
            problem = "do not perform"
        if problem is None and status in _TAKEN_BACK:
            problem = f"status {status}"
        if problem is not None:
            into.leave_out(ref, problem)
            return
        if kind in ("MedicationRequest", "MedicationOrder"):
            self._guarded(lambda r, f, i: medication.read(r, f, i, draft=True), draft, ref, into)
        elif kind in ("ServiceRequest", "ProcedureRequest", "ReferralRequest"):
            self._guarded(lambda r, f, i: action.read_order(r, f, i, draft=True), draft, ref, into)

    def _guarded(
        self,
        reader: _Reader,
        resource: Mapping[str, Any],
        ref: str,
        into: Collected,
        digests: Digests | None = None,
        unread: Unread | None = None,
    ) -> bool:
        """One broken resource must not spoil the others: its half-read facts go too. What said nothing is remembered by
        its digest; with the number in it when there is a word of ours beside the number."""
        before = into.sizes()
        spoken, left_out = into.tools.engine.spoken, len(into.quarantined)
        try:
            reader(resource, ref, into)
        except BROKEN as error:
            into.cut_back(before)
            into.leave_out(ref, f"can't be read ({type(error).__name__})")
            return False
        silent = into.sizes() == before and len(into.quarantined) == left_out
        if silent and digests is not None and ref not in foreign_members(into):
            place = into.tools.engine.spoken != spoken  # some word of ours: then only with this number
            self._silence.add(digests[place])
            if unread is not None:
                unread.form.said_nothing(unread.number, exactly=place)
        elif unread is not None and len(into.quarantined) == left_out:
            unread.form.again = again(unread, ref, before, into)
        return True

    @staticmethod
    def _facts(raw: RawChart, reference: str, into: Collected, unreadable: Mapping[Need, str]) -> PatientFacts:
        completeness = dict(raw.completeness)
        for need, reason in unreadable.items():
            state = completeness.get(need)
            if state is not None and state.state == "complete":
                completeness[need] = Completeness("partial", reason, reason in _OF_SINGLE)
            elif state is not None and state.has_newest and reason not in _OF_SINGLE:
                completeness[need] = replace(state, has_newest=False)
        facts = PatientFacts(
            reference,
            sex=into.sex,
            born=into.born,
            deceased=into.deceased,
            findings=tuple(into.findings),
            results=tuple(into.results),
            lesions=with_sites_of_panels(into.lesions, into),
            imaging=tuple(into.imaging),
            biopsies=tuple(into.biopsies),
            medications=settled(into.medications),
            allergies=tuple(into.allergies),
            actions=tuple(into.actions),
            completeness=completeness,
            quarantined=(*raw.quarantined, *_plain(into.quarantined)),
            not_understood=tuple(dict.fromkeys(into.not_understood)),
        )
        measured.stamp(into)
        facts = replace(facts, restricted=_restricted(facts, into.by_reference))
        return merged(facts, into.stamps, raw.zone, into.tools.units)


def _in_r4(resources: Iterable[Any], version: Version | None) -> list[Any]:
    """Resources as R4; what was taken apart and is of that release stays so."""
    return [
        as_r4(one, version)
        if type(one) is not Unread
        else one
        if one.form.version == version
        else as_r4(one.decoded(), version)
        for one in resources
    ]


def _is_nameless(resource: Mapping[str, Any], ref: str, into: Collected) -> bool:
    """Whether a resource that was left out may be the newest result of any test."""
    return resource["resourceType"] == "Observation" and not observation.note_unreadable(resource, ref, into)


def _serves(resource: Mapping[str, Any], need: Need) -> bool:
    entry = _READERS.get(resource["resourceType"])
    return entry is not None and entry[0] == need


def _restricted(facts: PatientFacts, resources: Mapping[str, Any]) -> frozenset[str]:
    """The references of facts whose resources are tagged restricted."""
    told: tuple[Iterable[_Fact], ...] = (
        *(facts.findings, facts.results, facts.lesions, facts.imaging, facts.biopsies),
        *(facts.medications, facts.allergies, facts.actions),
    )
    references = {fact.ref for fact in chain.from_iterable(told)}
    return frozenset(ref for ref in references if (found := resources.get(ref)) is not None and _is_restricted(found))


def _is_restricted(resource: Any) -> bool:
    if type(resource) is Unread:
        return len(resource.told.meta.security) > 0 and access.confidential(resource.body)
    return access.confidential(resource)


def _read_already(unread: Unread, ref: str, into: Collected) -> bool:
    """Whether it says nothing, or what one of its form before it said, which is then added on its own day; or it is the
    first plain measurement of its form."""
    form = unread.form
    if form.silent:
        return unread.usual or (unread.dated and form.says_nothing(unread.number))
    if form.plain is not None:
        return measured.read_another(unread, ref, into)
    if form.again is not None:
        return read_again(unread, ref, into)
    return (unread.dated and form.says_nothing(unread.number)) or observation.read_first(unread, ref, into)


def _plain(quarantined: list[Quarantined]) -> tuple[Quarantined, ...]:
    return tuple(dict.fromkeys(replace(q, reference=q.reference or "unnamed") for q in quarantined))
