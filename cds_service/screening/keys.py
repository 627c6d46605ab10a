"""Keyed hashes of patient ids: the same patient gives the same hash, and nobody goes back without the key.

The hashes are those of the service's own store (tenant "-"), so that with the same `CDS_PSEUDONYM_KEY` a row of the
worklist and an evaluation of the committee report can be told to be of one patient."""

from __future__ import annotations

import hashlib
import hmac

TENANT = "-"


def patient_key(secret: bytes, patient_id: str, tenant: str = TENANT) -> str:
    """HMAC-SHA-256 of the patient's id, in hex."""
    return hmac.new(secret, "\0".join((tenant, "patient", patient_id)).encode(), hashlib.sha256).hexdigest()
