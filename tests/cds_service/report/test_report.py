"""The committee report: numbers counted by hand, small groups held back, a run over HTTP told without patient data."""

from __future__ import annotations

import csv
import io
import json
import re
import sys
import xml.etree.ElementTree as ET
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from cds_service.app import create_app
from cds_service.cli import main
from cds_service.evaluation_record import age_band
from cds_service.feedback import FeedbackItem
from cds_service.report.build import Options, build
from cds_service.report.render import render
from cds_service.report.rows import Card, Evaluation, Said, read_period
from cds_service.report.small_cells import SMALLEST, held_back
from cds_service.report.tables import Report
from cds_service.settings import Settings
from cds_service.store import CardRecord, EvaluationRecord, Store, SuggestionRecord
from hooks.knowledge.card_schema import load_override_reasons
from mappings.dates import PartialDate
from tests.charts import TODAY, chart

HOUR = 3_600_000
DAY = 24 * HOUR
REASONS = load_override_reasons()
NOW = 100 * DAY
OPTIONS = Options("1970-01-01", "1970-04-10", NOW, sample=3)


def said(outcome: str, at: int, *accepted: str, reason: str | None = None) -> Said:
    return Said(outcome, at, frozenset(accepted), reason, comment=False)


def evaluation(number: int, *cards: Card, at: int = 0, **more: Any) -> Evaluation:
    written = ("calcinosisDetection",) if cards else ()
    values = {
        "id": f"e{number}", "at_ms": at, "tenant": "t", "service": "calcinosis-patient-view",
        "patient_key": f"p{number}", "knowledge_version": "1.0.0", "grade": "likely", "card": "detection",
        "outcome": "shown" if cards else "nothing", "incomplete": (), "written": written,
        "milliseconds": 10.0, "sex": "female", "age_band": "40-64", "user_kind": "Practitioner", "cards": cards,
    }  # fmt: skip
    return Evaluation(**(values | more))


def card(uuid: str, *words: Said, at: int = 0, suggestions: tuple[str, ...] = ("a", "b")) -> Card:
    return Card(
        uuid, "calcinosisDetection", at, {f"{uuid}-{name}": f"ServiceRequest {name}" for name in suggestions}, words
    )


def table(report: Report, name: str) -> dict[Any, tuple[Any, ...]]:
    (found,) = (entry for entry in report.tables if entry.id == name)
    return {row[0]: row[1:] for row in found.rows}


BOTH = ("c2-a", "c2-b")
LOG = [
    evaluation(1, card("c1", said("accepted", 2 * HOUR, "c1-a"))),
    evaluation(2, card("c2", said("overridden", HOUR, reason="expert-contradicts"), said("accepted", 4 * HOUR, *BOTH))),
    evaluation(3, card("c3", said("overridden", 3 * HOUR, reason="action-completed")), milliseconds=30.0),
    evaluation(4, card("c4", said("overridden", 5 * HOUR)), sex="male", incomplete=("allergies=partial:timeout",)),
    evaluation(5, card("c5")),
    evaluation(6, card("c6", at=NOW - HOUR), at=NOW - HOUR, grade="possible"),
    evaluation(1, card("c7", said("overridden", 9 * DAY, reason="not-ours")), at=8 * DAY, milliseconds=600.0),
    evaluation(8, grade="none", card="none"),
    evaluation(9, grade="likely", outcome="silent", written=("calcinosisDetection",), sex="male"),
]  # fmt: skip


