"""Chart tables: every row kind becomes the FHIR resource an EHR would send."""

from __future__ import annotations

import doctest
import json
from datetime import date
from decimal import Decimal

import pytest
from fhir.resources.R4B import get_fhir_model_class

import cds_service.sandbox.charts as module
from cds_service.sandbox.charts import Chart, ChartError, chart, to_json

TODAY = date(2026, 6, 1)


def one(line: str) -> dict:
    return chart(line, today=TODAY).resources[-1]


def everything() -> Chart:
    return chart(
        """
        # comments and empty lines are skipped

        Patient    | female | 49y | name=Case Example
        Condition  | SLE | onset -17y | recorded -16y | site=skin of face
        Condition  | calcinosis cutis | M32.9 | suspected | resolved | ended -1y | a remark
        Laboratory | Calcium | 2.31 mmol/L [2.15–2.57] | -10d | synthetic
        Laboratory | Calcium | 9.3 mg/dL [8.6-10.3] N | -10d
        Laboratory | PTH | normal | 2026-05
        Vital      | heart rate | 72 /min | -3d
        BP         | 128/76 | -3d
        Exam       | stony-hard nodules | -10d | site=left elbow | sitecode=368148009
        Observation | Pain score | 7 | -10d | category=survey
        Imaging    | X-ray of both elbows | Subcutaneous calcification. | -5d
        Pathology  | Skin biopsy, left thigh | Calcium deposits in the dermis. | -5d | preliminary
        Report     | Echocardiogram | Ejection fraction 60 %. | -5d | category=Cardiology
        Procedure  | skin biopsy | -5d | site=left thigh
        Medication | diltiazem | 60 mg x3/d | -1y | ended -3mo | stopped
        Medication | methotrexate | 20 mg/wk | -1y | route=subcutaneous
        Medication | evening primrose oil | intent=plan
        Statement  | vitamin C | 1 tablet daily | -1y
        Allergy    | rituximab | severe infusion reaction | severe | -2y
        Order      | ECG | -2d | draft
        Resource   | {"resourceType": "Observation", "status": "final", "code": {"text": "x"}}
        """,
        today=TODAY,
    )


def test_documentation_examples_hold() -> None:
    assert doctest.testmod(module).failed == 0


def test_every_row_is_valid_r4() -> None:
    for resource in everything().resources:
        get_fhir_model_class(resource["resourceType"]).model_validate_json(to_json(resource))


def test_ids_are_unique_and_countable() -> None:
    ids = [r["id"] for r in everything().resources]
    assert len(ids) == len(set(ids))
    assert {"patient-1", "condition-1", "condition-2", "laboratory-3", "exam-1", "imaging-1"} <= set(ids)


def test_names_bring_the_codes_of_their_unit() -> None:
    assert one("Laboratory | Calcium | 2.31 mmol/L")["code"]["coding"][0]["code"] == "2000-8"
    assert one("Laboratory | Calcium | 9.3 mg/dL")["code"]["coding"][0]["code"] == "17861-6"
    assert one("Condition | SLE | nocode")["code"] == {"text": "SLE"}
    assert one("Condition | SLE | M32.9")["code"]["coding"] == [
        {
            "system": "http://hl7.org/fhir/sid/icd-10-cm",
            "code": "M32.9",
            "display": "Systemic lupus erythematosus, unspecified",
        }
    ]


def test_values_keep_their_digits() -> None:
    lab = one("Laboratory | Calcium | 2.310 mmol/L [2.15–2.570] | -1d")
    assert lab["valueQuantity"]["value"] == Decimal("2.310")
    assert b"2.310" in to_json(lab) and b"2.570" in to_json(lab)
    assert one("Laboratory | eGFR | >90 mL/min/1.73m2")["valueQuantity"]["comparator"] == ">"
    assert one("Laboratory | eGFR | ≥90 mL/min/1.73m2")["valueQuantity"]["comparator"] == ">="
    assert one("Laboratory | Calcium | normal | -1d")["valueString"] == "normal"
    assert one("Laboratory | Calcium | 2.8 mmol/L H")["interpretation"][0]["coding"][0]["code"] == "H"


@pytest.mark.parametrize(
    ("field", "text"),
    [
        ("-10d", "2026-05-22"),
        ("-2w", "2026-05-18"),
        ("-4mo", "2026-02-01"),
        ("-17y", "2009-06-01"),
        ("today", "2026-06-01"),
        ("~-4mo", "2026-02"),
        ("~-2y", "2024"),
        ("2024", "2024"),
        ("2024-02", "2024-02"),
    ],
)
def test_dates(field: str, text: str) -> None:
    assert one(f"Condition | SLE | onset {field}")["onsetDateTime"] == text
    assert one(f"Medication | colchicine | {field}")["authoredOn"] == text


def test_age_is_exact_whole_years() -> None:
    assert one("Patient | female | 18y")["birthDate"] == "2008-02-22"
    assert one("Patient | male | born 2010-06-02")["birthDate"] == "2010-06-02"


def test_drop_elements() -> None:
    assert "verificationStatus" not in one("Condition | SLE | without=verificationStatus, clinicalStatus")


def test_synthetic_rows_are_marked_in_tag_and_note() -> None:
    lab = one("Laboratory | Calcium | 2.31 mmol/L | -1d | synthetic")
    assert lab["meta"]["tag"][0]["code"] == "HTEST"
    assert lab["note"][0]["text"].startswith("SYNTHETIC")


@pytest.mark.parametrize(
    "line", ["Nodule | x", "Condition", "Condition | x | FOO:12", "Resource | {nonsense", "Resource | 3"]
)
def test_wrong_lines_are_named(line: str) -> None:
    with pytest.raises(ChartError) as error:
        one(line)
    assert line.split("|")[0].strip() in str(error.value)


def test_json_is_plain_data() -> None:
    assert json.dumps(everything().json())
    assert everything().raw().patient_id == "patient-1"
    assert everything().raw().completeness["conditions"].state == "complete"
