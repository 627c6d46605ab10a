"""Which descriptions are a qualifying lesion (rule 2.2), how hard, and which class of newness (rule 2.4) decides."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from operator import attrgetter
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from hooks.assessment.newness import Known, Windows, changed, classify, known_calcinosis
from hooks.assessment.reports import Reports
from hooks.assessment.sites import fits, overlap, regions, shown
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import Criteria
from hooks.knowledge.messages import Messages
from hooks.model import CtdCriterion, LesionCriterion, Newness
from mappings.dates import PartialDate
from mappings.facts import Finding, Hardness, Lesion, Need, Site

_RANK: dict[Hardness | None, int] = {"definite": 4, "equivalent": 3, "possible": 2, "unstated": 1, "against": 0}
_ORDER: tuple[Newness, ...] = ("N1", "N2", "N3")


class Spot(Struct, frozen=True):
    """One qualifying description with its class; `counts` False: N5, or older and never evaluated."""

    lesion: Lesion
    newness: Newness | Literal["older"]
    certain: bool = True
    event: str | None = None
    counts: bool = True


_LUMPS = frozenset({"lump", "swelling", "mass"})


class Lesions(Struct, frozen=True):
    """What the lesions add up to. `deciding` are those that count; `newness` decides the card."""

    criterion: LesionCriterion
    deciding: tuple[Lesion, ...] = ()
    newness: Newness | None = None
    events: tuple[str, ...] = ()
    hardness: Hardness | None = None
    chalky: bool = False
    coded: tuple[Finding, ...] = ()
    """established calcinosis (confirmed, or without a verification status): evidence of the confirmed row."""

    @property
    def counts(self) -> bool:
        return bool(self.deciding)


def judge_lesions(chart: Chart, ctd: CtdCriterion, reports: Reports, criteria: Criteria, messages: Messages) -> Lesions:
    """All descriptions of the chart, judged; `unknown` when what could hold the lesion was not read."""
    record = _on_record(chart, reports, criteria)
    coded, known = record.coded, record.known
    every = chart.facts.lesions
    described = _standing(_candidates(chart, record), every)
    qualifying = [le for le in described if qualifies(le, ctd, reports, criteria) or _of_known(le, record)]
    by_word = tuple(qualifying)
    qualifying.extend(r for r in record.reported if not any(fits(le.sites, r.sites) for le in by_word))
    ulcers = [le for le in described if le.kind == "ulcer"]
    dated = _dated((*qualifying, *described))
    spots = tuple([_spot(le, dated, ulcers, record, chart) for le in qualifying])
    counting = [s for s in spots if s.counts]
    if not counting:
        return Lesions(_none(chart, spots, messages), coded=coded)
    newness, certain, events = _decide(counting, known)
    deciding = tuple(s.lesion for s in counting)
    sure = [le for le in deciding if le.certainty == "confirmed"]
    hardness = max((le.hardness for le in sure or deciding), key=_RANK.__getitem__)
    chalky = any(le.chalky for le in deciding)
    sites = tuple(site for le in deciding for site in le.sites)
    refs = tuple(dict.fromkeys(le.ref for le in deciding))
    described_as = hardness if hardness != "equivalent" or chalky else "white-yellow"
    criterion = LesionCriterion(
        "met",
        messages.say(
            f"lesion.{described_as}", newness=messages.say(f"newness.{newness}{'' if certain else '.possibly'}")
        ),
        hardness=hardness,
        newness=newness,
        newness_certain=certain,
        sites=tuple(dict.fromkeys(shown(site) for site in sites)),
        evidence=refs,
        body_sites=tuple(dict.fromkeys(sites)),
        chalky=chalky,
    )
    return Lesions(criterion, deciding, newness, events, hardness, chalky, coded)


def qualifies(lesion: Lesion, ctd: CtdCriterion, reports: Reports, criteria: Criteria) -> bool:
    """Whether one description is the lesion of rule 2.2. A bare code or lump only once it was imaged or biopsied."""
    if lesion.hardness == "against" and not lesion.chalky:
        return False
    if lesion.bare_code:
        return any(fits(lesion.sites, report.sites) for report in reports.shown)
    if lesion.hardness in ("definite", "equivalent"):
        return True
    if lesion.hardness == "possible":
        in_skin_itself = lesion.kind == "induration" and bool(set(ctd.diagnoses) & set(criteria.ctd.skin_indurated))
        return not in_skin_itself
    if lesion.kind in criteria.lesion.calcified_kinds:
        return True
    imaged = any(overlap(lesion.sites, r.calcified_sites or r.sites) for r in reports.positive)
    discrete = lesion.kind in criteria.lesion.discrete_kinds
    return discrete and (imaged or (ctd.tier is not None and ctd.tier <= 2))


class _OnRecord(Struct, frozen=True):
    """What the descriptions have no part in."""

    coded: tuple[Finding, ...]
    known: tuple[Known, ...]
    by_code: tuple[Lesion, ...]
    """coded calcinosis as a lesion."""
    reported: tuple[Lesion, ...]
    elsewhere: tuple[tuple[Site, ...], ...]
    """where something is on record as something else."""
    exactly: tuple[tuple[Site, ...], ...]
    """the same for what explains a lesion only at its very place."""
    windows: Windows


def _on_record(chart: Chart, reports: Reports, criteria: Criteria) -> _OnRecord:
    key = (_OnRecord, id(criteria))
    if key not in chart.memory:
        windows = Windows.of(criteria.newness, chart.as_of)
        coded = chart.findings(*criteria.lesion.calcinosis_concepts, suspected=False)
        named = [f for f in chart.findings("mimic.*", suspected=False) if f.titled and f.sites]
        exact = frozenset(criteria.lesion.exact_place)
        chart.memory[key] = _OnRecord(
            coded,
            known_calcinosis(chart, coded, reports, windows),
            _by_code(chart, criteria),
            _from_reports(reports),
            tuple(finding.sites for finding in named if finding.concepts.isdisjoint(exact)),
            tuple(finding.sites for finding in named if not finding.concepts.isdisjoint(exact)),
            windows,
        )
    found: _OnRecord = chart.memory[key]
    return found


def _candidates(chart: Chart, record: _OnRecord) -> list[Lesion]:
    """Described lesions that are there now; a coded calcinosis is one even when nothing else describes it."""
    found = [le for le in chart.facts.lesions if le.certainty != "absent" and le.course == "active"]
    if record.by_code:
        seen = {le.ref for le in found}
        found.extend(le for le in record.by_code if le.ref not in seen)
    return found


def _by_code(chart: Chart, criteria: Criteria) -> tuple[Lesion, ...]:
    return tuple(
        Lesion(
            finding.ref,
            "calcinosis",
            finding.label,
            certainty=finding.certainty,
            sites=finding.sites,
            basis=finding.basis,
            onset=finding.onset,
            recorded=finding.recorded,
            updated=finding.updated,
            confidential=finding.confidential,
            hardness="definite" if finding.certainty == "confirmed" else "unstated",
        )
        for finding in chart.findings(*criteria.lesion.calcinosis_concepts)
    )


def _of_known(lesion: Lesion, record: _OnRecord) -> bool:
    """ "The knee lump has doubled": a lump of no told hardness that changed, where calcinosis is known, is that one."""
    if lesion.kind not in _LUMPS or lesion.hardness != "unstated" or lesion.bare_code or not lesion.sites:
        return False
    return bool(changed(lesion, record.windows)) and any(k.sites and fits(lesion.sites, k.sites) for k in record.known)


def _standing(found: list[Lesion], every: Iterable[Lesion]) -> list[Lesion]:
    """Those that no other description takes back."""
    soft = [le for le in every if le.hardness == "against" and le.certainty != "absent"]
    gone = [le for le in every if le.gone and le.certainty == "confirmed"]
    if not soft and not gone:
        return found
    return [le for le in found if not (_is_against(le, soft) or _gone_since(le, gone, every))]


def _is_against(lesion: Lesion, soft: Iterable[Lesion]) -> bool:
    """A later description of the same place as soft, cystic or compressible, where this one says nothing stronger."""
    if lesion.hardness not in ("unstated", "possible") or lesion.chalky:
        return False
    return any(
        other is not lesion
        and (overlap(lesion.sites, other.sites) or (not lesion.sites and not other.sites))
        and _recorded(other) >= _recorded(lesion)
        for other in soft
    )


def _gone_since(lesion: Lesion, gone: Iterable[Lesion], every: Iterable[Lesion]) -> bool:
    """Whether a later text says that the lesion of this place has resolved or was removed, and describes none that is
    still there. Only words are taken back by words; what a code or an image says stands."""
    if lesion.basis != "text" or not lesion.sites:
        return False
    return any(
        overlap(lesion.sites, other.sites)
        and _recorded(other) > _recorded(lesion)
        and not any(_remains(there, other) for there in every)
        for other in gone
    )


def _remains(lesion: Lesion, gone: Lesion) -> bool:
    same_text = lesion.ref == gone.ref and lesion.course == "active" and lesion.certainty != "absent"
    return same_text and fits(lesion.sites, gone.sites)


def _recorded(lesion: Lesion) -> date:
    return lesion.first_recorded.latest if lesion.first_recorded else date.min


def _from_reports(reports: Reports) -> tuple[Lesion, ...]:
    """Imaging or a biopsy that shows calcium is itself the record of a calcified lesion."""
    return tuple(
        Lesion(report.ref, "calcification", report.label, hardness="definite", sites=report.sites, recorded=report.date)
        for report in reports.shown
    )


def _spot(lesion: Lesion, dated: list[_Dated], every_ulcer: list[Lesion], record: _OnRecord, chart: Chart) -> Spot:
    first = _first_record(lesion, dated)
    ulcers = [other for other in every_ulcer if _ulcer_of(lesion, other)]
    if ulcers:
        lesion = replace(
            lesion,
            ulcerated=True,
            pus=lesion.pus or any(ulcer.pus for ulcer in ulcers),
            necrotic=lesion.necrotic or any(ulcer.necrotic for ulcer in ulcers),
        )
    if _mimic_here(lesion, record):
        return Spot(lesion, "N5", counts=False)
    newness, certain, event = classify(lesion, first, ulcers, record.known, chart, record.windows)
    return Spot(lesion, newness, certain, event, counts=newness != "older")


def _ulcer_of(lesion: Lesion, other: Lesion) -> bool:
    """An ulcer described beside the lesion ("calcified nodule with an ulcer") or at the same site is the lesion's."""
    if other is lesion:
        return False
    return overlap(lesion.sites, other.sites) or (other.ref == lesion.ref and fits(lesion.sites, other.sites))