def test_numbers_counted_by_hand() -> None:
    report = build(LOG, OPTIONS)
    summary = {name: row[0] for name, row in table(report, "summary").items()}
    assert summary == {
        "Evaluations": 9,
        "Patients": "<11",
        "Evaluations with a card shown": 7,
        "Patients with a card shown": "<11",
        "Cards shown": 7,
        "Cards shown per 100 evaluations": 77.8,
        "Cards accepted (at least one suggestion)": 2,
        "Cards dismissed": 3,
        "Cards ignored (no word after 24 hours)": 1,
        "Cards still open": 1,
        "Cards repeated for a patient (same topic), %": 14.3,
        "Hours from card to first word, median": 3.0,
        "Evaluations on incomplete data, %": 11.1,
        "Milliseconds to answer, 95th percentile": 600.0,
    }
    assert table(report, "firing") == {"calcinosis-patient-view": (9, 7, 1, 0, 1, 0, 0, 77.8)}
    assert table(report, "grades") == {"none": (1, 0, 0), "possible": (1, 1, 1), "likely": (7, 7, 6)}
    assert table(report, "cards") == {"Possible dystrophic calcinosis cutis": (7, 2, 3, 1, 1, 33.3)}
    assert table(report, "suggestions") == {"ServiceRequest a": (7, 2, 28.6), "ServiceRequest b": (7, 1, 14.3)}
    assert {reason: row[0] for reason, row in table(report, "reasons").items()} == {
        "Already done or already known": 1,
        "no coded reason": 1,
        "another code": 1,
    }
    assert table(report, "incomplete") == {"allergies": ("partial", "timeout", 1, 11.1)}
    assert table(report, "latency") == {"calcinosis-patient-view": (9, 10.0, 600.0, 600.0, 600.0)}
    assert sum(row[0] for row in table(report, "speed").values()) == 9
    assert list(table(report, "weeks")) == ["1969-12-29", "1970-01-05", "1970-04-06"]
    assert sum(row[0] for row in table(report, "weeks").values()) == 9
    assert table(report, "sex") == {"female": ("<11",) * 5, "male": ("<11",) * 5}


def test_samples_are_drawn_by_seed_one_a_patient() -> None:
    first, again = build(LOG, OPTIONS), build(LOG, OPTIONS)
    assert table(first, "sample-shown") == table(again, "sample-shown")
    assert len(table(first, "sample-shown")) == 3
    assert list(table(first, "sample-silent")) == ["e9"], "graded, and no card; what has no grade is no near miss"
    other = build(LOG, Options("1970-01-01", "1970-04-10", NOW, sample=3, seed="other"))
    keys = [row[2] for row in table(other, "sample-shown").values()]
    assert len(set(keys)) == len(keys)


def test_an_empty_period_is_told_as_empty() -> None:
    report = build([], OPTIONS)
    assert table(report, "summary")["Cards shown per 100 evaluations"] == (None,)
    assert "Nothing in this period." in render(report, "html")
    assert json.loads(render(report, "json"))["tables"]["weeks"]["rows"] == []


@given(st.dictionaries(st.sampled_from("abcdef"), st.integers(1, 40), min_size=1))
def test_a_small_group_is_not_told_and_not_left_over(patients: dict[str, int]) -> None:
    hidden = held_back(patients)
    assert all(group in hidden for group, count in patients.items() if count < SMALLEST)
    if hidden and hidden != set(patients):
        assert len(hidden) > 1
        assert sum(patients[group] for group in hidden) >= SMALLEST
    if min(patients.values()) >= SMALLEST:
        assert not hidden


def test_a_part_of_the_patients_gives_nobody_away() -> None:
    rows = [evaluation(n, card(f"c{n}")) for n in range(30)] + [evaluation(50), evaluation(51)]
    summary = table(build(rows, OPTIONS), "summary")
    assert summary["Patients"] == (32,)
    assert summary["Patients with a card shown"] == ("held back",)


@pytest.mark.parametrize(
    ("born", "band"),
    [(None, "unknown"), ("2008-06-02", "0-17"), ("2008-06-01", "18-39"), ("1986-06-01", "40-64"), ("1930", "65+")],
)
def test_ages_are_kept_in_bands(born: str | None, band: str) -> None:
    assert age_band(PartialDate.parse(born) if born else None, date(2026, 6, 1)) == band


# The store, on both databases -----------------------------------------------------------------------------------------


CARD = {"a": "11111111-1111-4111-8111-11111111111a", "b": "11111111-1111-4111-8111-11111111111b"}
SUGGESTION = {"a": "22222222-2222-4222-8222-22222222222a", "b": "22222222-2222-4222-8222-22222222222b"}


