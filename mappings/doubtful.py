"""Which resources a concern of the bytes comes from, and whether these can be judged without the rest of the chart.

The look at bytes (`mappings/prescan.py`) knows words, not meanings: "Prostate enlarged on PR" may stand for a disease
(PR: polyarthrite rhumatoïde) until it is really read. What a resource says of diseases rests on itself alone, but for
a few that speak of others: then the whole chart has to be read."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import msgspec

_AT_ONCE = 64
"""resources looked at together; those of a group that concerns are halved until single ones are left."""
_FEW = 4
_ONE_MORE_FOR = 200
"""how many are read alone: few beside what the whole chart would cost"""
_LEANING = (b'"medicationReference"', b'"specimen"', b'"hasMember"')
"""what takes words, or the material of a test, from another resource."""
_ESCAPED_ASCII = re.compile(rb"\\u00[2-7]")


class _Kind(msgspec.Struct, gc=False, frozen=True):
    resourceType: str  # noqa: N815 - the name on the wire
    id: str = ""


class _Entry(msgspec.Struct, gc=False, frozen=True):
    resource: msgspec.Raw


class _Bundle(msgspec.Struct, gc=False, frozen=True):
    entry: tuple[_Entry, ...] = ()


_BUNDLES = msgspec.json.Decoder(dict[str, _Bundle | None])
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


def doubtful(
    prefetch: bytes | memoryview, concerns: Callable[[bytes], bool], is_sure: Callable[[bytes], bool]
) -> list[bytes] | None:
    """The resources in the Bundles of a prefetch that concern by themselves; None when one of them is sure to mean it,
    when they are more than a few, or when they can't be judged alone. msgspec.DecodeError for anything else."""
    bundles = _BUNDLES.decode(prefetch).values()
    resources = [entry.resource for bundle in bundles if bundle is not None for entry in bundle.entry]
    found: list[bytes] = []
    most = _FEW + len(resources) // _ONE_MORE_FOR
    groups = [resources[at : at + _AT_ONCE] for at in range(0, len(resources), _AT_ONCE)][::-1]
    while groups:
        group = groups.pop()
        if not concerns(b"\n".join(group)):
            continue
        if len(group) > 1:
            groups += (group[len(group) // 2 :], group[: len(group) // 2])
            continue
        found.append(bytes(group[0]))
        if len(found) > most or is_sure(found[-1]):
            return None
    referring: list[bytes] = []
    for one in found:
        kind = _KIND.decode(one)
        if not _stands_alone(one, kind.resourceType):
            return None
        if kind.resourceType in _REFERRED_TO:
            referring.append(one)
    return found if not referring or _nobody_names(referring, b"\n".join(resources)) else None


def _stands_alone(resource: bytes, kind: str) -> bool:
    """Whether it says nothing through another resource."""
    if kind not in _TOLD_APART or _ESCAPED_ASCII.search(resource):
        return False
    return not any(sign in resource for sign in _LEANING)


def _nobody_names(resources: Sequence[bytes], whole: bytes) -> bool:
    """Whether no other resource can name one of these. `whole`: all resources, one after the other."""
    if _ESCAPED_ASCII.search(whole):
        return False
    names = ((_KIND.decode(one).id.encode(), one) for one in resources)
    return all(name and whole.count(name) == one.count(name) for name, one in names)
