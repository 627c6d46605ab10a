"""A failure of a call as a reason code. Which failures a real server provokes is tested over sockets (`test_client.py`,
`test_over_sockets.py`, `tests/faults`), that none keeps its connection in `test_connections.py`."""

from __future__ import annotations

import ssl

import httpx
import pytest

from cds_service.fhir.failures import FAILURES, LOST, reason_of, untied
from cds_service.fhir.outbound import Refused

_CODES = {
    Refused("host not allowed"): "host not allowed",
    TimeoutError(): "timeout",
    httpx.ReadTimeout("slow"): "timeout",
    httpx.RemoteProtocolError("Server disconnected without sending a response."): LOST,
    httpx.RemoteProtocolError("peer closed connection"): "truncated",
    httpx.ReadError("reset"): LOST,
    httpx.InvalidURL("https://[patient=Smith"): "refused",
    httpx.LocalProtocolError("Illegal header value b'Bearer \\n'"): "refused",
    httpx.ConnectError("no route"): "connection",
    ssl.SSLCertVerificationError("self-signed"): "connection",
}


@pytest.mark.parametrize("error", _CODES, ids=lambda error: type(error).__name__)
def test_a_failure_is_a_reason_code(error: Exception) -> None:
    assert isinstance(error, FAILURES)
    assert reason_of(error) == _CODES[error]


def test_a_failure_and_its_causes_lose_the_way_they_came() -> None:
    try:
        try:
            raise OSError("reset")
        except OSError as cause:
            raise httpx.ReadError("reset") from cause
    except httpx.ReadError as error:
        untied(error)
        assert error.__traceback__ is None
        assert error.__cause__ is not None
        assert error.__cause__.__traceback__ is None
    else:
        pytest.fail("nothing was raised")
