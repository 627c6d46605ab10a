"""Which resources a concern of the bytes comes from, and whether these can be judged without the rest of the chart.

The look at bytes (`mappings/prescan.py`) knows words, not meanings: "Prostate enlarged on PR" may stand for a disease
(PR: polyarthrite rhumatoïde) until it is really read. What a resource says of diseases rests on itself alone, but for
a few that speak of others: then the whole chart has to be read."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable, Iterator, Sequence

import msgspec
from msgspec import Struct

from mappings.plainbytes import RESOURCE
from mappings.prescan import Concern

_FEW = 4
_ONE_MORE_FOR = 200
"""how many are read alone: few beside what the whole chart would cost"""
_LEANING = (b'"medicationReference"', b'"specimen"', b'"hasMember"')
"""what takes words, or the material of a test, from another resource."""
_ESCAPED_ASCII, _ESCAPED_LETTER = re.compile(rb"\\u00[2-7]"), re.compile(rb"\\u00[67]")
_MOST_NAMES = 4
"""how often a resource is named outside of resources on average, until it counts as named in one: in its address, and
seldom else"""
_VALUES = json.JSONDecoder(strict=False)


class _Kind(Struct, gc=False, frozen=True):
    resourceType: str
    id: str = ""


_KIND = msgspec.json.Decoder(_Kind)
_TOLD_APART = frozenset(
    {
        "Condition",
        "Observation",
        "DiagnosticReport",
        "DocumentReference",
        "MedicationRequest",
        "AllergyIntolerance",
        "Procedure",
        "ServiceRequest",
    }
)
_REFERRED_TO = frozenset({"Observation", "DiagnosticReport"})
"""kinds that are read otherwise when a panel or report names them as its own."""


class Doubtful(Struct, frozen=True):
    """The resources that concern by themselves, when the Bundles of the request have so many `entries`: with any other
    number something else is called a resource too, and nobody can tell where one begins."""

    resources: tuple[bytes, ...]
    entries: int


def doubtful(
    body: bytes, concern: Concern, concerns: Callable[[bytes], bool], is_sure: Callable[[bytes], bool]
) -> Doubtful | None:
    """The resources in the Bundles of a request that concern by themselves; None when one of them is sure to mean it,
    when they are more than a few, or when they can't be judged alone. ValueError, RecursionError or
    msgspec.DecodeError for what is no such request."""
    if concern.escaped and _ESCAPED_LETTER.search(body):
        return None
    entries = body.count(RESOURCE)
    most = _FEW + entries // _ONE_MORE_FOR
    found: list[tuple[int, int]] = []
    for at, end in _concerning(body, concern.parts, concerns):
        found.append((at, end))
        if len(found) > most or is_sure(body[at:end]):
            return None
    referred: list[tuple[str, int, int]] = []
    for at, end in found:
        one = body[at:end]
        kind = _KIND.decode(one)
        if not _stands_alone(one, kind.resourceType):
            return None
        if kind.resourceType in _REFERRED_TO:
            referred.append((kind.id, at, end))
    if referred and not _nobody_names(referred, body, concern):
        return None
    return Doubtful(tuple(body[at:end] for at, end in found), entries)


def is_meant(
    body: bytes, concerns: Callable[[bytes], bool], is_sure: Callable[[bytes], bool], begin: int, end: int
) -> bool:
    """Whether a resource in a part of the request is sure to mean it: then `doubtful` gives None. Never raises."""
    try:
        return any(is_sure(body[slice(*one)]) for one in _concerning(body, ((begin, end),), concerns))
    except (ValueError, RecursionError):
        return False


def _concerning(
    body: bytes, parts: Iterable[tuple[int, int]], concerns: Callable[[bytes], bool]
) -> Iterator[tuple[int, int]]:
    """Where the resources stand that concern."""
    for begin, end in parts:
        body[begin:end].decode()
        at = body.find(RESOURCE, begin, end)
        while at >= 0:
            behind = body.find(RESOURCE, at + 1, end)
            if concerns(body[at : behind if behind >= 0 else end]):
                value = _value(body, at)
                if concerns(body[slice(*value)]):
                    yield value
            at = behind


def _value(body: bytes, at: int) -> tuple[int, int]:
    """Where the value of the member stands whose name begins there; nothing in it is called a resource."""
    behind = body.find(RESOURCE, at + 1)
    words = body[at : behind if behind >= 0 else len(body)].decode()
    begin = words.index("{")
    _, end = _VALUES.raw_decode(words, begin)
    return at + begin, at + len(words[:end].encode())


def _stands_alone(resource: bytes, kind: str) -> bool:
    """Whether it says nothing through another resource."""
    if kind not in _TOLD_APART or _ESCAPED_ASCII.search(resource):
        return False
    return not any(sign in resource for sign in _LEANING)


def _nobody_names(referred: Sequence[tuple[str, int, int]], body: bytes, concern: Concern) -> bool:
    """Whether no other resource can name one of these, each given by its id and where it stands. Only where a member
    stands that names resources is an id looked for."""
    if not all(name for name, _, _ in referred) or (concern.escaped and _ESCAPED_ASCII.search(body)):
        return False
    most = _MOST_NAMES * len(referred)
    for name, begin, end in referred:
        for named in _ends(body, name.encode(), concern.naming):
            if begin < named <= end:
                continue
            at, most = body.rfind(RESOURCE, 0, named), most - 1
            if most < 0 or (at >= 0 and named <= _value(body, at)[1]):
                return False
    return True


def _ends(body: bytes, name: bytes, parts: Iterable[tuple[int, int]]) -> Iterator[int]:
    """Where the name ends in these parts of the text."""
    for begin, end in parts:
        at = body.find(name, begin, end)
        while at >= 0:
            yield at + len(name)
            at = body.find(name, at + 1, end)
