"""Answers: JSON without nulls, and every error as an OperationOutcome that names the element, never chart content."""

from __future__ import annotations

import logging
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from starlette.exceptions import HTTPException
from starlette.responses import Response

from cds_service.errors import ServiceError, outcome

_LOG = logging.getLogger("cds_service")
_ENCODER = msgspec.json.Encoder(decimal_format="number")
FHIR_JSON = "application/fhir+json"
_CODES = {404: "not-found", 405: "not-supported", 413: "too-long", 415: "not-supported"}
_HEADERS = {
    401: {"WWW-Authenticate": "Bearer"},  # HTTP demands one of a 401; some clients fail without it
    429: {"Retry-After": "1"},
    503: {"Retry-After": "1"},
}


def json_response(body: Any, status: int = 200, media_type: str = "application/json") -> Response:
    return Response(_ENCODER.encode(body), status_code=status, media_type=media_type)


def error_response(error: ServiceError) -> Response:
    response = json_response(outcome(error.code, error.text, error.element), error.status, FHIR_JSON)
    response.headers.update(_HEADERS.get(error.status, {}))
    return response


def register_errors(app: FastAPI) -> None:
    """Every way in which a request can fail, answered in the same form."""

    async def known(_: Request, error: Exception) -> Response:
        assert isinstance(error, ServiceError)  # noqa: S101 - registered for this class only
        return error_response(error)

    async def http(_: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101
        code = _CODES.get(error.status_code, "processing")
        text = {404: "no such address", 405: "method not allowed"}.get(error.status_code, "request refused")
        response = json_response(outcome(code, text), error.status_code, FHIR_JSON)
        response.headers.update(error.headers or {})
        return response

    async def unexpected(_: Request, error: Exception) -> Response:
        # the class only: messages of unexpected errors may quote what they stumbled over
        _LOG.error("unexpected error", extra={"error": type(error).__name__})
        return json_response(outcome("exception", "internal error"), 500, FHIR_JSON)

    app.add_exception_handler(ServiceError, known)
    app.add_exception_handler(HTTPException, http)
    app.add_exception_handler(Exception, unexpected)
