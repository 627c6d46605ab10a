"""The engine for a cluster: the same look, the same charts, the same `decide`, with Spark between them.

Spark reads lines, or rows of a Parquet or Delta table that hold a resource as JSON text. Python workers look at each
line; Spark SQL joins the lines of the candidates and brings each one's chart together; Python workers decide. What
comes back is a row for each candidate, and from there on everything is as after a DuckDB run."""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, Literal

import msgspec

from cds_service import __version__
from cds_service.pipeline import Brain, load_brain
from cds_service.screening.batches import LARGEST_CHART
from cds_service.screening.engine import Asked, Loss, Outcome
from cds_service.screening.lake import Census, Lake
from cds_service.screening.look import Seen, look
from cds_service.screening.needs import LINES_LOST, NEED_OF_TYPE, completeness_of
from cds_service.screening.progress import Progress
from cds_service.screening.rows import Decided
from cds_service.screening.sources import ScreeningError, find_sources
from cds_service.screening.state import State
from hooks.knowledge import load_knowledge
from mappings.codelists import OverlayText
from mappings.facts import Completeness, Need

_MISSING = "--engine spark needs the extra `spark`: pip install 'calcinosis-cds[spark]'"
Form = Literal["ndjson", "parquet", "delta"]
_SEEN = (
    "file string, lost string, kind string, patient string, mention boolean, name string, deleted array<string>, "
    "wanted array<string>, line binary"
)
_CHARTS = """
    WITH own AS (
        SELECT s.patient, s.line, s.wanted FROM seen s LEFT SEMI JOIN candidates c ON s.patient = c.patient
        WHERE s.line IS NOT NULL AND s.kind <> 'Medication'),
    drugs AS (
        SELECT DISTINCT w.patient, m.line FROM (SELECT patient, explode(wanted) AS name FROM own) w
        JOIN seen m ON m.name = w.name WHERE m.kind = 'Medication')
    SELECT patient, sort_array(collect_list(line)) AS lines, sum(length(line)) AS size
    FROM (SELECT patient, line FROM own UNION ALL SELECT patient, line FROM drugs) GROUP BY patient
"""
"""the semi-join, the Medications that the lines refer to, and each one's chart."""


def screen_spark(
    asked: Asked, folder: Path, progress: Progress, form: Form, column: str
) -> tuple[Outcome, State, Lake]:
    """As `engine.screen`. `column`: of a table, the one with the resource as JSON text. ScreeningError."""
    session = _session(asked.workers)
    rules = {"software": __version__, "knowledge": load_knowledge().version, "overlay": asked.overlay}
    state = State(
        folder,
        rules,
        {"engine": "spark", "paths": [str(path) for path in asked.paths], "days": asked.days, "form": form},
    )
    try:
        outcome = _run(session, asked, state, progress, form, column)
        lake = Lake(state.temporary, asked.workers)
    except BaseException as error:
        state.close()
        if isinstance(error, ImportError):
            raise ScreeningError(f"{_MISSING} ({error})", "engine") from None
        if type(error).__module__.startswith(("pyspark", "py4j")):
            raise ScreeningError(f"spark: {type(error).__name__}; Spark's own log says more", "engine") from None
        raise
    finally:
        progress.end()
        session.catalog.clearCache()
    return outcome, state, lake


def _session(workers: int) -> Any:
    try:
        from pyspark.sql import SparkSession
    except ImportError:
        raise ScreeningError(_MISSING, "engine") from None
    builder = SparkSession.builder.appName("cds-service screen")
    if SparkSession.getActiveSession() is None and "PYSPARK_GATEWAY_PORT" not in os.environ:
        # not started by spark-submit: this machine alone
        os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
        local = {
            "spark.master": f"local[{workers}]",
            "spark.ui.enabled": "false",
            "spark.driver.host": "127.0.0.1",
            "spark.driver.bindAddress": "127.0.0.1",
            "spark.sql.shuffle.partitions": str(2 * workers),
            "spark.log.level": "ERROR",
            "spark.ui.showConsoleProgress": "false",
        }
        for name, value in local.items():
            builder = builder.config(name, value)
    session = builder.getOrCreate()
    session.conf.set("spark.sql.execution.arrow.maxRecordsPerBatch", "200")
    return session


