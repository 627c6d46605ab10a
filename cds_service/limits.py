"""Hostile JSON: the size is limited by the middleware; here what is no JSON, no object, or nested beyond reading."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.errors import BadRequest
from mappings.bundles import NotJsonError, decode


def decode_request(body: bytes) -> Mapping[str, Any]:
    """The request as data. BadRequest when it is not JSON (NaN and Infinity are not), nested too deeply, no object."""
    try:
        value = decode(body)
    except NotJsonError:
        raise BadRequest("malformed JSON", "request") from None
    if not isinstance(value, Mapping):
        raise BadRequest("must be an object", "request")
    return value
