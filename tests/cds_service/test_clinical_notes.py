"""Clinical notes in the answers: a lesion that stands in notes alone is found where the hospital asks for it."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import msgspec
import pytest
from starlette.testclient import TestClient

from cds_service import tenants
from cds_service.app import create_app
from cds_service.cli import main
from cds_service.config_check import checked
from cds_service.pipeline import Brain, load_brain
from cds_service.settings import Settings
from tests.cds_clients import BASE, tenant, token
from tests.cds_service.fhir.test_notes import Ehr, binary, link, note
from tests.charts import chart
from tests.serving import listening

PATIENT = "p1"
TODAY = datetime.now(UTC).date()
BODY = {
    "hook": "patient-view",
    "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
    "context": {"userId": "Practitioner/p1", "patientId": PATIENT},
}
LUPUS = """
    Patient    | female | 49y
    Condition  | SLE | onset -17y
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
"""
GOUT = LUPUS.replace("SLE | onset -17y", "gout")
LESION = LUPUS + "    Exam       | stony-hard nodules over both elbows | -10d\n"
WORDS = "Skin: stony-hard nodules over both elbows, for 3 months. CANARY"
SECRETS = ("CANARY", "stony", "canary-binary")


def ehr(table: str, words: str = WORDS, **more: Any) -> Ehr:
    """A chart on the sandbox's server, and one note with its text behind a link."""
    made = chart(table, today=TODAY, patient_id=PATIENT)
    plain = json.loads(msgspec.json.Encoder(decimal_format="number").encode(made.resources))
    today = f"{TODAY.isoformat()}T00:00:01Z"
    text = link("canary-binary")
    return Ehr(*plain, note("note-1", text, **{"date": today, **more}), binary("canary-binary", words))


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain()


@pytest.fixture
def hospital(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, brain: Brain) -> Iterator[Any]:
    """A tenant in production with a FHIR server of ours, and what it answers."""
    monkeypatch.setattr(tenants, "_SCHEMES", ("https", "http"))
    with ExitStack() as stack:

        def ask(
            server: Ehr, *, path: str = "/assessments", scope: str | None = None, prefetch: Any = None, **changes: Any
        ) -> dict[str, Any]:
            url = stack.enter_context(listening(server))
            file = tmp_path / "tenants.json"
            entry = tenant(fhirServers=[url], allowPrivateAddresses=True, **changes)
            file.write_text(json.dumps({"tenants": [entry]}))
            settings = Settings(
                tenants_file=file, public_url=BASE, database_url=f"sqlite:///{tmp_path}/cds.sqlite3", deadline_ms=8000
            )
            client = stack.enter_context(TestClient(create_app(settings, brain=brain), base_url=BASE))
            grant = {"access_token": "t", "token_type": "Bearer", "expires_in": 300, "subject": "us"}
            body = BODY | {"fhirServer": url, "fhirAuthorization": grant | {"scope": scope or "patient/*.rs"}}
            body |= {"prefetch": prefetch} if prefetch is not None else {}
            head = {"Authorization": f"Bearer {token(aud=BASE + path)}"}
            answer = client.post(path, json=body, headers=head)
            assert answer.status_code == 200, answer.text
            found: dict[str, Any] = answer.json()
            return found

        yield ask


def notes_asked(server: Ehr) -> int:
    return sum("DocumentReference" in one or "Binary" in one for one in server.asked)


