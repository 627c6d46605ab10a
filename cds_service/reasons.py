"""Reasons of incomplete reads as a closed list of codes: what a server wrote itself never becomes a label or a log."""

from __future__ import annotations

_ISSUE_TYPES = """
    invalid structure required value invariant security login unknown expired suppressed processing not-supported
    duplicate multiple-matches not-found deleted too-long code-invalid extension too-costly business-rule conflict
    transient lock-error no-store exception incomplete throttled informational
"""
_ISSUES = frozenset(_ISSUE_TYPES.split())
"""FHIR's own issue types (http://hl7.org/fhir/issue-type), a closed list."""
_CODES = (
    ("left alone", "circuit-open"),
    ("too many calls", "busy"),
    ("not supported by server", "not-supported"),
    ("resources left out", "left-out"),
    ("subject missing", "no-subject"),
    ("malformed url", "bad-url"),
    ("wrong resource type", "wrong-type"),
    ("no fhir access", "not-sent"),
    ("not read", "not-read"),
    ("not in prefetch and no fhir", "not-sent"),
    ("not in prefetch: rest of", "fewer"),
    ("fewer than", "fewer"),
    ("record replaced", "merged-record"),
    ("not in prefetch", "key-missing"),
    ("another patient", "wrong-patient"),
    ("another server", "foreign-page"),
    ("page-limit", "page-limit"),
    ("page loop", "page-loop"),
    ("page not followed", "page-not-followed"),
    ("not a fhir resource", "not-fhir"),
    ("not-fhir", "not-fhir"),
    ("not-json", "not-json"),
    ("operation-outcome", "operation-outcome"),
    ("too-large", "too-large"),
    ("truncated", "truncated"),
    ("read in part", "text-cut"),
    ("connection", "connection"),
    ("deadline", "deadline"),
    ("timeout", "timeout"),
    ("withheld", "withheld"),
    ("forbidden", "forbidden"),
    ("redirect", "redirect"),
    ("refused", "refused"),
    ("allowed", "refused"),
    ("scope", "scope"),
)


def reason_code(reason: str | None) -> str:
    """The code of a completeness reason; "other" for whatever is none of ours."""
    text = (reason or "").lower()
    for words, code in _CODES:
        if words in text:
            return code
    for word in text.replace(":", " ").split():
        if len(word) == 3 and word.isdigit() and "400" <= word <= "599":
            return f"http-{word}"
    for word in text.replace(":", " ").replace(",", " ").split():
        if word in _ISSUES:
            return f"issue-{word}"
    return "other"
