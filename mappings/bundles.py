"""JSON in and Bundles apart: decoding with exact decimals, and the resources inside whatever was sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from decimal import Decimal
from operator import is_not
from typing import Any

import msgspec
from msgspec import Struct

from mappings.unread import Unread

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_BOM = b"\xef\xbb\xbf"
_HALF = re.compile(
    rb"\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
    rb"|(?<!\\u[dD][89abAB][0-9a-fA-F]{2})\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)
"""half of a surrogate pair, as an escape"""
_BACKSLASH, _NO_BYTE = rb"\\", b"\0"
"""an escaped backslash, and a byte that no JSON text holds"""
_MAX_DEPTH = 8
"""Bundles in Bundles, deeper than any server sends."""
_DEEPEST = 64
"""levels of a resource in which references are looked for"""


class NotJsonError(ValueError):
    """The bytes are not JSON; the text says where, never what."""


def decode(body: bytes) -> Any:
    """JSON as Python data, every decimal as an exact Decimal. Raises NotJsonError."""
    try:
        return _DECODER.decode(body.removeprefix(_BOM))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError, ValueError, ArithmeticError) as error:
        mended = with_whole_letters(body)
        if mended is not None:
            return decode(mended)
        raise NotJsonError(_where(error)) from None


def with_whole_letters(body: bytes) -> bytes | None:
    """JSON in which a text was cut off in the middle of a letter (half of a surrogate pair, as programs write it that
    shorten texts by UTF-16 units), with a replacement character for the half; None where there is no such half. One
    letter must not cost the chart."""
    if _NO_BYTE in body or b"\\u" not in body:
        return None
    mended, halves = _HALF.subn(rb"\\ufffd", body.replace(_BACKSLASH, _NO_BYTE))
    return mended.replace(_NO_BYTE, _BACKSLASH) if halves else None


def _where(error: Exception) -> str:
    if isinstance(error, ArithmeticError):
        return "a number is out of range"
    return "nested too deeply" if isinstance(error, RecursionError) else str(error).split(":")[0][:80]


class Unpacked(Struct, frozen=True):
    """The resources of a Bundle with their fullUrl, and the OperationOutcome issues found beside them."""

    resources: tuple[tuple[str | None, Mapping[str, Any]], ...]
    issues: tuple[Mapping[str, Any], ...] = ()
    broken: tuple[str, ...] = ()
    """paths of entries that are no resource ("entry[3]")."""
    next_url: str | None = None
    total: int | None = None
    """how many matches there are in all, as the server says."""

    @property
    def is_short(self) -> bool:
        """Whether the server counted more than it sent, and gives no link to the rest."""
        came = len(self.resources) + len(self.issues) + len(self.broken)
        return self.next_url is None and self.total is not None and self.total > came

    @property
    def kinds(self) -> set[str]:
        """The types of the resources."""
        return {str(resource.get("resourceType")) for _, resource in self.resources}


class Apart(Unpacked, frozen=True):
    """A Bundle of nothing but resources of these types, taken apart already."""

    of: frozenset[str] = frozenset()

    @property
    def kinds(self) -> set[str]:
        return set(self.of)


def unpack(value: object) -> Unpacked:
    """Everything inside a resource or Bundle. Entries with search mode "outcome" are issues, not data."""
    if isinstance(value, Unpacked):
        return value
    resources: list[tuple[str | None, Mapping[str, Any]]] = []
    issues: list[Mapping[str, Any]] = []
    broken: list[str] = []
    for path, url, resource in _walk(value, "", None, 0):
        if resource is None:
            broken.append(path or "value")
        elif resource.get("resourceType") == "OperationOutcome":
            found = resource.get("issue")
            issues.extend(i for i in found if isinstance(i, Mapping)) if isinstance(found, list) else None
        else:
            resources.append((url, resource))
    issues.extend(_of_the_whole(value))
    return Unpacked(tuple(resources), tuple(issues), tuple(broken), _next(value), total_of(value))


def _of_the_whole(value: object) -> Iterator[Mapping[str, Any]]:
    """What a server says of a whole Bundle, outside its entries (`Bundle.issues`, R5)."""
    said = value.get("issues") if isinstance(value, Mapping) and value.get("resourceType") == "Bundle" else None
    found = said.get("issue") if isinstance(said, Mapping) else None
    yield from (issue for issue in (found if isinstance(found, list) else ()) if isinstance(issue, Mapping))


def total_of(value: object) -> int | None:
    """What a search says how many matches it has; None where it does not say so."""
    total = value.get("total") if isinstance(value, Mapping) and value.get("resourceType") == "Bundle" else None
    return total if type(total) is int else None


def with_resolved_urns(unpacked: Unpacked) -> tuple[Mapping[str, Any], ...]:
    """The resources, their references by fullUrl ("urn:uuid:…") rewritten to "Type/id": whose it is, which drug, and of
    which panel or specimen a result is. What nobody has stored yet has the id of its fullUrl."""
    if not any(url and url[:4] == "urn:" for url, _ in unpacked.resources):
        return tuple([resource for _, resource in unpacked.resources])
    found = [(url, _with_id(resource, url)) for url, resource in unpacked.resources]
    names = {
        url: f"{resource['resourceType']}/{resource.get('id')}"
        for url, resource in found
        if url and url[:4] == "urn:" and isinstance(resource.get("id"), str)
    }
    return tuple(_rewritten(resource, names) for _, resource in found)


def _with_id(resource: Mapping[str, Any], url: str | None) -> Mapping[str, Any]:
    """A Patient is left without: it is the one asked about, and under no other name."""
    if url is None or url[:4] != "urn:" or resource.get("id") is not None or resource["resourceType"] == "Patient":
        return resource
    return {**resource, "id": url.rpartition(":")[2]}


def _rewritten(resource: Mapping[str, Any], names: Mapping[str, str]) -> Mapping[str, Any]:
    sent = resource.decoded() if type(resource) is Unread else resource
    found: Mapping[str, Any] = _resolved(sent, names, 0)
    return resource if found is sent else found


def _resolved(value: Any, names: Mapping[str, str], depth: int) -> Any:
    """The value itself where no reference in it is one of these."""
    if depth > _DEEPEST:
        return value
    if isinstance(value, list):
        items = [_resolved(item, names, depth + 1) for item in value]
        return items if any(map(is_not, items, value)) else value
    if not isinstance(value, Mapping):
        return value
    changed = {key: found for key, inner in value.items() if (found := _resolved(inner, names, depth + 1)) is not inner}
    reference = value.get("reference")
    if isinstance(reference, str) and reference in names:
        changed["reference"] = names[reference]
    return {**value, **changed} if changed else value


def _walk(
    value: object, path: str, url: str | None, depth: int
) -> Iterator[tuple[str, str | None, Mapping[str, Any] | None]]:
    if not isinstance(value, Mapping) or not isinstance(value.get("resourceType"), str) or depth > _MAX_DEPTH:
        yield path, url, None
        return
    if value["resourceType"] != "Bundle":
        yield path, url, value
        return
    entries = value.get("entry")
    if entries is None:
        return
    if not isinstance(entries, list):
        yield f"{path}entry", url, None
        return
    for index, entry in enumerate(entries):
        where = f"{path}entry[{index}]"
        if type(entry) is not dict and not isinstance(entry, Mapping):
            yield where, None, None
            continue
        resource, full = entry.get("resource"), entry.get("fullUrl")
        if type(resource) is Unread or (
            type(resource) is dict and type(kind := resource.get("resourceType")) is str and kind != "Bundle"
        ):
            yield where, full if type(full) is str else None, resource  # what nearly every entry is
            continue
        if resource is None and isinstance(entry.get("response"), Mapping):
            continue
        yield from _walk(
            resource,
            f"{where}." if isinstance(resource, Mapping) and resource.get("resourceType") == "Bundle" else where,
            full if isinstance(full, str) else None,
            depth + 1,
        )


def _next(value: object) -> str | None:
    if not isinstance(value, Mapping) or value.get("resourceType") != "Bundle":
        return None
    links = value.get("link")
    for link in links if isinstance(links, list) else ():
        if isinstance(link, Mapping) and link.get("relation") == "next" and isinstance(link.get("url"), str):
            return str(link["url"])
    return None
