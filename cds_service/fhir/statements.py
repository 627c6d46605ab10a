"""Drugs that stand in MedicationStatement: read beside MedicationRequest, where the server has that type.

By the International Patient Summary, and in many European records, the drugs that a patient takes are statements, and
there is no request at all (https://hl7.org/fhir/uv/ips/). Servers after US Core have requests only
(https://hl7.org/fhir/us/core/medication-list.html). So nobody is expected to have the type who has not said so: a
server that refuses it has lost nothing, is not asked again for an hour, and leaves `medications` as they are."""

from __future__ import annotations

from msgspec import Struct

from cds_service.fhir.client import Deadline, FhirClient, Read
from cds_service.fhir.search import in_some_way, not_supported, with_medications
from cds_service.prefetch import error_of, issue_reason
from mappings.facts import Completeness

STATEMENT = "MedicationStatement"
_TAKEN = frozenset({"long", "counted", "plain", "bare"})
"""manners of a server that has answered the search."""
_REFUSED = frozenset({400, 404, 405, 406, 422, 501})
"""by which servers refuse a type."""
_OF_TOKEN = frozenset({401, 403})
"""by which they refuse it to this token."""


class Statements(Struct):
    """What came of the search. `problem`: why something is missing that was to be expected; `answered`: the server
    gave its list, empty or not."""

    read: Read
    answered: bool = False
    problem: str | None = None

    def state(self, requests: Read | None, before: Completeness | None) -> Completeness | None:
        """The state of the medications with these. `before`: without them, None where nothing else was to be read;
        `requests`: the search for MedicationRequest, if there was one."""
        if before is None:
            return Completeness("partial", "scope") if self.read.count else None
        if before.state == "unavailable" and self.answered:
            if requests is not None and not_supported(requests) and (self.read.count or _says_so(requests)):
                return Completeness("partial", self.problem) if self.problem else Completeness("complete")
            return Completeness("partial", before.reason) if self.read.count else before
        if before.state == "complete" and self.problem:
            return Completeness("partial", self.problem)
        return before


def may_have(client: FhirClient) -> bool:
    """Whether the search is worth asking, as far as the server's own word and its earlier answers tell."""
    said, manners = client.capability.searches(STATEMENT), client.manners(STATEMENT)
    return said is not False and "refused" not in manners and (said is True or "failing" not in manners)


async def read_statements(client: FhirClient, patient_id: str, deadline: Deadline) -> Statements:
    """The patient's statements, and the drugs that they refer to."""
    extra = [("_include", f"{STATEMENT}:medication")]
    found = await in_some_way(client, STATEMENT, [("patient", patient_id)], extra, deadline)
    failed = found.failed
    if failed is None and not found.count:
        failed = error_of(found.issues)
    if failed is None and found.count and STATEMENT not in found.kinds:
        return Statements(Read())  # a server that answers every search alike
    if failed is None:
        found = await with_medications(client, found, deadline)
        reason = found.partial or issue_reason(tuple(found.issues))
        return Statements(found, answered=True, problem=f"medication statements: {reason}" if reason else None)
    if found.status in _REFUSED or _says_so(found):
        client.has_manner(STATEMENT, "refused", lasting=False)
    elif found.status not in _OF_TOKEN:
        if client.capability.searches(STATEMENT) or _TAKEN & client.manners(STATEMENT):
            return Statements(Read(), problem=f"medication statements: {failed}")
        client.has_manner(STATEMENT, "failing", lasting=False)
    return Statements(Read())


def _says_so(found: Read) -> bool:
    """Whether a server says that it does not know a type."""
    return "not-supported" in found.issue_codes or error_of(found.issues) == "not-supported"
