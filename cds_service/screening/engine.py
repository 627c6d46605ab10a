"""The engine for one machine: columns, candidates, their charts, their rows; each step's work is kept as it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import msgspec

from cds_service import __version__
from cds_service.screening.lake import Census, Lake
from cds_service.screening.needs import FILE_LOST, LINES_LOST, NEED_OF_TYPE, completeness_of
from cds_service.screening.progress import Progress
from cds_service.screening.scan import Scanned
from cds_service.screening.sources import ScreeningError, Unit, find_sources, units_of
from cds_service.screening.state import State, digest
from cds_service.screening.workers import Batch, Decided, Setup, decide_batch, gather_unit, open_pool, scan_unit
from hooks.knowledge import load_knowledge
from mappings.bundles import NotJsonError, decode
from mappings.codelists import OverlayText

_BATCH_BYTES = 1024 * 1024
_BATCH_CHARTS = 50
_LARGEST_CHART = 256 * 1024 * 1024
"""bytes of one patient's lines; more is left out and counted, or one broken id could take all memory."""
_MOST_REUSED = 256 * 1024 * 1024


class Asked(msgspec.Struct, frozen=True):
    """`days`: the days to decide for, oldest first. `types`: resource types that were exported and came empty."""

    paths: tuple[Path, ...]
    days: tuple[date, ...]
    secret: bytes
    overlay: OverlayText | None = None
    workers: int = 2
    types: tuple[str, ...] = ()


class Loss(msgspec.Struct, frozen=True):
    """A line that could not be read, or the rest of a file (`line` None)."""

    file: str
    line: int | None
    reason: str


class Outcome(msgspec.Struct):
    """What a run found; the rows are in `parts`, the columns (for counts over all patients) in `columns`."""

    census: Census
    kinds: dict[str, int]
    lines: int
    bytes: int
    losses: list[Loss]
    lost: int
    unplaced: int
    too_large: int
    decided: int
    reused: int
    parts: list[str]
    columns: list[str]

    def each(self) -> Iterator[Decided]:
        """Every candidate's rows, in the order of their ids."""
        decoder = msgspec.json.Decoder(Decided)
        for part in self.parts:
            with Path(part).open("rb") as lines:
                yield from map(decoder.decode, lines)


def screen(asked: Asked, folder: Path, progress: Progress) -> tuple[Outcome, State, Lake]:
    """Decides for every candidate of the export. The caller reads the outcome, then completes the state. Raises
    ScreeningError; what was done until then is kept in the folder."""
    if any(find_spec(name) is None for name in ("duckdb", "pyarrow")):
        raise ScreeningError("screening needs the extra `screen`: pip install 'calcinosis-cds[screen]'", "engine")
    sources = find_sources(asked.paths)
    units = units_of(sources)
    rules = {"software": __version__, "knowledge": load_knowledge().version, "overlay": asked.overlay}
    versions = {"rules": rules, "key": digest(asked.secret.hex()), "days": asked.days, "types": asked.types}
    state = State(folder, rules, {"sources": sources, **versions})
    pool: ProcessPoolExecutor | None = None
    lake: Lake | None = None
    try:
        setup = Setup(asked.overlay, asked.secret, list(asked.days))
        pool, counters = open_pool(setup, asked.workers, _known(state))
        lake = Lake(state.temporary, asked.workers)
        outcome = _Run(asked, state, lake, pool, counters, progress, units, digest(versions)).all()
    except BrokenProcessPool:
        _close(state, lake)
        raise ScreeningError(
            "a worker process was ended from outside (memory?): start again to go on", "workers"
        ) from None
    except BaseException:
        _close(state, lake)
        raise
    finally:
        if pool is not None:
            pool.shutdown(cancel_futures=True)
        progress.end()
    return outcome, state, lake


def _close(state: State, lake: Lake | None) -> None:
    state.close()
    if lake is not None:
        lake.close()


