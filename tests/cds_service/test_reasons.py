"""Every reason that we write ourselves has a code of its own; a server's own words never become one."""

from __future__ import annotations

import pytest

from cds_service.reasons import reason_code


@pytest.mark.parametrize(
    ("reason", "code"),
    [
        ("server left alone after failures", "circuit-open"),
        ("too many calls at once", "busy"),
        ("not supported by server", "not-supported"),
        ("resources left out", "left-out"),
        ("subject missing", "no-subject"),
        ("malformed URL", "bad-url"),
        ("server not allowed", "refused"),
        ("address not allowed", "refused"),
        ("not in prefetch and no FHIR access", "not-sent"),
        ("not in prefetch: vitals (scope)", "key-missing"),
        ("page link of another server", "foreign-page"),
        ("page: 404", "http-404"),
        ("laboratory: exception", "issue-exception"),
        ("operation-outcome", "operation-outcome"),
        ("not read", "not-read"),
        ("withheld", "withheld"),
        ("token is for another patient", "wrong-patient"),
        ("Dr Müller's own words about Anna", "other"),
        ("", "other"),
        (None, "other"),
    ],
)
def test_codes(reason: str | None, code: str) -> None:
    assert reason_code(reason) == code
