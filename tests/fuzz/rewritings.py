"""Ways of writing one and the same request: what it means stays, and so must the answer.

A way is a function of the call and of a generator of chance; those of `TREES` change the call as data, those of
`WRITERS` how it is written down."""

from __future__ import annotations

import copy
import json
import random
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from hooks.services import PREFETCH

Call = dict[str, Any]
Tree = Callable[[Call, random.Random], None]
_BLANKS = ("", " ", "\n", "\t", "\r\n", "  ")
_RENAMED = {
    "patient": "person", "conditions": "problemList", "reports": "imagingReports", "medications": "drugList",
    "allergies": "allergyList", "procedures": "operations", "orders": "openOrders",
}  # fmt: skip
_OBSERVATIONS = ("laboratory", "examinations", "vitals", "answers")
_BASE = "https://ehr.example.org/r4"
_PULSES = 400
_STU3_CODED = ("clinicalStatus", "verificationStatus")


def bundles(call: Call) -> Iterator[tuple[str, dict[str, Any]]]:
    """The Bundles of the prefetch by their keys."""
    for key, value in call["prefetch"].items():
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            yield key, value


def resources(call: Call) -> Iterator[dict[str, Any]]:
    """Every resource of the prefetch, those of Bundles in Bundles too."""
    waiting = list(call["prefetch"].values())
    while waiting:
        value = waiting.pop()
        if isinstance(value, dict) and value.get("resourceType") == "Bundle":
            waiting += [entry.get("resource") for entry in value.get("entry") or ()]
        elif isinstance(value, dict):
            yield value


def _shuffled(call: Call, draw: random.Random) -> None:
    for _, bundle in bundles(call):
        draw.shuffle(bundle.get("entry") or [])


def _doubled(call: Call, draw: random.Random) -> None:
    for _, bundle in bundles(call):
        entries = bundle.get("entry") or []
        bundle["entry"] = entries + [copy.deepcopy(entry) for entry in entries if draw.random() < 0.3]


def _nested(call: Call, draw: random.Random) -> None:
    for key, bundle in list(bundles(call)):
        if draw.random() < 0.5:
            entries = bundle.get("entry") or []
            at = draw.randrange(len(entries) + 1)
            inner = {"resourceType": "Bundle", "type": "searchset", "entry": entries[at:]}
            call["prefetch"][key] = {**bundle, "entry": [*entries[:at], {"resource": inner}]}


def _alone(call: Call, draw: random.Random) -> None:
    """A Bundle of one resource as that resource."""
    for key, bundle in list(bundles(call)):
        entries = bundle.get("entry") or []
        if len(entries) == 1 and len(entries[0]) == 1:
            call["prefetch"][key] = entries[0]["resource"]


def _in_a_bundle(call: Call, draw: random.Random) -> None:
    patient = call["prefetch"].get("patient")
    if isinstance(patient, dict) and patient.get("resourceType") == "Patient":
        call["prefetch"]["patient"] = {"resourceType": "Bundle", "entry": [{"resource": patient}]}


def _renamed(call: Call, draw: random.Random) -> None:
    """As an analyst might call the keys; what answers nothing by its content keeps its name."""
    found: dict[str, Any] = {}
    for key, value in call["prefetch"].items():
        empty = value is None or not (value.get("entry") or value.get("resourceType") != "Bundle")
        found[_RENAMED[key] if key in _RENAMED and not empty and draw.random() < 0.7 else key] = value
    call["prefetch"] = found


def _emptied(call: Call, draw: random.Random) -> None:
    """null, an empty Bundle, and one that only says so."""
    for key, value in call["prefetch"].items():
        if value is None or (value.get("resourceType") == "Bundle" and not value.get("entry")):
            empty = {"resourceType": "Bundle", "type": "searchset"}
            call["prefetch"][key] = draw.choice(
                (None, empty, empty | {"total": 0}, empty | {"entry": []}, empty | {"total": 0, "entry": None})
            )


