"""What already answers a workup item: a result, a report or a recorded action within its window."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from hooks.assessment.sites import fits
from hooks.knowledge.workup_schema import Done, WorkupEntry
from hooks.therapy.view import View
from mappings.dates import PartialDate
from mappings.facts import Result, Site


class Answered(Struct, frozen=True):
    what: str
    refs: tuple[str, ...]


def find_done(entry: WorkupEntry, view: View, sites: tuple[Site, ...]) -> Answered | None:
    """The newest thing that answers it, or None."""
    done, facts = entry.done, view.facts
    return (
        (_results(entry, done, view) if done.analytes else None)
        or (_imaging(done, view, sites) if done.imaging and facts.imaging else None)
        or (_biopsy(done, view, sites) if done.biopsy and facts.biopsies else None)
        or (_action(entry, done, view) if done.action and facts.actions else None)
    )


def _results(entry: WorkupEntry, done: Done, view: View) -> Answered | None:
    found: list[Result] = []
    for analyte in done.analytes:
        result = view.latest(analyte, done.window_days, numeric=done.numeric, any_status=done.any_status)
        if result is not None:
            found.append(result)
        elif done.all_analytes:
            return None
    if not found:
        return None
    newest = max(found, key=lambda r: (r.date.sort_key if r.date else (), r.ref))
    refs = tuple(r.ref for r in found) if done.all_analytes else (newest.ref,)
    return Answered(f"{entry.name}, {newest.date}", refs)


def _imaging(done: Done, view: View, sites: tuple[Site, ...]) -> Answered | None:
    """Reports of the modality. With `same_site` every lesion site must be covered, unless one of the reports already
    shows calcium at a lesion: then the question is answered."""
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


def _biopsy(done: Done, view: View, sites: tuple[Site, ...]) -> Answered | None:
    for biopsy in view.facts.biopsies:
        if (
            biopsy.has_report
            and _recent(biopsy.date, done.window_days, view)
            and (not done.same_site or fits(biopsy.sites, sites))
        ):
            return Answered(f"biopsy with report, {biopsy.date}", (biopsy.ref,))
    return None


def _action(entry: WorkupEntry, done: Done, view: View) -> Answered | None:
    for action in view.facts.actions:
        if action.kind == "done" and entry.id in action.workup and _recent(action.date, done.window_days, view):
            return Answered(f"{action.label or entry.name}, {action.date}", (action.ref,))
    return None


def _recent(when: PartialDate | None, days: int | None, view: View) -> bool:
    return when is not None and (days is None or view.chart.age_in_days(when) <= days)
