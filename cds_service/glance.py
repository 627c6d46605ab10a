"""The short way of a silent patient: what a request holds is established from its bytes, without reading the chart.

Taken only when it leads to the very answer and record of the long way: the bytes name no connective tissue disease
(`mappings/prescan.py`), or only in a few resources that are then read and do not (`mappings/doubtful.py`); the prefetch
is complete or nothing else may be read, and every resource in it is regular
(`mappings/skeleton.py`). In all other cases there is no glance, and the request goes the long way from its beginning.

Repeated keys are refused as on the long way in everything that is taken from the request: its own members, the members
of the prefetch, and those of the Patient. Inside of what is not read they are not looked for: whichever of two values
counts, neither of them names a disease."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

import msgspec
from msgspec import Struct

from cds_service.errors import BadRequest
from cds_service.gather import settled
from cds_service.limits import decode_request, values_at_most
from cds_service.prefetch import NEEDS_OF, Prefetched, completeness_of, note_missing
from hooks.services import HOOKS, PREFETCH
from hooks.wire import HookRequest, parse_request
from mappings.bundles import decode
from mappings.doubtful import doubtful, resources_of
from mappings.facts import Completeness, Need, PatientFacts
from mappings.prefetched import TAKEN, prefetch
from mappings.raw import RawChart, Resource
from mappings.reader import ChartReader
from mappings.reader.patient import alone
from mappings.skeleton import NOTHING, Skeleton, skeleton
from mappings.versions import Version

HOOKS_AT_A_GLANCE = frozenset({"patient-view", "encounter-start"})
"""hooks that speak of the patient; those of orders speak of drafts."""
_NULL = b"null"
_BESIDES = ("hook", "hookInstance", "context", "fhirServer", "fhirAuthorization", "extension")
_KNOWN = frozenset({"prefetch", *_BESIDES})
_TOLD = ("resourceType", *TAKEN)
_PREFETCH = b'"prefetch":'
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_MEMBER = re.compile(rb'\s*"([A-Za-z0-9_]+)"\s*:\s*')
_NEXT = re.compile(rb"\s*([,}])")


class _Request(msgspec.Struct, forbid_unknown_fields=True):
    """The members of a request; one more and it goes the long way."""

    prefetch: dict[str, msgspec.Raw]
    hook: msgspec.Raw = msgspec.Raw()
    hookInstance: msgspec.Raw = msgspec.Raw()  # noqa: N815 - the name on the wire
    context: msgspec.Raw = msgspec.Raw()
    fhirServer: msgspec.Raw = msgspec.Raw()  # noqa: N815
    fhirAuthorization: msgspec.Raw = msgspec.Raw()  # noqa: N815
    extension: msgspec.Raw = msgspec.Raw()


_COMPLETE = completeness_of(Prefetched(satisfied={need for need, _ in PREFETCH.values()}))
"""what is known when every key was answered and nothing is left to read."""
_DECODER = msgspec.json.Decoder(_Request)


class Glance(Struct, frozen=True):
    """A request whose patient there is nothing to say about, and what is known of the patient."""

    hook: HookRequest
    facts: PatientFacts


class Doubt(Struct, frozen=True):
    """How to find out whether bytes that may name a disease do: the look at bytes, the concepts that it looks for, and
    the FHIR release in which a request's resources are read."""

    concerns: Callable[[bytes], bool]
    concepts: frozenset[str]
    version: Callable[[HookRequest], Version | None]