def _framed(call: Call, draw: random.Random) -> None:
    """What servers put around a search."""
    for _, bundle in bundles(call):
        bundle["id"] = f"{draw.getrandbits(64):x}"
        bundle["meta"] = {"lastUpdated": "2026-06-01T07:00:00.123Z"}
        bundle["timestamp"] = "2026-06-01T07:00:00Z"
        bundle["link"] = [{"relation": "self", "url": f"{_BASE}/Condition?patient=x"}]
        bundle["total"] = draw.choice((len(bundle.get("entry") or ()), 100_000, None))
        for entry in bundle.get("entry") or ():
            kind = draw.randrange(4)
            if kind and isinstance(entry.get("resource"), dict):
                entry["fullUrl"] = f"{_BASE}/{entry['resource'].get('resourceType')}/{entry['resource'].get('id')}"
            if kind > 1:
                entry["search"] = {"mode": "match"}
            if kind > 2:
                entry["link"] = [{"relation": "self", "url": entry["fullUrl"]}]


def _beside(call: Call, draw: random.Random) -> None:
    """Types that nobody reads, and an issue that says nothing of what was left out."""
    more: tuple[dict[str, Any], ...] = (
        {"resourceType": "Practitioner", "id": "z1", "name": [{"text": "Lupus Sclerosis"}]},
        {"resourceType": "Encounter", "id": "z2", "status": "finished"},
        {"resourceType": "Location", "id": "z3"},
    )
    outcome = {"resourceType": "OperationOutcome", "issue": [{"severity": "warning", "code": "informational"}]}
    for key, bundle in bundles(call):
        if any(True for _ in resources({"prefetch": {key: bundle}})):
            bundle["entry"].insert(draw.randrange(len(bundle["entry"]) + 1), {"resource": draw.choice(more)})
            if draw.random() < 0.5:
                bundle["entry"].append({"resource": outcome, "search": {"mode": "outcome"}})


def _referred(call: Call, draw: random.Random) -> None:
    """The patient by an absolute or a versioned reference."""
    for resource in resources(call):
        for name in ("subject", "patient"):
            owner = resource.get(name)
            said = owner.get("reference") if isinstance(owner, dict) else None
            if isinstance(said, str) and said.startswith("Patient/"):
                how = draw.choice(("{0}", f"{_BASE}/{{0}}", "{0}/_history/3", f"{_BASE}/{{0}}/_history/1"))
                resource[name] = {**owner, "reference": how.format(said), "display": "Somebody"}


def _extended(call: Call, draw: random.Random) -> None:
    """Extensions and members of a later minor version."""
    more = {"com.example.ehr": {"a": [1, {"b": None}], "reason": "sclerosis", "prefetch": {}}}
    call["extension"] = copy.deepcopy(more)
    call["context"]["extension"] = copy.deepcopy(more)
    call["context"]["com.example.new"] = "x"
    for resource in resources(call):
        if draw.random() < 0.2:
            resource["extension"] = [*(resource.get("extension") or []), {"url": "https://x.example", "valueCode": "a"}]
        if draw.random() < 0.2:
            resource["_status"] = {"id": "s"}


def _voided(call: Call, draw: random.Random) -> None:
    """Lists without anything in them, as careless writers leave them behind."""
    for resource in resources(call):
        for name in ("note", "bodySite", "interpretation", "identifier", "contained"):
            if name not in resource and draw.random() < 0.1:
                resource[name] = []


def _stu3(call: Call, draw: random.Random) -> None:
    for resource in resources(call):
        if resource.get("resourceType") in ("Condition", "AllergyIntolerance"):
            for name in _STU3_CODED:
                codings = resource.get(name, {}).get("coding") if isinstance(resource.get(name), dict) else None
                if codings and len(codings) == 1 and "text" not in resource[name]:
                    resource[name] = codings[0].get("code")
        if isinstance(resource.get("encounter"), dict):
            resource["context"] = resource.pop("encounter")


