"""What happened when: the rows of the timeline table, and the same as a plot (SVG, by matplotlib)."""

from __future__ import annotations

import io
from datetime import date, timedelta
from typing import Any, Literal

from msgspec import Struct

from hooks.assessment.calcium import KINDS
from hooks.restricted import restricted
from mappings.dates import PartialDate
from mappings.facts import PatientFacts, Result

Lane = Literal["calcium", "phosphate", "lesion", "imaging", "biopsy", "drug"]
_ANALYTES: dict[str, Lane] = {**dict.fromkeys(KINDS, "calcium"), "phosphate": "phosphate"}
_LANES: tuple[Lane, ...] = ("lesion", "imaging", "biopsy", "drug")
NAMES: dict[Lane, str] = {
    "calcium": "Calcium", "phosphate": "Phosphate", "lesion": "Lesion", "imaging": "Imaging", "biopsy": "Biopsy",
    "drug": "Therapy",
}  # fmt: skip
_MOST = 60
_RESTRICTED = "an entry with restricted access"
_MARGIN_DAYS = 30
_INK = {"light": ("#14242b", "#0b5c6b", "#cfdadf"), "dark": ("#e8eff2", "#6fd0e0", "#2e414a")}


class Row(Struct, frozen=True):
    """`value`, `low`, `high` in the result's own unit; only numbers are plotted as such."""

    lane: Lane
    when: PartialDate
    text: str
    ref: str
    value: float | None = None
    low: float | None = None
    high: float | None = None
    unit: str | None = None


def rows(facts: PatientFacts) -> tuple[Row, ...]:
    """Dated events, the newest first; of a restricted entry only its kind and day."""
    found: list[Row] = [_result(r, lane) for r in facts.results if (lane := _ANALYTES.get(r.analyte)) and r.date]
    for lesion in facts.lesions:
        when = lesion.onset or lesion.first_recorded
        if when is not None and lesion.certainty != "absent" and not lesion.bare_code:
            sites = ", ".join(f"{s.laterality or ''} {s.place.replace('-', ' ')}".strip() for s in lesion.sites)
            words = lesion.label or lesion.kind
            found.append(Row("lesion", when, f"{words} ({sites})" if sites else words, lesion.ref))
    found += [
        Row("imaging", one.date, f"{one.modality}: {one.finding.replace('-', ' ')}", one.ref)
        for one in facts.imaging
        if one.date is not None
    ]
    found += [
        Row("biopsy", one.date, f"biopsy: {one.finding.replace('-', ' ')}", one.ref)
        for one in facts.biopsies
        if one.date is not None
    ]
    for drug in facts.medications:
        if drug.started is not None and not drug.draft:
            ended = f", ended {drug.ended}" if drug.ended else ""
            found.append(Row("drug", drug.started, f"{drug.label or 'drug'}{ended}", drug.ref))
    found.sort(key=lambda row: (row.when.sort_key, row.ref), reverse=True)
    kept = restricted(facts)
    told = (Row(row.lane, row.when, _RESTRICTED, row.ref) if row.ref in kept else row for row in found)
    return tuple(dict.fromkeys(told))[:_MOST]


def _result(result: Result, lane: Lane) -> Row:
    value = result.low if result.low == result.high else None
    said = f"{value} {result.unit or ''}".strip() if value is not None else result.word or result.problem or "no value"
    limits = [str(x) for x in (result.range_low, result.range_high) if x is not None]
    text = f"{NAMES[lane]} {said}" + (f" (range {'–'.join(limits)})" if limits else "")
    assert result.date is not None  # noqa: S101 - undated results are left out above
    return Row(
        lane,
        result.date,
        text,
        result.ref,
        float(value) if value is not None else None,
        float(result.range_low) if result.range_low is not None else None,
        float(result.range_high) if result.range_high is not None else None,
        result.unit,
    )


def plot(found: tuple[Row, ...], scheme: Literal["light", "dark"], today: date) -> bytes | None:
    """The timeline as SVG; None without matplotlib (the extra `report`) or with nothing dated."""
    if not found:
        return None
    try:
        import matplotlib as mpl
        from matplotlib.figure import Figure
    except ImportError:
        return None
    ink, accent, line = _INK[scheme]
    measured: list[Lane] = [
        lane for lane in ("calcium", "phosphate") if any(r.lane == lane and r.value is not None for r in found)
    ]
    settings: Any = {
        "svg.fonttype": "none", "svg.hashsalt": "timeline", "font.size": 9, "font.family": "sans-serif",
        "text.color": ink, "axes.labelcolor": ink, "axes.edgecolor": line, "xtick.color": ink, "ytick.color": ink,
    }  # fmt: skip
    days = [row.when.latest for row in found]
    first, last = min(*days, today) - timedelta(days=_MARGIN_DAYS), max(*days, today) + timedelta(days=_MARGIN_DAYS)
    buffer = io.StringIO()
    with mpl.rc_context(settings):
        figure = Figure(figsize=(7.2, 1.5 * len(measured) + 2.0), layout="constrained")
        figure.patch.set_alpha(0)
        grid = figure.subplots(
            len(measured) + 1, 1, sharex=True, squeeze=False, height_ratios=[1.5] * len(measured) + [2.0]
        )[:, 0]
        for axes, lane in zip(grid, measured, strict=False):
            _measure(axes, [r for r in found if r.lane == lane and r.value is not None], lane, accent, line)
        _events(grid[-1], found, accent)
        for axes in grid:
            axes.patch.set_alpha(0)
            axes.set_xlim(first, last)
            axes.axvline(today, color=line, linestyle=":")
            for side in ("top", "right"):
                axes.spines[side].set_visible(False)
        grid[-1].tick_params(axis="x", rotation=30)
        figure.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    return buffer.getvalue().encode()


def _measure(axes: Any, points: list[Row], lane: Lane, accent: str, line: str) -> None:
    """Only results of the commonest unit share an axis."""
    units = [row.unit for row in points]
    unit = max(dict.fromkeys(units), key=units.count)
    shown = sorted((row for row in points if row.unit == unit), key=lambda row: row.when.latest)
    days = [row.when.latest for row in shown]
    axes.plot(days, [row.value for row in shown], marker="o", color=accent)
    lows = [row.low for row in shown if row.low is not None]
    highs = [row.high for row in shown if row.high is not None]
    if lows and highs:
        axes.axhspan(min(lows), max(highs), color=line, alpha=0.5)
    axes.set_ylabel(f"{NAMES[lane]}\n{unit or ''}")


def _events(axes: Any, found: tuple[Row, ...], accent: str) -> None:
    for place, lane in enumerate(_LANES):
        days = [row.when.latest for row in found if row.lane == lane]
        axes.plot(days, [place] * len(days), linestyle="", marker="D", color=accent)
    axes.set_yticks(range(len(_LANES)), [NAMES[lane] for lane in _LANES])
    axes.set_ylim(-0.6, len(_LANES) - 0.4)
    axes.invert_yaxis()
