"""Charts held back from the making of the rules (tests/cases/held/*.yaml), and how an answer is judged.

One entry is one patient on one day:

    - id: name
      extends: other-name             # its chart first, then this one's
      source: …                       # where the facts come from; `synthetic` names what we added
      patient: [female, 1971-02-03]
      chart:
        - Condition: {code: "icd10cm M34.1 CREST", verification: provisional, onset: "2019", site: "fingers"}
        - Exam: {string: "Hard nodules …", date: 2026-05-20}
        - Lab: {code: "loinc 17861-6", value: 9.4, unit: mg/dL, range: [8.6, 10.2], date: 2026-05-20}
      expect: {grade: …, card: …, …}
      because: the sentence of the clinical specification that says so

`code` is "system code display" or a list of them, `text` the text of the code. Exam and Lab are Observations, Report a
DiagnosticReport (`letter`: its text as an attachment), Medication a MedicationRequest, Statement a MedicationStatement,
Administration a MedicationAdministration, Note a DocumentReference that holds the text, Raw a whole resource of any
shape; any other kind is a FHIR resource as it stands. What is expected: `grade`, `card`, `subtype`,
`calcium` (its status), `newness`, `extent`; `flags` and `missing` that must be there, `no_flags` that must not;
`mimic` first, `mimics` anywhere; `workup` offered, `not_offered` not; `never` orderable, `orderable`
that must be; `therapies` the decision of an agent and rules that must have fired ("block D3", "need|warn T1");
`no_orders` at all; `no_therapy` offered. `says` and `says_not` are phrases of the cards, `first_draft`
the label of the first suggestion. `long: true` leaves a chart to `make long`. `bundle` packs the chart into one
Bundle of this `type`, with a `first` resource and `more` entries, and takes it apart as the service does;
`birth_unknown` leaves the date of birth out.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

from mappings.bundles import unpack, with_resolved_urns
from tests.yaml_files import read_yaml

HELD = Path(__file__).with_name("held")
DAY = date(2026, 6, 1)
SYSTEMS = {
    "snomed": "http://snomed.info/sct",
    "icd10cm": "http://hl7.org/fhir/sid/icd-10-cm",
    "icd10": "http://hl7.org/fhir/sid/icd-10",
    "icd10gm": "http://fhir.de/CodeSystem/bfarm/icd-10-gm",
    "icd9": "http://hl7.org/fhir/sid/icd-9-cm",
    "loinc": "http://loinc.org",
    "rxnorm": "http://www.nlm.nih.gov/research/umls/rxnorm",
    "atc": "http://www.whocc.no/atc",
    "local": "urn:oid:2.16.840.1.113883.3.9999.1",
}
CLINICAL = "http://terminology.hl7.org/CodeSystem/condition-clinical"
VERIFICATION = "http://terminology.hl7.org/CodeSystem/condition-ver-status"
CATEGORY = "http://terminology.hl7.org/CodeSystem/observation-category"
SECTION = "http://terminology.hl7.org/CodeSystem/v2-0074"
FLAG = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
_FIGURE = re.compile(r"\d+(?:[.,]\d+)?")
GRADES = ("none", "incomplete", "possible", "probable", "likely", "confirmed")


@dataclass(frozen=True, slots=True)
class Held:
    """One held chart: its id, the file it stands in, its resources and what is expected of it."""

    id: str
    group: str
    language: str
    resources: tuple[dict[str, Any], ...]
    expect: Mapping[str, Any]
    long: bool = False
    """not part of the default tests"""


def held_charts() -> list[Held]:
    return [case for path in sorted(HELD.glob("*.yaml")) for case in _charts_of(path)]


def _charts_of(path: Path) -> Iterable[Held]:
    entries: dict[str, dict[str, Any]] = {}
    for entry in read_yaml(path):
        base = entries.get(entry.get("extends", ""), {})
        whole = base | {"long": False} | entry | {"chart": [*base.get("chart", []), *entry["chart"]]}
        entries[entry["id"]] = whole
        yield Held(entry["id"], path.stem, whole["language"], tuple(resources(whole)), whole["expect"], whole["long"])


def resources(entry: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    gender, born = entry["patient"]
    patient = {"resourceType": "Patient", "id": "p", "gender": gender, "birthDate": str(born)}
    if entry.get("birth_unknown"):
        del patient["birthDate"]
    if "deceased" in entry:
        patient["deceasedDateTime"] = str(entry["deceased"])
    made = [patient]
    for index, line in enumerate(entry["chart"]):
        ((kind, fields),) = line.items()
        made.append(_BUILD.get(kind, _as_it_stands(kind))(dict(fields), f"{kind.lower()}-{index}"))
    yield from _unpacked(made, entry["bundle"]) if "bundle" in entry else made


def _unpacked(made: list[dict[str, Any]], bundle: Mapping[str, Any]) -> Iterable[dict[str, Any]]:
    """The resources of a chart that came as one Bundle, as the service takes it apart."""
    entries = [{"resource": resource} for resource in [*([bundle["first"]] if "first" in bundle else []), *made]]
    whole = {"resourceType": "Bundle", "type": bundle["type"], "entry": [*entries, *bundle.get("more", ())]}
    yield from with_resolved_urns(unpack(whole))


def _concept(fields: dict[str, Any]) -> dict[str, Any]:
    codes = fields.pop("code", [])
    concept: dict[str, Any] = {"text": fields.pop("text")} if "text" in fields else {}
    for line in [codes] if isinstance(codes, str) else codes:
        system, code, *display = line.split(" ", 2)
        coding = {"system": SYSTEMS[system], "code": code} | ({"display": display[0]} if display else {})
        concept.setdefault("coding", []).append(coding)
    return concept


def _coded(system: str, code: str) -> dict[str, Any]:
    return {"coding": [{"system": system, "code": code}]}


def _subject(resource_type: str, id_: str) -> dict[str, Any]:
    key = "patient" if resource_type == "FamilyMemberHistory" else "subject"
    return {"resourceType": resource_type, "id": id_, key: {"reference": "Patient/p"}}


def _condition(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    made = _subject("Condition", id_) | {"code": _concept(fields)}
    made["clinicalStatus"] = _coded(CLINICAL, fields.pop("status", "active"))
    if "verification" in fields:
        made["verificationStatus"] = _coded(VERIFICATION, fields.pop("verification"))
    for ours, theirs in (("onset", "onsetDateTime"), ("recorded", "recordedDate"), ("end", "abatementDateTime")):
        if ours in fields:
            made[theirs] = str(fields.pop(ours))
    if "site" in fields:
        made["bodySite"] = [{"text": fields.pop("site")}]
    return made | fields


def _observation(fields: dict[str, Any], id_: str, category: str) -> dict[str, Any]:
    made = _subject("Observation", id_) | {"status": fields.pop("status", "final")}
    made["category"] = [_coded(CATEGORY, category)]
    made["code"] = _concept(fields)
    if "date" in fields:
        made["effectiveDateTime"] = str(fields.pop("date"))
    if "string" in fields:
        made["valueString"] = fields.pop("string")
    if "note" in fields:
        made["note"] = [{"text": fields.pop("note")}]
    if "value" in fields:
        unit = fields.pop("unit")
        number = Decimal(str(fields.pop("value")))
        ucum = {"unit": unit, "system": "http://unitsofmeasure.org", "code": unit}
        made["valueQuantity"] = {"value": number} | ucum
        if "range" in fields:
            low, high = (Decimal(str(limit)) for limit in fields.pop("range"))
            made["referenceRange"] = [{"low": {"value": low} | ucum, "high": {"value": high} | ucum}]
    if "flag" in fields:
        made["interpretation"] = [_coded(FLAG, fields.pop("flag"))]
    return made | fields


def _exam(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    return _observation({"code": "loinc 29545-1 Physical findings"} | fields, id_, "exam")


def _laboratory(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    return _observation(fields, id_, "laboratory")


def _report(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    made = _subject("DiagnosticReport", id_) | {"status": "final"}
    made["category"] = [_coded(SECTION, fields.pop("category", "RAD"))]
    made["effectiveDateTime"] = str(fields.pop("date"))
    made["code"] = _concept(fields)
    if "letter" in fields:
        data = base64.b64encode(fields.pop("letter").encode()).decode()
        made["presentedForm"] = [{"contentType": "text/plain", "data": data}]
    return made | fields


def _request(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    made = _subject("MedicationRequest", id_) | {"status": "active", "intent": "order", "authoredOn": "2026-03-01"}
    return made | {"medicationCodeableConcept": _concept(fields)} | fields


def _statement(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    made = _subject("MedicationStatement", id_) | {"status": fields.pop("status", "active")}
    made["medicationCodeableConcept"] = _concept(fields)
    made["effectivePeriod"] = {"start": str(fields.pop("start"))}
    if "end" in fields:
        made["effectivePeriod"]["end"] = str(fields.pop("end"))
    if "note" in fields:
        made["note"] = [{"text": fields.pop("note")}]
    return made | fields


def _administration(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    made = _subject("MedicationAdministration", id_) | {"status": "completed"}
    made["medicationCodeableConcept"] = _concept(fields)
    made["effectiveDateTime"] = str(fields.pop("date"))
    made["dosage"] = {"site": {"text": fields.pop("site")}}
    return made | fields


def _note(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    data = base64.b64encode(fields.pop("string").encode()).decode()
    content = {"attachment": {"contentType": fields.pop("mime", "text/plain"), "data": data}}
    made = _subject("DocumentReference", id_) | {"status": "current", "date": f"{fields.pop('date')}T09:30:00Z"}
    return made | {"type": _concept(fields), "content": [content]} | fields


def _raw(fields: dict[str, Any], id_: str) -> dict[str, Any]:
    return {name: value for name, value in ({"id": id_} | fields).items() if value is not None}


def _as_it_stands(resource_type: str) -> Any:
    return lambda fields, id_: _subject(resource_type, id_) | fields


_BUILD: dict[str, Any] = {
    "Condition": _condition,
    "Exam": _exam,
    "Observation": _laboratory,
    "Lab": _laboratory,
    "Report": _report,
    "Medication": _request,
    "Statement": _statement,
    "Administration": _administration,
    "Note": _note,
    "Raw": _raw,
}


def judge(held: Held, found: Mapping[str, Any], cards: list[dict[str, Any]]) -> dict[str, str]:
    """What is wrong with an answer, by kind: card, grade, grade-far (more than one step), flag, value, other."""
    want, wrong = held.expect, {}
    if found["card"] != want["card"] or bool(cards) != (want["card"] != "none"):
        wrong["card"] = f"{found['card']} ({len(cards)} cards), expected {want['card']}"
    if "grade" in want and found["grade"] != want["grade"]:
        far = "" if _one_step(found["grade"], want["grade"]) else "-far"
        wrong["grade" + far] = f"{found['grade']}, expected {want['grade']}"
    flags = {flag["id"] for flag in found["redFlags"]}
    if missed := set(want.get("flags", ())) - flags:
        wrong["flag"] = f"missed {sorted(missed)}"
    if invented := _invented(held, found):
        wrong["value"] = f"not in the chart: {invented}"
    if other := [*_other(want, found, flags), *_worded(want, cards)]:
        wrong["other"] = "; ".join(other)
    return wrong


def _one_step(one: str, other: str) -> bool:
    return one in GRADES and other in GRADES and abs(GRADES.index(one) - GRADES.index(other)) <= 1


def _invented(held: Held, found: Mapping[str, Any]) -> list[str]:
    """Numbers and references the assessment tells that the chart does not hold."""
    known = {f"{r['resourceType']}/{r.get('id', 'without-id')}" for r in held.resources}
    numbers = {number for resource in held.resources for number in _numbers(resource)}
    bad = []
    for name, criterion in found["criteria"].items():
        bad += [ref for ref in criterion.get("evidence", ()) if ref not in known]
        if criterion.get("value") is not None and Decimal(str(criterion["value"])) not in numbers:
            bad.append(f"{name} {criterion['value']}")
    return bad


def _numbers(value: Any) -> Iterable[Decimal]:
    if isinstance(value, Decimal):
        yield value
    elif isinstance(value, float):
        yield Decimal(str(value))
    elif isinstance(value, str):
        yield from (Decimal(number.replace(",", ".")) for number in _FIGURE.findall(value))
    elif isinstance(value, Mapping):
        for name, inner in value.items():
            yield from _numbers(base64.b64decode(inner).decode() if name == "data" else inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _numbers(inner)


def _other(want: Mapping[str, Any], found: Mapping[str, Any], flags: set[str]) -> Iterable[str]:
    criteria = found["criteria"]
    for name, value in (
        ("subtype", found["subtype"]),
        ("calcium", criteria["calcium"]["status"]),
        ("newness", criteria["lesion"].get("newness")),
        ("extent", criteria["lesion"].get("extent")),
    ):
        if name in want and want[name] != value:
            yield f"{name} {value}, expected {want[name]}"
    if extra := flags & set(want.get("no_flags", ())):
        yield f"flags that do not belong: {sorted(extra)}"
    if absent := set(want.get("missing", ())) - set(found["missing"]):
        yield f"not named as missing: {sorted(absent)}"
    mimics = [mimic["id"] for mimic in found["differential"]]
    if "mimic" in want and mimics[:1] != [want["mimic"]]:
        yield f"first mimic {mimics[:1]}, expected {want['mimic']}"
    if absent := set(want.get("mimics", ())) - set(mimics):
        yield f"mimics not named: {sorted(absent)}"
    workup = {line["id"]: line["decision"] for line in found["workup"]}
    if absent := {id_ for id_ in want.get("workup", ()) if workup.get(id_) != "offer"}:
        yield f"workup not offered: {sorted(absent)}"
    if offered_all_the_same := {id_ for id_ in want.get("not_offered", ()) if workup.get(id_) == "offer"}:
        yield f"workup offered: {sorted(offered_all_the_same)}"
    orderable = {line["id"] for line in found["therapies"] if line["orderable"]}
    if absent := set(want.get("orderable", ())) - orderable:
        yield f"not orderable: {sorted(absent)}"
    forbidden = orderable if want.get("no_orders") or want.get("no_therapy") else orderable & set(want.get("never", ()))
    if forbidden:
        yield f"orderable: {sorted(forbidden)}"
    if withheld := set(want.get("orderable", ())) - orderable:
        yield f"not orderable: {sorted(withheld)}"
    offered = {line["id"] for line in found["therapies"] if line["decision"] in ("offer", "warn")}
    if want.get("no_therapy") and offered:
        yield f"offered: {sorted(offered)}"
    yield from _decided(want, found)


def _decided(want: Mapping[str, Any], found: Mapping[str, Any]) -> Iterable[str]:
    lines = {line["id"]: line for line in found["therapies"]}
    for agent, expected in want.get("therapies", {}).items():
        words, *rules = expected.split()
        line = lines[agent]
        if line["decision"] not in words.split("|"):
            yield f"{agent} {line['decision']} {line['rules']}, expected {expected}"
        elif absent := set(rules) - set(line["rules"]):
            yield f"{agent} {line['decision']} without {sorted(absent)}"


def _worded(want: Mapping[str, Any], cards: list[dict[str, Any]]) -> Iterable[str]:
    text = " ".join(f"{card['summary']} {card.get('detail', '')}" for card in cards)
    if absent := [phrase for phrase in want.get("says", ()) if phrase not in text]:
        yield f"not said: {absent}"
    if wrong := [phrase for phrase in want.get("says_not", ()) if phrase in text]:
        yield f"said: {wrong}"
    labels = [suggestion["label"] for card in cards for suggestion in card.get("suggestions", ())]
    drafts = [label for label in labels if label.startswith("Draft")]
    if "first_draft" in want and drafts[:1] != [want["first_draft"]]:
        yield f"first draft {drafts[:1]}, expected {want['first_draft']}"