def stored(tenant: str) -> EvaluationRecord:
    offered = (SuggestionRecord(SUGGESTION[tenant], "ServiceRequest ct"),)
    return EvaluationRecord(
        id=f"{tenant}-1",
        at_ms=5,
        tenant=tenant,
        service="s",
        patient_key="k",
        knowledge_version="1",
        grade="likely",
        card="detection",
        outcome="shown",
        milliseconds=2.0,
        sex="male",
        age_band="65+",
        user_kind="Practitioner",
        decisions=("card:topic", "workup:ct=offer"),
        incomplete=("allergies=partial:scope",),
        cards=(CardRecord(CARD[tenant], "topic", frozenset({"x"}), offered),),
    )


def test_rows_come_back_with_their_cards_and_every_word(store: Store) -> None:
    store.record([stored("a"), stored("b")])
    at = datetime(2026, 6, 1, tzinfo=UTC)
    words = [
        FeedbackItem(CARD["a"], "accepted", at.replace(hour=3), (SUGGESTION["a"],)),
        FeedbackItem(CARD["a"], "overridden", at, (), ("x", "later"), "words"),
    ]
    store.add_feedback("a", "s", words, 0)
    (row,) = read_period(store, 5, 6, "a")
    (shown,) = row.cards
    assert (row.sex, row.age_band, row.written, row.incomplete) == (
        "male", "65+", ("topic",), ("allergies=partial:scope",)
    )  # fmt: skip
    assert [word.outcome for word in shown.said] == ["overridden", "accepted"]
    assert (shown.accepted, shown.said[0].comment) == ({SUGGESTION["a"]}, True)
    assert [len(read_period(store, *period)) for period in ((0, 5, None), (5, 6, None), (6, 9, None))] == [0, 2, 0]
    (other,) = read_period(store, 5, 6, "b")
    assert other.cards[0].said == ()


# A run ----------------------------------------------------------------------------------------------------------------

CHART = """
    Patient    | {sex} | {age}y
    Condition  | SLE | onset -17y
    Exam       | stony-hard nodules over both elbows | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""
SERVICE = "/cds-services/calcinosis-patient-view"


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Two dozen patients seen, some cards accepted, some dismissed; one call that could not be read."""
    url = f"sqlite:///{tmp_path_factory.mktemp('report')}/cds.sqlite3"
    settings = Settings(profile="sandbox", as_of=TODAY, database_url=url)
    with TestClient(create_app(settings), client=("127.0.0.1", 1)) as client:
        for number in range(24):
            fired = client.post(SERVICE, json=call(number)).json()["cards"]
            item: dict[str, Any] = {"card": fired[0]["uuid"], "outcomeTimestamp": datetime.now(UTC).isoformat()}
            if number < 10:
                item |= {"outcome": "accepted", "acceptedSuggestions": [{"id": fired[0]["suggestions"][0]["uuid"]}]}
            elif number < 16:
                reason = {"code": REASONS.reasons[0].code, "system": REASONS.system}
                item |= {"outcome": "overridden", "overrideReason": {"reason": reason, "userComment": "Mrs Secret"}}
            else:
                continue
            assert client.post(f"{SERVICE}/feedback", json={"feedback": [item]}).status_code == 200
        assert client.post(SERVICE, json=call(99) | {"prefetch": {}}).status_code == 412
    yield url


def call(number: int) -> dict[str, Any]:
    table = CHART.format(sex="male" if number % 2 else "female", age=30 if number % 3 else 70)
    return {
        "hook": "patient-view",
        "hookInstance": "1",
        "context": {"userId": "Practitioner/77", "patientId": f"patient-{number}"},
        "prefetch": {"conditions": chart(table, patient_id=f"patient-{number}").json(), "laboratory": None},
    }


def printed(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, url: str, *more: str) -> str:
    monkeypatch.setenv("CDS_PROFILE", "sandbox")
    monkeypatch.setenv("CDS_DATABASE_URL", url)
    assert main(["report", *more]) == 0
    return capsys.readouterr().out