def glance(
    body: bytes,
    expected_hook: str,
    reader: ChartReader,
    reads: Callable[[HookRequest], bool],
    doubt: Doubt | None = None,
    *,
    max_nodes: int,
) -> Glance | None:
    """The short way, where it can be taken; None for everything else, errors included. The caller has asked the
    prescan; `doubt` is given when it found something. `reads`: whether the request lets us read from its server.
    `max_nodes`: the most values of a request, as on the long way, which says when there are more."""
    if expected_hook not in HOOKS_AT_A_GLANCE or values_at_most(body, max_nodes) > max_nodes:
        return None
    if doubt is None and (seen := _at_once(body, expected_hook, reads)) is not None:
        return seen
    in_doubt: list[bytes] | None = []
    try:
        sent = _DECODER.decode(body)
        if doubt is not None:
            in_doubt = _doubtful(sent.prefetch, doubt, reader)
        members = _members(body, sent) if in_doubt is not None else None
        if members is None or (doubt is not None and doubt.concerns(b",".join(members))):
            return None
        hook = parse_request(
            decode_request(b"{%b}" % b",".join(members)), expected_hook=expected_hook, known_hooks=HOOKS
        )
        states = _states(hook, _skeletons(sent.prefetch, hook.patient_id), reads)
        person = _person(sent.prefetch.get("patient"), doubt is not None) if states is not None else None
    except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
        return None
    if states is None or person is None or states["conditions"].state == "unavailable":
        return None  # irregular, or a question that could not be read (412)
    if doubt is not None and in_doubt and _is_named(in_doubt, hook, person, states, doubt, reader):
        return None
    facts = alone(hook.patient_id, person[0] if person else None, states)
    return None if facts is None else Glance(hook, facts)


def _at_once(body: bytes, expected_hook: str, reads: Callable[[HookRequest], bool]) -> Glance | None:
    """The glance of a body without doubt that ends in its prefetch, as nearly all do: the members before it are read as
    they are, the prefetch in one pass. None when a closer look has to tell."""
    at = body.find(_PREFETCH)
    if at < 0 or not body.endswith(b"}"):
        return None
    try:
        sent = decode_request(body[:at] + _PREFETCH + b"null}")
        if not _KNOWN.issuperset(sent):
            return None
        hook = parse_request(sent, expected_hook=expected_hook, known_hooks=HOOKS)
    except (ValueError, RecursionError, BadRequest):
        return None
    found = prefetch(memoryview(body)[at + len(_PREFETCH) : -1], hook.patient_id)
    states = _states(hook, found.skeletons, reads) if found is not None else None
    if found is None or states is None or states["conditions"].state == "unavailable":
        return None
    facts = alone(hook.patient_id, found.person, states)
    return None if facts is None else Glance(hook, facts)


def _skeletons(values: Mapping[str, msgspec.Raw], patient_id: str) -> Mapping[str, Skeleton | None]:
    """What each Bundle of a prefetch holds; None for what is not regular."""
    return {
        key: NOTHING if key == "patient" or _is_null(raw) else skeleton(raw, patient_id) for key, raw in values.items()
    }


def _doubtful(values: Mapping[str, msgspec.Raw], doubt: Doubt, reader: ChartReader) -> list[bytes] | None:
    """The resources whose bytes concern, when they can be judged by themselves and none of them is coded as one of the
    diseases."""
    resources = resources_of(bytes(raw) for key, raw in values.items() if key != "patient")
    return doubtful(resources, doubt.concerns, lambda one: reader.is_coded(decode(one), doubt.concepts))


def _is_named(
    resources: list[bytes],
    hook: HookRequest,
    person: tuple[Resource, ...],
    states: Mapping[Need, Completeness],
    doubt: Doubt,
    reader: ChartReader,
) -> bool:
    """Whether one of the resources does name a disease, or denies one, or can't be read: then the long way says it."""
    try:
        sent = tuple(decode_request(one) for one in resources)
    except BadRequest:
        return True
    facts = reader.read(RawChart(hook.patient_id, (*person, *sent), states, version=doubt.version(hook)))
    said = any(not doubt.concepts.isdisjoint(finding.concepts) for finding in facts.findings)
    return said or facts.completeness != states


