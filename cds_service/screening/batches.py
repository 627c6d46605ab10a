"""Gathered lines, sorted by patient, put together to charts, and charts to batches that one process decides at once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cds_service.screening.gather import name_of

LARGEST_CHART = 256 * 1024 * 1024
"""bytes of one patient's lines; more is left out and counted, or one broken id could take all memory."""
_BATCH_BYTES = 1024 * 1024
_BATCH_CHARTS = 50
_SHARES = 64
"""of few candidates a batch is so small a share that no process waits long for the last one."""


def share_of(candidates: int) -> int:
    """How many charts a batch may hold; the same for the same candidates, since batches are named by their number."""
    return min(max(candidates // _SHARES, 1), _BATCH_CHARTS)


def batches(
    lines: Iterator[tuple[str, bytes]], most: int, deleted: frozenset[str], counts: Counter[str]
) -> Iterator[list[tuple[str, list[bytes]]]]:
    """Charts to be decided together: at most so many, and not too many bytes."""
    batch: list[tuple[str, list[bytes]]] = []
    held = 0
    for patient, chart, size in _charts(lines):
        if size > LARGEST_CHART:
            counts["too large"] += 1
            continue
        if f"Patient/{patient}" in deleted:
            continue
        batch.append((patient, [line for line in chart if name_of(line) not in deleted] if deleted else chart))
        held += size
        if held >= _BATCH_BYTES or len(batch) >= most:
            yield batch
            batch, held = [], 0
    if batch:
        yield batch


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
        if size <= LARGEST_CHART:
            chart.append(line)
    if patient is not None:
        yield patient, chart, size
