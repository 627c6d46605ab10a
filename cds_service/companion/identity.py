"""Who is signed in at the record system: the id_token, believed only when every part of it holds."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet
from joserfc.jws import JWSRegistry

from cds_service.companion.smart import LaunchError, object_of
from cds_service.fhir.client import Deadline, get_bytes
from cds_service.fhir.outbound import Policy
from cds_service.tenants import ALGORITHMS
from mappings.raw import FHIR_ID

_MAX_BYTES = 256 * 1024
_LEEWAY = 60
_USER = re.compile(rf"(?:Practitioner|PractitionerRole|Person|RelatedPerson|Patient)/{FHIR_ID}")
PERFORMERS = ("Practitioner", "PractitionerRole")
"""who may be named as the one who made a finding; a patient or a relative did not examine."""


async def user_of(
    http: httpx.AsyncClient,
    policy: Policy,
    issuer: str | None,
    jwks_uri: str | None,
    iss: str,
    client_id: str,
    nonce: str,
    token: str,
    deadline: Deadline,
) -> str | None:  # fmt: skip
    """The `fhirUser` of an id_token as a relative reference; None when the keys can't be had or nobody is named.

    LaunchError when the token is not what it should be: of this issuer, for this app, of this launch, in time."""
    if issuer is None or jwks_uri is None:
        return None
    status, body = await get_bytes(http, policy, jwks_uri, deadline, _MAX_BYTES)
    keys = object_of(body) if status == 200 else None
    if keys is None:
        return None
    try:
        found = jwt.decode(
            token, KeySet.import_key_set(keys), algorithms=list(ALGORITHMS),  # type: ignore[arg-type]
            registry=JWSRegistry(algorithms=list(ALGORITHMS)),
        )  # fmt: skip
        jwt.JWTClaimsRegistry(
            leeway=_LEEWAY,
            iss={"essential": True, "value": issuer},
            aud={"essential": True, "value": client_id},
            sub={"essential": True},
            exp={"essential": True},
            iat={"essential": True},
            nonce={"essential": True, "value": nonce},
        ).validate(found.claims)
    except (JoseError, ValueError, TypeError, KeyError):
        raise LaunchError("Who is signed in at the record system could not be verified.", 502) from None
    if isinstance(found.claims["aud"], list) and len(found.claims["aud"]) > 1 and found.claims.get("azp") != client_id:
        raise LaunchError("Who is signed in at the record system could not be verified.", 502)
    return _reference(found.claims, iss)


def _reference(claims: Mapping[str, Any], iss: str) -> str | None:
    """Only a user of this very FHIR server: a reference elsewhere would mean another person here."""
    named = claims.get("fhirUser", claims.get("profile"))
    if not isinstance(named, str):
        return None
    relative = named.removeprefix(f"{iss}/")
    return relative if _USER.fullmatch(relative) else None
