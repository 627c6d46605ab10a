"""The scan decodes whole blocks: whatever lines stand together, it says what a look at each line alone says."""

from __future__ import annotations

import json
import random
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cds_service.screening import sources
from cds_service.screening.scan import Scanned, Scanner
from cds_service.screening.sources import Source, Unit, find_sources, units_of

OBSERVATION = b'{"resourceType":"Observation","id":"o%d","subject":{"reference":"Patient/p%d"},"note":"%s"}'
LINES = (
    OBSERVATION,
    b'  {"resourceType":"Observation","id":"o%d","subject":{"reference":"Patient/p%d"}}  %.0s\r',
    b'{"resourceType":"Condition","id":"c%d","subject":{"reference":"Patient/p%d"},"code":{"text":"%s lupus"}}',
    b'{"resourceType":"Patient","id":"%d-%d"%.0s}',
    b'{"resourceType":"Encounter","id":"%d","subject":{"reference":"Patient/p%d"},"period":{"start":"2026-01-02T"}%.0s}',
    b'{"resourceType":"Basic","id":"%d.%d"%.0s}',
    b'{"resourceType":"Observation","id":%d,"subject":{"reference":"Patient/p%d"}%.0s}',
)
BROKEN = (
    b"",
    b"  \t\r",
    b'{"resourceType":"Observation",',
    b'"id":"1","subject":{"reference":"Patient/p1"}}',
    b'{"resourceType":"Basic","id":"1"} {"resourceType":"Basic","id":"2"}',
    b'{"resourceType":"Basic","id":"1"}\t{"resourceType":"Basic","id":"2"}',
    b'{"resourceType":"Basic","id":"1"},{"resourceType":"Basic","id":"2"}',
    b'{"resourceType":"Basic","of":[1',
    b'2]} {"resourceType":"Basic"}',
    b'{"resourceType":\r"Basic","text":"} {"}',
    b"[1]",
    b"7",
    b'{"id":"x"}',
    b'{"resourceType":"Basic","id":"\xff\xfe"',
)


def _file(chance: random.Random, broken: float) -> bytes:
    lines = []
    for number in range(chance.randint(1, 120)):
        if chance.random() < broken:
            lines.append(chance.choice(BROKEN))
        else:
            form = LINES[0] if chance.random() < 0.7 else chance.choice(LINES)
            lines.append(form % (number, chance.randint(0, 9), b"x" * chance.choice((0, 3, 400))))
    content = b"\n".join(lines) + chance.choice((b"", b"\n", b"\n\n"))
    return (b"\xef\xbb\xbf" if chance.random() < 0.2 else b"") + content


def _alone(content: bytes) -> tuple[list[tuple[int, int, str | None, bool]], set[int]]:
    """(place, size, patient, mention) of every line that is a resource of a patient, and the numbers of bad lines."""
    rows, lost, at = [], set(), 0
    for number, line in enumerate(content.split(b"\n"), 1):
        plain = line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
        if plain.strip():
            try:
                value = json.loads(plain)
                kind = value["resourceType"]
                subject = value.get("subject", {"reference": f"Patient/{value.get('id')}" if kind == "Patient" else ""})
                patient = subject["reference"].removeprefix("Patient/") or None
                if patient is not None:
                    rows.append((at, len(line), patient, b"lupus" in line and kind == "Condition"))
            except (ValueError, TypeError, KeyError):
                lost.add(number)
        at += len(line) + 1
    return rows, lost


@pytest.mark.parametrize("broken", [0.0, 0.02, 0.3])
def test_blocks_say_what_lines_say(broken: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scanner = Scanner(lambda data: b"lupus" in data)
    for seed in range(15):
        chance = random.Random(f"{broken} {seed}")
        content = _file(chance, broken)
        monkeypatch.setattr(sources, "_BLOCK", chance.choice((16, 200, 1000, 4000)))
        monkeypatch.setattr(sources, "_UNIT", len(content) // chance.choice((1, 2, 7)) + 1)
        path = tmp_path / f"{seed}.ndjson"
        path.write_bytes(content)
        rows: list[tuple[int, int, str | None, bool]] = []
        lost: set[int] = set()
        before = 0
        for unit in units_of(find_sources([path])):
            found = scanner.scan(unit, tmp_path / "columns.parquet")
            columns = pq.read_table(tmp_path / "columns.parquet", columns=["place", "size", "patient", "mention"])
            rows += (tuple(row.values()) for row in columns.to_pylist())
            lost |= {before + (bad.line or 0) for bad in found.lost}
            before += found.lines
        assert (rows, lost) == _alone(content), seed


@pytest.mark.parametrize(
    "line",
    [
        b'{"resourceType":"Encounter","id":"e","subject":{"reference":"Patient/p"},"period":{"start":"\xff"}}',
        b'{"resourceType":"Bundle","entry":[{"request":{"method":"DELETE","url":"\xff"}}]}',
        b'{"resourceType":"Observation","subject":{"reference":"\xff"}}',
        b'{"resourceType":"Observation","subject":[' + b"[" * 5000 + b"]" * 5000 + b"]}",
        b'7 "\xff',
    ],
)
def test_no_line_stops_the_others(line: bytes, tmp_path: Path) -> None:
    """What is not looked at may be broken in ways that only show when it is."""
    path = tmp_path / "odd.ndjson"
    path.write_bytes(line + b"\n" + OBSERVATION % (2, 2, b"") + b"\n")
    found = _scanned(units_of(find_sources([path]))[0], tmp_path)
    assert found.lines == 2
    assert pq.read_table(tmp_path / "columns.parquet").column("patient").to_pylist()[-1] == "p2"


def test_a_line_over_several_units_belongs_to_the_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_BLOCK", 100)
    monkeypatch.setattr(sources, "_UNIT", 1000)
    path = tmp_path / "long.ndjson"
    path.write_bytes(OBSERVATION % (1, 1, b"x" * 3500) + b"\n" + OBSERVATION % (2, 2, b"") + b"\n")
    counts = [_scanned(unit, tmp_path) for unit in units_of(find_sources([path]))]
    assert [found.lines for found in counts] == [1, 0, 0, 1]


def test_a_line_that_is_too_long_ends_its_unit_and_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sources, "_BLOCK", 100)
    monkeypatch.setattr(sources, "_UNIT", 5000)
    monkeypatch.setattr(sources, "LONGEST_LINE", 6000)
    path = tmp_path / "long.ndjson"
    lines = (OBSERVATION % (1, 1, b""), OBSERVATION % (2, 2, b"x" * 7000), OBSERVATION % (3, 3, b""))
    path.write_bytes(b"\n".join(lines) + b"\n")
    found = [_scanned(unit, tmp_path) for unit in units_of(find_sources([path]))]
    assert [unit.lines for unit in found] == [1, 1]
    assert [[lost.reason for lost in unit.lost] for unit in found] == [["a line is too long"], []]


def test_a_file_that_became_shorter_ends_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "short.ndjson"
    path.write_bytes(OBSERVATION % (1, 1, b"") + b"\n")
    size = path.stat().st_size
    assert _scanned(Unit(Source(str(path), "none", 10 * size, 0), 0, 10 * size), tmp_path).lines == 1


def _scanned(unit: Unit, folder: Path) -> Scanned:
    return Scanner(lambda data: False).scan(unit, folder / "columns.parquet")
