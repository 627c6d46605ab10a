"""The fast path of a silent patient: what a request holds is established from its bytes, without reading the chart.

Taken only when it leads to the very answer and record of the long way: the bytes name no connective tissue disease
(`mappings/prescan.py`), or only in a few resources that are then read and do not (`mappings/doubtful.py`); the prefetch
is complete or nothing else may be read, and every resource in it is regular
(`mappings/skeleton.py`). All other requests go the long way from their beginning.

Repeated keys are refused as on the long way in everything that is taken from the request: its own members, the members
of the prefetch, and what is taken of the Patient. Inside of what is not read they are not looked for: whichever of two
values counts, neither of them names a disease."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial

import msgspec
from msgspec import Struct

from cds_service.errors import BadRequest
from cds_service.gather import settled
from cds_service.limits import decode_request, values_at_most
from cds_service.prefetch import NEEDS_OF, Prefetched, completeness_of, note_missing
from hooks.services import HOOKS, PREFETCH
from hooks.wire import HookRequest, parse_request
from mappings.bundles import decode
from mappings.doubtful import Doubtful, doubtful
from mappings.facts import Completeness, Need, PatientFacts
from mappings.prefetched import prefetch
from mappings.prescan import Concern
from mappings.raw import RawChart, Resource
from mappings.reader import ChartReader
from mappings.reader.patient import alone
from mappings.skeleton import Skeleton
from mappings.versions import Version

FAST_PATH_HOOKS = frozenset({"patient-view", "encounter-start"})
"""hooks that speak of the patient; those of orders speak of drafts."""
KNOWN = frozenset({"prefetch", "hook", "hookInstance", "context", "fhirServer", "fhirAuthorization", "extension"})
"""the members of a request; one more and it goes the long way."""
_PREFETCH = b'"prefetch":'


class _Request(msgspec.Struct, gc=False):
    prefetch: msgspec.Raw


_DECODER = msgspec.json.Decoder(_Request)
_COMPLETE = completeness_of(Prefetched(satisfied={need for need, _ in PREFETCH.values()}))
"""what is known when every key was answered and nothing is left to read."""
_KINDS_OF_KEY: Mapping[str, frozenset[str]] = {
    key: frozenset(kind for kind, served in NEEDS_OF.items() if served == need) for key, (need, _) in PREFETCH.items()
}
"""the types of resources that answer a key of the prefetch."""


class SilentCall(Struct, frozen=True):
    """A request whose patient there is nothing to say about, and what is known of the patient."""

    hook: HookRequest
    facts: PatientFacts


class Doubt(Struct, frozen=True):
    """How to find out whether bytes that may name a disease do: where they may, the look at bytes, the concepts that it
    looks for, and the FHIR release in which a request's resources are read."""

    concern: Concern
    concerns: Callable[[bytes], bool]
    concepts: frozenset[str]
    version: Callable[[HookRequest], Version | None]


def silent_call(
    body: bytes,
    expected_hook: str,
    reader: ChartReader,
    reads: Callable[[HookRequest], bool],
    doubt: Doubt | None = None,
    *,
    max_nodes: int,
) -> SilentCall | None:
    """The fast path, where it can be taken; None for everything else, errors included. The caller has asked the
    prescan; `doubt` is given when it found something. `reads`: whether the request lets us read from its server.
    `max_nodes`: the most values of a request, as on the long way, which says when there are more."""
    if expected_hook not in FAST_PATH_HOOKS or values_at_most(body, max_nodes) > max_nodes:
        return None
    for rest, sent in parted(body):
        in_doubt: Doubtful | None = None
        try:
            members = decode_request(rest)
            if members.get("prefetch", rest) is not None or not KNOWN.issuperset(members):
                continue
            hook = parse_request(members, expected_hook=expected_hook, known_hooks=HOOKS)
            if doubt is not None:
                in_doubt = None if doubt.concerns(rest) else _doubtful(body, doubt, reader)
                if in_doubt is None:
                    return None
        except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
            continue
        found = prefetch(sent, hook.patient_id)
        if found is None:
            continue
        bones = found.skeletons
        if bones is None or (in_doubt is not None and in_doubt.entries != bones.entries):
            return None
        states = _states(hook, bones.of, reads)
        if states is None or states["conditions"].state == "unavailable":
            return None  # irregular, or a question that could not be read (412)
        doubtfuls = in_doubt.resources if in_doubt is not None else ()
        if doubtfuls and doubt is not None and _is_named(doubtfuls, hook, found.person, states, doubt, reader):
            return None
        facts = alone(hook.patient_id, found.person, states)
        return None if facts is None else SilentCall(hook, facts)
    return None


def parted(body: bytes) -> Iterator[tuple[bytes, memoryview]]:
    """The request with null for its prefetch, and the prefetch: as it is when that is the last member, as nearly
    always, then wherever it stands. What is no such request does not decode, or has another prefetch still."""
    at = body.find(_PREFETCH) + len(_PREFETCH)
    if body.endswith(b"}"):
        yield body[:at] + b"null}", memoryview(body)[at:-1]
    try:
        value = bytes(_DECODER.decode(body).prefetch)
    except (msgspec.DecodeError, RecursionError):
        return
    before, _, behind = body.partition(value)
    yield before + b"null" + behind, memoryview(value)


def _doubtful(body: bytes, doubt: Doubt, reader: ChartReader) -> Doubtful | None:
    """The resources whose bytes concern, when they can be judged by themselves and none of them is coded as one of the
    diseases."""
    return doubtful(body, doubt.concern, doubt.concerns, partial(is_coded, reader, doubt.concepts))


def is_coded(reader: ChartReader, concepts: frozenset[str], resource: bytes) -> bool:
    """Whether a resource is coded as one of the concepts."""
    return reader.is_coded(decode(resource), concepts)


def _is_named(
    resources: Sequence[bytes],
    hook: HookRequest,
    person: Resource | None,
    states: Mapping[Need, Completeness],
    doubt: Doubt,
    reader: ChartReader,
) -> bool:
    """Whether one of the resources does name a disease, or denies one, or can't be read: then the long way says it."""
    try:
        sent = [decode_request(one) for one in resources]
    except BadRequest:
        return True
    if person is not None:
        sent.append(person)
    facts = reader.read(RawChart(hook.patient_id, tuple(sent), states, version=doubt.version(hook)))
    said = any(not doubt.concepts.isdisjoint(finding.concepts) for finding in facts.findings)
    return said or facts.completeness != states


def _states(
    hook: HookRequest, values: Mapping[str, Skeleton], reads: Callable[[HookRequest], bool]
) -> dict[Need, Completeness] | None:
    """How completely each need is known; None when the prefetch is not regular, or more has to be read."""
    whole = len(values) == len(PREFETCH)
    for key, bones in values.items():
        serving = _KINDS_OF_KEY.get(key)
        if serving is None or bones.is_doubtful or (bones.kinds and serving.isdisjoint(bones.kinds)):
            return None
        whole = whole and not bones.next_url
    if whole:
        return dict(_COMPLETE)
    found = Prefetched()
    for key, (need, _) in PREFETCH.items():
        if key not in values:
            continue
        if url := values[key].next_url:
            found.next_urls.setdefault(need, []).append(url)
        found.satisfied.add(need)
    note_missing(found, set(values))
    return settled(hook, found, reads(hook))
