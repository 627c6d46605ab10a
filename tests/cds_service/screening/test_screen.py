"""`cds-service screen` as a whole: the rows of everyone it should speak of, whatever happens to files and processes."""

from __future__ import annotations

import csv
import gzip
import json
import os
import re
import stat
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from typing import NamedTuple

import msgspec
import pyarrow.parquet as pq
import pytest
from fhir.resources.R4B.group import Group
from fhir.resources.R4B.task import Task

from benchmarks.export import write as write_benchmark
from cds_service.cli import main
from cds_service.pipeline import Brain
from cds_service.screening.decide import decide
from cds_service.screening.keys import patient_key
from cds_service.screening.needs import completeness_of
from tests.cds_service.screening.exports import case_charts, lines_by_type, write_export
from tests.charts import TODAY, chart
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts

MAIN = "import sys; from cds_service.cli import main; sys.exit(main())"
CTD = """
    Patient    | female | 49y
    Condition  | SLE | onset -17y
    Exam       | stony-hard nodules over both elbows, first noticed 3 months ago | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15-2.57] | -10d
"""
FEW = 6
KEY = "a key of the tests, of no hospital at all"


class Done(NamedTuple):
    """What a run left, and all that it said."""

    folder: Path
    said: str


@pytest.fixture(autouse=True)
def _key(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CDS_PSEUDONYM_KEY", KEY)


@pytest.fixture(scope="module")
def export(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """With two encounters of everyone."""
    folder = write_export(tmp_path_factory.mktemp("export"))
    visits = [
        {
            "resourceType": "Encounter",
            "id": f"{one.patient_id}-{number}",
            "subject": {"reference": f"Patient/{one.patient_id}"},
            "period": {"start": f"2026-0{number + 1}-15T09:00:00Z"},
        }
        for one in case_charts()
        for number in range(2)
    ]
    (folder / "encounters.ndjson").write_text("".join(json.dumps(visit) + "\n" for visit in visits))
    return folder


@pytest.fixture(scope="module")
def spoken(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Done:
    """Everything that can be asked for, of those for whom the assessment speaks."""
    folder = tmp_path_factory.mktemp("spoken")
    files = ("--out", "w.parquet", "--summary", "s.html", "--reidentify", "r.csv", "--group", "g.json", "--tasks",
             "t.ndjson")  # fmt: skip
    with pytest.MonkeyPatch.context() as patch, _all_output(folder.with_name("said")) as said:
        patch.setenv("CDS_PSEUDONYM_KEY", KEY)
        screen(export, *(folder / part if "." in part else part for part in files))
    return Done(folder, said.read_text())


@contextmanager
def _all_output(said: Path) -> Iterator[Path]:
    """Of this process and of those that it starts."""
    before = os.dup(1), os.dup(2)
    with said.open("w") as file, redirect_stdout(file), redirect_stderr(file):
        for number in (1, 2):
            os.dup2(file.fileno(), number)
        try:
            yield said
        finally:
            file.flush()
            for number, old in zip((1, 2), before, strict=True):
                os.dup2(old, number)
                os.close(old)


@pytest.fixture(scope="module")
def everyone(export: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """All candidates, and the state that a later run goes on from."""
    folder = tmp_path_factory.mktemp("everyone")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CDS_PSEUDONYM_KEY", KEY)
        state = ("--state", folder / "state")
        screen(export, "--everyone", "--out", folder / "w.ndjson", "--summary", folder / "s.json", *state)
    return folder


def screen(*arguments: object, code: int = 0) -> None:
    assert (
        main(["screen", *map(str, arguments), *(() if "--as-of-series" in arguments else ("--as-of", str(TODAY)))])
        == code
    )


def rows_of(path: Path) -> list[dict]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_everyone_gets_the_row_that_the_hook_gives_and_the_silent_are_not_read(spoken: Done, brain: Brain) -> None:
    """Candidates only against everyone: whoever is not a candidate has nothing to say."""
    found = {row["patient"]: row for row in pq.read_table(spoken.folder / "w.parquet").to_pylist()}
    states = completeness_of(lines_by_type(case_charts()))
    said = 0
    for one in case_charts():
        row = decide(one.patient_id, one.resources, as_of=TODAY, brain=brain, secret=KEY.encode(), completeness=states)
        if row.grade != "none":
            said += 1
            record = msgspec.structs.asdict(row).items()
            assert found[row.patient] == {k: [*v] if isinstance(v, tuple) else v for k, v in record}, one.patient_id
        else:
            assert row.patient not in found, one.patient_id
    assert len(found) == said > 25


def test_every_form_says_the_same(export: Path, spoken: Done, everyone: Path, tmp_path: Path) -> None:
    screen(export, "--everyone", "--out", tmp_path / "w.csv", "--state", everyone / "state")
    lines = rows_of(everyone / "w.ndjson")
    table = pq.read_table(spoken.folder / "w.parquet").to_pylist()
    speaking = [row for row in lines if row["grade"] != "none"]
    assert [{**row, "as_of": row["as_of"].isoformat()} for row in table] == speaking
    with (tmp_path / "w.csv").open() as file:
        flat = list(csv.DictReader(file))
    assert [row["patient"] for row in flat] == [row["patient"] for row in lines] == sorted(r["patient"] for r in lines)
    assert [row["reasons"] for row in flat] == ["; ".join(row["reasons"]) for row in lines]
    assert flat[0]["completeness_conditions"] == "complete"
    assert flat[0]["completeness_allergies"] == lines[0]["completeness"]["allergies"]


def test_no_id_and_no_text_leaves_but_where_it_was_asked_for(spoken: Done) -> None:
    folder = spoken.folder
    ids = {one.patient_id for one in case_charts()}
    rows = pq.read_table(folder / "w.parquet").to_pylist()
    assert "rows on the worklist" in spoken.said
    for text in (spoken.said, json.dumps(rows, default=str), (folder / "s.html").read_text()):
        assert not any(patient in text for patient in ids)
        assert "stony" not in text
    with (folder / "r.csv").open() as file:
        named = {row["patient"]: row["id"] for row in csv.DictReader(file)}
    assert named.keys() == {row["patient"] for row in rows}
    assert all(patient_key(KEY.encode(), patient) == key for key, patient in named.items())
    assert stat.S_IMODE((folder / "r.csv").stat().st_mode) == 0o600
    assert sorted(path.name for path in folder.iterdir()) == ["g.json", "r.csv", "s.html", "t.ndjson", "w.parquet"]


def test_group_and_tasks_are_fhir(spoken: Done) -> None:
    cards = pq.read_table(spoken.folder / "w.parquet").column("card").to_pylist().count(True)
    group = Group.model_validate(json.loads((spoken.folder / "g.json").read_text()))
    tasks = [Task.model_validate(task) for task in rows_of(spoken.folder / "t.ndjson")]
    assert group.quantity == len(tasks) == cards > 25
    assert {task.status for task in tasks} == {"draft"}
    assert {member.entity.reference for member in group.member} == {task.for_fhir.reference for task in tasks}
    assert stat.S_IMODE((spoken.folder / "g.json").stat().st_mode) == 0o600


def test_what_is_lost_is_named_and_the_rest_is_complete(
    export: Path, everyone: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    bad = tmp_path / "bad"
    bad.mkdir()
    (bad / "z-cut.ndjson").write_bytes(gzip.compress(b'{"resourceType":"Basic","id":"SECRET"}\n' * 5000)[:-40])
    (bad / "z-lines.ndjson").write_bytes(
        b'{"resourceType":"Basic","id":"b1"}\n{"resourceType":"Basic","id":"SECRET\n\n[1]\n"word"\n{"id":"x"}\n'
        b'{"resourceType":"Basic","id":"b2"}'
    )
    known = ("--state", everyone / "state")
    screen(export, bad, "--everyone", "--out", tmp_path / "w.ndjson", "--losses", tmp_path / "l.ndjson", *known, code=1)
    assert (tmp_path / "w.ndjson").read_bytes() == (everyone / "w.ndjson").read_bytes()
    losses = {(Path(loss["file"]).name, loss["line"], loss["reason"]) for loss in rows_of(tmp_path / "l.ndjson")}
    assert losses == {
        ("z-cut.ndjson", None, "gzip data ends too early"),
        ("z-lines.ndjson", 2, "not JSON"),
        ("z-lines.ndjson", 4, "not a FHIR resource"),
        ("z-lines.ndjson", 5, "not a FHIR resource"),
        ("z-lines.ndjson", 6, "not a FHIR resource"),
    }
    said = capfd.readouterr().err
    assert "z-lines.ndjson:2: not JSON" in said
    assert "SECRET" not in said + (tmp_path / "l.ndjson").read_text()


def test_a_file_that_cannot_be_read_at_all_may_have_held_anything(everyone: Path, tmp_path: Path) -> None:
    bad = write_export(tmp_path / "bad", few := list(case_charts())[:FEW])
    (bad / "odd.ndjson").write_bytes(b"\x1f\x8bnot gzip at all")
    (bad / "odder.ndjson").write_bytes(b"\x28\xb5\x2f\xfdnot zstd at all")
    screen(bad, "--everyone", "--out", tmp_path / "w.ndjson", "--losses", tmp_path / "l.ndjson", code=1)
    rows, good = rows_of(tmp_path / "w.ndjson"), {row["patient"] for row in rows_of(everyone / "w.ndjson")}
    assert {row["patient"] for row in rows} == good & {patient_key(KEY.encode(), one.patient_id) for one in few}
    assert len(rows) > FEW // 2
    assert {row["completeness"]["conditions"] for row in rows} == {"partial"}
    assert [loss["line"] for loss in rows_of(tmp_path / "l.ndjson")] == [None, None]


def test_a_lost_line_makes_its_need_partial_for_everyone(tmp_path: Path) -> None:
    bad = write_export(tmp_path / "bad", list(case_charts())[:FEW])
    lines = lines_by_type(case_charts())["Observation"]
    (bad / "more.ndjson").write_bytes(lines[0] + b"\n" + lines[1][:70] + b"\n")
    screen(bad, "--out", tmp_path / "w.ndjson", code=1)
    states = [row["completeness"] for row in rows_of(tmp_path / "w.ndjson")]
    assert {state["observations"] for state in states} == {"partial"}
    assert {state["conditions"] for state in states} == {"complete"}


@pytest.mark.long
def test_work_that_was_done_is_not_done_again(export: Path, tmp_path: Path) -> None:
    """What a run left behind when it was ended: columns of all files, no rows; and the same bytes in the end."""
    state = tmp_path / "state"
    screen(export, "--state", state, "--out", tmp_path / "one.parquet", "--everyone")
    columns = {path: path.stat().st_mtime_ns for path in state.glob("columns/*")}
    for path in (*state.glob("run-*/rows-*"), *state.glob("run-*/charts*"), state / "last"):
        path.unlink()
    (state / "columns" / "half.parquet.part").write_bytes(b"PAR1 half")
    screen(export, "--state", state, "--out", tmp_path / "two.parquet", "--everyone")
    assert (tmp_path / "one.parquet").read_bytes() == (tmp_path / "two.parquet").read_bytes()
    assert columns == {path: path.stat().st_mtime_ns for path in columns}


@pytest.mark.long
def test_a_second_export_updates_those_it_touches_and_equals_a_full_run(
    export: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    state, changed = tmp_path / "state", tmp_path / "changed"
    screen(export, "--state", state, "--out", tmp_path / "before.ndjson")
    before = {row["patient"]: row for row in rows_of(tmp_path / "before.ndjson")}
    touched = next(
        one for one in case_charts() if before.get(patient_key(KEY.encode(), one.patient_id), {}).get("card")
    )
    gone = next(one for one in list(case_charts())[20:] if patient_key(KEY.encode(), one.patient_id) in before)
    calcium = {
        "resourceType": "Observation",
        "id": "delta-1",
        "status": "final",
        "code": {"coding": [{"system": "http://loinc.org", "code": "2000-8"}]},
        "subject": {"reference": f"Patient/{touched.patient_id}"},
        "effectiveDateTime": TODAY.isoformat(),
        "valueQuantity": {"value": 3.9, "unit": "mmol/L", "system": "http://unitsofmeasure.org", "code": "mmol/L"},
    }
    deletion = {
        "resourceType": "Bundle",
        "type": "transaction",
        "entry": [{"request": {"method": "DELETE", "url": f"Patient/{gone.patient_id}"}}],
    }
    changed.mkdir()
    (changed / "since.ndjson").write_text(f"{json.dumps(calcium)}\n{json.dumps(deletion)}\n")
    capfd.readouterr()
    screen(export, changed, "--state", state, "--out", tmp_path / "after.ndjson")
    said = capfd.readouterr().err
    screen(export, changed, "--out", tmp_path / "full.ndjson")
    assert (tmp_path / "after.ndjson").read_bytes() == (tmp_path / "full.ndjson").read_bytes()
    after = {row["patient"]: row for row in rows_of(tmp_path / "after.ndjson")}
    key = patient_key(KEY.encode(), touched.patient_id)
    assert before[key] != after[key]
    assert before.keys() - after.keys() == {patient_key(KEY.encode(), gone.patient_id)}
    assert "30 decided (29 unchanged)" in said


@pytest.mark.long
def test_a_series_says_what_was_known_each_day(export: Path, tmp_path: Path) -> None:
    screen(export, "--as-of-series", "2026-02-01..2026-06-01/2mo", "--everyone", "--out", tmp_path / "w.ndjson")
    days = sorted({row["as_of"] for row in rows_of(tmp_path / "w.ndjson")})
    assert days == ["2026-02-01", "2026-04-01", "2026-06-01"]
    for day in days:
        main(["screen", str(export), "--as-of", day, "--everyone", "--out", str(tmp_path / "one.ndjson")])
        assert rows_of(tmp_path / "one.ndjson") == [r for r in rows_of(tmp_path / "w.ndjson") if r["as_of"] == day]


def test_the_summary_has_every_table_and_its_plots(spoken: Done) -> None:
    html = (spoken.folder / "s.html").read_text()
    sections = dict(re.findall(r"<h2[^>]*>(.*?)</h2>(.*?)(?=<h2|$)", html, re.S))
    wanted = ("From the export to the cards", "Grades", "Missing workup", "Completeness of the data",
              "By connective tissue disease", "By year of the first record of a lesion", "Red flags",
              "Estimated cards per 1,000 encounters", "The export")  # fmt: skip
    assert set(wanted) <= sections.keys()
    assert "<svg" in sections["From the export to the cards"]
    assert "<svg" in sections["Missing workup"]


def test_the_summary_counts(everyone: Path) -> None:
    patients = len(list(case_charts()))
    cards = sum(row["card"] for row in rows_of(everyone / "w.ndjson"))
    tables = json.loads((everyone / "s.json").read_text())["tables"]
    funnel = dict(tables["funnel"]["rows"])
    assert funnel["patients in the export"] == patients
    assert funnel["a card"] == cards
    assert tables["encounters"]["rows"][0][1:] == [2 * patients, 2 * cards, round(1000 * cards / patients, 2)]


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["nowhere"], "nowhere: no such file or folder"),
        ([".", "--out", "w.xlsx"], "--out: the suffix must be one of .parquet, .ndjson, .jsonl, .csv"),
        ([".", "--workers", "0"], "--workers must be at least 1"),
    ],
)
def test_a_wrong_argument_is_named(
    arguments: list[str], says: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert main(["screen", *arguments]) == 1
    assert capfd.readouterr().err == f"{says}\n"


def test_without_the_extra_it_says_which(
    export: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(sys.modules, "duckdb", None)
    screen(export, "--out", tmp_path / "w.csv", code=1)
    assert "calcinosis-cds[screen]" in capfd.readouterr().err


@pytest.mark.long
def test_no_public_chart_that_speaks_is_passed_over(brain: Brain) -> None:
    """Line by line, as the scan looks: who has no line that can name the disease has nothing to say."""
    spoken = passed = 0
    for name in (*BUNDLE_SETS, *FILE_SETS):
        for one in charts(name):
            kinds = [r["resourceType"] for r in one.resources]
            row = decide(
                one.patient_id,
                one.resources,
                as_of=TODAY,
                brain=brain,
                secret=KEY.encode(),
                completeness=completeness_of(kinds),
            )
            named = any(
                brain.may_concern(json.dumps(r).encode()) for r in one.resources if r["resourceType"] != "Patient"
            )
            assert named or (row.grade == "none" and row.ctd != "met"), one.label
            spoken += row.ctd == "met"
            passed += not named
    assert spoken > 10
    assert passed > 10


@pytest.mark.long
def test_memory_stays_bounded_when_everybody_is_a_candidate(tmp_path: Path) -> None:
    """Every process may have 2 GiB of address space less what it has no need of; a corrupt line of 40 MB among them."""
    folder = tmp_path / "export"
    folder.mkdir()
    one = chart(CTD, patient_id="p-XXXX")
    with (folder / "all.ndjson").open("wb") as out:
        for number in range(3000):
            for _, lines in sorted(lines_by_type([one]).items()):
                out.writelines(line.replace(b"XXXX", b"%04d" % number) + b"\n" for line in lines)
        out.write(b'{"resourceType":"Observation","id":"' + b"x" * 40_000_000 + b"\n")
    limit = "import resource as r; r.setrlimit(r.RLIMIT_DATA, (2 * 2**30, 2 * 2**30)); " + MAIN
    command = [sys.executable, "-c", limit, "screen", str(folder), "--as-of", str(TODAY)]
    done = subprocess.run([*command, "--out", str(tmp_path / "w.parquet")], timeout=900, check=False)
    assert done.returncode == 1
    assert pq.read_metadata(tmp_path / "w.parquet").num_rows == 3000


@pytest.mark.long
def test_killed_in_the_middle_and_started_again_gives_the_same_bytes(tmp_path: Path) -> None:
    folder = tmp_path / "export"
    write_benchmark(folder, 6000, 150_000)
    command = [sys.executable, "-c", MAIN, "screen", str(folder), "--as-of", "2026-01-01", "--everyone"]
    whole = subprocess.run([*command, "--out", str(tmp_path / "whole.parquet")], check=True, timeout=600)
    assert whole.returncode == 0
    for after in ("columns/*.json", "run-*/rows-*.ndjson"):
        out = tmp_path / f"killed-{len(after)}.parquet"
        running = subprocess.Popen([*command, "--out", str(out)], start_new_session=True)
        state = out.with_name(f".{out.name}.state")
        while running.poll() is None and not any(state.glob(after)):
            time.sleep(0.01)
        assert running.poll() is None, "it ended before it could be killed"
        os.killpg(running.pid, 9)
        running.wait()
        assert not out.exists()
        subprocess.run([*command, "--out", str(out)], check=True, timeout=600)
        assert out.read_bytes() == (tmp_path / "whole.parquet").read_bytes()
