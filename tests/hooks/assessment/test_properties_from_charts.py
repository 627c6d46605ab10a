"""One fact flipped, through the whole reader: a FHIR chart in, the assessment out.

The properties of `test_properties.py` hold for facts; here the same must hold for what an EHR sends, in five languages,
three units and several shapes. A few examples by default, many with `make long`."""

from __future__ import annotations

import base64
import random
from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hooks.assess import assess
from hooks.assessment.grading import LADDER
from hooks.knowledge import load_knowledge
from hooks.model import Assessment, to_json
from mappings.raw import RawChart
from tests.charts import COMPLETE, TODAY
from tests.spec.harness import reader

Resource = dict[str, Any]
HOW_MANY = pytest.mark.parametrize("examples", [8, pytest.param(150, marks=pytest.mark.long)])
SNOMED, ICD = "http://snomed.info/sct", "http://hl7.org/fhir/sid/icd-10-cm"

DISEASES: list[dict[str, Any]] = [
    {"coding": [{"system": SNOMED, "code": "396230008"}]},
    {"coding": [{"system": ICD, "code": "M34.1", "display": "CR(E)ST syndrome"}]},
    {"text": "Lupus eritematoso sistémico"},
    {"text": "Systemische Sklerose"},
    {"text": "Dermatomyosite"},
    {"text": "Doença mista do tecido conjuntivo"},
    {"coding": [{"system": ICD, "code": "M06.9"}], "text": "Rheumatoid arthritis"},
]
SAME_LESION = [
    "Hard nodules over both elbows for 4 months",
    "Nódulos duros en ambos codos desde hace 4 meses",
    "Nódulos duros em ambos os cotovelos há 4 meses",
    "Nodules durs des deux coudes depuis 4 mois",
    "Harte Knoten an beiden Ellenbogen seit 4 Monaten",
]
LESIONS = [
    *SAME_LESION,
    "Firm plaque on the left thigh",
    "Soft mobile lump of the back",
    "Ulcerated hard plaque of the right shin, chalky discharge, painful",
    "Stony-hard nodule of the left thumb, new",
]
UNITS = {"mmol/L": Decimal(1), "mg/dL": Decimal("4.008"), "mEq/L": Decimal(2)}
IRRELEVANT: list[Resource] = [
    {"resourceType": "Condition", "code": {"text": "Myopia"}, "clinicalStatus": {"coding": [{"code": "active"}]}},
    {"resourceType": "Procedure", "status": "completed", "code": {"text": "Appendectomy"}},
    {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": "Body height"},
        "valueQuantity": {"value": 168, "unit": "cm"},
    },
    {
        "resourceType": "DocumentReference",
        "status": "current",
        "type": {"text": "Letter"},
        "content": [{"attachment": {"contentType": "text/plain", "data": base64.b64encode(b"New glasses.").decode()}}],
    },
]


def day(back: int) -> str:
    return str(TODAY - timedelta(days=back))


def of_patient(body: Resource, id_: str) -> Resource:
    return {"id": id_, "subject": {"reference": "Patient/p"}} | body


def lab(name: str, value: Decimal, unit: str, limits: tuple[Decimal, Decimal] | None, back: int) -> Resource:
    body: Resource = {
        "resourceType": "Observation",
        "status": "final",
        "code": {"text": name},
        "effectiveDateTime": day(back),
        "valueQuantity": {"value": value, "unit": unit},
    }
    if limits:
        low, high = limits
        body["referenceRange"] = [{"low": {"value": low, "unit": unit}, "high": {"value": high, "unit": unit}}]
    return of_patient(body, name.lower())


def calcium(value: str, unit: str = "mmol/L", *, ranged: bool = True, back: int = 10) -> Resource:
    factor = UNITS[unit]
    limits = (Decimal("2.15") * factor, Decimal("2.55") * factor) if ranged else None
    return lab("Calcium", Decimal(value) * factor, unit, limits, back)


def exam(words: str, kind: str, back: int) -> Resource:
    if kind == "condition":
        return of_patient({"resourceType": "Condition", "code": {"text": words}, "recordedDate": day(back)}, "lesion")
    if kind == "note":
        data = base64.b64encode(words.encode()).decode()
        attachment = {"contentType": "text/plain", "data": data}
        body = {"resourceType": "DocumentReference", "status": "current", "date": f"{day(back)}T10:00:00Z"}
        return of_patient(body | {"content": [{"attachment": attachment}]}, "lesion")
    body = {"resourceType": "Observation", "status": "final", "code": {"text": "Physical examination"}}
    return of_patient(body | {"effectiveDateTime": day(back), "valueString": words}, "lesion")


def report(title: str, words: str, code: str, back: int) -> Resource:
    section = {"coding": [{"system": "http://terminology.hl7.org/CodeSystem/v2-0074", "code": code}]}
    body = {"resourceType": "DiagnosticReport", "status": "final", "category": [section], "code": {"text": title}}
    return of_patient(body | {"effectiveDateTime": day(back), "conclusion": words}, title.lower().replace(" ", "-"))


