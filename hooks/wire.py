"""A CDS Hooks request, read tolerantly: unknown members are ignored, wrong ones are named.

`parse_request` takes decoded JSON, checks what the protocol requires (element by element) and keeps the prefetch as it
came. RequestError names the element and never repeats its value.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from mappings.bundles import unpack, with_resolved_urns
from mappings.guarded import Guarded
from mappings.raw import Resource, as_list

_ID = re.compile(r"[A-Za-z0-9\-._]{1,64}")
"""a FHIR id of a call, and the underscores that real servers put in theirs"""
_TOKEN = re.compile(r"[\x21-\x7e]+")
_USER = re.compile(r"(?P<type>Practitioner|PractitionerRole|Patient|RelatedPerson)/(?P<id>[A-Za-z0-9\-._]{1,64})")
_MAX_URL = 2000
_GROUPS = ("RequestGroup", "RequestOrchestration")
_AUTHORIZATION = ("access_token", "token_type", "scope", "subject")


class RequestError(ValueError):
    """The request breaks the protocol; `element` says where. Both may be shown."""

    def __init__(self, element: str, message: str) -> None:
        super().__init__(f"{element}: {message}")
        self.element, self.message = element, message


class FhirAuthorization(Guarded, frozen=True):
    """The bearer token of one call; kept for the call only and never shown."""

    hidden = frozenset({"access_token"})
    access_token: str
    scope: str
    token_type: str = "Bearer"  # noqa: S105 - the name of the scheme
    subject: str | None = None
    patient: str | None = None
    expires_in: int | None = None


class HookRequest(Guarded, frozen=True):
    """One call. The members that hold a chart are never part of its text; `selections` are the ids that the
    clinician chose of the drafts, None for hooks without them."""

    hidden = frozenset({"context", "prefetch", "drafts"})
    hook: str
    hook_instance: str
    patient_id: str
    user_kind: str | None
    encounter_id: str | None
    context: Mapping[str, Any]
    prefetch: Mapping[str, Any] | None = None
    fhir_server: str | None = None
    authorization: FhirAuthorization | None = None
    drafts: tuple[Resource, ...] = ()
    selections: frozenset[str] | None = None

    @property
    def for_clinician(self) -> bool:
        return self.user_kind not in ("Patient", "RelatedPerson")


def parse_request(body: object, *, expected_hook: str | None, known_hooks: frozenset[str]) -> HookRequest:
    """The request of one call. `expected_hook` None accepts any known hook (POST /assessments)."""
    request = _object(body, "request")
    hook = _string(request, "hook", "hook")
    if hook not in known_hooks or (expected_hook is not None and hook != expected_hook):
        raise RequestError("hook", f"must be {expected_hook}" if expected_hook else "not a hook of this service")
    context = _object(request.get("context"), "context")
    user, drafts = context.get("userId"), _drafts(context, hook)
    return HookRequest(
        hook=hook,
        hook_instance=_string(request, "hookInstance", "hookInstance"),
        patient_id=_id(context.get("patientId"), "context.patientId"),
        user_kind=_user(user) if user is not None else None,
        encounter_id=_id(context["encounterId"], "context.encounterId") if context.get("encounterId") else None,
        context=context,
        prefetch=_prefetch(request.get("prefetch")),
        fhir_server=_url(request.get("fhirServer")),
        authorization=_authorization(request),
        drafts=drafts,
        selections=_selections(context, hook, drafts),
    )


def _object(value: object, element: str) -> Mapping[str, Any]:
    if value is None:
        raise RequestError(element, "is required")
    if not isinstance(value, Mapping):
        raise RequestError(element, "must be an object")
    return value


def _string(body: Mapping[str, Any], key: str, element: str) -> str:
    value = body.get(key)
    if value is None:
        raise RequestError(element, "is required")
    if not isinstance(value, str) or not value.strip() or len(value) > _MAX_URL:
        raise RequestError(element, "must be a non-empty string")
    return value


def _id(value: object, element: str) -> str:
    if value is None:
        raise RequestError(element, "is required")
    if not isinstance(value, str) or _ID.fullmatch(value) is None or value in (".", ".."):
        raise RequestError(element, "must be a FHIR id")
    return value


def _user(value: object) -> str:
    match = _USER.fullmatch(value) if isinstance(value, str) else None
    if match is None:
        raise RequestError(
            "context.userId", "must be Practitioner, PractitionerRole, Patient or RelatedPerson with an id"
        )
    return match["type"]


def _prefetch(value: object) -> Mapping[str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise RequestError("prefetch", "must be an object")
    return value


def _url(value: object) -> str | None:
    if value is None:
        return None
    if not isinstance(value, str) or not value.startswith(("https://", "http://")) or len(value) > _MAX_URL:
        raise RequestError("fhirServer", "must be a URL")
    return value.rstrip("/")


def _authorization(request: Mapping[str, Any]) -> FhirAuthorization | None:
    value = request.get("fhirAuthorization")
    if value is None:
        return None
    body = _object(value, "fhirAuthorization")
    if request.get("fhirServer") is None:
        raise RequestError("fhirServer", "is required with fhirAuthorization")
    found = {key: _string(body, key, f"fhirAuthorization.{key}") for key in _AUTHORIZATION}
    if _TOKEN.fullmatch(found["access_token"]) is None:
        raise RequestError("fhirAuthorization.access_token", "must be a bearer token")
    if found["token_type"].lower() != "bearer":
        raise RequestError("fhirAuthorization.token_type", "must be Bearer")
    expires = body.get("expires_in")
    if not (isinstance(expires, int) and not isinstance(expires, bool)) and not (
        isinstance(expires, str) and expires.isdigit()
    ):
        raise RequestError("fhirAuthorization.expires_in", "must be a number of seconds")
    patient = body.get("patient")
    return FhirAuthorization(
        access_token=found["access_token"],
        scope=found["scope"],
        subject=found["subject"],
        patient=_id(patient, "fhirAuthorization.patient") if patient is not None else None,
        expires_in=int(expires),
    )


def _drafts(context: Mapping[str, Any], hook: str) -> tuple[Resource, ...]:
    """The draft orders of the hook, with what they refer to inside the Bundle (a Medication, say)."""
    bundle = context.get("draftOrders")
    if bundle is None:
        if hook.startswith("order-"):
            raise RequestError("context.draftOrders", "is required")
        return ()
    body = _object(bundle, "context.draftOrders")
    if body.get("resourceType", "Bundle") == "Bundle":
        entries = body.get("entry") or []
        if not isinstance(entries, list):
            raise RequestError("context.draftOrders.entry", "must be an array")
        body = {"resourceType": "Bundle", "entry": entries}
    found = with_resolved_urns(unpack(body))  # one draft alone is taken too
    return (*found, *(order for group in found if group.get("resourceType") in _GROUPS for order in _inside(group)))


def _inside(group: Resource) -> Iterator[Resource]:
    """The orders that a group of orders carries in itself; whom they are for may be told by the group alone."""
    for order in as_list(group.get("contained")):
        if isinstance(order, Mapping) and str(order.get("resourceType")).endswith(("Request", "Order")):
            yield order if order.get("subject") or not group.get("subject") else {**order, "subject": group["subject"]}


def _selections(context: Mapping[str, Any], hook: str, drafts: tuple[Resource, ...]) -> frozenset[str] | None:
    """The drafts just selected, as "Type/id"; None: all of them (order-sign, or a client that does not say)."""
    value = context.get("selections")
    if hook != "order-select" or value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise RequestError("context.selections", "must be an array of references")
    named = {str(draft.get("id")): f"{draft.get('resourceType')}/{draft.get('id')}" for draft in drafts}
    return frozenset(_selected(item, named) for item in value) or None


def _selected(reference: str, named: Mapping[str, str]) -> str:
    """A selection as "Type/id"; what is not stored yet is selected by the urn that the Bundle names it by."""
    if reference.startswith("urn:"):
        return named.get(reference.rpartition(":")[2], reference)
    return "/".join(reference.split("/_history/")[0].split("/")[-2:])
