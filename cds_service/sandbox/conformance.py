"""What the sandbox's FHIR server takes, and what it says of itself at /metadata."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import msgspec
from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.sandbox.search import parameters_of
from cds_service.sandbox.store import Resource
from mappings.raw import FHIR_ID

TYPES = (
    "AllergyIntolerance", "Binary", "Bundle", "CarePlan", "CareTeam", "Condition", "Coverage", "Device",
    "DiagnosticReport", "DocumentReference", "Encounter", "Goal", "Group", "Immunization", "Location", "Medication",
    "MedicationAdministration", "MedicationDispense", "MedicationRequest", "MedicationStatement", "Observation",
    "Organization", "Patient", "Practitioner", "PractitionerRole", "Procedure", "Provenance", "Questionnaire",
    "QuestionnaireResponse", "RelatedPerson", "ServiceRequest", "Specimen", "Task",
)  # fmt: skip
_ID = re.compile(FHIR_ID)
ENCODER = msgspec.json.Encoder(decimal_format="number")


class FhirError(Exception):
    """Answered as an OperationOutcome with this status."""

    def __init__(self, status: int, code: str, text: str, expression: str | None = None) -> None:
        super().__init__(text)
        self.status, self.code, self.text, self.expression = status, code, text, expression

    def outcome(self) -> Resource:
        issue: Resource = {"severity": "error", "code": self.code, "diagnostics": self.text}
        if self.expression:
            issue["expression"] = [self.expression]
        return {"resourceType": "OperationOutcome", "issue": [issue]}


def known_type(name: str) -> str:
    """The name of a type that is kept here; FhirError 404 for any other."""
    if name not in TYPES:
        raise FhirError(404, "not-supported", f"resource type {name[:64]!r} is not supported here")
    return name


def valid_id(resource_id: str) -> str:
    """An id as FHIR writes ids; FhirError 400 for anything else."""
    if not _ID.fullmatch(resource_id):
        raise FhirError(400, "value", "not a FHIR id (1 to 64 letters, digits, hyphens, dots)")
    return resource_id


def validate(resource: Resource, resource_type: str) -> None:
    """FhirError that names the first element that is not as R4 has it."""
    if resource.get("resourceType") != resource_type:
        raise FhirError(400, "invalid", "resourceType is not the type of the URL", f"{resource_type}.resourceType")
    try:
        get_fhir_model_class(resource_type).model_validate_json(ENCODER.encode(resource))
    except ValidationError as error:
        first = error.errors()[0]
        path = ".".join([resource_type, *(str(part) for part in first["loc"])])
        raise FhirError(422, "invalid", f"{path}: {first['msg']}", path) from None


def capability_statement(base: str) -> Resource:
    """What this server can do, as R4 asks at /metadata."""
    interactions = ("read", "vread", "search-type", "create", "update", "delete")
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": datetime.now(UTC).date().isoformat(),
        "kind": "instance",
        "fhirVersion": "4.0.1",
        "format": ["application/fhir+json", "json"],
        "implementation": {"description": "Sandbox with published cases; fictional patients only", "url": base},
        "rest": [
            {
                "mode": "server",
                "security": {"cors": True, "description": "none: loopback only"},
                "interaction": [{"code": "transaction"}, {"code": "batch"}],
                "resource": [
                    {
                        "type": name,
                        "versioning": "versioned",
                        "interaction": [{"code": code} for code in interactions],
                        "searchParam": [{"name": param, "type": kind} for param, kind in parameters_of(name)],
                    }
                    for name in TYPES
                ],
            }
        ],
    }
