"""What the bodies of our calls look like, for /openapi.json: the routes read them themselves, to name what is wrong."""

from __future__ import annotations

from typing import Any

from fastapi import FastAPI

_TEXT = {"type": "string"}
_HOOK: dict[str, Any] = {
    "type": "object",
    "required": ["hook", "hookInstance", "context"],
    "properties": {
        "hook": {"enum": ["patient-view", "encounter-start", "order-select", "order-sign"]},
        "hookInstance": _TEXT,
        "fhirServer": {"type": "string", "format": "uri"},
        "fhirAuthorization": {"type": "object"},
        "context": {
            "type": "object",
            "required": ["userId", "patientId"],
            "properties": {
                "userId": _TEXT,
                "patientId": _TEXT,
                "encounterId": _TEXT,
                "draftOrders": {"type": "object"},
            },
        },
        "prefetch": {"type": "object", "additionalProperties": {"type": ["object", "null"]}},
        "extension": {"type": "object"},
    },
}
_FEEDBACK: dict[str, Any] = {
    "type": "object",
    "required": ["feedback"],
    "properties": {
        "feedback": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["card", "outcome", "outcomeTimestamp"],
                "properties": {
                    "card": _TEXT,
                    "outcome": {"enum": ["accepted", "overridden"]},
                    "outcomeTimestamp": {"type": "string", "format": "date-time"},
                    "acceptedSuggestions": {"type": "array", "items": {"type": "object", "properties": {"id": _TEXT}}},
                    "overrideReason": {"type": "object", "properties": {"userComment": _TEXT}},
                },
            },
        }
    },
}
_QUESTION: dict[str, Any] = {
    "type": "object",
    "required": ["question"],
    "properties": {"question": _TEXT, "language": _TEXT, "assessment": {"type": "object"}},
}
_BODIES = {
    "/cds-services/{service_id}": _HOOK,
    "/cds-services/{service_id}/feedback": _FEEDBACK,
    "/assessments": _HOOK,
    "/questions": _QUESTION,
}


def describe_bodies(app: FastAPI) -> None:
    """Adds the request bodies to the generated description."""
    generated = app.openapi

    def described() -> dict[str, Any]:
        document = generated()
        for path, schema in _BODIES.items():
            body = {"required": True, "content": {"application/json": {"schema": schema}}}
            document["paths"][path]["post"]["requestBody"] = body
        return document

    app.openapi = described  # type: ignore[method-assign]