def _r5(call: Call, draw: random.Random) -> None:
    for resource in resources(call):
        kind = resource.get("resourceType")
        if kind in ("MedicationRequest", "MedicationStatement", "MedicationAdministration"):
            if isinstance(resource.get("medicationCodeableConcept"), dict):
                resource["medication"] = {"concept": resource.pop("medicationCodeableConcept")}
            elif isinstance(resource.get("medicationReference"), dict):
                resource["medication"] = {"reference": resource.pop("medicationReference")}
        elif kind == "ServiceRequest" and isinstance(resource.get("code"), dict) and resource["code"]:
            resource["code"] = {"concept": resource["code"]}
        elif kind == "Procedure":
            for name in ("DateTime", "Period"):
                if f"performed{name}" in resource:
                    resource[f"occurrence{name}"] = resource.pop(f"performed{name}")


def _longer(call: Call, draw: random.Random) -> None:
    """A chart too long to be decoded whole: pulses, of which nothing follows."""
    patient = call["context"]["patientId"]
    pulses = [
        {
            "resource": {
                "resourceType": "Observation",
                "id": f"pulse-{number}",
                "status": "final",
                "category": [{"coding": [{"code": "vital-signs"}]}],
                "code": {"coding": [{"system": "http://loinc.org", "code": "8867-4", "display": "Heart rate"}]},
                "subject": {"reference": f"Patient/{patient}"},
                "effectiveDateTime": f"20{10 + number % 15}-0{1 + number % 9}-11T10:00:00Z",
                "valueQuantity": {"value": 60 + number % 40, "unit": "/min"},
            }
        }
        for number in range(_PULSES)
    ]
    key = next((key for key in ("vitals", *_OBSERVATIONS) if key in call["prefetch"]), "vitals")
    before = call["prefetch"].get(key)
    entries = before.get("entry") or [] if isinstance(before, dict) and before.get("resourceType") == "Bundle" else []
    if isinstance(before, dict) and before.get("resourceType") != "Bundle":
        entries = [{"resource": before}]
    call["prefetch"][key] = {"resourceType": "Bundle", "type": "searchset", "entry": [*entries, *pulses]}


def _together(call: Call, draw: random.Random) -> None:
    """The four searches for Observations as one answer."""
    there = {key: call["prefetch"][key] for key in _OBSERVATIONS if key in call["prefetch"]}
    entries = [{"resource": resource} for resource in resources({"prefetch": there})]
    if entries and len(there) == len(_OBSERVATIONS):
        call["prefetch"] |= dict.fromkeys(_OBSERVATIONS)
        call["prefetch"][draw.choice(_OBSERVATIONS)] = {"resourceType": "Bundle", "entry": entries}


def _everything(call: Call, draw: random.Random) -> None:
    """One Bundle that answers every key (`$everything`), the others null."""
    if not call["prefetch"].keys() >= PREFETCH.keys():
        return
    entries = [{"resource": resource} for resource in resources(call)]
    draw.shuffle(entries)
    kinds = {entry["resource"].get("resourceType") for entry in entries}
    if "Condition" in kinds:
        call["prefetch"] = {**dict.fromkeys(PREFETCH), "conditions": {"resourceType": "Bundle", "entry": entries}}


def _by_full_url(call: Call, draw: random.Random) -> None:
    """Every Bundle refers to what is in it by fullUrl, as transactions do."""
    for key, bundle in list(bundles(call)):
        inside = [e["resource"] for e in bundle.get("entry") or () if isinstance(e.get("resource"), dict)]
        names = {f"{one.get('resourceType')}/{one.get('id')}": f"urn:uuid:{draw.getrandbits(64):x}" for one in inside}
        names.pop(f"Patient/{call['context']['patientId']}", None)
        entries = []
        for entry in bundle.get("entry") or ():
            resource = entry.get("resource") or {}
            url = names.get(f"{resource.get('resourceType')}/{resource.get('id')}")
            entries.append({**_named(entry, names), **({"fullUrl": url} if url else {})})
        call["prefetch"][key] = {**bundle, "entry": entries}


