"""/openapi.json: what the bodies of our calls look like and every status they are answered with. The routes read the
bodies themselves, to name what is wrong; the fuzzers hold the running application against this description."""

from __future__ import annotations

import re
from typing import Any

from fastapi import FastAPI

from hooks.services import PREFETCH, RESOURCE_NEEDS, SERVICES

Schema = dict[str, Any]

_TEXT: Schema = {"type": "string"}
_JSON, _FHIR, _HTML, _PLAIN = "application/json", "application/fhir+json", "text/html", "text/plain"


def _object(*required: str, **properties: Schema) -> Schema:
    return {"type": "object", "properties": properties} | ({"required": list(required)} if required else {})


def _list(items: Schema) -> Schema:
    return {"type": "array", "items": items}


def _ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


_RESOURCE = _object("resourceType", resourceType=_TEXT)
_NAMED: Schema = {"type": "string", "minLength": 1, "maxLength": 2000}
_FHIR_ID: Schema = {"type": "string", "pattern": r"^[A-Za-z0-9\-._]{1,64}$"}
_USER: Schema = {
    "type": "string",
    "pattern": r"^(Practitioner|PractitionerRole|Patient|RelatedPerson)/[A-Za-z0-9\-._]{1,64}$",
}
_CONCEPT = _object(coding=_list(_object(system=_TEXT, code=_TEXT, display=_TEXT)), text=_TEXT)
_WHEN: Schema = {"type": "string", "format": "date-time"}
_SCHEMAS: dict[str, Schema] = {
    "HookRequest": _object(
        "hook",
        "hookInstance",
        "context",
        hook={"enum": ["patient-view", "encounter-start", "order-select", "order-sign"]},
        hookInstance=_NAMED,
        fhirServer={"type": "string", "format": "uri", "pattern": "^https?://"},
        fhirAuthorization=_object(
            "access_token", "token_type", "expires_in", "scope", "subject", access_token=_NAMED,
            token_type={"const": "Bearer"}, expires_in={"type": "integer"}, scope=_NAMED, subject=_NAMED,
        ),
        context=_object(
            "patientId",
            userId=_USER,
            patientId=_FHIR_ID,
            encounterId=_FHIR_ID,
            draftOrders=_ref("Bundle"),
            selections=_list(_TEXT),
        ),
        prefetch={
            "type": "object",
            "properties": {
                key: {"oneOf": [_ref("ChartResource" if key == "patient" else "Bundle"), {"type": "null"}]}
                for key in PREFETCH
            },
        },
        extension={"type": "object"},
    ),
    "Cards": _object(
        "cards",
        cards=_list(
            _object(
                "uuid",
                "summary",
                "indicator",
                "source",
                uuid=_TEXT,
                summary={"type": "string", "maxLength": 139},
                detail=_TEXT,
                indicator={"enum": ["info", "warning", "critical"]},
                source=_object("label", label=_TEXT, url=_TEXT, icon=_TEXT, topic={"type": "object"}),
                suggestions=_list(_object("label", label=_TEXT, uuid=_TEXT, actions=_list({"type": "object"}))),
                selectionBehavior={"enum": ["at-most-one", "any"]},
                overrideReasons=_list({"type": "object"}),
                links=_list(_object("label", "url", "type", label=_TEXT, url=_TEXT, type=_TEXT)),
            )
        ),
    ),
    "Feedback": _object(
        "feedback",
        feedback=_list(
            _object(
                "card",
                "outcome",
                "outcomeTimestamp",
                card=_TEXT,
                outcome={"enum": ["accepted", "overridden"]},
                outcomeTimestamp=_WHEN,
                acceptedSuggestions=_list(_object(id=_TEXT)),
                overrideReason=_object(reason={"type": "object"}, userComment=_TEXT),
            )
        ),
    ),
    "Assessment": _object(
        "schema", "grade", "card", "criteria", "completeness", grade=_TEXT, card=_TEXT, criteria={"type": "object"},
        completeness={"type": "object"}, workup=_list({"type": "object"}), therapies=_list({"type": "object"}),
    ),
    "Question": _object("question", question=_TEXT, language=_TEXT, assessment={"type": "object"}),
    "Reply": _object(
        "abstained", "answer", "patient", "related", abstained={"type": "boolean"}, because=_TEXT,
        answer=_list(_object("text", "citations", text=_TEXT, citations=_list(_TEXT))),
        patient=_list({"type": "object"}), related=_list(_TEXT),
    ),
    "Discovery": _object(
        "services", services=_list(_object("id", "hook", "description", id=_TEXT, hook=_TEXT, description=_TEXT,
                                           title=_TEXT, prefetch={"type": "object"})),
    ),
    "NextQuestion": {
        "oneOf": [
            _ref("QuestionnaireResponse"),
            _object("resourceType", "parameter", resourceType={"const": "Parameters"}, parameter=_list({"oneOf": [
                _object("name", "resource", name={"const": "questionnaire-response"},
                        resource=_ref("QuestionnaireResponse")),
                _object("name", "resource", name={"const": "chart"}, resource=_ref("Bundle")),
            ]})),
        ]
    },
    "QuestionnaireResponse": _object(
        "resourceType", resourceType={"const": "QuestionnaireResponse"}, status=_TEXT, questionnaire=_TEXT,
        subject=_object(reference=_TEXT), contained=_list({"type": "object"}),
        item=_list(_object("linkId", linkId=_TEXT, answer=_list(_object(
            valueInteger={"type": "integer"}, valueDecimal={"type": "number"},
            valueCoding=_object(system=_TEXT, code=_TEXT),
        )))),
    ),
    "Resource": _RESOURCE,
    "Bundle": _object(
        "resourceType", resourceType={"const": "Bundle"}, type=_TEXT, total={"type": "integer"},
        entry=_list(_object(fullUrl=_TEXT, resource=_ref("ChartResource"))),
        link=_list(_object("relation", "url", relation=_TEXT, url=_TEXT)),
    ),
    # the elements that are read of most resources; others may stand beside them
    "ChartResource": _object(
        "resourceType", resourceType={"enum": list(RESOURCE_NEEDS)}, id=_FHIR_ID, status=_TEXT, code=_CONCEPT,
        subject=_object(reference=_TEXT), patient=_object(reference=_TEXT), clinicalStatus=_CONCEPT,
        medicationCodeableConcept=_CONCEPT, bodySite=_list(_CONCEPT), effectiveDateTime=_WHEN, onsetDateTime=_WHEN,
        birthDate={"type": "string", "format": "date"}, gender=_TEXT, note=_list(_object("text", text=_TEXT)),
        valueQuantity=_object(value={"type": "number"}, unit=_TEXT, system=_TEXT, code=_TEXT), valueString=_TEXT,
    ),
    "OperationOutcome": _object(
        "resourceType",
        "issue",
        resourceType={"const": "OperationOutcome"},
        issue=_list(
            _object("severity", "code", severity=_TEXT, code=_TEXT, diagnostics=_TEXT, expression=_list(_TEXT))
        ),
    ),
    "Any": {"type": "object"},
}  # fmt: skip
_WORDS = {
    200: "the answer",
    400: "malformed JSON, or an element that is wrong and named",
    401: "no or no valid token; says nothing more",
    404: "no such service, source or address",
    408: "the body did not arrive in time",
    412: "the data needed could be had neither from prefetch nor from the FHIR server",
    413: "the body is over the limit",
    415: "not JSON",
    429: "more calls a minute than this tenant may make",
    503: "too many requests at once, or the store does not answer; come back",
}
_CALL = (400, 401, 408, 413, 415, 429, 503)
_READ: dict[str, str | None] = {_JSON: "Any"}
_PAGE: dict[str, str | None] = {_JSON: "Any", _HTML: None}
_OPERATIONS: dict[tuple[str, str], tuple[str | None, dict[str, str | None], tuple[int, ...]]] = {
    ("/cds-services", "get"): (None, {_JSON: "Discovery"}, ()),
    ("/cds-services/{service_id}", "post"): ("HookRequest", {_JSON: "Cards"}, (*_CALL, 404, 412)),
    ("/cds-services/{service_id}/feedback", "post"): ("Feedback", _READ, (*_CALL, 404)),
    ("/cds-services/{service_id}/source-attributes", "get"): (None, _PAGE, (404,)),
    ("/assessments", "post"): ("HookRequest", {_JSON: "Assessment"}, _CALL),
    ("/questions", "post"): ("Question", {_JSON: "Reply"}, _CALL),
    ("/evidence", "get"): (None, _PAGE, ()),
    ("/evidence/awaiting-confirmation", "get"): (None, _PAGE, ()),
    ("/evidence/{key}", "get"): (None, _PAGE, (404,)),
    ("/fhir/Questionnaire/calcinosis-dialogue", "get"): (None, {_FHIR: "Resource"}, ()),
    ("/fhir/Questionnaire/$next-question", "post"): ("NextQuestion", {_FHIR: "Resource", _JSON: "Resource"}, _CALL),
    ("/healthz", "get"): (None, _READ, ()),
    ("/readyz", "get"): (None, _READ, ()),
    ("/metrics", "get"): (None, {_PLAIN: None}, ()),
}
"""path and method -> schema of the body, media types of a good answer with their schemas, the other statuses."""


