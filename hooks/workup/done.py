"""What already answers a workup item: a result, a report or a recorded action within its window."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from msgspec import Struct

from hooks.assessment.sites import fits
from hooks.knowledge.workup_schema import Done, WorkupEntry
from hooks.therapy.view import View
from mappings.dates import PartialDate
from mappings.facts import Result, Site


class Answered(Struct, frozen=True):
    what: str
    refs: tuple[str, ...]


Finder = Callable[[View, tuple[Site, ...]], Answered | None]
"""(patient, places of the lesions) -> the newest thing of one kind that answers an entry, or None."""


def finders(entry: WorkupEntry) -> tuple[Finder, ...]:
    """One for each kind of thing that can answer it, in the order in which they are asked."""
    done = entry.done
    kinds = (
        (done.analytes, _results),
        (done.imaging, _imaging),
        (done.biopsy, _biopsy),
        (done.action, _action),
    )
    return tuple(find(entry, done) for wanted, find in kinds if wanted)


def first_found(finders: Iterable[Finder], view: View, sites: tuple[Site, ...]) -> Answered | None:
    for find in finders:
        answered = find(view, sites)
        if answered is not None:
            return answered
    return None


def _results(entry: WorkupEntry, done: Done) -> Finder:
    analytes, days, every = done.analytes, done.window_days, done.all_analytes
    numeric, any_status = done.numeric, done.any_status

    def find(view: View, sites: tuple[Site, ...]) -> Answered | None:
        found: list[Result] = []
        for analyte in analytes:
            result = view.latest(analyte, days, numeric=numeric, any_status=any_status)
            if result is not None:
                found.append(result)
            elif every:
                return None
        if not found:
            return None
        newest = max(found, key=lambda r: (r.date.sort_key if r.date else (), r.ref))
        refs = tuple(r.ref for r in found) if every else (newest.ref,)
        return Answered(f"{entry.name}, {newest.date}", refs)

    return find


def _imaging(entry: WorkupEntry, done: Done) -> Finder:
    """Reports of the modality. With `same_site` every lesion site must be covered, unless one of the reports already
    shows calcium at a lesion: then the question is answered."""

    def find(view: View, sites: tuple[Site, ...]) -> Answered | None:
        reports = [
            report
            for report in view.facts.imaging
            if report.modality in done.imaging and report.has_report and _recent(report.date, done.window_days, view)
        ]
        if done.same_site:
            reports = [report for report in reports if fits((*report.sites, *report.calcified_sites), sites)]
            positive = any(report.finding == "soft-tissue" for report in reports)
            covered: Iterable[Site] = [site for report in reports for site in (*report.sites, *report.calcified_sites)]
            open_ended = any(not report.sites and not report.calcified_sites for report in reports)
            if not positive and not open_ended and not all(fits((site,), covered) for site in sites):
                return None
        if not reports:
            return None
        newest = max(reports, key=lambda r: (r.date.sort_key if r.date else (), r.ref))
        return Answered(f"{newest.modality} with report, {newest.date}", tuple(sorted({r.ref for r in reports})))

    return find


def _biopsy(entry: WorkupEntry, done: Done) -> Finder:
    def find(view: View, sites: tuple[Site, ...]) -> Answered | None:
        for biopsy in view.facts.biopsies:
            if (
                biopsy.has_report
                and _recent(biopsy.date, done.window_days, view)
                and (not done.same_site or fits(biopsy.sites, sites))
            ):
                return Answered(f"biopsy with report, {biopsy.date}", (biopsy.ref,))
        return None

    return find


def _action(entry: WorkupEntry, done: Done) -> Finder:
    wanted = (entry.id,)

    def find(view: View, sites: tuple[Site, ...]) -> Answered | None:
        for action in view.chart.orders(wanted):
            if action.kind == "done" and _recent(action.date, done.window_days, view):
                return Answered(f"{action.label or entry.name}, {action.date}", (action.ref,))
        return None

    return find


def _recent(when: PartialDate | None, days: int | None, view: View) -> bool:
    return when is not None and (days is None or view.chart.age_in_days(when) <= days)
