"""One chart for each kind of card, in the chart table language, and how its answer is written down for reading."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable
from typing import Any

from msgspec import Struct

from hooks.answer import answer
from hooks.assess import assess
from hooks.cards import CardContext
from hooks.knowledge import load_knowledge
from hooks.model import Assessment
from mappings.facts import Completeness, PatientFacts
from tests.charts import TODAY, chart, reader

PATIENT = "Patient    | female | 61y\n"
LUPUS = "Condition  | SLE | onset -17y | recorded -17y\n"
NODULES = "Exam       | stony-hard nodules over both elbows, first noticed 3 months ago | -10d\n"
CALCIUM = "Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d\n"
PHOSPHATE = "Laboratory | Phosphate | 1.10 mmol/L [0.80–1.50] | -10d\n"
KIDNEY = "Laboratory | eGFR | 88 mL/min/1.73m2 | -10d\n"
XRAY = "Imaging    | X-ray of both elbows | Subcutaneous calcification at both elbows. | -5d\n"
USUAL = PATIENT + LUPUS + NODULES + CALCIUM + PHOSPHATE + KIDNEY


class Example(Struct, frozen=True):
    """`drafts` are resources of an order hook; `unread` are needs that could not be read."""

    table: str
    hook: str = "patient-view"
    drafts: tuple[dict[str, Any], ...] = ()
    unread: tuple[tuple[str, str], ...] = ()
    dialect: str = "generic-2.0"


def drug(name: str) -> dict[str, Any]:
    return {
        "resourceType": "MedicationRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": name},
        "subject": {"reference": "Patient/patient-1"},
    }


def order(code: str, display: str, site: str) -> dict[str, Any]:
    return {
        "resourceType": "ServiceRequest",
        "id": "draft-1",
        "status": "draft",
        "intent": "order",
        "code": {"coding": [{"system": "http://snomed.info/sct", "code": code, "display": display}], "text": display},
        "bodySite": [{"text": site}],
        "subject": {"reference": "Patient/patient-1"},
    }


EXAMPLES: dict[str, Example] = {
    "detection-probable": Example(PATIENT + LUPUS + NODULES + CALCIUM),
    "detection-possible-asks-for-hardness": Example(
        PATIENT + LUPUS + "Exam | nodules on the left forearm, first noticed 3 months ago | -10d\n" + CALCIUM
    ),
    "detection-likely-with-options": Example(USUAL + XRAY),
    "management-known-and-growing": Example(
        USUAL + "Condition | Calcinosis cutis | onset -3y | recorded -3y\nExam | the calcinosis has grown | -3d\n"
    ),
    "incomplete": Example(PATIENT + LUPUS + NODULES),
    "incomplete-documented": Example(PATIENT + LUPUS + NODULES + XRAY),
    "incomplete-unread": Example(PATIENT + LUPUS + NODULES, unread=(("medications", "403"), ("allergies", "timeout"))),
    "alternative-calcium-high": Example(
        PATIENT + LUPUS + NODULES + "Laboratory | Calcium | 2.91 mmol/L [2.15–2.57] H | -10d\n" + PHOSPHATE
    ),
    "urgent-calciphylaxis": Example(
        PATIENT
        + LUPUS
        + "Exam | hard plaques with necrosis on the left thigh, severe pain 9/10, since 3 weeks | -2d\n"
        + CALCIUM
        + PHOSPHATE
    ),
    "urgent-critical-calcium": Example(
        PATIENT + LUPUS + NODULES + "Laboratory | Calcium | 3.60 mmol/L [2.15–2.57] H | -2d\n"
    ),
    "dialect-epic": Example(PATIENT + LUPUS + NODULES, dialect="epic"),
    "dialect-oracle": Example(USUAL + XRAY, dialect="oracle"),
    "dialect-athena": Example(USUAL + XRAY, dialect="athena"),
    "order-minocycline-in-lupus": Example(USUAL + XRAY, "order-select", (drug("minocycline 100 mg capsule"),)),
    "order-warfarin": Example(USUAL + XRAY, "order-sign", (drug("warfarin 1 mg tablet"),)),
    "order-nifedipine-beside-diltiazem": Example(
        USUAL + XRAY + "Medication | diltiazem | 120 mg/d | -30d\n", "order-sign", (drug("nifedipine 30 mg"),)
    ),
    "order-radiograph-already-done": Example(
        USUAL + XRAY, "order-select", (order("168537006", "Plain radiography", "both elbows"),)
    ),
}

SILENT: dict[str, Example] = {
    "no connective tissue disease": Example(PATIENT + NODULES + CALCIUM),
    "lupus without a lesion": Example(PATIENT + LUPUS + CALCIUM),
    "an order that nothing speaks against": Example(USUAL + XRAY, "order-sign", (drug("paracetamol 500 mg"),)),
    "an order for a patient without lupus": Example(PATIENT + NODULES, "order-sign", (drug("minocycline 100 mg"),)),
    "an X-ray of another site": Example(
        USUAL + XRAY, "order-sign", (order("168537006", "Plain radiography", "left foot"),)
    ),
    "no draft": Example(USUAL + XRAY, "order-select"),
}


def counter() -> Callable[[], str]:
    numbers = itertools.count(1)
    return lambda: f"00000000-0000-4000-8000-{next(numbers):012d}"


def context(**more: Any) -> CardContext:
    values: dict[str, Any] = {"public_url": "https://cds.example.org", "service_id": "calcinosis-patient-view"}
    return CardContext(**(values | {"new_uuid": counter(), "user_kind": "Practitioner"} | more))


def understand(example: Example) -> tuple[Assessment, PatientFacts]:
    unread = {name: Completeness("unavailable", reason) for name, reason in example.unread}
    facts = reader().read(chart(example.table).raw(*example.drafts, **unread))
    return assess(facts, load_knowledge(), TODAY), facts


def cards(example: Example, **more: Any) -> list[dict[str, Any]]:
    assessment, facts = understand(example)
    return answer(example.hook, assessment, facts, load_knowledge(), context(dialect=example.dialect, **more))


def write_down(found: list[dict[str, Any]]) -> str:
    """Cards as a page to read: what a client shows, then the drafts."""
    parts = []
    for card in found:
        rows = [f"# {card['summary']}", "", f"{card['indicator']} · {card['source']['topic']['code']}", "", "---", ""]
        rows += [card["detail"], "", "---", ""]
        for suggestion in card.get("suggestions", ()):
            action = suggestion["actions"][0]
            rows += [f"- [ ] **{suggestion['label']}**  ", f"  {action['description']}", ""]
            if suggestion is card["suggestions"][0]:
                draft = json.dumps(action["resource"], indent=1, ensure_ascii=False).replace("\n", "\n  ")
                rows += ["  ```json", f"  {draft}", "  ```", ""]
        rows += [f"- dismiss: {reason['display']} (`{reason['code']}`)" for reason in card["overrideReasons"]]
        rows += ["", *(f"- link: {link['label']} <{link['url']}>" for link in card["links"]), ""]
        parts.append("\n".join(rows))
    return "\n".join(parts) if parts else "(no card)\n"


def drafts(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The resources that the suggestions of some cards would create."""
    return [s["actions"][0]["resource"] for card in found for s in card.get("suggestions", ())]
