"""What the page shows of a session, in words: nothing is decided here, and chart text stays text."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct

from hooks.cards import CardContext
from hooks.cards.voice import Voice
from hooks.dialogue import PREFIX, Moved, Step
from hooks.knowledge import Knowledge
from hooks.model import Criteria, TherapyItem
from mappings.facts import Biopsy, Imaging, PatientFacts
from mappings.raw import RawChart, as_list

_ORDER = {"offer": 0, "warn": 1, "need": 2, "block": 3, "not-indicated": 4}
_CRITERIA = Criteria.__struct_fields__


class Evidence(Struct, frozen=True):
    """One resource behind a criterion: the chart's own words and date, or that they are restricted."""

    ref: str
    text: str
    when: str
    today: bool
    """stated in this conversation, not yet in the chart."""


class CriterionView(Struct, frozen=True):
    name: str
    status: str
    because: str
    evidence: tuple[Evidence, ...]


class OptionView(Struct, frozen=True):
    name: str
    decision: str
    verdict: str
    because: str
    notes: tuple[str, ...]
    needs: tuple[str, ...]
    cap: str | None
    sources: tuple[str, ...]


class PageView:
    """The view of one step. `base` is our public URL, for the citations."""

    def __init__(self, step: Step, knowledge: Knowledge, base: str) -> None:
        self.step, self.assessment = step, step.assessment
        context = CardContext(base, "companion", lambda: "")
        self.voice = Voice(step.assessment, step.facts, knowledge, context)
        self.knowledge = knowledge

    @property
    def sentences(self) -> tuple[str, str]:
        """The assessment in two plain sentences: what it is with its grade, and what it rests on or lacks."""
        a, cards = self.assessment, self.knowledge.cards
        subtype = cards.subtypes.get(a.subtype, a.subtype) if a.subtype else None
        about = f", {subtype}" if subtype and a.subtype != "undetermined" and a.grade not in ("none", "urgent") else ""
        known = a.grade in ("confirmed", "alternative", "urgent")
        what = "The assessment" if known else "Possible calcinosis cutis"
        first = (
            f"{what} is graded {cards.grades[a.grade]}{about}."
            if a.grade != "none"
            else "Calcinosis cutis is not graded on what could be read; silence is not reassurance."
        )
        because = (a.because[0] if a.because else "").rstrip(".")
        lacking = ", ".join(self.order_name(key) for key in a.missing[:4])
        second = f"{because}; missing: {lacking}." if lacking else f"{because}."
        return first, second

    def criteria(self) -> Iterator[CriterionView]:
        labels, known = self.knowledge.cards.labels, _known(self.step.facts)
        for key in _CRITERIA:
            found = getattr(self.assessment.criteria, key)
            evidence = tuple(self._evidence(found.evidence, known))
            yield CriterionView(labels[key], found.status, found.because, evidence)

    def _evidence(self, refs: Iterable[str], known: Mapping[str, tuple[str, str]]) -> Iterator[Evidence]:
        for ref in refs:
            text, when = ("", "") if ref in self.voice.hidden else known.get(ref, ("", ""))
            said = self.knowledge.cards.say("hidden") if ref in self.voice.hidden else text
            yield Evidence(ref, said, when, ref.rpartition("/")[2].startswith(PREFIX))

    def options(self) -> tuple[OptionView, ...]:
        """Options that may be discussed at this grade, and those ruled out; those that an answer moved to the front
        come first of the open ones."""
        front = {key: place for place, key in enumerate(self.step.preferred)}
        items = [
            item
            for item in self.assessment.therapies
            if (item.described and item.fits and item.decision != "not-indicated") or item.decision == "block"
        ]
        ranked = sorted(items, key=lambda i: (_ORDER[i.decision] > 2, front.get(i.id, len(front)), _ORDER[i.decision]))
        return tuple(self._option(item) for item in ranked)

    def _option(self, item: TherapyItem) -> OptionView:
        verdicts = {
            "offer": "may be considered", "warn": "care needed", "need": "something is needed first",
            "block": "does not fit this patient", "not-indicated": "not indicated",
        }  # fmt: skip
        out = item.decision == "block"  # no test and no dose would make it fit
        needs = tuple(self.order_name(need) for need in item.needs if not out)
        notes = tuple(note for note in item.notes if note not in item.because)
        therapy = self.knowledge.therapies.get(item.id)
        return OptionView(
            therapy.name, item.decision, verdicts[item.decision], item.because, notes, needs, None if out else item.cap,
            item.sources or therapy.sources,
        )  # fmt: skip

    def missing(self) -> tuple[str, ...]:
        return tuple(self.order_name(key) for key in self.assessment.missing)

    def unread(self) -> Iterator[tuple[str, str]]:
        names = self.knowledge.cards.needs
        for need, found in self.assessment.completeness.items():
            if found.state != "complete":
                yield names[need], f"{found.state}: {found.reason or 'no reason given'}"

    def changes(self, moves: Iterable[Moved]) -> Iterator[str]:
        """What an answer changed and why, one sentence each."""
        for move in moves:
            because = f" Why: {move.because}" if move.because else ""
            if move.what == "grade":
                yield f"Grade {move.before} → {move.after}.{because}"
            elif move.what == "extent":
                yield f"Extent {move.before} → {move.after}."
            elif move.what == "flag":
                name = self.knowledge.cards.flags.get(move.id, move.id)
                yield f"Red flag {'raised' if move.after else 'gone'}: {name}.{because}"
            else:
                therapy = move.what == "therapy"
                name = self.knowledge.therapies.get(move.id).name if therapy else self.order_name(move.id)
                yield f"{name}: {move.before or 'not considered'} → {move.after}.{because}"

    def order_name(self, key: str) -> str:
        return self.voice.order_name(key)