def test_a_lesion_of_a_note_is_found_where_the_hospital_asks_for_notes(
    hospital: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG", "cds_service")
    without, with_notes = ehr(LUPUS), ehr(LUPUS)
    assert hospital(without)["criteria"]["lesion"]["status"] != "met"
    assert notes_asked(without) == 0
    found = hospital(with_notes, clinicalNotes=True)
    assert (found["criteria"]["lesion"]["status"], found["criteria"]["lesion"]["hardness"]) == ("met", "definite")
    assert found["criteria"]["lesion"]["evidence"] == ["DocumentReference/note-1"]
    assert {state["state"] for state in found["completeness"].values()} == {"complete"}
    assert notes_asked(with_notes) == 2
    for secret in SECRETS:
        assert secret not in "".join(str(vars(one)) for one in caplog.records if one.name.startswith("cds_service"))


def test_the_card_comes_from_the_note_too(hospital: Any) -> None:
    path = "/cds-services/calcinosis-patient-view"
    assert hospital(ehr(LUPUS), path=path)["cards"] == []
    (card,) = hospital(ehr(LUPUS), path=path, clinicalNotes=True)["cards"]
    assert "alcinosis" in card["summary"]


@pytest.mark.parametrize("table", [GOUT, LESION])
def test_who_has_no_disease_or_a_lesion_already_costs_nothing(hospital: Any, table: str) -> None:
    server = ehr(table)
    hospital(server, clinicalNotes=True)
    assert notes_asked(server) == 0


@pytest.mark.parametrize(
    "more",
    [
        {"status": "entered-in-error"},
        {"subject": {"reference": "Patient/other"}},
        {"words": "No nodules. Skin without induration."},
        {"words": "Her mother has stony-hard nodules over both elbows."},
    ],
)
def test_the_rules_of_notes_hold(hospital: Any, more: dict[str, Any]) -> None:
    assert hospital(ehr(LUPUS, **more), clinicalNotes=True)["criteria"]["lesion"]["status"] != "met"


def test_what_the_scopes_do_not_allow_is_not_asked_for_and_is_named(hospital: Any) -> None:
    chart_only = "patient/Patient.r patient/Condition.rs patient/Observation.rs"
    server = ehr(LUPUS)
    told = hospital(server, clinicalNotes=True, scope=chart_only)["quarantined"]
    assert {"reference": "DocumentReference", "reason": "clinical notes not read: scope"} in told
    assert notes_asked(server) == 0
    server = ehr(LUPUS)
    told = hospital(server, clinicalNotes=True, scope=f"{chart_only} patient/DocumentReference.rs")["quarantined"]
    assert {"reference": "DocumentReference/note-1", "reason": "its text is kept elsewhere"} in told
    assert notes_asked(server) == 1
    found = hospital(
        ehr(LUPUS), clinicalNotes=True, scope=f"{chart_only} patient/DocumentReference.rs patient/Binary.r"
    )
    assert found["criteria"]["lesion"]["status"] == "met"


def test_a_note_that_the_prefetch_brought_without_its_text_is_read(hospital: Any) -> None:
    server = ehr(LUPUS)
    bare = note("note-1", link("canary-binary"), date=TODAY.isoformat())
    sent = {"notes": {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": bare}]}}
    found = hospital(server, clinicalNotes=True, prefetch=sent)
    assert found["criteria"]["lesion"]["evidence"] == ["DocumentReference/note-1"]
    assert found["quarantined"] == []


def test_documents_that_are_none_lose_nothing_of_the_chart(hospital: Any) -> None:
    """A server may send anything: each of these is as good as no note, and the one beside them counts."""
    server = ehr(LUPUS)
    good = json.loads(server.store.bodies("DocumentReference", ["note-1"])[0])
    odd: list[dict[str, Any]] = [
        {"id": {"a": 1}},
        {"id": ["x"], "date": 7},
        {"id": "a", "content": "text", "status": ["current"]},
        {"id": "b", "content": [7, {"attachment": [1]}, {"attachment": {"contentType": 5, "url": 5}}], "context": "x"},
        {"id": "c", "content": [{"attachment": {"contentType": "text/plain", "data": 5}}]},
        {"id": "d", "content": [{"attachment": {"contentType": "text/plain", "url": "Binary/none"}}], "subject": 4},
    ]
    sent = [{"resource": good}, *({"resource": {**good, **one}} for one in odd), {"resource": 7}, 7]
    plainly = server.__call__

    async def oddly(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http" or not scope["path"].endswith("/DocumentReference"):
            return await plainly(scope, receive, send)
        body = json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": sent}).encode()
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": body})
        return None

    found = hospital(oddly, clinicalNotes=True)
    assert "DocumentReference/note-1" in found["criteria"]["lesion"]["evidence"]


def test_a_chart_with_notes_is_not_kept_for_the_next_call(hospital: Any) -> None:
    """What a server would say the next time is known only when it is asked: the whole prefetch is not enough here."""
    from hooks.services import PREFETCH

    server = ehr(LUPUS)
    condition = json.loads(server.store.bodies("Condition", server.store.search("Condition", []).ids)[0])
    whole: dict[str, Any] = dict.fromkeys(PREFETCH)
    whole["conditions"] = {"resourceType": "Bundle", "type": "searchset", "entry": [{"resource": condition}]}
    found = hospital(server, clinicalNotes=True, prefetch=whole)
    assert found["criteria"]["lesion"]["status"] == "met"
    assert notes_asked(server) == len(server.asked) == 2


def test_statements_are_read_beside_a_whole_prefetch_where_the_hospital_asks_for_them(hospital: Any) -> None:
    from hooks.services import PREFETCH

    server = ehr(LESION)
    whole: dict[str, Any] = dict.fromkeys(PREFETCH)
    hospital(server, prefetch=dict(whole))
    assert server.asked == []
    hospital(server, prefetch=dict(whole), medicationStatements=True)
    assert [one.partition("?")[0] for one in server.asked if "metadata" not in one] == ["/MedicationStatement"]


def test_evaluate_reads_notes_when_told_to(capsys: pytest.CaptureFixture[str]) -> None:
    def lesion(*more: str) -> str:
        with listening(ehr(LUPUS)) as url:
            assert main(["evaluate", "--fhir-server", url, "--patient", PATIENT, "--json", *more]) == 0
        status: str = json.loads(capsys.readouterr().out)["assessment"]["criteria"]["lesion"]["status"]
        return status

    assert lesion() != "met"
    assert lesion("--notes") == "met"
    assert main(["evaluate", "--bundle", "x.json", "--notes"]) == 1
    assert "--notes" in capsys.readouterr().err


def test_the_check_of_the_configuration_tells_what_it_asks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = tmp_path / "tenants.json"
    on = {"clinicalNotes": True, "medicationStatements": True}
    none = tenant(id="none", clientId="x", fhirServers=[], **on)
    file.write_text(json.dumps({"tenants": [tenant(**on, clientId="y"), none]}))
    monkeypatch.setenv("CDS_PROFILE", "sandbox")
    monkeypatch.setenv("CDS_TENANTS_FILE", str(file))
    lines = "\n".join(checked(1)[1])
    assert (
        "tenant hospital: note: clinicalNotes: tokens need a scope for DocumentReference (search) and Binary" in lines
    )
    assert "tenant hospital: note: medicationStatements: tokens need a scope for MedicationStatement" in lines
    assert "tenant none: note: clinicalNotes: has no effect without fhirServers" in lines
