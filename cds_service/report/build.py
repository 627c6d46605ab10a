"""From the rows of a period to the tables of the report. Pure: no database, no clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from statistics import median

from cds_service.report.rows import Card, Evaluation
from cds_service.report.sample import sample
from cds_service.report.small_cells import HIDDEN, SMALLEST, held_back, masked
from cds_service.report.tables import Cell, Report, Table, share
from hooks.knowledge.card_schema import load_cards, load_override_reasons

_HOUR_MS = 3_600_000
_LATENCY_MS = (10, 25, 50, 100, 250, 500, 1000, 2000)
_NO_REASON = "no coded reason"


@dataclass(frozen=True, slots=True)
class Options:
    """`now_ms`: cards shown less than `ignored_hours` before it are still open, not ignored. `sample`: charts of each
    kind to review, drawn by `seed`."""

    first: str
    last: str
    now_ms: int
    tenant: str | None = None
    ignored_hours: int = 24
    sample: int = 20
    seed: str = ""


def build(rows: Sequence[Evaluation], options: Options) -> Report:
    """The report of these rows; every table is there, an empty one has no rows."""
    made = datetime.fromtimestamp(options.now_ms / 1000, UTC).isoformat(timespec="seconds")
    versions = tuple(sorted({row.knowledge_version for row in rows}))
    tables = (
        _summary(rows, options),
        _firing(rows),
        _weeks(rows),
        _grades(rows),
        _topics(rows, options),
        _suggestions(rows),
        _reasons(rows),
        _incomplete(rows),
        _latency(rows),
        _speed(rows),
        _users(rows),
        _groups("sex", "By sex", rows, lambda row: row.sex),
        _groups("age", "By age", rows, lambda row: row.age_band),
        *sample(rows, options.sample, options.seed or f"{options.first} {options.last}"),
    )
    return Report(options.first, options.last, options.tenant, made, versions, tables)


def _cards(rows: Iterable[Evaluation]) -> list[Card]:
    return [card for row in rows for card in row.cards]


def _state(card: Card, options: Options) -> str:
    verdict = card.verdict
    if verdict is not None:
        return "accepted" if verdict.outcome == "accepted" else "dismissed"
    return "open" if options.now_ms - card.at_ms < options.ignored_hours * _HOUR_MS else "ignored"


def _patients(rows: Iterable[Evaluation]) -> int:
    return len({(row.tenant, row.patient_key) for row in rows})


def _told(patients: int) -> Cell:
    return HIDDEN if 0 < patients < SMALLEST else patients


def _told_of(part: int, whole: int) -> Cell:
    """A part of a number that is told: held back when it, or what remains, is small."""
    return HIDDEN if 0 < part < SMALLEST else "held back" if 0 < whole - part < SMALLEST else part


def _summary(rows: Sequence[Evaluation], options: Options) -> Table:
    found = _cards(rows)
    states = Counter(_state(card, options) for card in found)
    hours = [(card.said[0].at_ms - card.at_ms) / _HOUR_MS for card in found if card.said]
    fired = [row for row in rows if row.cards]
    lines: tuple[tuple[str, Cell], ...] = (
        ("Evaluations", len(rows)),
        ("Patients", _told(_patients(rows))),
        ("Evaluations with a card shown", len(fired)),
        ("Patients with a card shown", _told_of(_patients(fired), _patients(rows))),
        ("Cards shown", len(found)),
        ("Cards shown per 100 evaluations", share(len(found), len(rows))),
        ("Cards accepted (at least one suggestion)", states["accepted"]),
        ("Cards dismissed", states["dismissed"]),
        (f"Cards ignored (no word after {options.ignored_hours} hours)", states["ignored"]),
        ("Cards still open", states["open"]),
        ("Cards repeated for a patient (same topic), %", share(_repeats(rows), len(found))),
        ("Hours from card to first word, median", round(median(hours), 1) if hours else None),
        ("Evaluations on incomplete data, %", share(sum(1 for row in rows if row.incomplete), len(rows))),
        ("Milliseconds to answer, 95th percentile", _percentile([row.milliseconds for row in rows], 95)),
    )
    note = "Silence is not rejection: clients never report an ignored card. Times are measured up to the stored record."
    return Table("summary", "Summary", ("Measure", "Value"), lines, note)


def _repeats(rows: Iterable[Evaluation]) -> int:
    seen = Counter((row.tenant, row.patient_key, card.topic) for row in rows for card in row.cards)
    return sum(count - 1 for count in seen.values())


def _firing(rows: Sequence[Evaluation]) -> Table:
    outcomes = ("shown", "nothing", "suppressed", "silent", "rollout", "unreadable")
    lines = []
    for service in sorted({row.service for row in rows}):
        own = [row for row in rows if row.service == service]
        counts = Counter(row.outcome for row in own)
        lines.append(
            (service, len(own), *(counts[name] for name in outcomes), share(len(_cards(own)), len(own))),
        )
    columns = ("Service", "Evaluations", "Shown", "Nothing to say", "Held back", "Silent mode", "Not in roll-out",
        "Not readable",
               "Cards per 100")  # fmt: skip
    return Table("firing", "Firing by service", columns, tuple(lines))


def _weeks(rows: Sequence[Evaluation]) -> Table:
    def monday(at_ms: int) -> str:
        day = datetime.fromtimestamp(at_ms / 1000, UTC).date()
        return (day - timedelta(days=day.weekday())).isoformat()

    evaluations = Counter(monday(row.at_ms) for row in rows)
    shown = Counter(monday(row.at_ms) for row in rows if row.cards)
    lines = tuple((week, evaluations[week], shown[week]) for week in sorted(evaluations))
    columns = ("Week from", "Evaluations", "With a card shown")
    return Table("weeks", "Firing by week", columns, lines, plot="weeks", plotted=columns[1:])


def _grades(rows: Sequence[Evaluation]) -> Table:
    counts = Counter(row.grade for row in rows)
    shown = Counter(row.grade for row in rows if row.cards)
    written = Counter(row.grade for row in rows if row.written)
    lines = tuple((g, counts[g], written[g], shown[g]) for g in load_cards().grades if counts[g])
    columns = ("Grade", "Evaluations", "With a card written", "With a card shown")
    note = "Written and not shown: silent mode, roll-out, or held back as a repeat."
    return Table("grades", "By grade", columns, lines, note, plot="bars", plotted=columns[1:])


def _topics(rows: Sequence[Evaluation], options: Options) -> Table:
    names = {kind.topic: kind.topic_display for kind in load_cards().kinds.values()}
    found = _cards(rows)
    lines = []
    for topic in sorted({card.topic for card in found}):
        own = Counter(_state(card, options) for card in found if card.topic == topic)
        total = sum(own.values())
        closed = total - own["open"]
        lines.append(
            (names.get(topic, topic), total, own["accepted"], own["dismissed"], own["ignored"], own["open"],
             share(own["accepted"], closed))
        )  # fmt: skip
    columns = ("Card", "Shown", "Accepted", "Dismissed", "Ignored", "Open", "Accepted %")
    note = "Accepted % of the cards that are no longer open; the latest word about a card counts."
    return Table(
        "cards", "Cards and what became of them", columns, tuple(lines), note, plot="bars", plotted=columns[2:6]
    )


def _suggestions(rows: Sequence[Evaluation]) -> Table:
    offered: Counter[str] = Counter()
    taken: Counter[str] = Counter()
    for card in _cards(rows):
        offered.update(card.suggestions.values())
        taken.update(card.suggestions[uuid] for uuid in card.accepted)
    ordered = sorted(offered, key=lambda what: (-taken[what], -offered[what], what))
    lines = tuple((what, offered[what], taken[what], share(taken[what], offered[what])) for what in ordered)
    columns = ("Suggestion", "Offered", "Accepted", "Accepted %")
    return Table("suggestions", "Acceptance by suggestion", columns, lines, plot="bars", plotted=("Accepted %",))


def _reasons(rows: Sequence[Evaluation]) -> Table:
    names = {reason.code: reason.display for reason in load_override_reasons().reasons}
    counts: Counter[str] = Counter()
    commented: Counter[str] = Counter()
    for card in _cards(rows):
        verdict = card.verdict
        if verdict is not None and verdict.outcome == "overridden":
            reason = names.get(verdict.reason_code, "another code") if verdict.reason_code else _NO_REASON
            counts[reason] += 1
            commented[reason] += verdict.comment
    total = sum(counts.values())
    lines = tuple((reason, n, commented[reason], share(n, total)) for reason, n in counts.most_common())
    columns = ("Reason", "Dismissals", "With a comment", "Share %")
    note = "Comments may hold patient data and are not part of this report."
    return Table("reasons", "Dismissals by reason", columns, lines, note, plot="bars", plotted=("Dismissals",))


def _incomplete(rows: Sequence[Evaluation]) -> Table:
    counts = Counter(entry for row in rows for entry in row.incomplete)
    lines = []
    for entry, count in counts.most_common():
        need, _, rest = entry.partition("=")
        state, _, reason = rest.partition(":")
        lines.append((need, state, reason or "-", count, share(count, len(rows))))
    columns = ("Data", "State", "Reason", "Evaluations", "Share %")
    return Table("incomplete", "Data that could not be read completely", columns, tuple(lines))


def _percentile(values: Sequence[float], percent: int) -> float | None:
    """The nearest-rank percentile."""
    if not values:
        return None
    ordered = sorted(values)
    return ordered[max(0, -(-len(ordered) * percent // 100) - 1)]


def _latency(rows: Sequence[Evaluation]) -> Table:
    lines: list[tuple[Cell, ...]] = []
    for service in sorted({row.service for row in rows}):
        values = [row.milliseconds for row in rows if row.service == service]
        lines.append((service, len(values), *(_percentile(values, p) for p in (50, 95, 99)), max(values)))
    columns = ("Service", "Evaluations", "Median ms", "95 % ms", "99 % ms", "Slowest ms")
    return Table("latency", "Time to answer by service", columns, tuple(lines))


def _speed(rows: Sequence[Evaluation]) -> Table:
    bounds = (0, *_LATENCY_MS)
    lines: list[tuple[Cell, ...]] = []
    for low, high in zip(bounds, (*_LATENCY_MS, None), strict=True):
        count = sum(1 for row in rows if row.milliseconds >= low and (high is None or row.milliseconds < high))
        name = f"{low} to {high}" if high is not None else f"{low} and more"
        lines.append((name, count, share(count, len(rows))))
    columns = ("Milliseconds", "Evaluations", "Share %")
    return Table("speed", "Distribution of the time to answer", columns, tuple(lines), plot="histogram",
                 plotted=("Evaluations",))  # fmt: skip


def _users(rows: Sequence[Evaluation]) -> Table:
    counts = Counter(row.user_kind for row in rows)
    shown = Counter(row.user_kind for row in rows if row.cards)
    lines = tuple((kind, n, shown[kind]) for kind, n in counts.most_common())
    return Table("users", "By kind of user", ("User", "Evaluations", "With a card shown"), lines)


def _groups(name: str, title: str, rows: Sequence[Evaluation], of: Callable[[Evaluation], str]) -> Table:
    """Firing and acceptance in each group of patients, small groups held back."""
    groups: dict[str, list[Evaluation]] = {}
    for row in rows:
        groups.setdefault(of(row), []).append(row)
    patients = {group: _patients(own) for group, own in groups.items()}
    hidden = held_back(patients)
    lines = []
    for group in sorted(groups):
        own = groups[group]
        fired = [row for row in own if row.cards]
        found = _cards(own)
        taken = sum(1 for card in found if card.verdict is not None and card.verdict.outcome == "accepted")
        incomplete = sum(1 for row in own if row.incomplete)
        line = (group, patients[group], len(own), share(len(fired), len(own)), share(taken, len(found)),
                share(incomplete, len(own)))  # fmt: skip
        lines.append(masked(line, group in hidden, patients[group] < SMALLEST))
    columns = ("Group", "Patients", "Evaluations", "With a card %", "Cards accepted %", "On incomplete data %")
    note = f"Groups of fewer than {SMALLEST} patients, and those that would give them away, are held back."
    return Table(name, title, columns, tuple(lines), note, plot="bars", plotted=("With a card %", "Cards accepted %"))
