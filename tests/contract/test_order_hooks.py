"""order-select and order-sign over real HTTP: the drafts in every shape that FHIR R4 allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.charts import TODAY, chart
from tests.conformance import check_response
from tests.serving import listening

SIGN, SELECT = "calcinosis-order-sign", "calcinosis-order-select"
RXNORM, ATC, SNOMED = "http://www.nlm.nih.gov/research/umls/rxnorm", "http://www.whocc.no/atc", "http://snomed.info/sct"
BASE = """
    Patient    | male | 49y
    Condition  | SLE | onset -17y | recorded -17y
    Exam       | stony-hard nodules over both elbows, first noticed 3 months ago | -10d
    Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d
    Laboratory | Phosphate | 1.10 mmol/L [0.80–1.50] | -10d
    Laboratory | eGFR | 88 mL/min/1.73m2 | -10d
    Laboratory | ALT | 20 U/L [0–40] | -10d
    Laboratory | 25-OH vitamin D | 30 ng/mL | -10d
    Laboratory | Creatinine | 0.8 mg/dL | -3d
    Laboratory | Albumin | 42 g/L [35–50] | -10d
    Vital      | Heart rate | 72 /min | -3d
    BP         | 128/76 | -3d
    Procedure  | 12-lead ECG | -5d
    Imaging    | X-ray of both elbows | Subcutaneous calcification at both elbows. | -5d
