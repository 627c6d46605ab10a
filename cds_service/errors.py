"""All errors of the edge, one tree. Each knows its HTTP status and the FHIR issue code; `text` may be shown.

ServiceError
├── BadRequest            400  malformed JSON, wrong element
├── Unauthorized          401  no or no valid token; says nothing more
├── NotFound              404  unknown service, unknown source
├── RequestTimeout        408  the body did not arrive in time
├── Precondition          412  the data needed could be had neither from prefetch nor from FHIR
├── TooLarge              413  body over the limit
├── UnsupportedMedia      415  not JSON
├── TooMany               429  more calls a minute than this tenant may make
├── Overloaded            503  too many requests at once
└── SettingsError         —    the service refuses to start (one line)
"""

from __future__ import annotations

from typing import Any


class ServiceError(Exception):
    """Base of all; `element` is the FHIRPath-like name of what is wrong, when there is one."""

    status = 500
    code = "exception"

    def __init__(self, text: str, element: str | None = None) -> None:
        super().__init__(text)
        self.text, self.element = text, element


class BadRequest(ServiceError):
    status, code = 400, "invalid"


class Unauthorized(ServiceError):
    status, code = 401, "login"


class NotFound(ServiceError):
    status, code = 404, "not-found"


class RequestTimeout(ServiceError):
    status, code = 408, "timeout"


class Precondition(ServiceError):
    status, code = 412, "incomplete"


class TooLarge(ServiceError):
    status, code = 413, "too-long"


class UnsupportedMedia(ServiceError):
    status, code = 415, "not-supported"


class TooMany(ServiceError):
    status, code = 429, "throttled"


class Overloaded(ServiceError):
    status, code = 503, "throttled"


class SettingsError(Exception):
    """Settings that the service refuses to start with; one line that says which."""


def outcome(code: str, text: str, element: str | None = None) -> dict[str, Any]:
    """An OperationOutcome of one error. The text is ours, never the chart's."""
    issue: dict[str, Any] = {"severity": "error", "code": code, "diagnostics": text}
    if element:
        issue["expression"] = [element]
    return {"resourceType": "OperationOutcome", "issue": [issue]}
