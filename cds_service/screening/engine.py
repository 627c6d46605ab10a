"""The engine for one machine: columns, candidates, their charts, their rows; each step's work is kept as it is done."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, ThreadPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from datetime import date
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from cds_service import __version__
from cds_service.screening.batches import batches, share_of
from cds_service.screening.lake import Census, Lake
from cds_service.screening.needs import FILE_LOST, LINES_LOST, NEED_OF_TYPE, completeness_of
from cds_service.screening.progress import Progress
from cds_service.screening.rows import Decided
from cds_service.screening.scan import Scanned
from cds_service.screening.scanners import open_scanners, scan_unit
from cds_service.screening.sources import ScreeningError, Unit, find_sources, units_of
from cds_service.screening.state import State, digest
from hooks.knowledge import load_knowledge
from mappings.codelists import OverlayText

if TYPE_CHECKING:
    from cds_service.pipeline import Brain

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
    run = _Run(asked, state, progress, units, digest(versions))
    try:
        outcome = run.all()
    except BrokenProcessPool:
        run.close()
        raise ScreeningError(
            "a worker process was ended from outside (memory?): start again to go on", "workers"
        ) from None
    except BaseException:
        run.close()
        raise
    finally:
        progress.end()
    assert run.lake is not None  # noqa: S101 - opened before anything is decided
    return outcome, state, run.lake


class _Run:
    """From the units to the rows. Half of its processes' life is scanning, which needs no more than the matcher; all
    else is loaded meanwhile, and shared with the processes of the second half. DuckDB comes last: its threads would
    not outlive a fork."""

    def __init__(self, asked: Asked, state: State, progress: Progress, units: list[Unit], versions: str) -> None:
        self.asked, self.state, self.progress = asked, state, progress
        self.units, self.versions = units, versions
        self.columns = [state.columns_of(unit) for unit in units]
        self.pool: ProcessPoolExecutor | None = None
        self.lake: Lake | None = None

    def all(self) -> Outcome:
        try:
            return self._all()
        finally:
            self._end_pool()

    def close(self) -> None:
        self.state.close()
        if self.lake is not None:
            self.lake.close()

    def _all(self) -> Outcome:
        scanned = self._scan_and_load()
        self.lake = Lake(self.state.temporary, self.asked.workers)
        candidates = self.state.run / "candidates.parquet"
        census = self.lake.candidates(self.columns, candidates)
        charts = self._gather(self.lake, scanned, candidates)
        losses, lost = self._losses(scanned)
        completeness = completeness_of({*_kinds(scanned), *self.asked.types}, _lost_kinds(scanned, self.units))
        versions = digest(self.versions, completeness)
        parts, decided, reused, too_large = self._decide(self.lake, charts, census, scanned, completeness, versions)
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

    def _scan_and_load(self) -> list[Scanned]:
        """Ends with the deciding processes in the pool and no other thread at work."""
        told = [path.with_suffix(".json") for path in self.columns]
        found = [
            self.state.get(path, Scanned) if columns.exists() else None
            for path, columns in zip(told, self.columns, strict=True)
        ]
        counters: Sequence[int] = (0, 0)
        if None in found:
            self.pool, counters = open_scanners(self.asked.overlay, self.asked.workers)
        with ThreadPoolExecutor(1) as aside:
            opening = aside.submit(_brain_loaded, self.asked.overlay)
            self._scan(told, found, counters)
            self._end_pool()
            brain = opening.result()
        from cds_service.screening.deciders import Setup, open_deciders

        setup = Setup(self.asked.overlay, self.asked.secret, list(self.asked.days))
        self.pool = open_deciders(setup, brain, self.asked.workers, _known(self.state))
        return [known for known in found if known is not None]

    def _end_pool(self) -> None:
        if self.pool is not None:
            self.pool.shutdown(cancel_futures=True)
            self.pool = None

    def _scan(self, told: Sequence[Path], found: list[Scanned | None], counters: Sequence[int]) -> None:
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
            lines, size = counters[0], counters[1]
            self.progress.show(before + size if plain else done[0], f"{lines:,} lines")

        self._work(jobs, keep, tick)

    def _gather(self, lake: Lake, scanned: Sequence[Scanned], candidates: Path) -> Path:
        charts = self.state.run / "charts.parquet"
        if charts.exists():
            return charts
        useful = [i for i, found in enumerate(scanned) if any(kind in NEED_OF_TYPE for kind in found.kinds)]
        gathered = self._gathered(useful, "lines", lambda columns, out: lake.pick(columns, candidates, out))
        drugs = [index for index, found in enumerate(scanned) if "Medication" in found.kinds]
        if gathered and drugs:
            gathered += self._gathered(
                drugs, "drugs", lambda columns, out: lake.pick_medications(columns, gathered, out)
            )
        if not gathered:
            raise ScreeningError("no resources of patients in the paths given", "path")
        lake.charts(gathered, charts)
        return charts

    def _gathered(self, indexes: list[int], name: str, pick: Callable[[dict[int, Path], Path], None]) -> list[Path]:
        from cds_service.screening.deciders import gather_unit

        if not indexes:
            return []
        self.progress.stage("gathering", len(indexes), "files")
        picked = self.state.run / f"pick-{name}.parquet"
        if not picked.exists():
            pick({index: self.columns[index] for index in indexes}, picked)
        outs = {index: self.state.run / f"{name}-{index:06d}.parquet" for index in indexes}
        todo = [index for index in indexes if not outs[index].exists()]
        jobs = ((i, gather_unit, (self.units[i], i, str(picked), str(outs[i]))) for i in todo)
        done = [len(indexes) - len(todo)]

        def tick(index: int | None) -> None:
            done[0] += index is not None
            self.progress.show(done[0])

        self._work(jobs, lambda index, _: None, tick)
        return list(outs.values())

    def _decide(
        self, lake: Lake, charts: Path, census: Census, scanned: Sequence[Scanned], completeness: Any, versions: str
    ) -> tuple[list[str], int, int, int]:
        from cds_service.screening.deciders import Batch, decide_batch

        deleted = frozenset(name for found in scanned for name in found.deleted)
        most = share_of(census.candidates)
        self.progress.stage("deciding", census.candidates, "patients")
        parts: list[str] = []
        counts = Counter[str]()

        def jobs() -> Iterator[tuple[int, Any, tuple[Any, ...]]]:
            for number, batch in enumerate(batches(lake.each_line(charts), most, deleted, counts)):
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
                elif self.pool is not None:
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


def _brain_loaded(overlay: OverlayText | None) -> Brain:
    from cds_service.screening.deciders import load

    return load(overlay)


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
