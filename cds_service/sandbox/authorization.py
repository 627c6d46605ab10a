"""A SMART authorization server for the sandbox: EHR launch, code flow with PKCE, OpenID Connect, refresh, tokens that
the FHIR server honours; public clients, and confidential ones with a secret or a key of their own.

It approves by itself, because everybody in the sandbox is fictional; every other rule of the protocol is kept. A launch
may narrow the scopes, so that an app can be tried with less than it asked for.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import time
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

from joserfc import jwt
from joserfc.jwk import ECKey
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from cds_service.gather import granted
from cds_service.sandbox.registration import ALGORITHMS, PUBLIC, Clients

CLIENT = PUBLIC
STYLE = {"color_background": "#ffffff", "color_text": "#14242b", "color_highlight": "#0b5c6b"}
"""colours of the record system's page, for apps that take them over."""
USER = "Practitioner/sandbox-clinician"
TOKEN_PREFIX = "sandbox-"  # noqa: S105 - marks our own tokens
_SECONDS = 3600
_CODE_SECONDS = 60
_MOST = 1000


@dataclass(frozen=True, slots=True)
class _Launch:
    patient: str
    scope: str | None
    begun: float


@dataclass(frozen=True, slots=True)
class _Code:
    patient: str
    scope: str
    challenge: str
    redirect_uri: str
    begun: float
    client: str
    nonce: str | None


@dataclass(frozen=True, slots=True)
class Token:
    patient: str
    scope: str
    ends: float
    client: str = CLIENT