_IN_PATH = re.compile(r"\{(\w+)\}")


def describe_bodies(app: FastAPI) -> None:
    """Adds parameters, bodies and answers to the generated description."""
    generated = app.openapi

    def described() -> dict[str, Any]:
        document = generated()
        document["components"] = {"schemas": _SCHEMAS, "securitySchemes": {"client": _CLIENT}}
        for path, operations in document["paths"].items():
            for method, operation in operations.items():
                body, good, others = _OPERATIONS[path, method]
                if names := _IN_PATH.findall(path):
                    operation["parameters"] = [_parameter(name) for name in names]
                operation["responses"] = {"200": _answer(200, good)} | {
                    str(status): _answer(status, {_FHIR: "OperationOutcome"}) for status in sorted(others)
                }
                if body is not None:
                    operation["requestBody"] = {"required": True, "content": _content({_JSON: body, _FHIR: body})}
                    operation["security"] = [{"client": []}]
        document["paths"]["/readyz"]["get"]["responses"]["503"] = _answer(503, _READ)
        return document

    app.openapi = described  # type: ignore[method-assign]


_CLIENT = {
    "type": "http",
    "scheme": "bearer",
    "bearerFormat": "JWT",
    "description": "the CDS client's signed token; the sandbox profile also answers loopback without one",
}


def _parameter(name: str) -> dict[str, Any]:
    schema = {"type": "string"} | ({"enum": list(SERVICES)} if name == "service_id" else {})
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _answer(status: int, media: dict[str, Any]) -> dict[str, Any]:
    return {"description": _WORDS[status], "content": _content(media)}


def _content(media: dict[str, Any]) -> dict[str, Any]:
    return {kind: {"schema": _ref(name)} if name else {} for kind, name in media.items()}