_Dated = tuple[Lesion, frozenset[str], PartialDate]
"""a description, its regions, and when it was first recorded."""


def _dated(lesions: Iterable[Lesion]) -> list[_Dated]:
    """Each description once."""
    every = {id(lesion): lesion for lesion in lesions}.values()
    return [(le, regions(le.sites), when) for le in every if (when := le.first_recorded) is not None]


def _first_record(lesion: Lesion, dated: list[_Dated]) -> PartialDate | None:
    """The earliest record date of any description of the same place."""
    here = regions(lesion.sites)
    dates = [when for other, there, when in dated if other is lesion or not here.isdisjoint(there)]
    return min(dates, key=_latest) if dates else None


_latest = attrgetter("latest")


def _mimic_here(lesion: Lesion, record: _OnRecord) -> bool:
    """N5: on record as something else at the same site, by a code or by the name of the Condition (a word of a note
    is no evaluation). Without a site it silences nothing."""
    if any(overlap(lesion.sites, sites) for sites in record.elsewhere):
        return True
    here = {site.place for site in lesion.sites}
    return bool(here) and any(
        overlap(lesion.sites, sites) and here <= {site.place for site in sites} for sites in record.exactly
    )


def _decide(counting: list[Spot], known: tuple[Known, ...]) -> tuple[Newness, bool, tuple[str, ...]]:
    """The newest class decides; beside known calcinosis (N4) a lesion elsewhere is its new site."""
    events = tuple(dict.fromkeys(s.event for s in counting if s.event))
    if known:
        elsewhere = any(s.newness in _ORDER for s in counting)
        return "N4", True, (*events, "new-site") if elsewhere and "new-site" not in events else events
    newest = next(newness for newness in _ORDER if any(s.newness == newness for s in counting))
    return newest, any(s.certain for s in counting if s.newness == newest), events


