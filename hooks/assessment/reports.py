"""Imaging and histopathology: which reports show calcium where it counts (rules 2.4, 2.5)."""

from __future__ import annotations

from msgspec import Struct

from hooks.assessment.sites import fits, overlap, shown
from hooks.chart import Chart
from hooks.knowledge.messages import Messages
from hooks.model import ReportCriterion
from mappings.dates import PartialDate
from mappings.facts import Biopsy, Imaging, Lesion, Site


class Shown(Struct, frozen=True):
    """One report that shows calcium."""

    ref: str
    label: str
    sites: tuple[Site, ...]
    date: PartialDate | None


class Reports(Struct, frozen=True):
    """positive: soft-tissue calcification that lifts a grade. doubtful: calcified, but cystic or with vessels inside
    (caps, lifts nothing). negative: none, vascular only, joint or tendon only."""

    positive: tuple[Imaging, ...]
    doubtful: tuple[Imaging, ...]
    negative: tuple[Imaging, ...]
    unread: tuple[Imaging, ...]
    biopsies: tuple[Biopsy, ...]
    other_biopsies: tuple[Biopsy, ...]
    shown: tuple[Shown, ...]
    """imaging and biopsies that show calcium, in one form."""

    @property
    def calcified_sites(self) -> tuple[Site, ...]:
        return tuple(site for report in self.positive for site in (report.calcified_sites or report.sites))


def sort_reports(chart: Chart) -> Reports:
    """The imaging and biopsies of a chart by what they show; those that nobody understood stay apart as `unread`."""
    facts = chart.facts
    soft = [i for i in facts.imaging if i.finding == "soft-tissue"]
    doubtful = tuple(i for i in soft if i.cystic or i.internal_vascularity)
    positive = tuple(i for i in soft if i not in doubtful)
    biopsies = tuple(b for b in facts.biopsies if b.finding == "calcium")
    return Reports(
        positive=positive,
        doubtful=doubtful,
        negative=tuple(i for i in facts.imaging if i.finding in ("none", "vascular-only", "joint-or-tendon-only")),
        unread=tuple(i for i in facts.imaging if i.finding == "not-understood" or not i.has_report),
        biopsies=biopsies,
        other_biopsies=tuple(b for b in facts.biopsies if b.finding != "calcium"),
        shown=(
            *(Shown(r.ref, r.label, r.calcified_sites or r.sites, r.date) for r in positive),
            *(Shown(b.ref, b.label, b.sites, b.date) for b in biopsies),
        ),
    )


def imaged_negative(lesion: Lesion, reports: Reports) -> tuple[Imaging, ...]:
    """The reports that speak against calcium in this lesion: same region, after its onset (after its first record
    when the onset is unknown), and no positive report of that region."""
    if any(
        fits(lesion.sites, report.calcified_sites or report.sites) for report in (*reports.positive, *reports.doubtful)
    ):
        return ()
    begun = lesion.onset or lesion.first_recorded
    return tuple(r for r in reports.negative if overlap(lesion.sites, r.sites) and _not_before(r.date, begun))


def _not_before(report: PartialDate | None, begun: PartialDate | None) -> bool:
    """Surely on or after the beginning of the lesion; without either date nothing is sure."""
    return report is not None and begun is not None and report.on_or_after(begun.latest) == "yes"


def describe_imaging(reports: Reports, chart: Chart, messages: Messages) -> ReportCriterion:
    """The imaging criterion: positive by the newest report that shows calcium in soft tissue."""
    if reports.positive:
        newest = max(reports.positive, key=lambda r: r.date.sort_key if r.date else (chart.as_of.min,))
        return ReportCriterion(
            "positive",
            messages.say("imaging.positive", modality=newest.modality, date=_when(newest.date)),
            date=str(newest.date) if newest.date else None,
            sites=tuple(dict.fromkeys(shown(s) for s in reports.calcified_sites)),
            evidence=tuple(r.ref for r in reports.positive),
        )
    if reports.doubtful:
        return ReportCriterion(
            "unknown", messages.say("imaging.doubtful"), evidence=tuple(r.ref for r in reports.doubtful)
        )
    if reports.negative:
        newest = max(reports.negative, key=lambda r: r.date.sort_key if r.date else (chart.as_of.min,))
        return ReportCriterion(
            "negative",
            messages.say(f"imaging.{newest.finding}", modality=newest.modality, date=_when(newest.date)),
            date=str(newest.date) if newest.date else None,
            sites=tuple(dict.fromkeys(shown(s) for r in reports.negative for s in r.sites)),
            evidence=tuple(r.ref for r in reports.negative),
        )
    if reports.unread:
        return ReportCriterion("unknown", messages.say("imaging.unread"), evidence=tuple(r.ref for r in reports.unread))
    need = chart.facts.need("diagnosticReports")
    if need.state != "complete":
        return ReportCriterion("unknown", messages.say("report.not-read", reason=need.reason or need.state))
    return ReportCriterion("not-done", messages.say("imaging.not-done"))


def describe_biopsy(reports: Reports, chart: Chart, messages: Messages) -> ReportCriterion:
    """The biopsy criterion: positive by the newest biopsy that shows calcium."""
    if reports.biopsies:
        newest = max(reports.biopsies, key=lambda r: r.date.sort_key if r.date else (chart.as_of.min,))
        return ReportCriterion(
            "positive",
            messages.say("biopsy.positive", date=_when(newest.date)),
            date=str(newest.date) if newest.date else None,
            evidence=tuple(b.ref for b in reports.biopsies),
        )
    if reports.other_biopsies:
        read = [b for b in reports.other_biopsies if b.finding == "no-calcium"]
        return ReportCriterion(
            "negative" if read else "unknown",
            messages.say("biopsy.negative" if read else "biopsy.unread"),
            evidence=tuple(b.ref for b in reports.other_biopsies),
        )
    need = chart.facts.need("diagnosticReports")
    if need.state != "complete":
        return ReportCriterion("unknown", messages.say("report.not-read", reason=need.reason or need.state))
    return ReportCriterion("not-done", messages.say("biopsy.not-done"))


def _when(when: PartialDate | None) -> str:
    return str(when) if when else "no date"
