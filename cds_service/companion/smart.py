"""SMART App Launch: discovery, the authorization request with PKCE, and the exchange of the code for a token.

The protocol is oauthlib's; every request goes through the one door out. Nothing of a token is ever logged or shown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode, urlsplit

import httpx
from msgspec import Struct

from cds_service.companion.client import Credentials
from cds_service.fhir.client import Deadline, get_bytes
from cds_service.fhir.notes import BINARY, DOCUMENT
from cds_service.fhir.outbound import Policy, Refused
from cds_service.fhir.statements import STATEMENT
from cds_service.fhir.uncancelled import uncancelled
from cds_service.gather import granted
from mappings.bundles import NotJsonError, decode
from mappings.guarded import Guarded
from mappings.raw import as_list

if TYPE_CHECKING:
    from oauthlib.oauth2 import WebApplicationClient

_MAX_BYTES = 64 * 1024
_READ = (
    "Patient", "Condition", "Observation", "DiagnosticReport", "MedicationRequest", "AllergyIntolerance", "Procedure",
    "ServiceRequest",
)  # fmt: skip
_READ_WHERE_OFFERED = (STATEMENT,)
"""types that many servers do not have; some refuse a launch that asks for a scope they do not know."""

OF_NOTES = (DOCUMENT, BINARY)
"""types that are asked for where the hospital has notes read."""


class LaunchError(Exception):
    """Why there is no session; the text may be shown and holds nothing of the patient."""

    def __init__(self, text: str, status: int = 400) -> None:
        super().__init__(text)
        self.text, self.status = text, status


class Server(Struct, frozen=True):
    """What the server says of itself, as far as it is needed here."""

    authorize: str
    token: str
    v2: bool
    issuer: str | None = None
    jwks_uri: str | None = None
    openid: bool = False
    online: bool = False
    more: tuple[str, ...] = ()
    """further types to read: those that not every server has, where this one offers their scopes."""


class Granted(Guarded, frozen=True):
    """A token response. Fewer scopes than asked are no error: what they miss is told on the page."""

    hidden = frozenset({"token", "refresh", "id_token"})
    token: str
    patient: str
    scope: str
    expires_in: float
    encounter: str | None = None
    banner: bool = True
    style_url: str | None = None
    refresh: str | None = None
    id_token: str | None = None


async def discover(http: httpx.AsyncClient, policy: Policy, iss: str, deadline: Deadline) -> Server:
    """Reads `{iss}/.well-known/smart-configuration`. LaunchError when it can't be used."""
    status, body = await get_bytes(http, policy, f"{iss}/.well-known/smart-configuration", deadline, _MAX_BYTES)
    found = object_of(body) if status == 200 else None
    if found is None:
        raise LaunchError("The record system does not offer SMART launch.", 502)
    authorize, token = found.get("authorization_endpoint"), found.get("token_endpoint")
    if not isinstance(authorize, str) or not isinstance(token, str):
        raise LaunchError("The record system does not name its authorization server.", 502)
    if not (_allowed(policy, authorize) and _allowed(policy, token)):
        raise LaunchError("The authorization server is not one that this hospital registered.", 502)
    capabilities = found.get("capabilities")
    v2 = isinstance(capabilities, list) and "permission-v2" in capabilities
    offered = frozenset(one for one in as_list(found.get("scopes_supported")) if isinstance(one, str))
    issuer, jwks = found.get("issuer"), found.get("jwks_uri")
    known = isinstance(issuer, str) and isinstance(jwks, str) and _allowed(policy, jwks)
    return Server(
        authorize, token, v2, issuer if known else None, jwks if known else None,
        openid=known and isinstance(capabilities, list) and "sso-openid-connect" in capabilities,
        online="online_access" in offered,
        more=tuple(kind for kind in _READ_WHERE_OFFERED if offers(offered, kind)),
    )  # fmt: skip


def offers(scopes: frozenset[str], kind: str) -> bool:
    """Whether a server's `scopes_supported` have one by which all of a type may be read."""
    told = " ".join(one for one in scopes if one.startswith("patient/"))
    return bool(told) and granted(told, kind) == "all"


def _allowed(policy: Policy, url: str) -> bool:
    try:
        policy.base_of(url.partition("?")[0])
    except Refused:
        return False
    return True


def scopes(server: Server, *, launched: bool) -> tuple[str, ...]:
    """What is asked for: reading what an assessment needs, recording an examination finding, and, where the server
    knows them, who is signed in and a token that outlives the first."""
    read, create = ("rs", "c") if server.v2 else ("read", "write")
    clinical = [
        f"patient/{kind}.{'r' if kind == BINARY and server.v2 else read}" for kind in (*_READ, *server.more)
    ]  # a Binary can't be searched for
    more = (*(("openid", "fhirUser") if server.openid else ()), *(("online_access",) if server.online else ()))
    return ("launch" if launched else "launch/patient", *more, *clinical, f"patient/Observation.{create}")


def authorization_url(
    server: Server, client_id: str, redirect_uri: str, state: str, verifier: str, iss: str, launch: str | None,
    nonce: str,
) -> str:  # fmt: skip
    """Where the browser is sent: code flow, PKCE with S256, the FHIR server as audience."""
    client = _protocol(client_id)
    challenge = client.create_code_challenge(verifier, "S256")
    more = {"aud": iss} | ({"launch": launch} if launch else {}) | ({"nonce": nonce} if server.openid else {})
    # The query is the library's; the address is the server's own, which the door has checked.
    built = str(
        client.prepare_request_uri(
            "https://authorize.invalid/",
            redirect_uri=redirect_uri,
            scope=list(scopes(server, launched=launch is not None)),
            state=state,
            code_challenge=challenge,
            code_challenge_method="S256",
            **more,
        )
    )
    return f"{server.authorize}{'&' if '?' in server.authorize else '?'}{urlsplit(built).query}"


