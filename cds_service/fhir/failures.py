"""What a failed HTTP call is: a short reason code, and nothing that keeps its connection."""

from __future__ import annotations

import httpx

from cds_service.fhir.outbound import Refused

FAILURES = (Refused, httpx.HTTPError, httpx.InvalidURL, OSError, ValueError)
"""what a call may raise that is no fault of the program; a time limit is an OSError."""
LOST = "connection-lost"
"""the connection broke after it stood, before an answer came; a search may be sent again."""


def reason_of(error: BaseException) -> str:
    """The reason code of one of `FAILURES`. The error's own words may quote the URL, and are not in it."""
    match error:
        case Refused():
            return str(error)
        case TimeoutError() | httpx.TimeoutException():
            return "timeout"
        case httpx.RemoteProtocolError():
            return LOST if "without sending a response" in str(error) else "truncated"
        case httpx.ReadError() | httpx.WriteError():
            return LOST
        case OSError():
            return "connection"  # before ValueError: a certificate that is not accepted is both
        case httpx.LocalProtocolError() | httpx.UnsupportedProtocol() | httpx.InvalidURL() | ValueError():
            return "refused"  # a token or URL that can't be written into a head: no fault of the server
        case _:
            return "connection"


def untied(error: BaseException) -> None:
    """Takes from a failure, and from what caused it, the way that it came. From Python 3.12 on that way leads through a
    frame of contextlib that knows the failure: the ring would hold the connection until garbage is next collected."""
    known: BaseException | None = error
    while known is not None:
        known.__traceback__ = None
        known = known.__cause__ or known.__context__
