"""The benchmark measures what it says: the same bytes everywhere, real answers, and a gate that closes."""

from __future__ import annotations

import hashlib
from pathlib import Path

import orjson
import pytest

from benchmarks.__main__ import PAGE, with_table
from benchmarks.bodies import AS_OF, PATIENT, Who, body
from benchmarks.gate import verdict
from benchmarks.memory import Curve
from benchmarks.reads import Reading, depth
from benchmarks.reads import table as reads_table
from benchmarks.service import Service, check, check_store, checked, token
from cds_service.pipeline import load_brain

BEFORE = {"silent-10": {"parse": 400_000, "request": 9_000_000}}


@pytest.mark.long
@pytest.mark.parametrize(("who", "size"), [("silent", 10), ("silent", 100), ("detection", 100)])
def test_a_body_has_the_resources_it_says_about_one_patient(who: Who, size: int) -> None:
    wanted = body(who, size)
    prefetch = orjson.loads(wanted.content)["prefetch"]
    found = [prefetch.pop("patient"), *(e["resource"] for value in prefetch.values() for e in value["entry"])]
    assert len(found) == wanted.resources == size
    owners = {str((r.get("subject") or r.get("patient") or {}).get("reference")) for r in found[1:]}
    assert owners == {f"Patient/{PATIENT}"}
    again = hashlib.sha256(body(who, size).content).digest()
    assert again == hashlib.sha256(wanted.content).digest()
    assert len(wanted.of_patient(7)) == len(wanted.content)


@pytest.mark.long
def test_every_answer_is_checked_for_its_content(tmp_path: Path) -> None:
    service = Service(tmp_path, load_brain(AS_OF))
    silent = checked(service, body("silent", 10), 1, token(1))
    card = checked(service, body("detection", 10), 2, token(2))
    for who, wrong in (("silent", card), ("detection", silent)):
        with pytest.raises(AssertionError):
            check(who, wrong)  # type: ignore[arg-type]
    service.stop()
    check_store(service)
    service.app.state.cds.metrics.store_failed("record")
    with pytest.raises(AssertionError, match="record"):
        check_store(service)


def test_the_gate_closes_over_three_percent_and_not_on_another_machine() -> None:
    assert verdict(BEFORE, {"silent-10": {"parse": 401_000, "request": 9_200_000}})[0] == []
    assert verdict(BEFORE, {"silent-10": {"parse": 400_000, "request": 9_300_000}})[0] != []
    with pytest.raises(ValueError, match="another build or machine"):
        verdict(BEFORE, {"silent-10": {"parse": 420_000, "request": 9_000_000}})


def test_depth_counts_pages_that_wait_for_each_other() -> None:
    searches = [("patient=1", 0.0, 0.05), ("patient=1&_sort=-date", 0.01, 0.06), ("patient=1", 0.2, 0.3)]
    assert depth(searches) == 1  # a search that begins late waits for nobody
    assert depth([*searches, ("_page=a", 0.06, 0.11), ("_page=b", 0.07, 0.12)]) == 2
    assert depth([*searches, ("_page=b", 0.12, 0.17), ("_page=a", 0.06, 0.11)]) == 3
    reading = Reading("silent", 10, "200, placed", 9, 2, 150.0, 140.0, 160.0)
    assert reading.ratio == 1.5
    assert "| silent | 10 | 200, placed | 9 | 2 | 150 | 140 to 160 | 1.50 |" in reads_table([reading])


def test_a_measurement_replaces_one_table_and_no_prose() -> None:
    page = (
        "# P\n\n| x |\n\n## CPU time\n\nProse.\n\n| a |\n|---|\n| 1 |\n\nMeasured then.\n\nMore.\n\n## Start\n\n| b |\n"
    )
    found = with_table(page, "CPU time", "| a |\n|---|\n| 2 |\n\nMeasured now.\n")
    assert found == page.replace("| 1 |", "| 2 |").replace("Measured then.", "Measured now.")
    assert with_table(found, "CPU time", "| a |\n|---|\n| 1 |\n\nMeasured then.\n") == page
    with pytest.raises(ValueError, match="no table"):
        with_table("## Start\n\nProse.\n\n## CPU time\n\n| a |\n", "Start", "")


@pytest.mark.parametrize("heading", ["Instructions", "CPU time", "Start", "Memory", "Read from a FHIR server"])
def test_the_page_has_a_table_for_every_measurement(heading: str) -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert "| new |" in with_table(page, heading, "| new |\n")


def test_memory_that_grows_is_seen() -> None:
    flat = Curve(tuple((n, 100.0 + n % 2) for n in range(50)))
    growing = Curve(tuple((n, 100.0 + n) for n in range(50)))
    assert flat.growth < 1.02 < growing.growth
