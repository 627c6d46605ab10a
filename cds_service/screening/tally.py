"""What a run says of the whole population: counts only. Small groups are held back, as in the committee report."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import date, timedelta
from pathlib import Path

import msgspec

from cds_service.report.small_cells import HIDDEN, SMALLEST
from cds_service.report.tables import Cell, Report, Table
from cds_service.screening.engine import Outcome
from cds_service.screening.lake import Lake
from cds_service.screening.rows import DecisionRow
from hooks.assessment.grading import LADDER
from mappings.facts import NEEDS

_GRADES = ("incomplete", *LADDER[1:], "alternative", "urgent")
_YEAR = 365
_THOUSAND = 1000


class Month(msgspec.Struct):
    """One day of a back-test, and the encounters that began on it or later, before the next day."""

    day: date
    patients: int
    """for whom the assessment speaks."""
    cards: int
    new: int
    """patients with a card who had none on any earlier day of the series."""
    encounters: int = 0
    shown: int = 0
    """encounters in which a card would have been shown, had every chart been opened and nothing been held back."""


class Rows:
    """The rows of one day, read again from their files whenever they are asked for: there may be millions."""

    def __init__(self, outcome: Outcome, day: date, *, spoken: bool = False) -> None:
        self._outcome, self._day, self._spoken = outcome, day, spoken

    def __iter__(self) -> Iterator[DecisionRow]:
        for decided in self._outcome.each():
            for row in decided.rows:
                if row.as_of == self._day and not (self._spoken and row.grade == "none"):
                    yield row


def build(outcome: Outcome, months: Sequence[Month], days: Sequence[date], knowledge: str, made: str) -> Report:
    """The tables of the summary: of the last day, and of the series when there is one."""
    now, spoken = Rows(outcome, days[-1]), Rows(outcome, days[-1], spoken=True)
    tables = [
        _funnel(outcome, now),
        _grades(spoken),
        _missing(spoken),
        _needs(now),
        _kinds(now),
        _years(spoken),
        _flags(spoken),
    ]
    if len(months) > 1:
        tables.append(_series(months))
    tables.append(_encounters(months))
    tables.append(_export(outcome))
    return Report(days[0].isoformat(), days[-1].isoformat(), None, made, (knowledge,), tuple(tables))


def _funnel(outcome: Outcome, now: Rows) -> Table:
    steps = Counter[str]()
    for row in now:
        ctd, spoken = row.ctd == "met", row.grade != "none"
        steps.update(
            {
                "ctd": ctd,
                "lesion": ctd and row.lesion == "met",
                "spoken": spoken,
                "normal": spoken and row.calcium == "normal",
                "card": row.card,
                "detection": row.card_kind == "detection",
            }
        )
    named = (
        ("patients in the export", outcome.census.patients),
        ("a word or code of a connective tissue disease", outcome.census.candidates),
        ("a connective tissue disease", steps["ctd"]),
        ("and a lesion that counts", steps["lesion"]),
        ("the assessment speaks", steps["spoken"]),
        ("normal calcium", steps["normal"]),
        ("a card", steps["card"]),
        ("a detection card", steps["detection"]),
    )
    rows = tuple((name, _told(number)) for name, number in named)
    return Table("funnel", "From the export to the cards", ("Step", "Patients"), rows, _FUNNEL, "bars", ("Patients",))


def _grades(spoken: Rows) -> Table:
    counts: Counter[str] = Counter(row.grade for row in spoken)
    cards: Counter[str] = Counter(row.grade for row in spoken if row.card)
    rows = tuple((grade, _told(counts[grade]), _told(cards[grade])) for grade in _GRADES)
    columns = ("Grade", "Patients", "With a card")
    return Table("grades", "Grades", columns, rows, "", "bars", ("Patients", "With a card"))


def _missing(spoken: Rows) -> Table:
    rows = _counted(spoken, lambda row: row.missing_workup)
    return Table("missing", "Missing workup", ("Workup", "Patients"), rows, _MISSING, "bars", ("Patients",))


def _needs(now: Rows) -> Table:
    counts: Counter[tuple[str, str]] = Counter()
    for row in now:
        counts.update(row.completeness.items())
    rows = tuple((need, *(_told(counts[need, state]) for state in _STATES)) for need in NEEDS)
    columns = ("Data", *(state.capitalize() for state in _STATES))
    return Table("completeness", "Completeness of the data", columns, rows, _NEEDS)


def _kinds(now: Rows) -> Table:
    counts: Counter[tuple[str, str]] = Counter()
    for row in now:
        for kind in row.ctd_kinds:
            counts.update({(kind, "all"): 1, (kind, "spoken"): row.grade != "none", (kind, "card"): row.card})
    every = sorted({kind for kind, _ in counts})
    rows = tuple((kind, *(_told(counts[kind, what]) for what in ("all", "spoken", "card"))) for kind in every)
    columns = ("Disease", "Patients", "Assessment speaks", "With a card")
    return Table("ctd", "By connective tissue disease", columns, rows, _KINDS, "bars", columns[1:])


def _years(spoken: Rows) -> Table:
    counts = Counter(row.first_lesion_year for row in spoken)
    rows = tuple((str(year) if year else "not dated", _told(counts[year])) for year in sorted(counts, key=_last))
    title = "By year of the first record of a lesion"
    return Table("years", title, ("Year", "Patients"), rows, "", "weeks", ("Patients",))


def _flags(spoken: Rows) -> Table:
    rows = _counted(spoken, lambda row: row.red_flags)
    return Table("flags", "Red flags", ("Red flag", "Patients"), rows, "", "bars", ("Patients",))


def _series(months: Sequence[Month]) -> Table:
    rows = tuple(
        (month.day.isoformat(), _told(month.patients), _told(month.cards), _told(month.new)) for month in months
    )
    columns = ("Day", "Assessment speaks", "With a card", "First time")
    return Table("series", "Back-test: each day as it was known then", columns, rows, _SERIES, "weeks", columns[1:])


def _encounters(months: Sequence[Month]) -> Table:
    rows = tuple(
        (
            month.day.isoformat(),
            month.encounters,
            _told(month.shown),
            None if not month.encounters or _told(month.shown) == HIDDEN else _per_thousand(month),
        )
        for month in months
    )
    columns = ("From", "Encounters", "With a card", "Cards per 1,000 encounters")
    return Table("encounters", "Estimated cards per 1,000 encounters", columns, rows, _ENCOUNTERS)


def _export(outcome: Outcome) -> Table:
    rows: list[tuple[Cell, ...]] = [(kind, number) for kind, number in outcome.kinds.items()]
    rows += [
        ("lines read", outcome.lines),
        ("lines or ends of files lost", outcome.lost),
        ("resources of no patient", outcome.unplaced),
        ("charts too large", outcome.too_large),
    ]
    return Table("export", "The export", ("What", "Number"), tuple(rows))


def months_of(outcome: Outcome, days: Sequence[date], lake: Lake) -> list[Month]:
    """The series. With one day alone the year before it stands for what is to come."""
    seen: set[str] = set()
    months = []
    for index, day in enumerate(days):
        first, last = (day, days[index + 1]) if index + 1 < len(days) else (day, _after(days))
        if len(days) == 1:
            first, last = day - timedelta(days=_YEAR), day + timedelta(days=1)
        cards = {d.id for d in outcome.each() for row in d.rows if row.as_of == day and row.card}
        named = lake.temporary / "cards.ndjson"
        named.write_bytes(b"".join(msgspec.json.encode({"patient": patient}) + b"\n" for patient in sorted(cards)))
        encounters, shown = lake.visits([Path(path) for path in outcome.columns], named, first, last)
        speaking = sum(1 for _ in Rows(outcome, day, spoken=True))
        months.append(Month(first, speaking, len(cards), len(cards - seen), encounters, shown if cards else 0))
        seen |= cards
    return months


def _after(days: Sequence[date]) -> date:
    """The end of the last window of a series: as long as the one before."""
    return days[-1] + (days[-1] - days[-2]) if len(days) > 1 else days[-1]


def _per_thousand(month: Month) -> float:
    return round(_THOUSAND * month.shown / month.encounters, 2)


def _counted(rows: Rows, values: Callable[[DecisionRow], Iterable[str]]) -> tuple[tuple[Cell, ...], ...]:
    counts = Counter(value for row in rows for value in values(row))
    return tuple((value, _told(number)) for value, number in counts.most_common())


def _told(number: int) -> Cell:
    return HIDDEN if 0 < number < SMALLEST else number


def _last(year: int | None) -> int:
    return year if year is not None else 10_000


_STATES = ("complete", "partial", "unavailable")
_FUNNEL = "Each step counts patients of the step before. The second is wider than the disease on purpose."
_MISSING = "Of the patients for whom the assessment speaks: what the workup of this question still lacks."
_NEEDS = "Of all candidates. What the export does not hold is unavailable, never empty."
_KINDS = "A patient with two diseases counts in both rows."
_SERIES = "Facts dated after the day are not seen. A status that changed without a date is that of the export."
_ENCOUNTERS = (
    "Had every chart been opened once an encounter and no repeat been held back: an upper bound, since the service "
    "does not repeat a card that was answered. For one day alone: the encounters of the year before it."
)
