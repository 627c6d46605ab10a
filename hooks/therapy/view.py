"""One patient as the safety rules see it: facts indexed once, so that a hundred tests cost little."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from decimal import Decimal
from operator import attrgetter
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from hooks.assessment.sites import shown
from hooks.case import Case
from hooks.chart import Chart, concepts_in
from hooks.knowledge.safety_schema import FindingTest
from hooks.knowledge.therapy_schema import Therapy
from mappings.dates import PartialDate
from mappings.facts import Allergy, Finding, Lesion, Medication, Result, Site

_reference = attrgetter("ref")


class Hit(Struct, frozen=True):
    """A condition that holds: the resources behind it, what they say in a few words, and what is missing."""

    refs: tuple[str, ...] = ()
    said: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    doses: tuple[tuple[Decimal, str], ...] = ()
    """tolerated daily doses (amount, unit a day)."""

    @staticmethod
    def join(parts: list[Hit]) -> Hit:
        if len(parts) == 1:
            return parts[0]
        return Hit(
            tuple(dict.fromkeys([ref for hit in parts for ref in hit.refs])),
            tuple(dict.fromkeys([words for hit in parts for words in hit.said])),
            tuple(dict.fromkeys([need for hit in parts for need in hit.needs])),
            tuple([dose for hit in parts for dose in hit.doses]),
        )


class View:
    """`chart` and `case` with the look-ups that conditions make. Nothing of it outlives one call. Facts are taken in
    the order of their references, so that the order in which a chart arrives changes nothing."""

    def __init__(self, chart: Chart, case: Case) -> None:
        self.chart = chart
        self.case = case
        self.facts = chart.facts
        self.therapy_needs: frozenset[str] = frozenset()
        self.memo: dict[str, Hit | None] = {}
        """answers of the named conditions, for this case."""
        self.fired: dict[object, Any] = {}
        """what a rulebook found for this case."""

    # Findings -----------------------------------------------------------------------------------------------------

    def findings(
        self, concepts: Iterable[str], *, history: bool = False, certainty: str = "present"
    ) -> tuple[Finding, ...]:
        """Findings that carry any of the concepts; absent ones only when asked for."""
        table = self.chart.by_concept
        names = concepts_in(table, concepts)
        if not names:
            return ()
        found = {id(finding): finding for name in names for finding in table[name]}
        wants_absent = certainty == "absent"
        return tuple(
            finding
            for finding in found.values()
            if (finding.certainty == "absent") == wants_absent
            and (history or wants_absent or finding.course == "active")
        )

    def finding(self, test: FindingTest) -> tuple[Finding, ...]:
        """The findings that a condition asks for. Only where they are has to do with the lesions: the rest is asked
        once a chart."""
        memory, key = self.chart.memory, ("finding", id(test))
        known: tuple[tuple[Finding, ...], FindingTest] | None = memory.get(key)
        if known is None:
            known = memory[key] = self._anywhere(test), test  # kept with it, so that no other test gets its id
        found = known[0]
        if not found or test.at_lesion is None:
            return found
        possible = test.at_lesion == "possible"
        return tuple(f for f in found if self._at_lesion(f.sites, possible=possible))

    def _anywhere(self, test: FindingTest) -> tuple[Finding, ...]:
        found = self.findings(test.concepts, history=test.history, certainty=test.certainty)
        return tuple(
            f
            for f in found
            if not (test.none_of and f.concepts & frozenset(test.none_of))
            and (test.reason_for_encounter is None or f.reason_for_encounter == test.reason_for_encounter)
            and (test.within_days is None or self._within(f, test.within_days))
        )

    def _within(self, finding: Finding, days: int) -> bool:
        when = finding.onset or finding.recorded or finding.updated
        if when is None:
            return finding.certainty != "absent" and finding.course == "active"
        oldest = self.chart.as_of - timedelta(days=days)
        # An absence must surely be recent enough; a danger counts as soon as it may be.
        return when.earliest >= oldest if finding.certainty == "absent" else when.latest >= oldest

    def _at_lesion(self, sites: tuple[Site, ...], *, possible: bool) -> bool:
        here = [site for lesion in self.case.lesions for site in lesion.sites]
        if not sites or not here:
            return possible
        return any(_same(one, other) for one in sites for other in here)

    # Medications --------------------------------------------------------------------------------------------------

    def drugs(self, names: Iterable[str], stopped_within_days: int = 0) -> tuple[Medication, ...]:
        """On the list (drafts included, no end date passed) or ended at most so many days ago."""
        table = self.chart.by_drug
        listed = [drug for name in names if name in table for drug in table[name]]
        if not listed:
            return ()
        return tuple(drug for drug in {id(d): d for d in listed}.values() if self._counts(drug, stopped_within_days))

    def _counts(self, drug: Medication, days: int) -> bool:
        today = self.chart.as_of
        ended = drug.ended
        if drug.state == "active" and (ended is None or ended.latest >= today):
            return True
        if days <= 0:
            return False
        oldest = today - timedelta(days=days)
        if ended is not None:
            return ended.latest >= oldest
        # Stopped on an unknown day: it can't have ended before it began.
        return drug.started is not None and drug.started.latest >= oldest

    # Results ------------------------------------------------------------------------------------------------------

    def latest(
        self, analyte: str, max_age_days: int | None = None, *, numeric: bool = False, any_status: bool = False
    ) -> Result | None:
        """The newest usable value, or None when it may be older than the window."""
        for result in self._newest_first(analyte):
            if not (result.usable or (any_status and result.status == "final")):
                continue
            if numeric and result.low is None and result.high is None:
                continue
            recent = max_age_days is None or self.chart.age_in_days(result.date) <= max_age_days
            return result if recent else None
        return None

    def _newest_first(self, analyte: str) -> list[Result]:
        """All dated results, the newest first; of one moment the last reference first."""
        listed = self.chart.by_analyte.get(analyte)
        if listed is None:
            return []
        key = ("newest first", analyte)
        found: list[Result] | None = self.chart.memory.get(key)
        if found is None:
            found = sorted(listed, key=_when, reverse=True)
            self.chart.memory[key] = found
        return found

    def done(self, workup: str, max_age_days: int | None) -> bool:
        return any(
            action.kind == "done"
            and action.date is not None
            and (max_age_days is None or self.chart.age_in_days(action.date) <= max_age_days)
            for action in self.chart.orders((workup,))
        )

    # The agent that is asked about --------------------------------------------------------------------------------

    @property
    def idle(self) -> frozenset[str]:
        """What a condition may ask of an agent and in this chart holds for none."""
        idle = ("allergic", "dose-intolerant") if not self.facts.allergies else ()
        return frozenset(idle if self._some_failed else (*idle, "failed"))

    def active(self, therapy: Therapy) -> Hit | None:
        """The order or use of a therapy by a route that is its own, or None."""
        names = (*therapy.drugs, *therapy.drug_classes)
        for drug in self.drugs(names):
            if not therapy.routes or drug.route is None or drug.route in therapy.routes:
                return self.said_of(drug)
        for action in self.chart.orders(therapy.orders):
            if action.kind != "done":
                return self.said(action.ref, action.label)
        return None

    def allergies(self, therapy: Therapy, *, tolerated: bool) -> Hit | None:
        """`tolerated`: reactions with a tolerated lower dose of the agent itself; else every other reaction to it or
        to its class."""
        if not self.facts.allergies:
            return None
        hits = []
        for allergy in self._allergies:
            if allergy.certainty == "absent":
                continue
            own = bool(allergy.drugs & frozenset(therapy.drugs)) or (
                not allergy.drugs and bool(allergy.classes & frozenset(therapy.own_classes))
            )
            shared = bool(allergy.classes & frozenset(therapy.allergy_classes))
            dose = own and allergy.tolerated_dose is not None
            if (own or shared) and dose == tolerated:
                words = allergy.label if not allergy.reaction else f"{allergy.label}: {allergy.reaction}"
                doses: tuple[tuple[Decimal, str], ...] = ()
                if dose and allergy.tolerated_dose is not None:
                    unit = f"{allergy.dose_unit or 'mg'}/d"
                    words = f"{allergy.label}: {allergy.tolerated_dose.normalize():f} {unit} tolerated"
                    doses = ((allergy.tolerated_dose, unit),)
                hits.append(replace(self.said(allergy.ref, words), doses=doses))
        return Hit.join(hits) if hits else None

    @property
    def _allergies(self) -> list[Allergy]:
        memory = self.chart.memory
        if "allergies" not in memory:
            memory["allergies"] = sorted(self.facts.allergies, key=_reference)
        found: list[Allergy] = memory["allergies"]
        return found

    def failed(self, therapy: Therapy) -> Hit | None:
        """What says that a therapy was tried without effect, or None."""
        if not self._some_failed:
            return None
        wanted = frozenset((*therapy.drugs, *therapy.drug_classes))
        hits = [
            self.said(d.ref, d.label) for d in self.facts.medications if d.failed and wanted & (d.drugs | d.classes)
        ]
        hits.extend(said_finding(f) for f in self.findings(f"failed.{name}" for name in sorted(wanted)))
        return Hit.join(hits) if hits else None

    @property
    def _some_failed(self) -> bool:
        memory = self.chart.memory
        if "failed" not in memory:
            named = any(name.startswith("failed.") for name in self.chart.by_concept)
            memory["failed"] = named or any(drug.failed for drug in self.facts.medications)
        return bool(memory["failed"])

    def any_failed(self) -> Hit | None:
        hits = [self.said(d.ref, d.label) for d in self.facts.medications if d.failed]
        hits.extend(said_finding(f) for f in self.findings(("failed.*",)))
        return Hit.join(hits) if hits else None

    # What is said of a fact -----------------------------------------------------------------------------------------

    def said(self, ref: str, words: str) -> Hit:
        """A restricted entry counts but is never quoted."""
        return Hit((ref,), () if not words or ref in self.facts.restricted else (words,))

    def said_of(self, drug: Medication) -> Hit:
        told = f", note of {drug.told}" if drug.told is not None else ""
        return self.said(drug.ref, drug.label and f"{drug.label}{told}")

    def said_result(self, result: Result, name: str) -> Hit:
        value = result.low if result.low is not None else result.high
        if value is None:
            shown = str(result.word or "on record")
        else:
            shown = f"{result.comparator or ''}{value.normalize():f} {result.unit or ''}".strip()
        return self.said(result.ref, f"{name} {shown}, {_day(result.date)}")


def said_finding(finding: Finding) -> Hit:
    """A restricted entry counts but is never quoted."""
    return Hit((finding.ref,), () if finding.confidential or not finding.label else (finding.label,))


def said_lesion(lesion: Lesion, sites: tuple[Site, ...]) -> Hit:
    """The lesion with the sites that matter, in our own words."""
    where = ", ".join(dict.fromkeys(shown(site) for site in sites))
    return Hit((lesion.ref,), () if lesion.confidential or not where else (f"lesion: {where}",))


def _when(result: Result) -> tuple[object, ...]:
    return (result.date.sort_key if result.date else (), result.ref)


def _day(when: PartialDate | None) -> str:
    return str(when) if when else "undated"


def _same(one: Site, other: Site) -> bool:
    return one.region == other.region and {one.laterality, other.laterality} != {"left", "right"}