class _Run:
    def __init__(
        self,
        asked: Asked,
        state: State,
        lake: Lake,
        pool: ProcessPoolExecutor,
        counters: Any,
        progress: Progress,
        units: list[Unit],
        versions: str,
    ) -> None:
        self.asked, self.state, self.lake, self.pool = asked, state, lake, pool
        self.counters, self.progress = counters, progress
        self.units, self.versions = units, versions
        self.columns = [state.columns_of(unit) for unit in units]

    def all(self) -> Outcome:
        scanned = self._scan()
        candidates = self.state.run / "candidates.parquet"
        census = self.lake.candidates(self.columns, candidates)
        charts = self._gather(scanned, candidates)
        losses, lost = self._losses(scanned)
        completeness = completeness_of({*_kinds(scanned), *self.asked.types}, _lost_kinds(scanned, self.units))
        versions = digest(self.versions, completeness)
        parts, decided, reused, too_large = self._decide(charts, census, scanned, completeness, versions)
        return Outcome(
            census=census,
            kinds=dict(sorted(_kinds(scanned).items())),
            lines=sum(found.lines for found in scanned),
            bytes=sum(found.bytes for found in scanned),
            losses=losses,
            lost=lost,
            unplaced=sum(found.unplaced for found in scanned),
            too_large=too_large,
            decided=decided,
            reused=reused,
            parts=parts,
            columns=[str(path) for path in self.columns],
        )

    def _scan(self) -> list[Scanned]:
        told = [path.with_suffix(".json") for path in self.columns]
        found = [
            self.state.get(path, Scanned) if columns.exists() else None
            for path, columns in zip(told, self.columns, strict=True)
        ]
        sizes = [unit.end - unit.start for unit in self.units]
        before = sum(size for size, known in zip(sizes, found, strict=True) if known is not None)
        self.progress.stage("scanning", sum(sizes), "B", before)

        def keep(index: int, scanned: Scanned) -> None:
            self.state.put(told[index], scanned)
            found[index] = scanned

        todo = [index for index, known in enumerate(found) if known is None]
        jobs = ((index, scan_unit, (self.units[index], str(self.columns[index]))) for index in todo)
        plain = all(unit.source.packing == "none" for unit in self.units)
        done = [before]

        def tick(index: int | None) -> None:
            if index is not None:
                done[0] += sizes[index]
            lines, size = self.counters[0], self.counters[1]
            self.progress.show(before + size if plain else done[0], f"{lines:,} lines")

        self._work(jobs, keep, tick)
        return [known for known in found if known is not None]

    def _gather(self, scanned: Sequence[Scanned], candidates: Path) -> Path:
        charts = self.state.run / "charts.parquet"
        if charts.exists():
            return charts
        useful = [i for i, found in enumerate(scanned) if any(kind in NEED_OF_TYPE for kind in found.kinds)]
        gathered = self._gathered(
            useful, "lines", lambda index, out: self.lake.pick(self.columns[index], candidates, out)
        )
        drugs = [index for index, found in enumerate(scanned) if "Medication" in found.kinds]
        if gathered and drugs:
            gathered += self._gathered(
                drugs, "drugs", lambda index, out: self.lake.pick_medications(self.columns[index], gathered, out)
            )
        if not gathered:
            raise ScreeningError("no resources of patients in the paths given", "path")
        self.lake.charts(gathered, charts)
        return charts

    def _gathered(self, indexes: list[int], name: str, pick: Callable[[int, Path], None]) -> list[Path]:
        self.progress.stage("gathering", len(indexes), "files")
        outs = {index: self.state.run / f"{name}-{index:06d}.parquet" for index in indexes}
        done = [0]

        def jobs() -> Iterator[tuple[int, Any, tuple[Any, ...]]]:
            for index in indexes:
                if not outs[index].exists():
                    picked = self.state.run / f"pick-{name}-{index:06d}.parquet"
                    pick(index, picked)
                    yield index, gather_unit, (self.units[index], str(picked), str(outs[index]))

        def tick(index: int | None) -> None:
            done[0] += index is not None
            self.progress.show(done[0])

        self._work(jobs(), lambda index, _: None, tick)
        return list(outs.values())

    def _decide(
        self, charts: Path, census: Census, scanned: Sequence[Scanned], completeness: Any, versions: str
    ) -> tuple[list[str], int, int, int]:
        deleted = frozenset(name for found in scanned for name in found.deleted)
        self.progress.stage("deciding", census.candidates, "patients")
        parts: list[str] = []
        counts = Counter[str]()

        def jobs() -> Iterator[tuple[int, Any, tuple[Any, ...]]]:
            for number, batch in enumerate(self._batches(charts, deleted, counts)):
                out = self.state.run / f"rows-{versions}-{number:07d}.ndjson"
                parts.append(str(out))
                if out.exists():
                    counts["decided"] += len(batch)
                else:
                    yield number, decide_batch, (Batch(batch, str(out)), completeness, versions)

        def keep(_: int, result: list[int]) -> None:
            counts["decided"] += result[0]
            counts["reused"] += result[1]

        self._work(jobs(), keep, lambda _: self.progress.show(counts["decided"]))
        return parts, counts["decided"], counts["reused"], counts["too large"]

    def _batches(
        self, charts: Path, deleted: frozenset[str], counts: Counter[str]
    ) -> Iterator[list[tuple[str, list[bytes]]]]:
        batch: list[tuple[str, list[bytes]]] = []
        held = 0
        for patient, lines, size in _charts(self.lake.each_line(charts)):
            if size > _LARGEST_CHART:
                counts["too large"] += 1
                continue
            if deleted:
                if f"Patient/{patient}" in deleted:
                    continue
                lines = [line for line in lines if _name(line) not in deleted]
            batch.append((patient, lines))
            held += size
            if held >= _BATCH_BYTES or len(batch) >= _BATCH_CHARTS:
                yield batch
                batch, held = [], 0
        if batch:
            yield batch

    def _work(
        self,
        jobs: Iterator[tuple[int, Any, tuple[Any, ...]]],
        keep: Callable[[int, Any], None],
        tick: Callable[[int | None], None],
    ) -> None:
        """Runs jobs in the pool, a few more at a time than it has workers, so that memory does not grow with them."""
        running: dict[Future[Any], int] = {}
        more = True
        while more or running:
            while more and len(running) < 2 * self.asked.workers:
                job = next(jobs, None)
                if job is None:
                    more = False
                else:
                    running[self.pool.submit(job[1], *job[2])] = job[0]
            finished, _ = wait(running, timeout=0.25, return_when=FIRST_COMPLETED)
            for future in finished:
                index = running.pop(future)
                keep(index, future.result())
                tick(index)
            tick(None)

    def _losses(self, scanned: Sequence[Scanned]) -> tuple[list[Loss], int]:
        """Every loss by file and line of the whole file, in order; and how many there are, named or not."""
        losses: list[Loss] = []
        before: Counter[str] = Counter()
        for unit, found in zip(self.units, scanned, strict=True):
            path = unit.source.path
            losses.extend(
                Loss(path, None if lost.line is None else before[path] + lost.line, lost.reason) for lost in found.lost
            )
            before[path] += found.lines
        return losses, sum(found.lost_in_all for found in scanned)


