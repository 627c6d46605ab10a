"""A hospital as the service knows it: its entry in the tenants file, its keys, and the tokens of its CDS client."""

from __future__ import annotations

import time
import uuid
from datetime import date
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from cds_service.pipeline import load_brain

BRAIN = load_brain(date(2026, 6, 1))
BRAIN.prescan.prepare()  # silent charts are answered on the fast path, as in a service that has run for a second
BASE = "https://cds.example.org"
PATH = "/cds-services/calcinosis-patient-view"
BODY = {
    "hook": "patient-view",
    "hookInstance": str(uuid.uuid4()),
    "context": {"userId": "Practitioner/1", "patientId": "p1"},
    "prefetch": {"conditions": None, "laboratory": None},
}
EC = ECKey.generate_key("P-384", {"kid": "ec-1"})
RSA = RSAKey.generate_key(2048, {"kid": "rsa-1"})


def tenant(**changes: Any) -> dict[str, Any]:
    return {
        "id": "hospital",
        "issuer": "https://ehr.example.org",
        "audience": BASE,
        "algorithms": ["ES384", "RS384"],
        "jwks": {"keys": [EC.as_dict(private=False), RSA.as_dict(private=False)]},
        "fhirServers": ["https://fhir.example.org/r4"],
    } | changes


def claims_now(**claims: Any) -> dict[str, Any]:
    """What a token of this hospital claims, good for five minutes from now."""
    now = int(time.time())
    return {
        "iss": "https://ehr.example.org",
        "aud": BASE + PATH,
        "iat": now,
        "exp": now + 300,
        "jti": str(uuid.uuid4()),
    } | claims


def token(
    key: Any = EC, alg: str = "ES384", header: dict[str, Any] | None = None, drop: str = "", **claims: Any
) -> str:
    every = claims_now(**claims)
    head = {"alg": alg, "kid": key.kid or "x", "typ": "JWT"} | (header or {})
    every.pop(drop, None)
    head.pop(drop, None)
    return jwt.encode(head, every, key, algorithms=[alg])
