"""A chart that is opened again unchanged is not read again, and nobody can tell by the answer; whatever changed is
read."""

from __future__ import annotations

import asyncio
import copy
import itertools
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest
from starlette.testclient import TestClient

from cds_service import chart_cache
from cds_service.app import create_app
from cds_service.chart_cache import ChartCache, Opened, Terms, asked
from cds_service.pipeline import Brain, load_brain
from cds_service.sandbox.cases import published_cases
from cds_service.settings import Settings
from hooks.assess import assess
from hooks.cards import CardContext
from mappings.facts import PatientFacts
from tests.cds_service.fast_paths import KEYS
from tests.cds_service.lazy_charts import request as lazy_request
from tests.charts import DETECTION, TODAY, chart
from tests.faults.server import Server
from tests.public_data import BUNDLE_SETS, charts

PATH = "/cds-services/calcinosis-patient-view"
BRAIN = load_brain(TODAY)
Body = dict[str, Any]
JSON = {"content-type": "application/json"}
EMPTY = {"resourceType": "Bundle", "type": "searchset", "entry": []}


class Service:
    """An application with a clock of its own, and how often it read a chart."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
        self.day = TODAY
        brain = replace(BRAIN, today=lambda: self.day)
        made = Settings(profile="sandbox", max_body_bytes=200_000_000, suppression=False, **settings)
        self.app = create_app(made, brain=brain)
        self.client = TestClient(self.app, client=("127.0.0.1", 5000))
        self.read = self.written = 0
        understand, cards = Brain.understand, Brain.cards

        def understood(brain: Brain, *of: Any) -> Any:
            self.read += 1
            return understand(brain, *of)

        def wrote(brain: Brain, *of: Any) -> Any:
            self.written += 1
            return cards(brain, *of)

        monkeypatch.setattr(Brain, "understand", understood)
        monkeypatch.setattr(Brain, "cards", wrote)

    def ask(self, body: Body | bytes, path: str = PATH) -> list[dict[str, Any]]:
        sent = body if isinstance(body, bytes) else json.dumps(body, separators=(",", ":")).encode()
        answer = self.client.post(path, content=sent, headers=JSON)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["cards"]
        return found


@pytest.fixture
def service(monkeypatch: pytest.MonkeyPatch) -> Iterator[Service]:
    made = Service(monkeypatch)
    with made.client:
        yield made


def body(text: str = DETECTION, **more: Any) -> Body:
    prefetch: dict[str, Any] = {key: {**EMPTY, "entry": []} for key in KEYS.values()}
    prefetch |= {"examinations": dict(EMPTY), "vitals": dict(EMPTY), "answers": dict(EMPTY), "patient": None}
    for resource in json.loads(json.dumps(chart(text, patient_id="p1").resources, default=float)):
        kind = resource["resourceType"]
        if kind == "Patient":
            prefetch["patient"] = resource
        else:
            prefetch[KEYS.get(kind, "medications")]["entry"].append({"resource": resource})
    context = {"userId": "Practitioner/1", "patientId": "p1"}
    return {"hook": "patient-view", "hookInstance": "1", "context": context, "prefetch": prefetch} | more


def without_uuids(cards: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = copy.deepcopy(cards)
    for item in [*found, *(one for card in found for one in card.get("suggestions", ()))]:
        assert item.pop("uuid")
    return found


def uuids(cards: list[dict[str, Any]]) -> set[str]:
    return {item["uuid"] for item in [*cards, *(one for card in cards for one in card.get("suggestions", ()))]}


def test_an_unchanged_chart_is_read_once_and_its_cards_are_new(service: Service) -> None:
    first, second = service.ask(body()), service.ask(body(hookInstance="2"))
    assert first and service.read == service.written == 1
    assert without_uuids(first) == without_uuids(second)
    assert uuids(first).isdisjoint(uuids(second)) and len(uuids(second)) == len(uuids(first))
    metrics = service.app.state.cds.metrics.text().decode()
    assert 'cds_charts_reopened_total{service="calcinosis-patient-view"} 1.0' in metrics
    assert re.search(r'cds_assessments_total{card="detection",grade="\w+"} 2.0', metrics)


def test_each_opening_is_kept_on_record_and_takes_feedback(service: Service) -> None:
    service.ask(body())
    card = service.ask(body())[0]
    feedback = {"card": card["uuid"], "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    assert service.client.post(f"{PATH}/feedback", json={"feedback": [feedback]}).status_code == 200
    with service.app.state.cds.async_store.store.engine.connect() as connection:
        kept = connection.exec_driver_sql("SELECT outcome, decisions FROM evaluations ORDER BY at_ms").all()
        matched = connection.exec_driver_sql("SELECT matched FROM feedback").all()
    assert len(kept) == 2 and kept[0] == kept[1] and kept[0][0] == "shown"
    assert [bool(row[0]) for row in matched] == [True]


def _searched_again(sent: Body, when: str) -> Body:
    """The Bundles with what servers make anew, in front as they write it; an empty one without entries."""
    for key, value in sent["prefetch"].items():
        if value and value["resourceType"] == "Bundle":
            anew = {"id": f"b-{key}-{when}", "meta": {"lastUpdated": f"2026-06-01T{when}Z"}, "timestamp": when}
            rest = {name: part for name, part in value.items() if name != "resourceType" and part}
            sent["prefetch"][key] = {"resourceType": "Bundle", **anew, **rest}
    return sent


@pytest.mark.parametrize("small", [True, False])
def test_what_servers_make_anew_at_every_search_is_no_change(service: Service, small: bool) -> None:
    more = "" if small else "\n".join(f"Laboratory | Sodium | 14{n % 10} mmol/L | -{n}d" for n in range(20, 200))
    service.ask(_searched_again(body(DETECTION + more), "10:00:00"))
    assert service.ask(_searched_again(body(DETECTION + more), "10:00:01")) and service.read == 1
    changed = _searched_again(body(DETECTION + more), "10:00:02")
    changed["prefetch"]["allergies"]["link"] = [{"relation": "next", "url": "https://fhir.example.org/next"}]
    service.ask(changed)
    assert service.read == 2


def test_a_request_with_blanks_is_known_when_it_is_the_same(service: Service) -> None:
    for _ in range(2):
        assert service.ask(json.dumps(body(), indent=1).encode())
    assert service.read == 1


def test_who_asks_gets_cards_of_their_own(service: Service, monkeypatch: pytest.MonkeyPatch) -> None:
    def performers(cards: list[dict[str, Any]]) -> str:
        return " ".join(sorted({name for name in ("Practitioner/1", "Practitioner/2") if name in json.dumps(cards)}))

    def asks(user: str, encounter: str) -> list[dict[str, Any]]:
        return service.ask(body(context={"userId": user, "patientId": "p1", "encounterId": encounter}))

    assert performers(asks("Practitioner/1", "e1")) == "Practitioner/1"
    other = asks("Practitioner/2", "e2")
    assert performers(other) == "Practitioner/2" and "Encounter/e2" in json.dumps(other)
    assert "Encounter/e1" not in json.dumps(other) and (service.read, service.written) == (1, 2)
    assert performers(asks("Practitioner/1", "e1")) == "Practitioner/1" and service.written == 2
    (kept,) = service.app.state.cds.charts._held.values()
    assert kept.opened.assessment.situation is None, "what is good for one request only is let go of"
    new = Service(monkeypatch, keep_charts_seconds=0)
    with new.client:
        sent = body(context={"userId": "Practitioner/2", "patientId": "p1", "encounterId": "e2"})
        assert without_uuids(new.ask(sent)) == without_uuids(other), "written from what was kept, the very same"


def _of_day(sent: Body) -> None:
    sent["prefetch"]["laboratory"]["entry"][0]["resource"]["effectiveDateTime"] = "2026-05-20"


def _value(sent: Body) -> None:
    sent["prefetch"]["laboratory"]["entry"][-1]["resource"]["valueQuantity"]["value"] = 2.9


def _added(sent: Body) -> None:
    drug = {"coding": [], "text": "diltiazem"}
    order = {"resourceType": "MedicationRequest", "id": "m", "status": "active", "intent": "order"}
    order |= {"subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": drug}
    sent["prefetch"]["medications"]["entry"].append({"resource": order})


def _gone(sent: Body) -> None:
    sent["prefetch"]["laboratory"]["entry"].clear()


def _person(sent: Body) -> None:
    sent["prefetch"]["patient"]["birthDate"] = "1940-01-01"


def _no_key(sent: Body) -> None:
    del sent["prefetch"]["allergies"]


def _more_pages(sent: Body) -> None:
    sent["prefetch"]["laboratory"]["link"] = [{"relation": "next", "url": "https://fhir.example.org/next"}]


def _search_mode(sent: Body) -> None:
    sent["prefetch"]["laboratory"]["entry"][0]["search"] = {"mode": "include"}


def _two_as_one(sent: Body) -> None:
    first, second = sent["prefetch"]["laboratory"], sent["prefetch"]["examinations"]
    second["entry"], first["entry"] = first["entry"], second["entry"]


CHANGES = (_of_day, _value, _added, _gone, _person, _no_key, _more_pages, _search_mode, _two_as_one)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.__name__)
def test_a_changed_chart_is_read(service: Service, change: Callable[[Body], None]) -> None:
    service.ask(body())
    changed = body()
    change(changed)
    service.ask(changed)
    assert service.read == 2
    service.ask(changed)
    assert service.read == 2


def test_another_day_is_another_reading(service: Service) -> None:
    service.ask(body())
    service.day = TODAY + timedelta(days=400)
    service.ask(body())
    assert service.read == 2


def test_another_patient_is_another_chart(service: Service) -> None:
    service.ask(body())
    other = json.loads(json.dumps(body()).replace("p1", "p2"))
    service.ask(other)
    assert service.read == 2


@pytest.mark.parametrize("path", ["/cds-services/calcinosis-patient-view", "/cds-services/calcinosis-encounter-start"])
def test_a_hook_of_the_same_patient_shares_the_chart(service: Service, path: str) -> None:
    service.ask(body())
    hook = path.rpartition("calcinosis-")[2]
    assert service.ask(body(hook=hook), path) and service.read == 1


def test_repeated_keys_are_refused_as_before(service: Service) -> None:
    service.ask(body())
    sent = json.dumps(body(), separators=(",", ":")).encode()
    for before, after in (
        (b'"hook":', b'"hook":"patient-view","hook":'),
        (b'"laboratory":', b'"laboratory":null,"laboratory":'),
        (b'"prefetch":', b'"prefetch":{},"prefetch":'),
    ):
        twice = sent.replace(before, after, 1)
        assert service.client.post(PATH, content=twice, headers=JSON).status_code == 400, before
    assert service.client.post(PATH, content=sent[:-1], headers=JSON).status_code == 400
    assert service.read == 1


def test_a_request_with_drafts_is_read(service: Service) -> None:
    drafts = {"resourceType": "Bundle", "entry": []}
    draft = {"resourceType": "MedicationRequest", "id": "d", "status": "draft", "intent": "order"}
    draft |= {"subject": {"reference": "Patient/p1"}, "medicationCodeableConcept": {"text": "diltiazem"}}
    drafts["entry"] = [{"resource": draft}]
    context = {"userId": "Practitioner/1", "patientId": "p1", "draftOrders": drafts}
    for _ in range(2):
        service.ask(body(context=context))
    assert service.read == 2 and len(service.app.state.cds.charts) == 0


def test_the_fhir_access_token_is_still_no_token_of_ours(service: Service) -> None:
    """What is checked of a question is checked of one whose chart is known: here, that it is one."""
    service.ask(body())
    wrong = body(fhirAuthorization={"access_token": "x"}, fhirServer="https://fhir.example.org")
    assert service.client.post(PATH, json=wrong).status_code == 400


def test_a_chart_that_a_server_was_asked_for_is_not_kept(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        async with Server() as server:
            service = Service(monkeypatch)
            sent = body(fhirServer=server.base)
            del sent["prefetch"]["allergies"]
            with service.client:
                for _ in range(2):
                    await asyncio.to_thread(service.ask, sent)
            assert any("AllergyIntolerance" in target for target, _ in server.requests)
            assert service.read == 2 and len(service.app.state.cds.charts) == 0

    asyncio.run(go())


def test_a_question_that_could_not_be_read_is_asked_again(service: Service) -> None:
    sent = body()
    sent["prefetch"] = {"patient": sent["prefetch"]["patient"]}
    for _ in range(2):
        assert service.client.post(PATH, json=sent).status_code == 412
    assert service.read == 2


def test_nothing_is_kept_when_the_hospital_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(monkeypatch, keep_charts_seconds=0)
    with service.client:
        for _ in range(2):
            service.ask(body())
    assert service.read == 2 and len(service.app.state.cds.charts) == 0


@pytest.mark.parametrize("which", ["published", BUNDLE_SETS[0]])
def test_the_second_answer_is_the_first(monkeypatch: pytest.MonkeyPatch, which: str) -> None:
    service = Service(monkeypatch)
    with service.client:
        for number, sent in enumerate(_bodies(which)):
            first = service.ask(sent)
            read = service.read
            assert without_uuids(service.ask(sent)) == without_uuids(first), number
            assert service.read == read


def _bodies(which: str) -> Iterator[bytes]:
    if which != "published":
        some = itertools.islice(charts(which), 8)
        yield from (lazy_request(found.patient_id, found.resources) for found in some)
        return
    for stage in published_cases()[::3]:
        rows = "\n".join(stage.rows)
        yield json.dumps(body(rows), separators=(",", ":")).encode()


def opened(day: date = TODAY, brain: object = BRAIN, **terms: Any) -> Opened:
    facts = PatientFacts("Patient/p")
    made = {"version": None, "zone": None, "reads": False} | terms
    return Opened(Terms(brain, day, **made), facts, assess(facts, BRAIN.knowledge, TODAY), False, frozenset())


def test_other_terms_are_no_terms() -> None:
    table = ChartCache(60)
    table.keep(("a", "p"), b"d", opened(), 0)
    assert table.find(("a", "p"), b"d", opened().terms) is not None
    for terms in (
        opened(day=TODAY + timedelta(days=1)).terms,
        opened(brain=replace(BRAIN)).terms,
        opened(version="R5").terms,
        opened(reads=True).terms,
    ):
        assert table.find(("a", "p"), b"d", terms) is None
    assert table.find(("b", "p"), b"d", opened().terms) is None
    assert table.find(("a", "p"), b"e", opened().terms) is None


def test_charts_are_kept_for_a_time_and_in_a_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 1000.0
    monkeypatch.setattr(chart_cache.time, "monotonic", lambda: now)
    table, terms = ChartCache(60), opened().terms
    for number in range(100):
        table.keep(("a", str(number)), b"d", opened(), 100_000)
    held = len(table)
    assert 5 < held < 100 and table.find(("a", "99"), b"d", terms) and not table.find(("a", "0"), b"d", terms)
    table.keep(("a", "large"), b"d", opened(), 5_000_000)
    assert table.find(("a", "large"), b"d", terms) and len(table) == 1, "alone"
    for number in range(100):
        table.keep(("a", str(number)), b"d", opened(), 100_000)
    assert not table.find(("a", "large"), b"d", terms)
    table.keep(("a", "huge"), b"d", opened(), 100_000_000)
    assert len(table) == held and not table.find(("a", "huge"), b"d", terms)
    now += 50
    assert table.find(("a", "99"), b"d", terms)
    now += 50
    assert table.find(("a", "99"), b"d", terms) and len(table) == 1, "only what was opened meanwhile is still there"
    now += 61
    assert table.find(("a", "99"), b"d", terms) is None and len(table) == 0
    for _ in range(100):
        table.keep(("a", "1"), b"d", opened(), 100_000)
    assert len(table) == 1


def test_cards_are_kept_for_few_readers() -> None:
    found = opened()
    contexts = [CardContext("https://cds", "s", lambda: "u", user=str(number)) for number in range(9)]
    for context in contexts:
        found.keep(context, [{"uuid": "1", "summary": context.user}])
    assert found.cards(contexts[0]) is None
    assert found.cards(contexts[8]) == [{"uuid": "u", "summary": "8"}] and len(found.written) < 9


def test_nothing_of_a_chart_is_shown_by_mistake() -> None:
    """What holds PHI has no words of it in its repr (logs, tracebacks)."""
    sent = json.dumps(body(), separators=(",", ":")).encode()
    question = asked(sent, "patient-view", lambda _: True)
    assert question is not None and question.prefetch
    shown = repr(question) + repr(opened()) + repr(chart_cache.Reopening(question.hook, opened()))
    assert "p1" not in shown and "Patient/p" not in shown
