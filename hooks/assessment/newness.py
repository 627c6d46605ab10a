"""Newness classes N1 to N4 (rule 2.4).

Calendar months count from day to day; an incomplete date counts as its whole interval.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Literal

from msgspec import Struct

from hooks.assessment.reports import Reports
from hooks.assessment.sites import fits
from hooks.chart import Chart
from hooks.knowledge.criteria_schema import NewnessRule
from hooks.model import Newness
from mappings.dates import PartialDate, add_months
from mappings.facts import Finding, Lesion, Site

Class = Newness | Literal["older"]


class Known(Struct, frozen=True):
    """Evidence that calcinosis was known before this episode, and where."""

    ref: str
    sites: tuple[Site, ...]
    when: PartialDate | None
    kind: Literal["code", "report"]
    first_coded_recently: bool = False
    progressed: bool = False


class Windows(Struct, frozen=True):
    """The first days of the windows of the rule, counted back from the day of the chart."""

    new: date
    recent: date
    documented: date
    episode: date

    @classmethod
    def of(cls, rule: NewnessRule, day: date) -> Windows:
        return cls(
            add_months(day, -rule.new_months),
            add_months(day, -rule.recent_months),
            day - timedelta(days=rule.documented_days),
            day - timedelta(days=rule.episode_days),
        )


def known_calcinosis(chart: Chart, coded: tuple[Finding, ...], reports: Reports, windows: Windows) -> tuple[Known, ...]:
    """A calcinosis code of any age; positive imaging or biopsy surely older than the episode."""
    episode = windows.episode
    progressed = any(r.progressed and _recent(r.date, windows) for r in reports.positive)
    known = [
        Known(
            f.ref,
            f.sites,
            f.first_recorded or f.onset,
            "code",
            first_coded_recently=f.first_recorded is not None and f.first_recorded.on_or_after(episode) != "no",
            progressed=progressed,
        )
        for f in coded
    ]
    known.extend(
        Known(report.ref, report.sites, report.date, "report", progressed=progressed)
        for report in reports.shown
        if report.date is not None and report.date.latest < episode
    )
    return tuple(known)


def classify(
    lesion: Lesion,
    first: PartialDate | None,
    ulcers: Iterable[Lesion],
    known: tuple[Known, ...],
    chart: Chart,
    windows: Windows,
) -> tuple[Class, bool, str | None]:
    """(class, whether it surely holds, event). `first` is the earliest record of the same place, `ulcers` are
    described as its own."""
    change = next((found for one in (lesion, *ulcers) if (found := changed(one, windows))), None)
    fitting = [k for k in known if k.ref == lesion.ref or fits(lesion.sites, k.sites)]
    if fitting:
        return "N4", True, change or _event(lesion, fitting, windows)
    return _by_date(lesion, first, change, chart, windows)


def _by_date(
    lesion: Lesion, recorded: PartialDate | None, event: str | None, chart: Chart, windows: Windows
) -> tuple[Class, bool, str | None]:
    begun = lesion.onset
    if begun is None and lesion.called_new and not lesion.long_standing:
        begun = lesion.first_recorded or PartialDate.of(chart.as_of)
    if begun is not None:
        younger: tuple[tuple[Class, date], ...] = (("N1", windows.new), ("N2", windows.recent))
        for newness, first_day in younger:
            truth = begun.on_or_after(first_day)
            if truth != "no":
                return newness, truth == "yes", event
    if recorded is None:
        return "N3", False, event
    truth = recorded.on_or_after(windows.documented)
    if truth != "no":
        return "N3", truth == "yes", event
    return ("N3", True, event) if event else ("older", True, None)


def _event(lesion: Lesion, known: list[Known], windows: Windows) -> str | None:
    """What beside a change of the lesion makes known calcinosis worth a card: progression on imaging, first coded in
    this episode, a site that began after it was known."""
    if any(k.progressed for k in known):
        return "growth"
    if any(k.first_coded_recently for k in known):
        return "first-coded"
    unsited = [k for k in known if not k.sites and k.ref != lesion.ref]
    begun, undated_too = lesion.onset, False
    if begun is None and lesion.called_new and not lesion.long_standing:
        # called new by who examined: no part of what is known, be that dated or not
        begun, undated_too = lesion.first_recorded, True
    if unsited and begun is not None and all(_later(begun, k, undated_too) for k in unsited):
        return "new-site" if begun.on_or_after(windows.new) != "no" else None
    return None


def _later(begun: PartialDate, known: Known, undated_too: bool) -> bool:
    return undated_too if known.when is None else begun.earliest > known.when.latest


def changed(lesion: Lesion, windows: Windows) -> str | None:
    """Growth, a new site, an ulcer or infection, described in this episode."""
    if not _recent(lesion.recorded or lesion.updated, windows):
        return None
    if lesion.growing or lesion.rapid:
        return "growth"
    if lesion.new_site:
        return "new-site"
    if lesion.pus:
        return "infection"
    if lesion.ulcerated:
        return "ulcer"
    return None


def _recent(when: PartialDate | None, windows: Windows) -> bool:
    """In this episode, or without a date (then it can't be called old)."""
    return when is None or when.on_or_after(windows.episode) != "no"