def _known(facts: PatientFacts) -> dict[str, tuple[str, str]]:
    """Reference → (the chart's words, its date). The day when a server last stored a resource dates nothing in it."""
    found: dict[str, tuple[str, str]] = {}
    for finding in facts.findings:
        when = finding.onset or finding.recorded
        found.setdefault(finding.ref, (finding.label, str(when or "")))
    for lesion in facts.lesions:
        found[lesion.ref] = (lesion.label, str(lesion.recorded or lesion.onset or ""))
    for result in facts.results:
        value = result.low if result.low is not None else result.word
        said = f"{result.label or result.analyte}: {value if value is not None else ''} {result.unit or ''}".strip()
        found.setdefault(result.ref, (said, str(result.date or "")))
    reports: tuple[Imaging | Biopsy, ...] = (*facts.imaging, *facts.biopsies)
    for report in reports:
        found[report.ref] = (report.label, str(report.date or ""))
    for drug in facts.medications:
        found.setdefault(drug.ref, (drug.label, str(drug.started or "")))
    return found


def banner(chart: RawChart | None) -> dict[str, str] | None:
    """Name, birth date, sex and record number of the patient; None without one."""
    patient: Mapping[str, Any] | None = (
        next(
            (r for r in chart.resources if r.get("resourceType") == "Patient" and r.get("id") == chart.patient_id), None
        )
        if chart
        else None
    )
    if patient is None:
        return None
    return {
        "name": _name(patient) or "name not recorded",
        "born": _text(patient.get("birthDate")) or "not recorded",
        "sex": _text(patient.get("gender")) or "not recorded",
        "number": _number(patient) or f"Patient/{_text(patient.get('id'))}",
    }


def _name(patient: Mapping[str, Any]) -> str:
    names = [n for n in as_list(patient.get("name")) if isinstance(n, Mapping)]
    name = next((n for n in names if n.get("use") == "official"), names[0] if names else {})
    given = " ".join(_text(part) for part in as_list(name.get("given")))
    return _text(name.get("text")) or f"{given} {_text(name.get('family'))}".strip()


def _number(patient: Mapping[str, Any]) -> str:
    """The medical record number where one is marked so."""
    for identifier in as_list(patient.get("identifier")):
        kind = identifier.get("type") if isinstance(identifier, Mapping) else None
        codings = as_list(kind.get("coding")) if isinstance(kind, Mapping) else []
        if any(isinstance(c, Mapping) and c.get("code") == "MR" for c in codings):
            return _text(identifier.get("value"))
    return ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