def _run(session: Any, asked: Asked, state: State, progress: Progress, form: Form, column: str) -> Outcome:
    from pyspark import StorageLevel

    lines = _lines(session, asked.paths, form, column)
    seen = lines.mapInArrow(_looking(asked.overlay), _SEEN).persist(StorageLevel.DISK_ONLY)
    seen.createOrReplaceTempView("seen")
    progress.stage("scanning with Spark", 1, "run")
    counted = session.sql(
        "SELECT file, kind, lost, count(*) AS many, sum(CASE WHEN patient IS NULL THEN 1 ELSE 0 END) AS nobody "
        "FROM seen GROUP BY file, kind, lost"
    ).collect()
    candidates = session.sql("SELECT DISTINCT patient FROM seen WHERE mention AND patient IS NOT NULL")
    candidates.persist().createOrReplaceTempView("candidates")
    patients = session.sql("SELECT count(DISTINCT patient) FROM seen").first()[0]
    census = Census(patients, candidates.count(), sum(row.many for row in counted if row.kind == "Encounter"))
    gone = session.sql("SELECT DISTINCT explode(deleted) FROM seen").collect()
    deleted = frozenset(row[0] for row in gone)

    kinds: Counter[str] = Counter()
    for row in counted:
        kinds.update({row.kind: row.many} if row.kind is not None else {})
    broken = [row for row in counted if row.lost is not None]
    files = {row.file for row in broken}
    lost = {row.kind or "*": LINES_LOST for row in counted if row.file in files and row.kind is not None}
    if any(all(row.kind is None for row in counted if row.file == file) for file in files):
        lost["*"] = LINES_LOST
    completeness = completeness_of({*kinds, *asked.types}, lost)

    too_large = session.sparkContext.accumulator(0)
    progress.stage("deciding with Spark", census.candidates, "patients")
    decided = session.sql(_CHARTS).mapInArrow(
        _deciding(asked, completeness, deleted, too_large), "patient string, decided binary"
    )
    part = state.run / "rows-spark.ndjson"
    many = 0
    with part.open("wb") as out:
        for row in decided.orderBy("patient").toLocalIterator():
            out.write(bytes(row.decided) + b"\n")
            many += 1
            progress.show(many)
    return Outcome(
        census=census,
        kinds=dict(sorted(kinds.items())),
        lines=sum(row.many for row in counted),
        bytes=0,
        losses=[Loss(row.file, None, f"{row.many:,} lines: {row.lost}") for row in broken],
        lost=sum(row.many for row in broken),
        unplaced=sum(row.nobody for row in counted if row.kind in NEED_OF_TYPE),
        too_large=too_large.value,
        decided=many,
        reused=0,
        parts=[str(part)],
        columns=_visits(session, state) if len(asked.days) > 1 else [],
    )


def _lines(session: Any, paths: Iterable[Path], form: Form, column: str) -> Any:
    """(file, line) of everything to be read."""
    from pyspark.sql import functions as sql

    given = [str(path) for path in paths]
    remote = [_address(path) for path in given]
    if form != "ndjson":
        table = session.read.format(form).load(remote[0] if form == "delta" else remote)
        text = table.select(sql.col(column).alias("value"))
    else:
        local = all(":/" not in path for path in given)
        files = [source.path for source in find_sources([Path(path) for path in given])] if local else remote
        text = session.read.option("recursiveFileLookup", "true").text(files)
    return text.select(sql.input_file_name().alias("file"), sql.col("value").cast("binary").alias("line"))


def _address(path: str) -> str:
    """ "s3a:/bucket" as the command line's Path leaves it -> "s3a://bucket"."""
    scheme, colon, rest = path.partition(":/")
    return f"{scheme}://{rest.lstrip('/')}" if colon and scheme.isalnum() and scheme != "file" else path


def _visits(session: Any, state: State) -> list[str]:
    """The encounters as columns, for the counts of a back-test. On a cluster the state folder must be shared."""
    out = state.run / "visits"
    found = session.sql("SELECT patient, kind, name FROM seen WHERE kind = 'Encounter'")
    found.write.mode("overwrite").parquet(out.resolve().as_uri())
    return [str(path) for path in sorted(out.glob("*.parquet"))]


@cache
def _brain(overlay: OverlayText | None) -> Brain:
    """One for each Python worker."""
    return load_brain(None, overlay)


def _looking(overlay: OverlayText | None) -> Callable[[Iterator[Any]], Iterator[Any]]:
    packed = msgspec.json.encode(overlay)

    def looked(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        may_concern = _brain(_unpacked(packed)).may_concern
        schema = _arrow(pa)
        for batch in batches:
            files, lines = batch.column("file").to_pylist(), batch.column("line").to_pylist()
            rows: list[dict[str, Any]] = []
            for file, seen in zip(files, look(lines, may_concern), strict=True):
                if seen is not None:
                    rows.append({"file": file, **_record(seen)})
            yield pa.RecordBatch.from_pylist(rows, schema=schema)

    return looked


def _record(seen: Seen) -> dict[str, Any]:
    return {name: getattr(seen, name) for name in Seen.__struct_fields__}


def _deciding(
    asked: Asked, completeness: dict[Need, Completeness], deleted: frozenset[str], too_large: Any
) -> Callable[[Iterator[Any]], Iterator[Any]]:
    packed, secret, days = msgspec.json.encode(asked.overlay), asked.secret, asked.days

    def decided(batches: Iterator[Any]) -> Iterator[Any]:
        import pyarrow as pa

        from cds_service.screening.decide import decide
        from cds_service.screening.gather import name_of

        brain = _brain(_unpacked(packed))
        for batch in batches:
            ids: list[str] = []
            found: list[bytes] = []
            for patient, chart, size in zip(*(column.to_pylist() for column in batch.columns), strict=True):
                if size > LARGEST_CHART:
                    too_large.add(1)
                    continue
                if f"Patient/{patient}" in deleted:
                    continue
                kept = [line for line in chart if name_of(line) not in deleted] if deleted else chart
                rows = [
                    decide(patient, kept, as_of=day, brain=brain, secret=secret, completeness=completeness)
                    for day in days
                ]
                ids.append(patient)
                found.append(msgspec.json.encode(Decided(patient, "", rows), order="deterministic"))
            yield pa.RecordBatch.from_pydict({"patient": ids, "decided": pa.array(found, pa.binary())})

    return decided


def _unpacked(packed: bytes) -> OverlayText | None:
    return msgspec.json.decode(packed, type=OverlayText | None)


def _arrow(pa: Any) -> Any:
    words = pa.list_(pa.string())
    kinds = {"mention": pa.bool_(), "deleted": words, "wanted": words, "line": pa.binary()}
    names = (part.split()[0] for part in _SEEN.split(", "))
    return pa.schema([(name, kinds.get(name, pa.string())) for name in names])