def _named(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, list):
        return [_named(item, names) for item in value]
    if not isinstance(value, dict):
        return value
    found = {key: _named(inner, names) for key, inner in value.items()}
    said = found.get("reference")
    return found | {"reference": names[said]} if isinstance(said, str) and said in names else found


TREES: dict[str, Tree] = {
    "entries shuffled": _shuffled,
    "resources twice": _doubled,
    "a Bundle in a Bundle": _nested,
    "one resource alone": _alone,
    "the patient in a Bundle": _in_a_bundle,
    "keys renamed": _renamed,
    "nothing said otherwise": _emptied,
    "frames of searches": _framed,
    "types that say nothing": _beside,
    "references": _referred,
    "extensions": _extended,
    "empty lists": _voided,
    "STU3": _stu3,
    "R5": _r5,
    "long": _longer,
    "one search for Observations": _together,
    "everything in one": _everything,
    "fullUrls": _by_full_url,
}


def written(value: Any, draw: random.Random) -> bytes:
    """The call as JSON, members in any order, letters and numbers spelt in any way."""
    how = {name for name in ("order", "escapes", "blanks", "numbers", "slashes") if draw.random() < 0.35}
    text = _text(_Raw(value, draw, how))
    return (b"\xef\xbb\xbf" if draw.random() < 0.1 else b"") + text.encode()


class _Raw:
    def __init__(self, value: Any, draw: random.Random, how: set[str]) -> None:
        self.value, self.draw, self.how = value, draw, how


def _text(raw: _Raw) -> str:
    value, draw, how = raw.value, raw.draw, raw.how
    again = lambda inner: _text(_Raw(inner, draw, how))  # noqa: E731
    gap = (lambda: draw.choice(_BLANKS)) if "blanks" in how else (lambda: "")
    if isinstance(value, dict):
        members = list(value.items())
        if "order" in how:
            draw.shuffle(members)
        inner = f"{gap()},{gap()}".join(f"{_string(k, draw, how)}{gap()}:{gap()}{again(v)}" for k, v in members)
        return f"{{{gap()}{inner}{gap()}}}"
    if isinstance(value, list):
        return f"[{gap()}{f'{gap()},{gap()}'.join(map(again, value))}{gap()}]"
    if isinstance(value, str):
        return _string(value, draw, how)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _number(value, draw) if "numbers" in how else str(value)
    return json.dumps(value)


def _string(value: str, draw: random.Random, how: set[str]) -> str:
    if "escapes" not in how or draw.random() < 0.5:
        text = json.dumps(value, ensure_ascii=draw.random() < 0.2)
        return text.replace("/", "\\/") if "slashes" in how else text
    return '"' + "".join(_sign(sign, draw) for sign in value) + '"'


def _sign(sign: str, draw: random.Random) -> str:
    if draw.random() < 0.8:
        return json.dumps(sign, ensure_ascii=False)[1:-1]
    units = sign.encode("utf-16-be", "surrogatepass").hex()
    units = units.upper() if draw.random() < 0.5 else units
    return "".join(f"\\u{units[at : at + 4]}" for at in range(0, len(units), 4))


def _number(value: Any, draw: random.Random) -> str:
    """The same number: with zeros behind, with an exponent."""
    number = Decimal(str(value))
    plain = format(number, "f")
    if isinstance(value, int):
        return plain
    whole, _, rest = plain.partition(".")
    shifted = format(number.scaleb(3), "f")
    return draw.choice((plain, f"{whole}.{rest or '0'}00", f"{plain}e0", f"{plain}E+0", f"{shifted}e-3"))
