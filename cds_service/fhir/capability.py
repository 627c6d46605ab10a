"""What a FHIR server says of itself at `/metadata`: its release, the types it lets search, and whether by POST.

Asked once per server beside the reads of a chart, never waited for and never needed: without an answer the shapes of
the resources decide, and a refused POST is learned from its refusal."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping
from typing import Literal

from msgspec import Struct, field
from msgspec.structs import replace

from mappings.raw import as_list
from mappings.versions import Version, version_of

Manner = Literal["long", "short", "counted", "plain", "bare", "by-category", "one-by-one", "open", "refused", "failing"]
"""long: gives its pages so fast that long ones come in time. short: does not, or refuses them. counted: takes our
`_count`. plain: refuses `_sort` or `_include`. bare: any `_count` too. by-category: demands a category. one-by-one: its
pages can't be asked for before the page that links to them. open: refuses a category. refused: does not give this
type. failing: failed at it, and has not said that it has it."""
_SEARCH_MODE = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-search-mode"
_KEPT_SECONDS = 3600.0
_FAILED_SECONDS = 60.0
"""how long a server that did not answer is not asked again."""
_MOST_SERVERS = 1000


class Capability(Struct, frozen=True):
    version: Version | None = None
    posts: bool | None = None
    """False: search by GET only; None: not said."""
    types: frozenset[str] | None = None
    """the resource types that may be searched; None: not said."""

    def searches(self, kind: str) -> bool | None:
        """Whether a type may be searched; None: not said."""
        return None if self.types is None else kind in self.types


def read_capability(statement: object) -> Capability | None:
    """From a CapabilityStatement; None when it is something else."""
    if not isinstance(statement, Mapping) or statement.get("resourceType") not in (
        "CapabilityStatement",
        "Conformance",
    ):
        return None
    rest = statement.get("rest")
    modes = {
        extension.get("valueCode")
        for entry in (rest if isinstance(rest, list) else ())
        if isinstance(entry, Mapping)
        for extension in as_list(entry.get("extension"))
        if isinstance(extension, Mapping)
        and extension.get("url") == _SEARCH_MODE
        and isinstance(extension.get("valueCode"), str)
    }
    posts = False if modes == {"GET"} else True if modes & {"POST", "both"} else None
    return Capability(version_of(statement.get("fhirVersion")), posts, _types(rest))


def _types(rest: object) -> frozenset[str] | None:
    """The types that may be searched: all that are listed, but those with a list of interactions that lacks it."""
    listed = [
        resource
        for entry in as_list(rest)
        if isinstance(entry, Mapping) and entry.get("mode", "server") == "server"
        for resource in as_list(entry.get("resource"))
        if isinstance(resource, Mapping) and isinstance(resource.get("type"), str)
    ]
    return frozenset(str(resource["type"]) for resource in listed if _is_searched(resource)) if listed else None


def _is_searched(resource: Mapping[str, object]) -> bool:
    interactions = as_list(resource.get("interaction"))
    codes = {one.get("code") for one in interactions if isinstance(one, Mapping) and isinstance(one.get("code"), str)}
    return not codes or "search-type" in codes


class Capabilities(Struct):
    """What is known of the servers of one HTTP client; nothing of a patient."""

    clock: Callable[[], float] = time.monotonic
    _known: dict[str, tuple[Capability, float]] = field(default_factory=dict)
    _manners: dict[tuple[str, str], dict[Manner, float]] = field(default_factory=dict)
    """until when each counts"""

    def of(self, base: str) -> Capability:
        """What is known now; an empty Capability when nothing is."""
        found = self._known.get(base)
        return found[0] if found is not None else Capability()

    def due(self, base: str) -> bool:
        """Whether the server should be asked."""
        found = self._known.get(base)
        return found is None or found[1] <= self.clock()

    def learned(self, base: str, capability: Capability | None) -> None:
        """None: the server gave no usable answer; what was known of it stays."""
        before = self.of(base)
        seconds = _FAILED_SECONDS if capability is None else _KEPT_SECONDS
        if capability is not None and capability.posts is None:
            capability = replace(capability, posts=before.posts)
        self._keep(base, capability or before, seconds)

    def refused_post(self, base: str) -> None:
        found = self._known.get(base)
        until = found[1] if found is not None else self.clock()
        self._keep(base, replace(self.of(base), posts=False), max(until - self.clock(), 0.0))

    def manners(self, base: str, kind: str) -> frozenset[Manner]:
        """How searches of a type have to be asked at this server, as far as its answers have taught us."""
        found = self._manners.get((base, kind))
        return frozenset() if found is None else frozenset(m for m, until in found.items() if until > self.clock())

    def has_manner(self, base: str, kind: str, manner: Manner, *, lasting: bool = True) -> None:
        """`lasting`: it is how the server works; otherwise it may have been the hour, and counts for one."""
        if (base, kind) not in self._manners and len(self._manners) >= _MOST_SERVERS:
            self._manners.pop(next(iter(self._manners)))
        until = math.inf if lasting else self.clock() + _KEPT_SECONDS
        self._manners.setdefault((base, kind), {})[manner] = until

    def _keep(self, base: str, capability: Capability, seconds: float) -> None:
        if base not in self._known and len(self._known) >= _MOST_SERVERS:
            self._known.pop(next(iter(self._known)))
        self._known[base] = (capability, self.clock() + seconds)