def test_the_run_is_told_in_json(run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    body = json.loads(printed(capsys, monkeypatch, run, "--format", "json"))
    summary = dict(body["tables"]["summary"]["rows"])
    assert summary["Evaluations"] == 25
    assert summary["Cards accepted (at least one suggestion)"] == 10
    assert summary["Cards dismissed"] == 6
    assert summary["Cards still open"] == 8
    assert body["tables"]["reasons"]["rows"] == [["Already done or already known", 6, 6, 100.0]]
    assert {row[0]: row[1] for row in body["tables"]["sex"]["rows"]} == {
        "female": "held back", "male": 12, "unknown": "<11"
    }  # fmt: skip
    offered = {row[0]: row[1:3] for row in body["tables"]["suggestions"]["rows"]}
    assert offered["ServiceRequest phosphate"][0] == 24
    assert sum(taken for _, taken in offered.values()) == 10
    (firing,) = body["tables"]["firing"]["rows"]
    assert firing[body["tables"]["firing"]["columns"].index("Not readable")] == 1


@pytest.mark.parametrize("form", ["html", "csv", "json"])
def test_nothing_of_a_patient_is_told(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    text = re.sub("<svg.*?</svg>", _words, printed(capsys, monkeypatch, run, "--format", form), flags=re.S)
    for word in ("patient-1", "Practitioner/", "Secret", "elbow", "stony", "2.31", "SLE"):
        assert word not in text


def _words(picture: re.Match[str]) -> str:
    """What a picture says, without its coordinates."""
    return " ".join(re.findall(r">([^<>]+)<", picture[0]))


def test_csv_says_what_json_says(run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    rows = list(csv.DictReader(io.StringIO(printed(capsys, monkeypatch, run, "--format", "csv"))))
    body = json.loads(printed(capsys, monkeypatch, run, "--format", "json"))
    for name, found in body["tables"].items():
        cells = [row["value"] for row in rows if row["table"] == name]
        assert cells == ["" if cell is None else str(cell) for line in found["rows"] for cell in line]


def test_a_plot_stands_beside_its_table_and_runs_nothing(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    out = tmp_path / "report.html"
    assert printed(capsys, monkeypatch, run, "--out", str(out)) == ""
    html = out.read_text(encoding="utf-8")
    sections = re.findall(r'<section id="([^"]+)".*?</section>', html, re.S)
    drawn = [name for name in sections if "<svg" in _section(html, name)]
    assert {"weeks", "grades", "cards", "suggestions", "reasons", "speed", "sex"} <= set(drawn)
    for name in drawn:
        assert "<table>" in _section(html, name)
        svg = _section(html, name)[_section(html, name).index("<svg") :]
        ET.fromstring(svg[: svg.index("</svg>") + 6])  # noqa: S314 - our own picture
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    assert not re.search(r"<script|\bon\w+=|javascript:|@import|<image|src=", html)
    assert not re.findall(r'href="(?!#|http://www\.w3\.org)[^"]*"', html)


def _section(html: str, name: str) -> str:
    return html[html.index(f'<section id="{name}"') :].split("</section>")[0]


def test_without_the_plotting_library_the_tables_are_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    html = render(build(LOG, OPTIONS), "html")
    assert "<svg" not in html
    assert "is not installed" in html
    assert "Possible dystrophic calcinosis cutis" in html


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--from", "2026-02-01", "--to", "2026-01-01"], "--from is later than --to"),
        (["--sample", "-1"], "negative"),
        (["--format", "csv", "--out", "/none/such/report.csv"], "--out"),
    ],
)
def test_what_is_wrong_is_told_in_one_line(
    run: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    arguments: list[str],
    words: str,
) -> None:
    monkeypatch.setenv("CDS_PROFILE", "sandbox")
    monkeypatch.setenv("CDS_DATABASE_URL", run)
    assert main(["report", *arguments]) == 1
    error = capsys.readouterr().err
    assert words in error
    assert error.count("\n") == 1


def test_a_chart_of_the_sample_can_be_found(
    run: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    body = json.loads(printed(capsys, monkeypatch, run, "--format", "json"))
    wanted = {row[3] for row in body["tables"]["sample-shown"]["rows"]}
    assert main(["patient-key", *(f"patient-{n}" for n in range(24))]) == 0
    found = dict(line.split() for line in capsys.readouterr().out.splitlines())
    assert len(wanted) == 20
    assert wanted <= set(found)


def test_text_never_becomes_markup_or_a_formula() -> None:
    rows = [evaluation(1, user_kind="=1+1", service="<b>x</b>")]
    report = build(rows, OPTIONS)
    assert "<b>x" not in render(report, "html")
    assert ",'=1+1" in render(report, "csv")
