"""The case so far: what the criteria established, on which workup and therapy rules are asked."""

from __future__ import annotations

from msgspec import Struct

from hooks.model import Criteria, Differential, Grade, RedFlag
from mappings.facts import Lesion


class Case(Struct, frozen=True):
    """`lesions` are the qualifying lesions that decide (N1 to N4 that count); `regions` their body regions with those
    that imaging added; `flags` the red-flag ids; `mimics` the ids of the differential that are live."""

    grade: Grade
    criteria: Criteria
    lesions: tuple[Lesion, ...] = ()
    regions: frozenset[str] = frozenset()
    red_flags: tuple[RedFlag, ...] = ()
    differential: tuple[Differential, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def flags(self) -> frozenset[str]:
        return frozenset(flag.id for flag in self.red_flags)

    @property
    def mimics(self) -> frozenset[str]:
        return frozenset(item.id for item in self.differential)
