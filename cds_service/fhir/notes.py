"""Clinical notes: a patient's DocumentReferences, newest first, with the text that their attachments refer to.

What servers take: US Core has them answer a search by patient and category, which is `clinical-note`, and keep the text
in the resource or behind `attachment.url`
(https://hl7.org/fhir/us/core/StructureDefinition-us-core-documentreference.html); some demand a status beside it
(https://github.com/onc-healthit/inferno-program/pull/194). Oracle Millennium's parameters have neither status nor
`_sort` (https://github.com/cerner/fhir.cerner.com/pull/334); it answers a Binary as a FHIR resource to
`application/fhir+json`, as raw text to the attachment's own type
(https://docs.oracle.com/en/industries/health/millennium-platform-apis/mfrap/api-binary.html). Epic's attachments are
Binary resources too (https://open.epic.com/Clinical/Document). Elsewhere notes have other categories, or none: where
nothing is found under ours, all documents are asked for.

A text is fetched from `Binary` below the same FHIR base only, and goes where it would stand had it been sent with the
resource: what reads it knows no difference."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct, field
from msgspec.structs import replace

from cds_service.fhir.capability import Manner
from cds_service.fhir.client import Deadline, FhirClient, Read
from mappings.bundles import NotJsonError, decode
from mappings.facts import Quarantined
from mappings.raw import Resource, as_list
from mappings.reader.access import mapping
from mappings.reader.attachment import is_readable, kind_of, words_of
from mappings.reader.identity import belongs

DOCUMENT = "DocumentReference"
BINARY = "Binary"
_NOT_READ = "clinical notes not read: "
OLDER = f"{_NOT_READ}older ones"
MOST = 20
"""notes of which the text is read: one call each, all at once, and at the visits of a rheumatologist the last years."""
_LISTED = ("_count", "50")
"""of a page: more than are read, since some are in error or are no text."""
_LARGEST = 256 * 1024
"""bytes of an answer with one text; what is longer is no note but a scan, or a whole record."""
_ALL_WORDS = 150_000
"""letters of all texts, newest first: read in most of a second."""
_CATEGORY, _STATUS, _NEWEST = ("category", "clinical-note"), ("status", "current"), ("_sort", "-date")
_WAYS: tuple[tuple[Manner, tuple[tuple[str, str], ...]], ...] = (
    ("counted", (_CATEGORY, _STATUS, _NEWEST, _LISTED)),
    ("plain", (_CATEGORY, _LISTED)),
    ("bare", (_CATEGORY, _STATUS)),
    ("open", ()),
)
"""ways to ask, each with what it says of a server that takes it; the next one where a server refuses one."""
_REFUSED = frozenset({400, 422})
_OTHER_FORM = frozenset({406, 415})
"""by which a server says that it gives a Binary in its own form only."""
_PREFERRED = ("text/plain", "text/html", "application/xhtml+xml")
"""of a note in several forms, which are the same words; others after these."""


class Notes(Struct):
    """What came: documents, with their texts as far as they could be read, and what is not there."""

    documents: list[Resource] = field(default_factory=list)
    left_out: list[Quarantined] = field(default_factory=list)


async def read_notes(
    client: FhirClient, patients: frozenset[str], patient_id: str, deadline: Deadline, *, texts: bool
) -> Notes:
    """The newest notes of a patient, who has these ids. `texts`: those behind a link may be fetched."""
    found = await _documents(client, patient_id, deadline)
    if found.failed is not None:
        return Notes(left_out=[not_read(found.failed)])
    every = [one for one in found.resources if one.get("resourceType") == DOCUMENT]
    current = sorted(filter(_is_current, every), key=_date, reverse=True)
    notes = Notes(current[:MOST])
    if len(current) > MOST or found.partial is not None:
        notes.left_out.append(Quarantined(DOCUMENT, OLDER))
    if not texts:
        return notes
    reader = replace(client, most=_LARGEST)
    every_text = await asyncio.gather(
        *(_texts(reader, one, deadline) if belongs(one, patients) is None else _nothing() for one in notes.documents)
    )
    size = 0
    for place, (document, came) in enumerate(zip(notes.documents, every_text, strict=True)):
        length = sum(len(words_of(text) or "") for text in came.values())
        if came and size + length <= _ALL_WORDS:  # one long note does not cost the older ones that fit
            size += length
            notes.documents[place] = _with_texts(document, came)
    return notes


def not_read(reason: str) -> Quarantined:
    """That there are no notes, and why."""
    return Quarantined(DOCUMENT, f"{_NOT_READ}{reason}")


async def _documents(client: FhirClient, patient_id: str, deadline: Deadline) -> Read:
    """The first page, or all where a server does not give the newest first."""
    known = client.manners(DOCUMENT)
    begin = max((place for place, (manner, _) in enumerate(_WAYS) if manner in known), default=0)
    found = Read(failed="400", status=400)
    for manner, asked in _WAYS[begin:]:
        found = await client.search(DOCUMENT, [("patient", patient_id), *asked], deadline, _is_enough)
        if found.status in _REFUSED and found.failed is not None:
            continue
        if found.failed is None:
            client.has_manner(DOCUMENT, manner)
            if not found.count and _CATEGORY in asked:
                others = [("patient", patient_id), *(one for one in asked if one != _CATEGORY)]
                wider = await client.search(DOCUMENT, others, deadline, _is_enough)
                return wider if wider.failed is None else found
        break
    return found


def _is_enough(read: Read) -> bool:
    """Whether the pages that came hold the newest notes: enough of them, and none is newer than the one before it."""
    dates = [_date(one) for one in read.resources if one.get("resourceType") == DOCUMENT]
    return sum(map(_is_current, read.resources)) >= MOST and all(dates) and dates == sorted(dates, reverse=True)


def _is_current(document: Resource) -> bool:
    return document.get("status") in (None, "current") and document.get("docStatus") != "entered-in-error"


def _date(document: Resource) -> str:
    """As it is written: years first. To the day, since the hours of different zones would not order."""
    context = mapping(document.get("context"))
    dates = (document.get("date"), document.get("indexed"), document.get("created"))  # the second two of STU3
    written = next(filter(None, dates), None) or mapping(context.get("period")).get("start")
    return written[:10] if isinstance(written, str) else ""


def attachments_of(document: Resource) -> Iterator[tuple[int, Mapping[str, Any]]]:
    """The attachments of a document, each with its place."""
    for place, content in enumerate(as_list(document.get("content"))):
        attachment = mapping(mapping(content).get("attachment"))
        if attachment:
            yield place, attachment


async def _texts(client: FhirClient, document: Resource, deadline: Deadline) -> dict[int, dict[str, Any]]:
    """The attachments of a note with their text, by place; none where a text came with the note."""
    held = dict(attachments_of(document))
    if any(words_of(attachment) for attachment in held.values()):
        return {}
    urls = {place: url for place, one in held.items() if is_readable(one) and (url := _binary(client, one))}
    forms = {kind_of(held[place]) for place in urls}
    chosen = next((kind for kind in (*_PREFERRED, *sorted(forms)) if kind in forms), "")
    wanted = [place for place in urls if kind_of(held[place]) == chosen]
    came = await asyncio.gather(*(_fetched(client, urls[place], held[place], deadline) for place in wanted))
    return {place: text for place, text in zip(wanted, came, strict=True) if text is not None}


async def _nothing() -> dict[int, dict[str, Any]]:
    return {}


def _binary(client: FhirClient, attachment: Mapping[str, Any]) -> str | None:
    """The URL of an attachment that is a Binary below our base, and nothing else there."""
    url = attachment.get("url")
    own = client.own(url) if isinstance(url, str) and "data" not in attachment else None
    if own is None:
        return None
    kind, _, rest = own.removeprefix(client.base).strip("/").partition("/")
    name, _, version = rest.partition("/_history/")
    return own if kind == BINARY and name and not {"/", "?", "$"} & {*name, *version} else None


async def _fetched(
    client: FhirClient, url: str, attachment: Mapping[str, Any], deadline: Deadline
) -> dict[str, Any] | None:
    """The attachment with its text; None when that can't be had. First as FHIR, as every server has to offer it, then
    in the form that the attachment names."""
    status, body, failed, _ = await client.call(url, deadline, None)
    kind = kind_of(attachment)
    if failed is None and status in _OTHER_FORM and kind:
        status, body, failed, _ = await replace(client, accept=kind).call(url, deadline, None)
    if failed is not None or status != 200 or not body:
        return None
    if body.lstrip()[:1] != b"{":
        return {**attachment, "data": base64.b64encode(body).decode()}
    try:
        sent = decode(body)
    except NotJsonError:
        return {**attachment, "data": base64.b64encode(body).decode()}  # RTF begins so
    if not isinstance(sent, Mapping) or sent.get("resourceType") != BINARY or not isinstance(sent.get("data"), str):
        return None
    return {**attachment, "contentType": sent.get("contentType") or attachment.get("contentType"), "data": sent["data"]}


def _with_texts(document: Resource, texts: Mapping[int, dict[str, Any]]) -> Resource:
    contents: Sequence[Any] = as_list(document.get("content"))
    return {
        **document,
        "content": [
            {**content, "attachment": texts[place]} if place in texts else content
            for place, content in enumerate(contents)
        ],
    }
