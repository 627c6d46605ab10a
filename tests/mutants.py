"""Charts with something changed in them, the same for the same seed."""

from __future__ import annotations

import random
from copy import deepcopy
from decimal import Decimal
from typing import Any

UNITS = ("mg/dL", "mmol/L", "cm", "kg", "%", None, 5)
WORDS = (
    "hard nodule on the left elbow",
    "SLE",
    "no",
    "7",
    "",
    None,
    {"a": 1},
    ["x"],
    12,
    "urine",
    "calcium 2.3 mmol/L",
)


def mutated(resources: list[Any], seed: int) -> list[Any]:
    """The chart with a third of its resources changed somewhere: numbers, units, words, dates, codes, owners, types."""
    pick = random.Random(seed)
    out = []
    for resource in deepcopy(resources):
        if pick.random() < 0.35:
            _mutate(resource, pick)
        out.append(resource)
    return out


def _mutate(resource: dict[str, Any], pick: random.Random) -> None:
    key = pick.choice([key for key in resource if key != "resourceType"] or ["id"])
    how = pick.randrange(9)
    quantity = resource.get("valueQuantity")
    if how < 2 and isinstance(quantity, dict):
        name = pick.choice(("value", "unit", "code"))
        quantity[name] = pick.choice((Decimal("3"), 5, 250, "7")) if name == "value" else pick.choice(UNITS)
    elif how == 2:
        resource.pop(key)
    elif how == 3:
        resource[key] = pick.choice(WORDS)
    elif how == 4:
        resource["effectiveDateTime"] = pick.choice(("2019", "not a date", "2025-13-01", 7, "2026-01-01T10:00:00Z"))
    elif how == 5:
        resource["subject"] = pick.choice(({"reference": "Patient/other"}, {}, None, {"reference": "urn:uuid:x"}))
    elif how == 6 and isinstance(resource.get("code"), dict):
        resource["code"]["text"] = pick.choice(WORDS)
    elif how == 7:
        resource["code"] = {"coding": [{"system": "http://loinc.org", "code": pick.choice(("17861-6", "29463-7"))}]}
    else:
        resource["status"] = pick.choice(("final", "entered-in-error", "preliminary", None))


VALUES = (Decimal("2.310"), 5, 0, -3, "2.4", "x", None, True, Decimal("1e30"), 12, Decimal("0.0001"), 250)
MEASURED_UNITS = ("mg/dL", "mmol/L", "mm[Hg]", "cm", "kg", "%", None, 5, "MG/DL", "umol/L", "g/L", "")
FLAGS = ("H", "L", "N", "HH", "A", "*H*", "pos", "", None, 3)


def laboratory(resources: list[Any], seed: int) -> list[Any]:
    """The chart with its measurements changed: other numbers, units, flags, ranges, names, components, states."""
    pick = random.Random(seed)
    out = []
    for resource in deepcopy(resources):
        if resource.get("resourceType") == "Observation":
            for body in (resource, *(c for c in resource.get("component") or () if isinstance(c, dict))):
                if pick.random() < 0.6:
                    _change(body, pick)
        out.append(resource)
    return out


def _change(body: dict[str, Any], pick: random.Random) -> None:
    how = pick.randrange(12)
    quantity = body.get("valueQuantity")
    if how < 3 and isinstance(quantity, dict):
        quantity["value"] = pick.choice(VALUES)
    elif how == 3 and isinstance(quantity, dict):
        quantity[pick.choice(("unit", "code"))] = pick.choice(MEASURED_UNITS)
    elif how == 4 and isinstance(quantity, dict):
        quantity["comparator"] = pick.choice(("<", ">", ">=", "ad", "~", 3))
    elif how == 5:
        body["interpretation"] = [{"coding": [{"code": pick.choice(FLAGS)}]} for _ in range(pick.randrange(3))]
    elif how == 6:
        unit = pick.choice(MEASURED_UNITS)
        body["referenceRange"] = [
            {"low": {"value": pick.choice(VALUES), "unit": unit}, "high": {"value": pick.choice(VALUES), "unit": unit}}
        ]
    elif how == 7:
        body["referenceRange"] = pick.choice(([], {}, None, ["x"], [{"text": "2.1 - 2.6"}], [{"text": "<3"}]))
    elif how == 8:
        body["code"] = pick.choice(
            (
                {"text": "Calcium"},
                {"text": "Calcium, urine"},
                {"text": pick.choice(("SLE", "nodule", "Wound culture"))},
                {"coding": [{"system": "http://loinc.org", "code": "17861-6", "display": "Ionised calcium"}]},
                {"coding": {"code": "17861-6"}, "text": ""},
                {"coding": [{"system": "http://loinc.org", "code": 17861, "display": True}], "text": 3},
                "Calcium",
                None,
            )
        )
    elif how == 9:
        body["status"] = pick.choice(("final", "preliminary", "corrected", "amended", "cancelled", 4, None))
    elif how == 10:
        body[pick.choice(("effectiveDateTime", "issued"))] = pick.choice(
            ("2024-03", "2024-03-01T10:00:00Z", "2024-03-01T10:00:00", "soon", 7, None, {"start": "2024"})
        )
    else:
        body[pick.choice(("note", "specimen", "valueString", "dataAbsentReason", "component", "meta"))] = pick.choice(
            ([{"text": "haemolysed"}], {"display": "urine"}, "high", [], {}, [{"code": {"text": "Calcium"}}])
        )