@dataclass(slots=True)
class AuthorizationServer:
    """`redirect_uris` are registered; no other is ever redirected to. Access tokens live for `seconds`."""

    redirect_uris: tuple[str, ...]
    clients: Clients = field(default_factory=Clients)
    seconds: float = _SECONDS
    style: Mapping[str, str] = field(default_factory=lambda: STYLE)
    _key: ECKey = field(default_factory=lambda: ECKey.generate_key("P-256", {"kid": "sandbox", "use": "sig"}))
    _launches: OrderedDict[str, _Launch] = field(default_factory=OrderedDict)
    _codes: OrderedDict[str, _Code] = field(default_factory=OrderedDict)
    _tokens: OrderedDict[str, Token] = field(default_factory=OrderedDict)
    _refreshing: OrderedDict[str, Token] = field(default_factory=OrderedDict)

    def routes(self) -> list[Route]:
        return [
            Route("/auth/authorize", self.authorize),
            Route("/auth/token", self.token, methods=["POST"]),
            Route("/auth/jwks", self.jwks),
            Route("/auth/style.json", self.style_of_page),
        ]

    def configuration(self, origin: str) -> dict[str, Any]:
        return {
            "issuer": f"{origin}/fhir",
            "authorization_endpoint": f"{origin}/auth/authorize",
            "token_endpoint": f"{origin}/auth/token",
            "jwks_uri": f"{origin}/auth/jwks",
            "grant_types_supported": ["authorization_code", "refresh_token"],
            "scopes_supported": ["openid", "fhirUser", "launch", "online_access", "patient/*.rs"],
            "code_challenge_methods_supported": ["S256"],
            "token_endpoint_auth_methods_supported": ["none", "client_secret_basic", "private_key_jwt"],
            "token_endpoint_auth_signing_alg_values_supported": list(ALGORITHMS),
            "capabilities": [
                "launch-ehr", "client-public", "client-confidential-symmetric", "client-confidential-asymmetric",
                "context-ehr-patient", "sso-openid-connect", "permission-online", "permission-v1", "permission-v2",
            ],
        }  # fmt: skip

    def launch(self, patient: str, scope: str | None = None) -> str:
        """A launch token for this patient; `scope` narrows what will be granted."""
        return _keep(self._launches, _Launch(patient, scope, time.monotonic()))

    async def style_of_page(self, request: Request) -> Response:
        return JSONResponse(dict(self.style))

    async def jwks(self, request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})

    async def authorize(self, request: Request) -> Response:
        asked = request.query_params
        redirect_uri = asked.get("redirect_uri", "")
        if asked.get("client_id") not in self.clients or redirect_uri not in self.redirect_uris:
            return Response("unknown client or redirect_uri", 400, media_type="text/plain")
        launch = self._launches.pop(asked.get("launch", ""), None)
        error = None
        proven = asked.get("code_challenge_method") == "S256" and asked.get("code_challenge") and asked.get("state")
        late = launch is None or time.monotonic() - launch.begun > _SECONDS
        if asked.get("response_type") != "code":
            error = "unsupported_response_type"
        elif not proven or late or not asked.get("aud", "").endswith("/fhir"):
            error = "invalid_request"
        if error is not None or launch is None:
            return RedirectResponse(
                f"{redirect_uri}?{urlencode({'error': error, 'state': asked.get('state', '')})}", 302
            )
        wanted = asked.get("scope", "").split()
        allowed = set((launch.scope if launch.scope is not None else asked.get("scope", "")).split())
        granted = " ".join(scope for scope in wanted if scope in allowed)
        made = _Code(
            launch.patient, granted, asked["code_challenge"], redirect_uri, time.monotonic(), asked["client_id"],
            asked.get("nonce"),
        )  # fmt: skip
        code = _keep(self._codes, made)
        return RedirectResponse(f"{redirect_uri}?{urlencode({'code': code, 'state': asked['state']})}", 302)

    async def token(self, request: Request) -> Response:
        form = {key: values[0] for key, values in parse_qs((await request.body()).decode("utf-8", "replace")).items()}
        origin = f"{request.url.scheme}://{request.url.netloc}"
        client = self.clients.authenticated(form, request.headers.get("authorization"), f"{origin}/auth/token")
        if client is None:
            return JSONResponse({"error": "invalid_client"}, 401)
        if form.get("grant_type") == "refresh_token":
            held = self._refreshing.pop(form.get("refresh_token", ""), None)
            if held is None or held.client != client:
                return JSONResponse({"error": "invalid_grant"}, 400)
            return self._answer(held.patient, held.scope, client, origin)
        code = self._codes.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if (
            form.get("grant_type") != "authorization_code"
            or code is None
            or code.client != client
            or code.redirect_uri != form.get("redirect_uri")
            or not secrets.compare_digest(code.challenge, challenge)
            or time.monotonic() - code.begun > _CODE_SECONDS
        ):
            return JSONResponse({"error": "invalid_grant"}, 400)
        more = {}
        if "openid" in code.scope.split():
            more["id_token"] = self._identity(origin, code)
        return self._answer(code.patient, code.scope, client, origin, more)

    def _answer(
        self, patient: str, scope: str, client: str, origin: str, more: dict[str, Any] | None = None
    ) -> Response:
        held = Token(patient, scope, time.monotonic() + self.seconds, client)
        body = {
            "access_token": _keep(self._tokens, held, TOKEN_PREFIX),
            "token_type": "Bearer",
            "expires_in": self.seconds,
            "scope": scope,
            "patient": patient,
            "need_patient_banner": True,
            "smart_style_url": f"{origin}/auth/style.json",
        }
        if "online_access" in scope.split():
            body["refresh_token"] = _keep(self._refreshing, held, "refresh-")
        return JSONResponse(body | (more or {}), headers={"Cache-Control": "no-store"})

    def _identity(self, origin: str, code: _Code) -> str:
        """Who is signed in: always the one clinician of the sandbox."""
        now = int(time.time())
        claims: dict[str, Any] = {
            "iss": f"{origin}/fhir", "sub": "sandbox-clinician", "aud": code.client, "iat": now, "exp": now + 300,
        }  # fmt: skip
        if code.nonce:
            claims["nonce"] = code.nonce
        if "fhirUser" in code.scope.split():
            claims["fhirUser"] = f"{origin}/fhir/{USER}"
        return jwt.encode({"alg": "ES256", "kid": "sandbox"}, claims, self._key)

    def refusal(self, authorization: str | None, method: str, kind: str, patient: str | None) -> int | None:
        """401 or 403 for a request that one of our tokens does not allow; None when it may pass. Requests without one
        pass: the sandbox is open."""
        bearer = (authorization or "").removeprefix("Bearer ")
        if not bearer.startswith(TOKEN_PREFIX):
            return None
        token = self._tokens.get(bearer)
        if token is None or token.ends < time.monotonic():
            return 401
        if kind == "metadata":
            return None
        if patient is not None and patient != token.patient:
            return 403
        if method == "GET":
            return None if granted(token.scope, kind) == "all" else 403
        return None if method == "POST" and _may_create(token.scope, kind) else 403


def _may_create(scope: str, kind: str) -> bool:
    enough = {f"patient/{name}.{access}" for name in (kind, "*") for access in ("write", "c", "cruds", "*")}
    return bool(enough & set(scope.split()))


def _keep(table: OrderedDict[str, Any], value: Any, prefix: str = "") -> str:
    key = prefix + secrets.token_urlsafe(32)
    table[key] = value
    while len(table) > _MOST:
        table.popitem(last=False)
    return key
