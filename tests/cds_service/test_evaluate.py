"""`cds-service evaluate`: charts from files, errors of one line, what is read by a person."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli import main
from cds_service.evaluate import EvaluationError, chart_from_file
from tests.serving import free_port

PATIENT = {"resourceType": "Patient", "id": "p1"}
CONDITION = {"resourceType": "Condition", "id": "c1", "subject": {"reference": "Patient/p1"}}


def bundle(*resources: Any) -> dict[str, Any]:
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": r} for r in resources]}


def written(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


def test_the_only_patient_is_taken(tmp_path: Path) -> None:
    chart = chart_from_file(written(tmp_path / "b.json", json.dumps(bundle(PATIENT, CONDITION, 7))), None)
    assert chart.patient_id == "p1"
    assert [r["resourceType"] for r in chart.resources] == ["Patient", "Condition"]
    assert [q.reference for q in chart.quarantined] == ["bundle[0].entry[2]"]


def test_lines_of_resources_are_read(tmp_path: Path) -> None:
    lines = f"{json.dumps(PATIENT)}\n{json.dumps(CONDITION)}\n"
    assert len(chart_from_file(written(tmp_path / "b.ndjson", lines), None).resources) == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "not JSON"),
        ("", "not JSON"),
        (json.dumps(bundle(CONDITION)), "no Patient"),
        (json.dumps(bundle(PATIENT, {**PATIENT, "id": "p2"})), "2 Patients"),
    ],
)
def test_what_is_wrong_is_said_in_one_line(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(EvaluationError, match=says):
        chart_from_file(written(tmp_path / "b.json", text), None)


def test_a_missing_file_ends_with_one_line_and_code_1(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["evaluate", "--bundle", str(tmp_path / "none.json")]) == 1
    said = capsys.readouterr()
    assert (said.out, said.err.count("\n")) == ("", 1)


@pytest.mark.parametrize("form", [[], ["--json"]])
def test_what_could_not_be_read_is_no_silence(form: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """A server that does not answer: the same that a hook answers with 412."""
    base = f"http://127.0.0.1:{free_port()}/fhir"
    assert main(["evaluate", "--fhir-server", base, "--patient", "p1", *form]) == 1
    said = capsys.readouterr()
    assert "conditions" in said.out
    assert said.err.startswith("could not be read: conditions (connection)")
    assert said.err.count("\n") == 1


def test_a_token_is_not_sent_without_tls(capsys: pytest.CaptureFixture[str]) -> None:
    arguments = [
        "evaluate",
        "--fhir-server",
        "http://ehr.example.org/fhir",
        "--patient",
        "p1",
        "--token",
        "secret-token",
    ]
    assert main(arguments) == 1
    said = capsys.readouterr()
    assert "https" in said.err
    assert "secret-token" not in said.err + said.out


@pytest.mark.parametrize(
    ("day", "says"), [("0001-01-01", "before 1900"), ("1899-12-31", "before 1900"), ("yesterday", "a date")]
)
@pytest.mark.parametrize(
    "command",
    [
        ["evaluate", "--bundle", "chart.json", "--as-of"],
        ["screen", "export", "--as-of"],
        ["synthesize", "out", "--as-of"],
        ["report", "--from"],
    ],
    ids=" ".join,
)
def test_a_day_that_no_chart_is_read_on(
    command: list[str], day: str, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """Windows of the rules count back from the day: near the first of the calendar they would have no beginning."""
    with pytest.raises(SystemExit) as stopped:
        main([*command, day])
    assert stopped.value.code == 2
    assert says in capsys.readouterr().err