def new_verifier() -> str:
    return str(_protocol("companion").create_code_verifier(64))


async def exchange(
    http: httpx.AsyncClient,
    policy: Policy,
    token_endpoint: str,
    *,
    credentials: Credentials,
    code: str,
    redirect_uri: str,
    verifier: str,
    deadline: Deadline,
) -> Granted:
    """The code for a token. LaunchError when the server refuses, or names no patient."""
    client = _protocol(credentials.client_id)
    body = client.prepare_request_body(
        code=code, redirect_uri=redirect_uri, code_verifier=verifier, include_client_id=credentials.public,
        **credentials.form(token_endpoint),
    )  # fmt: skip
    status, answer = await _post(http, policy, token_endpoint, body, credentials.auth, deadline)
    if status != 200:
        raise LaunchError("The authorization server refused the launch.", 502)
    granted = _granted(_token(client, answer))
    if not granted.patient:
        raise LaunchError("No patient is open in the record system.")
    return granted


async def refresh(
    http: httpx.AsyncClient,
    policy: Policy,
    token_endpoint: str,
    *,
    credentials: Credentials,
    token: str,
    deadline: Deadline,
) -> Granted | None:
    """A new token for a refresh token; None when the server gives none."""
    client = _protocol(credentials.client_id)
    more = {"client_id": credentials.client_id} if credentials.public else credentials.form(token_endpoint)
    body = client.prepare_refresh_body(refresh_token=token, **more)
    status, answer = await _post(http, policy, token_endpoint, body, credentials.auth, deadline)
    if status != 200:
        return None
    try:
        return _granted(_token(client, answer))
    except LaunchError:
        return None


def _protocol(client_id: str) -> WebApplicationClient:
    from oauthlib.oauth2 import WebApplicationClient  # large, and needed by who launches the companion only

    return WebApplicationClient(client_id)


def _token(client: WebApplicationClient, answer: bytes) -> Mapping[str, Any]:
    from oauthlib.oauth2 import OAuth2Error

    try:
        found: Mapping[str, Any] = client.parse_request_body_response(answer.decode("utf-8"))
    except (OAuth2Error, UnicodeDecodeError, ValueError, TypeError, AttributeError):
        raise LaunchError("The authorization server answered something else than a token.", 502) from None
    return found


def _granted(token: Mapping[str, Any]) -> Granted:
    access, patient, kind = token.get("access_token"), token.get("patient"), token.get("token_type")
    if not isinstance(access, str) or not isinstance(kind, str) or kind.lower() != "bearer":
        raise LaunchError("The authorization server answered something else than a bearer token.", 502)
    scope = token.get("scope")
    granted = scope if isinstance(scope, str) else " ".join(scope) if isinstance(scope, list) else ""
    expires = token.get("expires_in")
    encounter, style = token.get("encounter"), token.get("smart_style_url")
    return Granted(
        access,
        patient if isinstance(patient, str) else "",
        granted,
        float(expires) if isinstance(expires, int | float) and not isinstance(expires, bool) else 3600.0,
        encounter if isinstance(encounter, str) else None,
        token.get("need_patient_banner") is not False,
        style if isinstance(style, str) else None,
        renewal if isinstance(renewal := token.get("refresh_token"), str) else None,
        identity if isinstance(identity := token.get("id_token"), str) else None,
    )


async def _post(
    http: httpx.AsyncClient, policy: Policy, url: str, body: str, auth: httpx.Auth | None, deadline: Deadline
) -> tuple[int, bytes]:
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Accept": "application/json"}
    try:
        policy.base_of(url)
        left = max(deadline.left, 0.01)
        used = auth or httpx.USE_CLIENT_DEFAULT
        answer = await uncancelled(http.post(url, content=body, headers=headers, auth=used, timeout=left), left)
    except (Refused, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
        return 0, b""
    return answer.status_code, answer.content[:_MAX_BYTES]


def may_create(scope: str, kind: str) -> bool:
    """Whether the granted scopes, v1 or v2, allow creating a resource of this type."""
    for one in scope.split():
        level, slash, rest = one.partition("/")
        named, _, access = rest.partition("?")[0].partition(".")
        concerns = bool(slash) and level in ("patient", "user") and named in (kind, "*") and "?" not in rest
        if concerns and (access in ("write", "*") or (set(access) <= set("cruds") and "c" in access)):
            return True
    return False


def same_server(named: str | None, issuer: str | None, token_endpoint: str) -> bool:
    """Whether an answer comes from the authorization server that was asked, as far as it says (`iss`, RFC 9207). A code
    of another one is never sent to this one's token endpoint: one hospital's server could collect another's codes."""
    if named is None:
        return True
    if issuer is not None:
        return named.rstrip("/") == issuer.rstrip("/")
    there, here = urlsplit(named), urlsplit(token_endpoint)
    return (there.scheme, there.netloc) == (here.scheme, here.netloc)


def relaunch_url(base: str, iss: str, launch: str | None) -> str:
    return f"{base}/companion/launch?{urlencode({'iss': iss} | ({'launch': launch} if launch else {}))}"


def object_of(body: bytes) -> dict[str, Any] | None:
    """The JSON object that a server answered; None for anything else."""
    try:
        value = decode(body)
    except NotJsonError:
        return None
    return value if isinstance(value, dict) else None
