"""Charts with something taken away or broken: what the answer must say of it."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from tests.fuzz.rewritings import Call, bundles, resources

Answers = Mapping[str, Any]
Judge = Callable[[Answers, Answers], list[str]]


class Lost(NamedTuple):
    """What was taken away, and how the answer is judged."""

    what: str
    wrong: Judge


Loss = Callable[[Call, Answers, random.Random], "Lost | None"]
ASSESSED = "/assessments"
_SURE = ("normal", "high", "low", "borderline")
_OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}
_BROKEN: Mapping[str, Any] = {
    "a list for an object": ("code", []),
    "words for a quantity": ("valueQuantity", "2.31 mmol/L"),
    "a number for a status": ("status", 7),
    "no status": ("status", None),
    "entered in error": ("status", "entered-in-error"),
    "another patient": ("subject", {"reference": "Patient/somebody-else"}),
    "a subject that is nobody": ("subject", {"display": "x"}),
    "a list for a note": ("note", [7]),
    "in the future": ("effectiveDateTime", "2031-01-01"),
    "a date of another calendar": ("effectiveDateTime", "31.05.2026"),
    "no value": ("valueQuantity", None),
}
_QUANTITIES: Mapping[str, Mapping[str, Any]] = {
    "no unit": {"unit": None, "code": None, "system": None},
    "a unit of nobody": {"unit": "bananas", "code": "bananas"},
    "a huge value": {"value": 1e60},
    "below zero": {"value": -2.31},
    "a comparator": {"comparator": "<"},
    "another magnitude": {"value": 231},
}


def _minerals(before: Answers, name: str) -> Sequence[str]:
    found = before[ASSESSED]
    return found["criteria"][name].get("evidence", ()) if isinstance(found, dict) else ()


def _of(call: Call, references: Sequence[str]) -> Iterator[dict[str, Any]]:
    for resource in resources(call):
        if f"{resource.get('resourceType')}/{resource.get('id')}" in references:
            yield resource


def _taken(call: Call, references: Sequence[str]) -> None:
    for key, bundle in bundles(call):
        entries = [
            e for e in bundle.get("entry") or () if not list(_of({"prefetch": {key: e["resource"]}}, references))
        ]
        bundle["entry"] = entries


def _mineral_gone(call: Call, before: Answers, draw: random.Random) -> Lost | None:
    name = draw.choice(("calcium", "phosphate"))
    gone = _minerals(before, name)
    if not gone:
        return None
    _taken(call, gone)

    def wrong(_: Answers, after: Answers) -> list[str]:
        still = after[ASSESSED]["criteria"][name]
        return [f"{name} {still} without its result"] if still["status"] in _SURE and not still["evidence"] else []

    return Lost(f"{name} taken away", wrong)


def _mineral_broken(call: Call, before: Answers, draw: random.Random) -> Lost | None:
    name = draw.choice(("calcium", "phosphate"))
    there = [one for one in _of(call, _minerals(before, name)) if one["resourceType"] == "Observation"]
    if not there:
        return None
    what = draw.choice([*_BROKEN, *_QUANTITIES])
    touched = []
    for one in there:
        if what in _BROKEN:
            element, value = _BROKEN[what]
            one[element] = value
        elif isinstance(one.get("valueQuantity"), dict):
            one["valueQuantity"] |= _QUANTITIES[what]
        else:
            return None
        touched.append(f"Observation/{one['id']}")

    def wrong(_: Answers, after: Answers) -> list[str]:
        still = after[ASSESSED]["criteria"][name]
        if still["status"] == "normal" and set(still["evidence"]) & set(touched):
            return [f"{name} normal by a broken result: {still['because']}"]
        return []

    return Lost(f"{name}: {what}", wrong)


def _need_gone(call: Call, before: Answers, draw: random.Random) -> Lost | None:
    key = draw.choice(list(_NEED))
    need = _NEED[key]
    how = draw.choice(("absent", "outcome", "junk", "next"))
    if how == "absent":
        del call["prefetch"][key]
    elif how == "outcome":
        call["prefetch"][key] = _OUTCOME
    elif how == "junk":
        call["prefetch"][key] = draw.choice(("<html>", [], {"response": "200"}, 7, {"entry": []}))
    else:
        value = call["prefetch"][key] or {"resourceType": "Bundle"}
        if value["resourceType"] != "Bundle":
            return None
        call["prefetch"][key] = value | {"link": [{"relation": "next", "url": "https://ehr.example.org/r4?page=2"}]}

    def wrong(first: Answers, after: Answers) -> list[str]:
        found = after[ASSESSED]
        state = found["completeness"][need]
        said = [] if state["state"] != "complete" and state.get("reason") else [f"{need} complete without {key}"]
        return said + _no_better(first[ASSESSED], found, key)

    return Lost(f"{key} {how}", wrong)


def _no_better(before: Mapping[str, Any], after: Mapping[str, Any], key: str) -> list[str]:
    """Of what was not read nothing gets safer: nothing is denied, and no drug that was no draft before becomes one, but
    for the second of a pair when the first is none any more. What describes the lesion decides what fits it: there
    only the first is asked."""
    drafts = [{line["id"] for line in found["therapies"] if line["orderable"]} for found in (before, after)]
    new = drafts[1] - drafts[0]
    if "diltiazem" in drafts[0] - drafts[1]:
        new.discard("colchicine")
    wrong = [f"a draft only now: {sorted(new)}"] if new and key not in _OF_THE_LESION else []
    lesion = after["criteria"].get("lesion", {})
    examined = any(one.startswith("Observation/") for one in lesion.get("evidence", ()))
    if key == "examinations" and lesion.get("extent") == "localized" and not examined:
        wrong.append("localized, though examinations were not read")
    for name, was in before["criteria"].items():
        now = after["criteria"][name].get("status")
        if now in ("normal", "not-met") and was.get("status") != now:
            wrong.append(f"{name}: {was.get('status')} before, {now} now")
    return wrong


_OF_THE_LESION = ("conditions", "examinations", "answers", "reports")
_NEED = {
    "patient": "patient", "conditions": "conditions", "laboratory": "observations", "examinations": "observations",
    "vitals": "observations", "answers": "observations", "reports": "diagnosticReports", "medications": "medications",
    "allergies": "allergies", "procedures": "procedures", "orders": "serviceRequests",
}  # fmt: skip
LOSSES: Mapping[str, Loss] = {
    "a mineral taken away": _mineral_gone,
    "a mineral broken": _mineral_broken,
    "a need taken away": _need_gone,
}
