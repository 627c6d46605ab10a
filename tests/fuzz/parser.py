"""Coverage-guided bytes for everything that reads bytes of a caller: `python -m tests.fuzz.parser -atheris_runs=N`.

The first byte chooses the reader; only the documented errors may come out.
"""

from __future__ import annotations

import sys
from datetime import date

import atheris

with atheris.instrument_imports(
    include=["cds_service.limits", "cds_service.auth", "cds_service.feedback", "hooks.wire"]
):
    from cds_service import auth
    from cds_service.errors import BadRequest
    from cds_service.feedback import parse_feedback
    from cds_service.limits import decode_request
    from cds_service.prefetch import completeness_of, read_prefetch
    from cds_service.tenants import Tenants
    from hooks.wire import RequestError, parse_request

from cds_service.pipeline import load_brain
from hooks.services import HOOKS
from mappings.raw import RawChart

BRAIN = load_brain(date(2026, 6, 1))
AUTHENTICATOR = auth.Authenticator(Tenants(None, None))


def one(data: bytes) -> None:
    kind, body = data[:1], data[1:]
    if kind < b"\x40":
        try:
            AUTHENTICATOR._peek(auth._bearer([body.decode("latin-1")]))
        except (ValueError, RecursionError):  # what the authenticator turns into its bare 401
            return
        return
    try:
        value = decode_request(body)
        if kind < b"\x80":
            parse_feedback(value)
            return
        request = parse_request(value, expected_hook=None, known_hooks=HOOKS)
    except (BadRequest, RequestError):
        return
    found = read_prefetch(request.prefetch)
    chart = RawChart(
        request.patient_id, tuple(found.resources), completeness_of(found), tuple(found.quarantined), request.drafts
    )
    BRAIN.understand(chart)


if __name__ == "__main__":
    atheris.Setup(sys.argv, one)
    atheris.Fuzz()
