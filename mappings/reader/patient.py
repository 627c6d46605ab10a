"""Patient: sex, birth date, deceased."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.dates import PartialDate, forget_dates
from mappings.facts import NEEDS, Completeness, Need, PatientFacts, Sex
from mappings.reader.access import is_true, items, mapping
from mappings.reader.context import Collected
from mappings.versions import as_r4

REPLACED = "record replaced by another"
REPLACED_BY = "replaced-by"
"""of a Patient's link: http://hl7.org/fhir/link-type"""


def alone(
    patient_id: str, resource: Mapping[str, Any] | None, completeness: Mapping[Need, Completeness]
) -> PatientFacts | None:
    """The facts of a chart that says nothing but who the patient is. None when the reader has to tell what it is worth:
    another patient's record is no answer."""
    reference = f"Patient/{patient_id}"
    if resource is None:
        return PatientFacts(reference, completeness=completeness)
    if resource.get("id") not in (None, patient_id) or is_replaced(resource):
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
    if is_replaced(resource):
        into.unread |= dict.fromkeys(NEEDS, REPLACED)


def is_replaced(resource: Mapping[str, Any]) -> bool:
    """Whether another record stands for this one: the two were merged, and what is known lies there."""
    return any(mapping(link).get("type") == REPLACED_BY for link in items(resource.get("link")))


def _said(resource: Mapping[str, Any]) -> tuple[Sex, PartialDate | None, bool]:
    gender = resource.get("gender")
    deceased = is_true(resource.get("deceasedBoolean")) or isinstance(resource.get("deceasedDateTime"), str)
    sex: Sex = gender if gender in ("female", "male") else "unknown"
    return sex, PartialDate.parse(resource.get("birthDate")), deceased
