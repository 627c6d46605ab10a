"""Patient: sex, birth date, deceased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from mappings.dates import PartialDate, forget_dates
from mappings.facts import Completeness, Need, PatientFacts
from mappings.reader.access import is_true
from mappings.reader.context import Collected
from mappings.versions import as_r4


def alone(
    patient_id: str, resource: Mapping[str, Any] | None, completeness: Mapping[Need, Completeness]
) -> PatientFacts | None:
    """The facts of a chart that says nothing but who the patient is. None when the reader has to tell what it is worth:
    another patient's record is no answer."""
    reference = f"Patient/{patient_id}"
    if resource is None:
        return PatientFacts(reference, completeness=completeness)
    if resource.get("id") not in (None, patient_id):
        return None
    person = as_r4(resource)
    try:
        sex, born, deceased = _said(person)
    except (TypeError, ValueError, AttributeError, ArithmeticError):
        return None
    finally:
        forget_dates()
    return PatientFacts(reference, sex, born, deceased, completeness=completeness)


def read(resource: Mapping[str, Any], ref: str, into: Collected) -> None:
    into.sex, into.born, into.deceased = _said(resource)


def _said(resource: Mapping[str, Any]) -> tuple[Literal["female", "male", "unknown"], PartialDate | None, bool]:
    gender = resource.get("gender")
    deceased = is_true(resource.get("deceasedBoolean")) or isinstance(resource.get("deceasedDateTime"), str)
    sex: Literal["female", "male", "unknown"] = gender if gender in ("female", "male") else "unknown"
    return sex, PartialDate.parse(resource.get("birthDate")), deceased