def _members(body: bytes, sent: _Request) -> list[bytes] | None:
    """The members of the request but its prefetch, as they are written; None when it holds anything else, such as a
    key twice.

    The decoder keeps the last of two, so that what it found makes up the whole length of a body without blanks only
    where nothing stands twice; in a body with blanks the values are followed one by one."""
    found = {name: value for name in _BESIDES if (value := getattr(sent, name))}
    if _length(found) + len('"prefetch":,') + _length(sent.prefetch) == len(body):
        return [b'"%b":%b' % (name.encode(), value) for name, value in found.items()]
    return _followed(body, sent)


def _length(members: Mapping[str, msgspec.Raw]) -> int:
    """Of an object of these members, written without blanks; of anything else that holds them it is too short."""
    return 1 + sum([len(name) + len(value) + 4 for name, value in members.items()]) if members else 2


def _followed(body: bytes, sent: _Request) -> list[bytes] | None:
    """The members but the prefetch, found one after another; None when the values do not follow one another."""
    values = {key: bytes(value) for key, value in sent.prefetch.items()}
    members: list[bytes] = []
    at, seen = body.find(b"{") + 1, False
    while (member := _MEMBER.match(body, at)) is not None:
        at = member.end()
        if member[1] == b"prefetch":
            past = None if seen else _past(body, at, values)
            if past is None:
                return None
            at, seen = past, True
        else:
            value = bytes(getattr(sent, member[1].decode("ascii")))
            if not body.startswith(value, at):
                return None
            members.append(b'"%b":%b' % (member[1], value))
            at += len(value)
        following = _NEXT.match(body, at)
        if following is None:
            return None
        if following[1] == b"}":
            return members
        at = following.end()
    return None


def _past(body: bytes, at: int, values: Mapping[str, bytes]) -> int | None:
    """The place after the object of just these members, in this order; None when another object stands there."""
    if body[at : at + 1] != b"{":
        return None
    at += 1
    left = len(values)
    for key, value in values.items():
        member = _MEMBER.match(body, at)
        if member is None or member[1] != key.encode() or not body.startswith(value, member.end()):
            return None
        following = _NEXT.match(body, member.end() + len(value))
        left -= 1
        if following is None or following[1] != (b"," if left else b"}"):
            return None
        at = following.end()
    return at if values else None


def _states(
    hook: HookRequest, values: Mapping[str, Skeleton | None], reads: Callable[[HookRequest], bool]
) -> dict[Need, Completeness] | None:
    """How completely each need is known; None when the prefetch is not regular, or more has to be read."""
    if not PREFETCH.keys() >= values.keys():
        return None
    found = Prefetched()
    for key, (need, _) in PREFETCH.items():
        if key not in values:
            continue
        bones = values[key]
        if bones is None or (bones.kinds and not any(NEEDS_OF.get(kind) == need for kind in bones.kinds)):
            return None
        if bones.next_url:
            found.next_urls.setdefault(need, []).append(bones.next_url)
        found.satisfied.add(need)
    if len(values) == len(PREFETCH) and not found.next_urls:
        return dict(_COMPLETE)
    note_missing(found, set(values))
    return settled(hook, found, reads(hook))


def _person(raw: msgspec.Raw | None, whole: bool) -> tuple[Resource, ...] | None:
    """The Patient, checked for repeated keys; none for null, and None for anything else. `whole`: with what says
    nothing about a patient of whom nothing else is read."""
    if raw is None or _is_null(raw):
        return ()
    found = None if whole else _told(raw)
    if found is None:
        found = decode_request(bytes(raw))
    return (found,) if found.get("resourceType") == "Patient" else None


def _told(raw: msgspec.Raw) -> Resource | None:
    """What is taken of a Patient; None when a member stands twice, or blanks or an odd value ask for a real reading."""
    members = _MEMBERS.decode(raw)
    if _length(members) != len(raw):
        return None
    told = {name: msgspec.json.decode(members[name]) for name in _TOLD if name in members}
    return told if all(type(value) in (str, bool) for value in told.values()) else None


def _is_null(raw: msgspec.Raw) -> bool:
    return len(raw) == len(_NULL) and bytes(raw) == _NULL