def _charts(lines: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, list[bytes], int]]:
    """(patient, lines, bytes), the lines no longer kept once they are too many."""
    patient: str | None = None
    chart: list[bytes] = []
    size = 0
    for owner, line in lines:
        if owner != patient:
            if patient is not None:
                yield patient, chart, size
            patient, chart, size = owner, [], 0
        size += len(line)
        if size <= _LARGEST_CHART:
            chart.append(line)
    if patient is not None:
        yield patient, chart, size


def _name(line: bytes) -> str | None:
    try:
        value = decode(line)
    except NotJsonError:
        return None
    return f"{value.get('resourceType')}/{value.get('id')}" if isinstance(value, dict) else None


def _kinds(scanned: Sequence[Scanned]) -> Counter[str]:
    kinds: Counter[str] = Counter()
    for found in scanned:
        kinds.update(found.kinds)
    return kinds


def _lost_kinds(scanned: Sequence[Scanned], units: Sequence[Unit]) -> dict[str, str]:
    """Resource type -> why some of it is missing: a lost line is taken to be of any of the types of its file."""
    of_file: dict[str, set[str]] = {}
    for unit, found in zip(units, scanned, strict=True):
        of_file.setdefault(unit.source.path, set()).update(found.kinds)
    lost: dict[str, str] = {}
    for unit, found in zip(units, scanned, strict=True):
        if found.lost_in_all:
            rest = any(entry.line is None for entry in found.lost)
            for kind in of_file[unit.source.path] or {"*"}:
                if rest or kind not in lost:
                    lost[kind] = FILE_LOST if rest else LINES_LOST
    return lost


def _known(state: State) -> dict[str, bytes]:
    """The rows of the last completed run by digest, unless they are too many to hold."""
    last = state.last_run()
    parts = sorted(last.glob("rows-*.ndjson")) if last is not None else []
    if sum(part.stat().st_size for part in parts) > _MOST_REUSED:
        return {}
    known: dict[str, bytes] = {}
    for part in parts:
        for line in part.read_bytes().splitlines():
            known[msgspec.json.decode(line, type=_Named).digest] = line
    return known


class _Named(msgspec.Struct):
    digest: str
