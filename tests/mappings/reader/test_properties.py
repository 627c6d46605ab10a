"""One broken resource never spoils the others, and nothing a server can send makes the reader raise."""

from __future__ import annotations

import copy
from decimal import Decimal
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.sandbox.cases import published_cases
from mappings.facts import PatientFacts
from mappings.raw import RawChart
from tests.charts import COMPLETE, TODAY
from tests.spec.harness import reader

CHARTS = [stage.build(TODAY) for stage in published_cases() if stage.stage == "imaging"]
ODD: list[Any] = [
    None,
    True,
    0,
    -1,
    3.5,
    Decimal("1e400"),
    "",
    " ",
    "x" * 5000,
    "2024-13-45",
    "\u0000",
    [],
    {},
    [[]],
    [None],
    {"a": 1},
    {"reference": "Patient/other"},
    {"coding": [None, {"code": 7}]},
    {"value": "NaN"},
    [{"coding": "x"}],
    "🙂",
]
COLLECTIONS = ("findings", "results", "lesions", "imaging", "biopsies", "medications", "allergies", "actions")


def read(patient_id: str, resources: list[Any]) -> PatientFacts:
    return reader().read(RawChart(patient_id, tuple(resources), COMPLETE))


def paths(value: Any, here: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [here] if here else []
    if isinstance(value, dict):
        for key, item in value.items():
            found.extend(paths(item, (*here, key)))
    elif isinstance(value, list):
        for index, item in enumerate(value):
            found.extend(paths(item, (*here, index)))
    return found


def by_resource(facts: PatientFacts, spoiled: str) -> dict[str, list[Any]]:
    """The facts of every resource but one."""
    return {name: [f for f in getattr(facts, name) if f.ref != spoiled] for name in COLLECTIONS}


@given(data=st.data())
def test_a_mutated_resource_leaves_the_facts_of_the_others_alone(data: st.DataObject) -> None:
    chart = data.draw(st.sampled_from(CHARTS))
    resources = [copy.deepcopy(r) for r in chart.resources]
    whole = read(chart.patient_id, resources)
    index = data.draw(st.integers(0, len(resources) - 1))
    victim = resources[index]
    if victim["resourceType"] in ("Patient", "Medication"):
        return  # ages and drug names of other facts rest on these
    ref = f"{victim['resourceType']}/{victim['id']}"
    path = data.draw(st.sampled_from([p for p in paths(victim) if p != ("id",)]))
    target = victim
    for step in path[:-1]:
        target = target[step]
    how = data.draw(st.sampled_from(["delete", "replace", "duplicate"]))
    if how == "delete":
        del target[path[-1]]
    elif how == "replace":
        target[path[-1]] = data.draw(st.sampled_from(ODD))
    else:
        target[path[-1]] = [copy.deepcopy(target[path[-1]])] * 2
    spoiled = read(chart.patient_id, resources)
    assert by_resource(spoiled, ref) == by_resource(whole, ref)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.decimals(allow_nan=False, allow_infinity=False)
    | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=12), inner, max_size=5),
    max_leaves=25,
)
ELEMENTS = (
    "id",
    "status",
    "code",
    "subject",
    "effectiveDateTime",
    "valueQuantity",
    "valueString",
    "component",
    "category",
    "clinicalStatus",
    "verificationStatus",
    "onsetDateTime",
    "recordedDate",
    "bodySite",
    "note",
    "conclusion",
    "presentedForm",
    "medicationCodeableConcept",
    "dosageInstruction",
    "reaction",
    "meta",
    "referenceRange",
    "interpretation",
    "contained",
)
TYPES = (
    "Condition",
    "Observation",
    "DiagnosticReport",
    "DocumentReference",
    "MedicationRequest",
    "MedicationStatement",
    "MedicationAdministration",
    "AllergyIntolerance",
    "Procedure",
    "ServiceRequest",
    "Patient",
)


@given(
    st.lists(
        st.tuples(st.sampled_from(TYPES), st.dictionaries(st.sampled_from(ELEMENTS), JSON, max_size=8), st.booleans()),
        max_size=4,
    )
)
def test_no_input_raises(shapes: list[tuple[str, dict[str, Any], bool]]) -> None:
    resources = []
    for kind, body, ours in shapes:
        subject = {"subject": {"reference": "Patient/p"}, "patient": {"reference": "Patient/p"}} if ours else {}
        resources.append({"resourceType": kind, "status": "final"} | body | subject)
    facts = read("p", resources)
    assert set(facts.__struct_fields__) >= set(COLLECTIONS)


def test_things_that_are_no_resources_are_left_out_and_named() -> None:
    facts = read("p", [None, 3, "x", [], {}, {"resourceType": 5}, {"resourceType": "Condition", "subject": {}}])
    assert [q.reference for q in facts.quarantined] == [
        *(f"resource[{i}]" for i in range(6)),
        "Condition/without-id",
    ]
