"""What is asked of a Bulk Data server, and what its manifest says. Errors name the element, never a value."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal
from urllib.parse import quote, urlencode

import msgspec

from cds_service.errors import ServiceError
from mappings.raw import FHIR_ID

TYPES = (
    "Patient", "Condition", "Observation", "DiagnosticReport", "DocumentReference", "MedicationRequest",
    "MedicationStatement", "Medication", "AllergyIntolerance", "Procedure", "ServiceRequest", "Encounter",
)  # fmt: skip
"""what the reader reads, and the encounters that a firing rate is counted by."""
_TYPE = re.compile(r"[A-Z][A-Za-z]{1,63}")
_ID = re.compile(FHIR_ID)

Part = Literal["output", "deleted", "error"]


class BulkError(ServiceError):
    """Why the export did not come to its end; one line for the user of the command line."""

    status = 502


@dataclass(frozen=True, slots=True)
class Wanted:
    """One export. `group` or `patients` narrow the level; neither is the whole system."""

    base: str
    group: str | None = None
    patients: bool = False
    types: tuple[str, ...] = TYPES
    since: str | None = None
    type_filters: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        if self.group is not None and _ID.fullmatch(self.group) is None:
            raise BulkError("--group: not a FHIR id", "group")
        if wrong := [kind for kind in self.types if _TYPE.fullmatch(kind) is None]:
            raise BulkError(f"--types: {wrong[0]} is no resource type", "types")
        for query in self.type_filters:
            if query.partition("?")[0] not in self.types or "?" not in query:
                raise BulkError("--type-filter: must be TYPE?query of an exported type", "typeFilter")

    @property
    def url(self) -> str:
        level = f"Group/{self.group}/" if self.group is not None else "Patient/" if self.patients else ""
        asked = [("_type", ",".join(self.types)), ("_outputFormat", "application/fhir+ndjson")]
        if self.since is not None:
            asked.append(("_since", self.since))
        asked.extend(("_typeFilter", query) for query in self.type_filters)
        return f"{self.base}/{level}$export?{urlencode(asked, safe=',', quote_via=quote)}"


class Link(msgspec.Struct, frozen=True):
    """One file of a manifest."""

    url: str
    type: str = ""
    count: int | None = None


class _Next(msgspec.Struct, frozen=True):
    relation: str = ""
    url: str = ""


class Manifest(msgspec.Struct, frozen=True, rename="camel"):
    """The finished export, as the server describes it."""

    transaction_time: str
    output: list[Link]
    requires_access_token: bool = True
    deleted: list[Link] | None = None
    error: list[Link] | None = None
    link: list[_Next] | None = None

    @property
    def files(self) -> list[tuple[Part, int, Link]]:
        """(part, place in it, link) of every file."""
        parts: list[tuple[Part, list[Link]]] = [
            ("output", self.output),
            ("deleted", self.deleted or []),
            ("error", self.error or []),
        ]
        return [(part, place, link) for part, links in parts for place, link in enumerate(links)]

    @property
    def following(self) -> str | None:
        """The next page of a manifest that comes in pages."""
        return next((one.url for one in self.link or () if one.relation == "next" and one.url), None)


def read_manifest(body: bytes) -> Manifest:
    """BulkError names the element that is wrong."""
    try:
        found = msgspec.json.decode(body, type=Manifest)
    except msgspec.ValidationError as error:
        raise BulkError(f"manifest: {_without_values(str(error))}", "manifest") from None
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise BulkError("manifest: not JSON", "manifest") from None
    for part, place, link in found.files:
        if part == "output" and _TYPE.fullmatch(link.type) is None:
            raise BulkError(f"manifest: output[{place}].type: not a resource type", f"output[{place}].type")
        if link.count is not None and link.count < 0:
            raise BulkError(f"manifest: {part}[{place}].count: negative", f"{part}[{place}].count")
    return found


def joined(pages: list[Manifest]) -> Manifest:
    """Pages of one manifest as one."""
    first = pages[0]
    return Manifest(
        first.transaction_time,
        [link for page in pages for link in page.output],
        any(page.requires_access_token for page in pages),
        [link for page in pages for link in page.deleted or ()],
        [link for page in pages for link in page.error or ()],
    )


def _without_values(text: str) -> str:
    """msgspec names types and the path, and a value only where it is of an enumeration; there are none here."""
    return text.replace("`", "")
