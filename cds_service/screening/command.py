"""`cds-service screen`: from the arguments to the files, and what is said on the way. Never a patient's name or id."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec

from cds_service.overlay import read_overlay
from cds_service.screening.engine import Asked, Loss, Outcome, screen
from cds_service.screening.progress import Progress
from cds_service.screening.sources import ScreeningError, find_sources
from cds_service.screening.state import State, own_key
from cds_service.settings import Settings

_SHOWN = 20
_KEY = 32


def run(given: argparse.Namespace, settings: Settings) -> int:
    """0: everything was read; 1: something was lost, the rest is complete. ScreeningError says what is wrong."""
    from cds_service.screening.worklist import form_of

    if given.out is not None:
        form_of(given.out)
    if given.workers < 1:
        raise ScreeningError("--workers must be at least 1", "workers")
    if given.engine != "spark":
        find_sources(tuple(given.paths))  # nothing is said of keys while there is nothing to screen
    with _folder(given) as folder:
        asked = Asked(
            paths=tuple(given.paths),
            days=given.as_of_series or (given.as_of or settings.as_of or datetime.now(UTC).date(),),
            secret=_secret(given, settings, folder),
            overlay=read_overlay(given.overlay or settings.knowledge_overlay),
            workers=given.workers,
            types=tuple(filter(None, given.types.split(","))),
        )
        if given.engine == "spark":
            from cds_service.screening.spark import screen_spark

            outcome, state, lake = screen_spark(asked, folder, Progress(), given.lake, given.lake_column)
        else:
            outcome, state, lake = screen(asked, folder, Progress())
        try:
            count = _write(given, asked, outcome, lake)
        except BaseException:
            state.close()
            raise
        finally:
            lake.close()
        _done(given, state)
    _tell(outcome, count)
    return 1 if outcome.lost or outcome.too_large else 0


def _write(given: argparse.Namespace, asked: Asked, outcome: Outcome, lake: Any) -> int:
    from cds_service.report.render import to_csv, to_html, to_json
    from cds_service.screening import fhir, tally, worklist
    from cds_service.screening.rows import to_json as row_json
    from hooks.knowledge import load_knowledge

    rows = worklist.listed(outcome, everyone=given.everyone)
    if given.out is not None:
        count = worklist.write_worklist(rows, given.out, lake)
    else:
        count = 0
        for row in rows:
            sys.stdout.buffer.write(row_json(row) + b"\n")
            count += 1
    if given.reidentify is not None:
        worklist.write_reidentification(outcome, given.reidentify, everyone=given.everyone)
    if given.group is not None:
        fhir.write_group(outcome, given.group)
    if given.tasks is not None:
        fhir.write_tasks(outcome, given.tasks)
    if given.losses is not None:
        _text(given.losses, "".join(msgspec.json.encode(loss).decode() + "\n" for loss in outcome.losses), "losses")
    if given.summary is not None:
        months = tally.months_of(outcome, asked.days, lake)
        made = datetime.now(UTC).isoformat(timespec="seconds")
        report = tally.build(outcome, months, asked.days, load_knowledge().version, made)
        forms = {".json": to_json, ".csv": to_csv}
        form = forms.get(given.summary.suffix.lower())
        _text(given.summary, form(report) if form else to_html(report, "screening.html"), "summary")
    return count


def _text(out: Path, text: str, option: str) -> None:
    try:
        out.write_text(text, encoding="utf-8")
    except OSError as error:
        raise ScreeningError(f"--{option}: {error.strerror or 'could not be written'}", option) from None


def _secret(given: argparse.Namespace, settings: Settings, folder: Path) -> bytes:
    if given.key_file is not None:
        try:
            secret: bytes = given.key_file.read_bytes().strip()
        except OSError as error:
            raise ScreeningError(f"--key-file: {error.strerror or 'unreadable'}", "keyFile") from None
        if len(secret) < _KEY:
            raise ScreeningError(f"--key-file: must hold at least {_KEY} characters", "keyFile")
        return secret
    if settings.pseudonym_key is not None:
        return settings.pseudonym_key.get_secret_value().encode()
    sys.stderr.write("no CDS_PSEUDONYM_KEY and no --key-file: the hashes hold for this run and its state folder only\n")
    return own_key(folder)


@contextmanager
def _folder(given: argparse.Namespace) -> Iterator[Path]:
    """The state folder: the one named, one beside the worklist, or one that goes with this run."""
    if given.state is not None:
        yield given.state
    elif given.out is not None:
        yield given.out.with_name(f".{given.out.name}.state")
    else:
        with tempfile.TemporaryDirectory(prefix="cds-screen-", ignore_cleanup_errors=True) as folder:
            yield Path(folder) / "state"


def _done(given: argparse.Namespace, state: State) -> None:
    state.complete(keep=given.state is not None)


def _tell(outcome: Outcome, count: int) -> None:
    """Counts and losses, for the person at the terminal."""
    census = outcome.census
    lines = [
        f"{outcome.lines:,} lines of {census.patients:,} patients; {census.candidates:,} candidates, "
        f"{outcome.decided:,} decided" + (f" ({outcome.reused:,} unchanged)" if outcome.reused else ""),
        f"{count:,} rows on the worklist",
    ]
    lines.extend(_lost(loss) for loss in outcome.losses[:_SHOWN])
    if outcome.lost > _SHOWN:
        lines.append(f"lost: {outcome.lost:,} in all (--losses FILE lists them)")
    if outcome.unplaced:
        lines.append(f"{outcome.unplaced:,} resources of no patient that could be told")
    if outcome.too_large:
        lines.append(f"lost: {outcome.too_large:,} charts too large to be read")
    sys.stderr.write("\n".join(lines) + "\n")


def _lost(loss: Loss) -> str:
    return f"lost: {loss.file}: {loss.reason}" if loss.line is None else f"lost: {loss.file}:{loss.line}: {loss.reason}"
