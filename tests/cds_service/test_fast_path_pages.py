"""A silent patient's chart from the server is not read; the answer and the record are those of reading it."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import msgspec
import orjson
import pytest
from starlette.testclient import TestClient

from cds_service import assessing
from cds_service.fast_path_pages import silent_facts
from cds_service.fhir.lazy_pages import Page, page_of
from cds_service.gather import Gathered
from cds_service.pipeline import Brain, load_brain
from cds_service.sandbox.fhir_server import fhir_app
from cds_service.sandbox.store import Store
from mappings.facts import Completeness, Quarantined
from mappings.raw import RawChart
from tests.cds_service.fast_paths import KEYS, Ways, answering, bundle, envelope, of
from tests.charts import COMPLETE
from tests.mutants import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts
from tests.serving import listening

PERSON = {"resourceType": "Patient", "id": "p", "gender": "female", "birthDate": "1970-02-03"}
COLDS = [of("Condition", number, code={"text": "Common cold"}) for number in range(30)]


@pytest.fixture(scope="module")
def brain() -> Brain:
    found = load_brain()
    found.prescan.prepare()
    return found


def page(*resources: Any) -> Page:
    found = page_of(orjson.dumps(bundle(*resources), default=str))
    assert found is not None
    return found


def gathered(*pages: Page, resources: Any = (PERSON,), **frame: Any) -> Gathered:
    wanted = {"completeness": COMPLETE} | frame
    return Gathered(RawChart("p", (), **wanted), list(resources), [("conditions", one) for one in pages], asked=True)


def test_who_the_patient_is_and_how_completely_the_chart_was_read(brain: Brain) -> None:
    states = COMPLETE | {"medications": Completeness("partial", "timeout")}
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "information", "code": "informational"}]}
    found = silent_facts(gathered(page(*COLDS, outcome), completeness=states), brain.prescan)
    assert found is not None
    assert (found.reference, found.sex, str(found.born)) == ("Patient/p", "female", "1970-02-03")
    assert found.completeness == states
    assert silent_facts(gathered(page(*COLDS), resources=[]), brain.prescan) is not None


@pytest.mark.parametrize(
    "change",
    [
        {"resources": [PERSON, of("Condition", code={"text": "SLE"})]},
        {"resources": [PERSON, of("Condition", code="cold")]},
        {"resources": [PERSON, {**PERSON, "id": "q"}]},
        {"resources": [{**PERSON, "id": "q"}]},
        {"resources": [{**PERSON, "link": [{"type": "replaced-by"}]}]},
        {"resources": [{**PERSON, "extension": [{"url": "x", "valueString": "lupus"}]}]},
        {"completeness": COMPLETE | {"conditions": Completeness("unavailable", "timeout")}},
        {"completeness": {}},
        {"quarantined": (Quarantined("Observation entry[3]", "not a FHIR resource"),)},
        {"drafts": (of("MedicationRequest"),)},
        {"aliases": frozenset({"old"})},
    ],
)
def test_what_has_to_be_read(brain: Brain, change: dict[str, Any]) -> None:
    assert silent_facts(gathered(page(*COLDS)), brain.prescan) is not None
    before = gathered(page(*COLDS), **change)
    after = copy.deepcopy(before)
    assert silent_facts(after, brain.prescan) is None
    assert after == before


@pytest.mark.parametrize(
    "resource",
    [
        of("Condition", code={"text": "Systemic lupus erythematosus"}),
        of("Condition", code={"coding": [{"system": "http://snomed.info/sct", "code": "55464009"}]}),
        of("Condition", subject={"reference": "Patient/other"}),
        of("Condition", subject=None),
        of("Condition", code=["cold"]),
        of("MedicationRequest", medicationCodeableConcept={"coding": [{"code": "4711"}]}),
    ],
)
def test_pages_that_have_to_be_read(brain: Brain, resource: Any) -> None:
    assert silent_facts(gathered(page(*COLDS), page(*COLDS, resource)), brain.prescan) is None


def test_nothing_is_told_without_pages_or_before_the_look_is_made(brain: Brain) -> None:
    assert silent_facts(gathered(), brain.prescan) is None
    assert silent_facts(gathered(page(*COLDS)), load_brain().prescan) is None


def pages_of(resources: list[Any]) -> tuple[list[Page], list[Any]]:
    """As a server would give what it is asked for, kind by kind."""
    pages, rest = [], []
    for kind in ("Patient", *KEYS):
        own = [one for one in resources if one.get("resourceType") == kind]
        found = page_of(orjson.dumps(bundle(*own), default=str))
        if found is None:
            rest += own
        else:
            pages.append(found)
    return pages, rest


def compare(brain: Brain, patient_id: str, resources: list[Any]) -> bool:
    """Whether the fast path was taken; it then says what the long way does."""
    pages, rest = pages_of(resources)
    frame = RawChart(patient_id, (), COMPLETE)
    sent = Gathered(frame, rest, [("conditions", one) for one in pages], asked=True)
    short = silent_facts(sent, brain.prescan)
    if short is None:
        return False
    facts, found = brain.understand(sent.chart())
    silence = brain.silence()
    assert (found.grade, found.card, found.workup, found.therapies, found.unreadable) == (
        silence.grade, silence.card, silence.workup, silence.therapies, silence.unreadable
    )  # fmt: skip
    for name in ("reference", "sex", "born", "deceased", "completeness"):
        assert getattr(short, name) == getattr(facts, name), name
    return True


@pytest.mark.parametrize("name", ["synthea-smart", "vendor-captures", "synthea-lupus"])
def test_public_charts_and_mutants(brain: Brain, name: str) -> None:
    taken = 0
    for seed, (found, _) in enumerate(zip(charts(name), range(4), strict=False)):
        taken += compare(brain, found.patient_id, found.resources[:200])
        compare(brain, found.patient_id, mutated(found.resources[:200], seed))
    assert taken


def test_an_everyday_chart_names_no_disease_by_chance(brain: Brain) -> None:
    """Each word more that is looked for may stand in any chart: of these few do."""
    every = [pages_of(found.resources)[0] for found in charts("synthea-smart")]
    named = sum(any(brain.may_concern(page.body) for page in pages) for pages in every)
    assert named < len(every) / 8, named


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_chart_and_mutants_of_it(brain: Brain, name: str) -> None:
    for seed, found in enumerate(charts(name)):
        for turn in range(4):
            compare(brain, found.patient_id, mutated(found.resources, seed * 10 + turn) if turn else found.resources)


@pytest.fixture(scope="module")
def client() -> Iterator[TestClient]:
    with answering() as client:
        yield client


def test_a_chart_read_over_http_is_recorded_as_if_it_had_been_read(
    client: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways, store, taken = Ways(client, monkeypatch), Store(), list[bool]()
    silent, ill = {**PERSON}, {**PERSON, "id": "ill", "gender": "male"}
    weight = {"code": {"text": "Body weight"}}
    weights = [of("Observation", n, **weight, valueQuantity={"value": 70 + n, "unit": "kg"}) for n in range(90)]
    theirs = msgspec.json.decode(orjson.dumps(weights).replace(b"Patient/p", b"Patient/ill").replace(b"-", b"-ill-"))
    lupus = of("Condition", 99, code={"text": "SLE"}, subject={"reference": "Patient/ill"})
    store.load([silent, ill, *COLDS, *weights, *theirs, lupus])

    def told(sent: Gathered, prescan: Any) -> Any:
        found = silent_facts(sent, prescan)
        taken.append(found is not None)
        return found

    with listening(fhir_app(store)) as fhir:
        for patient, short in (("p", True), ("ill", False)):
            body = orjson.dumps(envelope(None, patient, fhirServer=fhir))
            monkeypatch.setattr(assessing, "silent_facts", told)
            shortly = ways.ask(body, True)
            monkeypatch.setattr(assessing, "silent_facts", lambda *_: None)
            assert shortly == ways.ask(body, True)
            assert shortly[0] == 200
            assert len(shortly[2]) == 1
            assert taken.pop() is short