def _none(chart: Chart, spots: tuple[Spot, ...], messages: Messages) -> LesionCriterion:
    refs = tuple(dict.fromkeys(s.lesion.ref for s in spots))
    if spots:
        older = any(s.newness == "older" for s in spots)
        newness: Newness | None = None if older else "N5"
        return LesionCriterion(
            "not-met",
            messages.say("lesion.older" if older else "lesion.evaluated"),
            newness=newness,
            hardness=max((s.lesion.hardness for s in spots), key=_RANK.__getitem__),
            sites=tuple(dict.fromkeys(shown(site) for s in spots for site in s.lesion.sites)),
            evidence=refs,
        )
    unread = _unread(chart, "conditions", messages) or _unread(chart, "observations", messages)
    if unread is not None:
        return unread
    seen = [le for le in chart.facts.lesions if le.course == "active"]
    if seen:
        key = "lesion.negated" if all(le.certainty == "absent" for le in seen) else "lesion.not-qualifying"
        soft = [le for le in seen if le.hardness == "against"]
        hardness: Hardness | None = "against" if soft else None
        return LesionCriterion(
            "not-met", messages.say(key), hardness=hardness, evidence=tuple(dict.fromkeys(le.ref for le in seen))
        )
    # a report may be all that tells of a lesion
    return _unread(chart, "diagnosticReports", messages) or LesionCriterion("not-met", messages.say("lesion.none"))


def why_more(chart: Chart, known: tuple[Lesion, ...], messages: Messages) -> str | None:
    """Why there may be more lesions than the known ones: examinations were not read, or only in part and none of those
    that were tells of a lesion. One that does tells how far they go, whatever else was not read."""
    reason = _not_read(chart, "observations")
    if reason is None or chart.facts.extent_told:
        return None
    if chart.facts.need("observations").state == "partial" and any(le.ref.startswith("Observation/") for le in known):
        return None
    return messages.say("extent.not-read", need="observations", reason=reason)


def _unread(chart: Chart, name: Need, messages: Messages) -> LesionCriterion | None:
    """Unknown, where what could hold a lesion was not read."""
    reason = _not_read(chart, name)
    if reason is None:
        return None
    return LesionCriterion("unknown", messages.say("lesion.not-read", need=name, reason=reason))


def _not_read(chart: Chart, name: Need) -> str | None:
    need = chart.facts.need(name)
    if need.state == "complete" or (need.state == "partial" and "left out" in (need.reason or "")):
        return None
    return need.reason or need.state