@st.composite
def charts(draw: st.DrawFn) -> tuple[Resource, ...]:
    """A patient with a disease, most with a lesion and a calcium, some with more."""
    born = draw(st.sampled_from(["1968-03-02", "1985-01-01", "2016-05-05"]))
    made: list[Resource] = [
        {"resourceType": "Patient", "id": "p", "gender": draw(st.sampled_from(["female", "male"])), "birthDate": born}
    ]
    status = draw(st.sampled_from(["confirmed", "confirmed", "provisional"]))
    verification = {"coding": [{"code": status}]}
    disease = {"resourceType": "Condition", "code": draw(st.sampled_from(DISEASES)), "verificationStatus": verification}
    made.append(of_patient(disease, "ctd"))
    kind = draw(st.sampled_from(["condition", "exam", "note"]))
    made.append(exam(draw(st.sampled_from(LESIONS)), kind, draw(st.integers(1, 60))))
    if draw(st.integers(0, 5)):
        value = draw(st.sampled_from(["2.20", "2.31", "2.50", "2.60", "2.05"]))
        unit = draw(st.sampled_from(list(UNITS)))
        made.append(calcium(value, unit, ranged=draw(st.booleans()), back=draw(st.sampled_from([3, 80, 200]))))
    if draw(st.booleans()):
        made.append(lab("Phosphate", Decimal("1.10"), "mmol/L", (Decimal("0.80"), Decimal("1.80")), 10))
    if draw(st.booleans()):
        made.append(lab("Albumin", Decimal(draw(st.sampled_from([28, 41]))), "g/L", (Decimal(35), Decimal(50)), 10))
    if draw(st.booleans()):
        made.append(report("X-ray both elbows", "Soft tissue calcification at both elbows.", "RAD", 5))
    if draw(st.booleans()):
        made.append(report("Skin biopsy", "Calcium deposits in the dermis.", "PAT", 4))
    return tuple(made)


def judged(chart: tuple[Resource, ...]) -> Assessment:
    return assess(reader().read(RawChart("p", chart, COMPLETE)), load_knowledge(), TODAY)


def certainty(assessment: Assessment) -> int:
    return LADDER.index(assessment.grade) if assessment.grade in LADDER else 0


def without(chart: tuple[Resource, ...], id_: str) -> tuple[Resource, ...]:
    return tuple(resource for resource in chart if resource["id"] != id_)


def verdict(assessment: Assessment) -> tuple[Any, ...]:
    criteria = assessment.criteria
    return (
        assessment.grade,
        assessment.card,
        assessment.subtype,
        criteria.calcium.status,
        criteria.calcium.critical,
        criteria.lesion.newness,
        tuple(flag.id for flag in assessment.red_flags),
        assessment.missing,
    )


def holds(examples: int, rule: Callable[..., None], *given_: st.SearchStrategy[Any]) -> None:
    settings(max_examples=examples, deadline=None)(given(*given_)(rule))()


@HOW_MANY
def test_calcium_raised_above_range_never_raises_the_grade(examples: int) -> None:
    def rule(chart: tuple[Resource, ...], value: str, unit: str) -> None:
        bare = without(without(chart, "calcium"), "albumin")
        raised, normal = judged((*bare, calcium(value, unit))), judged((*bare, calcium("2.31", unit)))
        assert certainty(raised) == 0
        assert raised.card in ("none", "alternative", "urgent")
        assert certainty(normal) >= certainty(raised)
        assert not any(therapy.orderable for therapy in raised.therapies)

    holds(examples, rule, charts(), st.sampled_from(["2.56", "2.80", "3.40"]), st.sampled_from(list(UNITS)))


@HOW_MANY
def test_evidence_removed_never_raises_certainty(examples: int) -> None:
    def rule(chart: tuple[Resource, ...]) -> None:
        before = certainty(judged(chart))
        for lost in ("ctd", "lesion", "calcium", "phosphate", "x-ray-both-elbows", "skin-biopsy"):
            assert certainty(judged(without(chart, lost))) <= before, lost

    holds(examples, rule, charts())


@HOW_MANY
def test_an_irrelevant_resource_changes_nothing(examples: int) -> None:
    def rule(chart: tuple[Resource, ...], more: Resource, at: int) -> None:
        place = at % (len(chart) + 1)
        longer = (*chart[:place], of_patient(more, "irrelevant"), *chart[place:])
        assert to_json(judged(longer)) == to_json(judged(chart))

    holds(examples, rule, charts(), st.sampled_from(IRRELEVANT), st.integers(0, 20))


@HOW_MANY
def test_the_order_of_resources_and_a_resource_sent_twice_change_nothing(examples: int) -> None:
    def rule(chart: tuple[Resource, ...], shuffle: random.Random) -> None:
        before = to_json(judged(chart))
        assert to_json(judged(tuple(shuffle.sample(chart, len(chart))))) == before
        assert to_json(judged((*chart, shuffle.choice(chart[1:])))) == before

    holds(examples, rule, charts(), st.randoms(use_true_random=False))


@HOW_MANY
def test_the_same_quantity_in_another_unit_changes_nothing(examples: int) -> None:
    def rule(chart: tuple[Resource, ...], value: Decimal, ranged: bool) -> None:
        rest = without(chart, "calcium")
        found = {verdict(judged((*rest, calcium(str(value), unit, ranged=ranged)))) for unit in UNITS}
        assert len(found) == 1, found

    holds(examples, rule, charts(), st.decimals("1.50", "3.60", places=2), st.booleans())


@HOW_MANY
def test_the_same_lesion_in_another_language_or_resource_changes_nothing(examples: int) -> None:
    def rule(chart: tuple[Resource, ...], back: int) -> None:
        rest = without(chart, "lesion")
        for kind in ("condition", "exam", "note"):
            found = {verdict(judged((*rest, exam(words, kind, back)))) for words in SAME_LESION}
            assert len(found) == 1, (kind, found)

    holds(max(examples // 3, 3), rule, charts(), st.integers(1, 60))