"""
DILTIAZEM = "    Medication | diltiazem | 120 mg/d | -30d\n"
FACE = BASE.replace("over both elbows", "on both cheeks").replace("both elbows", "face")
KEYS = ("patient", "laboratory", "examinations", "vitals", "answers", "reports", "medications", "allergies",
        "procedures", "orders")  # fmt: skip


def drug(name: str = "", *, id_: str = "d1", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "MedicationRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "subject": {"reference": "Patient/patient-1"},
    }
    if name:
        body["medicationCodeableConcept"] = {"text": name}
    return body | more


def coded(system: str, code: str, **more: Any) -> dict[str, Any]:
    return drug(medicationCodeableConcept={"coding": [{"system": system, "code": code}]}, **more)


def order(coding: str, site: str = "", *, id_: str = "s1", **more: Any) -> dict[str, Any]:
    body: dict[str, Any] = {
        "resourceType": "ServiceRequest",
        "id": id_,
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": SNOMED, "code": coding}]},
        "subject": {"reference": "Patient/patient-1"},
    }
    return body | ({"bodySite": [{"text": site}]} if site else {}) | more


@pytest.fixture(scope="module")
def service() -> Iterator[httpx.Client]:
    app = create_app(Settings(profile="sandbox", as_of=TODAY, deadline_ms=1500))
    with listening(app) as url, httpx.Client(base_url=url, timeout=10) as client:
        yield client


def asked(
    service: httpx.Client,
    *drafts: dict[str, Any],
    table: str = BASE,
    hook: str = SIGN,
    entries: list[dict[str, Any]] | None = None,
    **context: Any,
) -> list[dict[str, Any]]:
    """The cards for these drafts; the answer conforms, and drafts nothing that is drafted already."""
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": entries or [{"resource": d} for d in drafts]}
    body = {
        "hook": hook.removeprefix("calcinosis-"),
        "hookInstance": "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea",
        "context": {"userId": "Practitioner/1", "patientId": "patient-1", "draftOrders": bundle} | context,
        "prefetch": {"conditions": chart(table).json()} | dict.fromkeys(KEYS),
    }
    if hook == SELECT:
        body["context"].setdefault("selections", [f"{d['resourceType']}/{d.get('id')}" for d in drafts])
    answer = service.post(f"/cds-services/{hook}", json=body)
    assert answer.status_code == 200, answer.text
    assert check_response(answer.json(), patient="Patient/patient-1") == []
    cards: list[dict[str, Any]] = answer.json()["cards"]
    return cards


INTRAVENOUS = {"dosageInstruction": [{"route": {"text": "intravenous"}}]}
OWN_AND_RXNORM = {"coding": [{"system": "urn:own", "code": "x"}, {"system": RXNORM, "code": "6980"}]}
STORED = {"resourceType": "Medication", "id": "m1", "code": {"coding": [{"system": ATC, "code": "J01AA08"}]}}
INSIDE = [{"resourceType": "Medication", "id": "m", "code": {"text": "minocycline"}}]
FIRST, SECOND = (f"urn:uuid:0b1c9c1e-0000-4000-8000-00000000000{n}" for n in (1, 2))
GROUP = {"resourceType": "RequestGroup", "id": "g", "status": "draft", "subject": {"reference": "Patient/patient-1"}}
DIET = {"resourceType": "NutritionOrder", "id": "n", "status": "draft", "intent": "order"}


def shapes() -> dict[str, list[dict[str, Any]]]:
    unnamed = drug(medicationReference={"reference": SECOND})
    del unnamed["id"]
    return {
        "text": [{"resource": drug("Minocycline 100 mg capsules")}],
        "RxNorm ingredient": [{"resource": coded(RXNORM, "6980")}],
        "ATC": [{"resource": coded(ATC, "J01AA08")}],
        "code and unknown code": [{"resource": drug(medicationCodeableConcept=OWN_AND_RXNORM)}],
        "contained": [{"resource": drug(contained=INSIDE, medicationReference={"reference": "#m"})}],
        "Medication in the Bundle": [
            {"resource": drug(medicationReference={"reference": "Medication/m1"})},
            {"resource": STORED},
        ],
        "Medication by urn, no ids": [
            {"fullUrl": FIRST, "resource": unnamed},
            {"fullUrl": SECOND, "resource": {"resourceType": "Medication", "code": {"text": "minocycline 50 mg"}}},
        ],
        "version of a Medication": [
            {"resource": drug(medicationReference={"reference": "Medication/m1/_history/2"})},
            {"resource": STORED},
        ],
        "in a group of orders": [{"resource": GROUP | {"contained": [drug("minocycline 100 mg")]}}],
        "subject by its number": [{"resource": drug("minocycline", subject={"identifier": {"value": "12"}})}],
        "display of the reference": [{"resource": drug(medicationReference={"display": "minocycline 100 mg"})}],
        "among others": [
            {"resource": DIET | {"patient": {"reference": "Patient/patient-1"}}},
            {"resource": {"resourceType": "DeviceRequest", "id": "v", "intent": "order"}},
            {"resource": drug("folic acid", id_="f")},
            {"resource": coded(RXNORM, "6980")},
        ],
    }


MINOCYCLINE_SHAPES = shapes()


@pytest.mark.parametrize("hook", [SIGN, SELECT])
@pytest.mark.parametrize("shape", MINOCYCLINE_SHAPES)
def test_a_drug_in_every_shape(service: httpx.Client, shape: str, hook: str) -> None:
    more = {"selections": ["MedicationRequest/d1"]} if hook == SELECT else {}
    (card,) = asked(service, entries=MINOCYCLINE_SHAPES[shape], hook=hook, **more)
    assert "M1" in card["detail"]
    assert "minocycline" in card["summary"]
    assert "**Alternatives that may be considered**" in card["detail"]


def test_one_draft_alone_is_a_draft(service: httpx.Client) -> None:
    """Where a Bundle should be, one order: it is not passed over."""
    (card,) = asked(service, draftOrders=drug("minocycline 100 mg"))
    assert "M1" in card["detail"]


AGAINST = {
    "diltiazem": (drug("diltiazem 60 mg"), "    Medication | metoprolol | 50 mg/d | -90d\n", "D3"),
    "colchicine": (drug("colchicine 0.5 mg"), DILTIAZEM, "C2"),
    "alendronate": (drug("alendronate 70 mg"), "    Condition | Achalasia | onset -3y\n", "B2"),
    "zoledronate": (drug("zoledronic acid 5 mg", **INTRAVENOUS),
                    "    Condition | Vitamin D deficiency | onset -1y\n", "B3"),
    "minocycline": (drug("minocycline"), "", "M1"),
    "warfarin": (drug("warfarin 3 mg"), "", "W1w"),
    "probenecid": (drug("probenecid 500 mg"), "    Medication | aspirin | 100 mg/d | -90d\n", "P1"),
    "nifedipine": (drug("nifedipine 30 mg"), DILTIAZEM, "D5"),
    "amlodipine": (drug("amlodipine 5 mg"), DILTIAZEM, "D5"),
    "metoprolol": (drug("metoprolol 50 mg"), DILTIAZEM, "D3"),
    "tried before": (drug("colchicine 0.5 mg"), "    Allergy | colchicine | severe diarrhoea | -1y\n", "G3"),
}  # fmt: skip


@pytest.mark.parametrize("name", AGAINST)
def test_what_speaks_against_a_drug_is_told_with_an_alternative(service: httpx.Client, name: str) -> None:
    draft, table, rule = AGAINST[name]
    (card,) = asked(service, draft, table=BASE + table)
    assert f"rule {rule}" in card["detail"] or f", {rule}" in card["detail"]
    assert "Alternatives" in card["detail"]
    assert len(card["summary"]) <= 139


VKA = [drug("acenocoumarol 2 mg"), drug("Marcumar"), drug("fluindione 20 mg"), coded(ATC, "B01AA04")]


@pytest.mark.parametrize("draft", VKA, ids=lambda draft: str(draft["medicationCodeableConcept"]))
def test_every_vitamin_k_antagonist_calls_calciphylaxis_to_mind(service: httpx.Client, draft: dict[str, Any]) -> None:
    """Rule W1w stood for warfarin alone, the one that is an agent of the table too."""
    (card,) = asked(service, draft)
    conflict = card["detail"].split("**Conflict**")[1].split("\n\n")[0]
    assert "think of calciphylaxis; whether anticoagulation changes is for the treating team alone" in conflict
    assert "(rule W1w) [sprague2014]" in conflict
    assert card["indicator"] == "info" and "B01AA" not in card["summary"]
    assert "Stop" not in conflict and card.get("suggestions", []) == []
    taken = BASE + "    Medication | acenocoumarol | 2 mg/d | -300d\n"
    assert asked(service, draft, table=taken) == [], "a renewal is no news"
    assert asked(service, draft, table=BASE.replace("SLE", "Hypertension")) == []
    assert asked(service, drug("apixaban 5 mg")) == []


@pytest.mark.parametrize(
    ("draft", "beside", "indicator"),
    [
        ("simvastatin 40 mg", DILTIAZEM, "warning"),
        ("methotrexate 15 mg/wk", "    Medication | probenecid | 500 mg/d | -30d\n", "warning"),
        ("metoprolol 50 mg", DILTIAZEM, "info"),
    ],
)
def test_a_partner_that_rules_out_what_is_taken_is_a_warning(
    service: httpx.Client, draft: str, beside: str, indicator: str
) -> None:
    (card,) = asked(service, drug(draft), table=BASE + beside)
    assert card["indicator"] == indicator


QUIET = {
    "diltiazem with nothing against it": [drug("diltiazem 120 mg")],
    "colchicine with nothing against it": [drug("colchicine 0.5 mg")],
    "alendronate with nothing against it": [drug("alendronate 70 mg")],
    "pamidronate with nothing against it": [drug("pamidronate 60 mg", **INTRAVENOUS)],
    "nifedipine without diltiazem": [drug("nifedipine 30 mg")],
    "amlodipine without diltiazem": [drug("amlodipine 5 mg")],
    "an antibiotic": [drug("amoxicillin 500 mg")],
    "a drug that nobody knows": [drug("xyzzy 5 mg")],
    "a radiograph elsewhere": [order("168537006", "left foot")],
    "a diet": [DIET],
    "do not perform": [drug("minocycline", doNotPerform=True)],
    "entered in error": [drug("minocycline", status="entered-in-error")],
    "an order that is stopped": [drug("minocycline", status="stopped"), drug("warfarin", id_="w", status="cancelled")],
    "another patient's": [drug("minocycline", subject={"reference": "Patient/other"})],
    "no drug at all": [drug()],
    "nothing": [],
    "a broken draft": [drug(medicationCodeableConcept=[5], status=[]), {"resourceType": "ServiceRequest", "code": 7}],
}  # fmt: skip


@pytest.mark.parametrize("hook", [SIGN, SELECT])
@pytest.mark.parametrize("name", QUIET)
def test_quiet_when_nothing_is_wrong(service: httpx.Client, name: str, hook: str) -> None:
    assert asked(service, *QUIET[name], hook=hook, selections=[]) == []


def test_a_renewal_is_no_conflict_and_its_partners_still_are(service: httpx.Client) -> None:
    assert asked(service, drug("diltiazem 120 mg"), table=BASE + DILTIAZEM) == []
    (card,) = asked(service, drug("diltiazem 120 mg"), table=BASE + DILTIAZEM + AGAINST["diltiazem"][1])
    assert "D3" in card["detail"]


def test_quiet_without_calcinosis(service: httpx.Client) -> None:
    for table in ("Patient | male | 49y\nCondition | SLE | onset -17y\n", BASE.replace("SLE", "Hypertension")):
        assert asked(service, drug("minocycline"), drug("warfarin", id_="w"), table=table) == []


def test_only_what_was_selected_is_asked_about(service: httpx.Client) -> None:
    drafts = (drug("minocycline", id_="a"), drug("warfarin", id_="b"), drug("folic acid", id_="c"))
    (card,) = asked(service, *drafts, hook=SELECT, selections=["MedicationRequest/b"])
    assert "Drafted warfarin" in card["summary"]
    assert "M1" not in card["detail"]
    assert asked(service, *drafts, hook=SELECT, selections=["https://ehr.example.org/MedicationRequest/c"]) == []
    (both,) = asked(service, *drafts, hook=SELECT, selections=["MedicationRequest/none"])
    assert ", 1 more" in both["summary"]


def test_a_draft_beside_another_draft(service: httpx.Client) -> None:
    drafts = (drug("diltiazem 120 mg", id_="a"), drug("nifedipine 30 mg", id_="b"))
    (selected,) = asked(service, *drafts, hook=SELECT, selections=["MedicationRequest/b"])
    assert "Drafted nifedipine 30 mg: conflicts with diltiazem" in selected["summary"]
    (signed,) = asked(service, *drafts)
    assert "D5" in signed["detail"]
    assert "more" not in signed["summary"], "one conflict, told once"


def test_a_selection_by_version_or_by_the_urn_of_what_is_not_stored(service: httpx.Client) -> None:
    drafts = (drug("minocycline", id_="a"), drug("warfarin", id_="b"))
    (card,) = asked(service, *drafts, hook=SELECT, selections=["MedicationRequest/a/_history/1"])
    assert "Drafted minocycline" in card["summary"] and "1 more" not in card["summary"]
    unnamed = [
        {key: value for key, value in drug(name).items() if key != "id"} for name in ("minocycline", "folic acid")
    ]
    entries = [{"fullUrl": url, "resource": draft} for url, draft in zip((FIRST, SECOND), unnamed, strict=True)]
    assert asked(service, hook=SELECT, entries=entries, selections=[SECOND]) == []
    assert len(asked(service, hook=SELECT, entries=entries, selections=[FIRST])) == 1


def test_selections_of_a_wrong_type_are_named(service: httpx.Client) -> None:
    body = {
        "hook": "order-select",
        "hookInstance": "x",
        "context": {"userId": "Practitioner/1", "patientId": "p", "selections": "all", "draftOrders": {"entry": []}},
    }
    answer = service.post(f"/cds-services/{SELECT}", json=body)
    assert answer.status_code == 400
    assert answer.json()["issue"][0]["expression"] == ["context.selections"]
    del body["context"]["draftOrders"]
    assert service.post(f"/cds-services/{SELECT}", json=body).json()["issue"][0]["expression"] == [
        "context.draftOrders"
    ]


def test_a_biopsy_of_the_face_and_what_may_be_done_instead(service: httpx.Client) -> None:
    plain = FACE.replace("    Imaging    | X-ray of face | Subcutaneous calcification at face. | -5d\n", "")
    (card,) = asked(service, order("240977001", "left cheek"), table=plain)
    assert "skin biopsy: better avoided here" in card["summary"]
    assert "In place of the skin biopsy: plain radiograph, soft-tissue ultrasound." in card["detail"]


def test_the_site_of_an_order_may_stand_in_its_title_alone(service: httpx.Client) -> None:
    plain = FACE.replace("    Imaging    | X-ray of face | Subcutaneous calcification at face. | -5d\n", "")
    titled = {"code": {"text": "Punch biopsy of skin, left foot"}}
    assert asked(service, order("", **titled), table=plain) == []
    (done,) = asked(service, order("", code={"text": "X-ray left elbow 2 views"}))
    assert "already done" in done["summary"]


def test_a_biopsy_under_an_anticoagulant_needs_care(service: httpx.Client) -> None:
    plain = BASE.split("    Imaging ")[0] + "    Medication | apixaban | 10 mg/d | -90d\n"
    (card,) = asked(service, order("240977001", "left elbow"), table=plain)
    assert "skin biopsy: care needed" in card["summary"]
    assert asked(service, order("240977001", "left elbow"), table=BASE.split("    Imaging ")[0]) == []


def test_imaging_done_last_month_and_in_pregnancy(service: httpx.Client) -> None:
    (done,) = asked(service, order("168537006", "left elbow"))
    assert "already done" in done["summary"]
    pregnant = (
        BASE.replace("male", "female").replace("49y", "30y").replace("over both elbows", "over both buttocks")
        .split("    Imaging ")[0] + "    Condition | Pregnancy | onset -3mo\n"
    )  # fmt: skip
    (avoid,) = asked(service, order("168537006", "left buttock"), table=pregnant)
    assert "better avoided" in avoid["summary"]
    assert "ultrasound" in avoid["detail"].split("**Alternatives")[1]


def test_a_draft_that_the_ehr_has_stored_already_is_not_its_own_double(service: httpx.Client) -> None:
    plain = BASE.split("    Imaging ")[0]
    draft = order("168537006", "left elbow", authoredOn="2026-06-01")
    body = chart(plain).json()
    body["entry"].append({"resource": draft})
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]}
    request = {
        "hook": "order-sign",
        "hookInstance": "x",
        "context": {"userId": "Practitioner/1", "patientId": "patient-1", "draftOrders": bundle},
        "prefetch": {"conditions": body} | dict.fromkeys(KEYS),
    }
    assert service.post(f"/cds-services/{SIGN}", json=request).json() == {"cards": []}


def test_what_is_drafted_is_not_suggested_again(service: httpx.Client) -> None:
    young = BASE.replace("| male | 49y", "| female | 30y").replace("    Procedure  | 12-lead ECG | -5d\n", "")
    (card,) = asked(service, drug("diltiazem 120 mg"), table=young)
    offered = {s["actions"][0]["resource"]["code"]["text"] for s in card["suggestions"]}
    assert offered == {"12-lead ECG", "pregnancy test"}
    (fewer,) = asked(service, drug("diltiazem 120 mg"), order("268400002", id_="ecg"), table=young)
    assert {s["actions"][0]["resource"]["code"]["text"] for s in fewer["suggestions"]} == {"pregnancy test"}
