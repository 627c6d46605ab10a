"""Chart text that would like to be markup, a link, a formula or an order (tests/data/hostile.ndjson, written for this
project), and charts that hold it in every place where a record has free words."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

_ROWS = [
    json.loads(line)
    for line in (Path(__file__).parent / "data" / "hostile.ndjson").read_text(encoding="utf-8").splitlines()
]
CORPUS: tuple[str, ...] = tuple(row["text"] for row in _ROWS)
ORDERS = frozenset(row["text"] for row in _ROWS if row["kind"] == "prompt")
READ_OTHERWISE = frozenset(
    text for text in CORPUS if text == "%s%s%s%n" or text.startswith(("Oubliez", "Vergiss", "Ignore todas"))
)
"""Sentences of another language (and one that looks like a measurement) after which the reader places the words before
them less well: the grade may fall, never rise."""
BATCH = 22
_STRING = re.compile(r"[ \r\n\t\S]+")
"""what FHIR calls a string; a server may refuse anything else, so that it reaches us in prefetch only."""
_SAME = tuple(text for text in CORPUS if text not in READ_OTHERWISE and _STRING.fullmatch(text))
BATCHES: tuple[tuple[str, ...], ...] = tuple(_SAME[at : at + BATCH] for at in range(0, len(_SAME), BATCH))
_CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
_SITES = ("left forearm", "right forearm", "left thigh", "right thigh")


def resources(texts: tuple[str, ...], patient: str) -> list[dict[str, Any]]:
    """A patient with lupus, normal calcium and hard nodules; each text follows the words of records of its own."""
    subject = {"reference": f"Patient/{patient}"}

    def observation(number: int, kind: str, code: dict[str, Any], **value: Any) -> dict[str, Any]:
        category = [{"coding": [{"system": _CATEGORY, "code": kind}]}]
        head = {
            "resourceType": "Observation",
            "id": f"{patient}-{kind}-{number}",
            "status": "final",
            "subject": subject,
        }
        return {**head, "category": category, "code": code, "effectiveDateTime": "2026-05-30", **value}

    found: list[dict[str, Any]] = [
        {
            "resourceType": "Patient",
            "id": patient,
            "gender": "female",
            "birthDate": "1977-01-01",
            "name": [{"text": f"Case {texts[0]}"}],
            "identifier": [{"value": texts[0], "type": {"coding": [{"code": "MR"}]}}],
        },
        observation(
            0,
            "laboratory",
            {"text": "Calcium", "coding": [{"system": "http://loinc.org", "code": "17861-6"}]},
            valueQuantity={"value": 9.4, "unit": "mg/dL"},
            referenceRange=[{"low": {"value": 8.6}, "high": {"value": 10.3}}],
        ),
    ]
    for number, text in enumerate(texts):
        condition = {"resourceType": "Condition", "id": f"{patient}-condition-{number}", "subject": subject}
        lupus = {"system": "http://hl7.org/fhir/sid/icd-10-cm", "code": "M32.10", "display": text}
        words = f"Hard nodules on the {_SITES[number % 4]}, first noticed 2 months ago. {text}"
        found += [
            {**condition, "code": {"text": f"Systemic lupus erythematosus {text}", "coding": [lupus]}},
            observation(number, "exam", {"text": "Skin examination"}, valueString=words, note=[{"text": text}]),
        ]
    return found
