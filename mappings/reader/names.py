"""What the names of measurements and prescriptions mean, for the life of the process: every chart calls its sodium by
the same few codes, and "hydroxychloroquine 200 mg twice a day" is written the same way in thousands of them.

As in `silence.py` no chart text outlives its request: a name is kept as a digest under a random key, its meaning in
our own ids, a dose as a number."""

from __future__ import annotations

import secrets
from decimal import Decimal
from hashlib import blake2b
from typing import TypeVar

from msgspec import Struct

from mappings.drugs import DrugIds
from mappings.reader.digests import ByDigest

_MOST = 8192
_M = TypeVar("_M")


class Test(Struct, frozen=True):
    """The analyte, the LOINC property of its code (mass, moles), the antibody; `conflict`: words against the code."""

    analyte: str
    property: str | None = None
    antibody: str | None = None
    conflict: bool = False


class Meaning(Struct):
    """The test that a code names, if it is one of ours and no other material is named; `says_nothing`: whether a panel
    of that name says nothing by itself, None until somebody asked."""

    test: Test | None
    other_material: bool
    says_nothing: bool | None = None


class Dosed(Struct, frozen=True):
    """The drug of a prescription, its route and dose; `infused`: its words say so; `known`: it is a drug of ours, even
    one that does not count by its route."""

    ids: DrugIds
    route: str | None
    daily: Decimal | None
    unit: str | None
    strength: Decimal | None
    strength_unit: str | None
    delayed_release: bool
    infused: bool
    readable: bool
    known: bool


class Names(ByDigest[_M]):
    """Meanings of names."""

    def __init__(self, most: int = _MOST) -> None:
        super().__init__(most)
        self._key = secrets.token_bytes(32)

    def digest(self, written: bytes) -> bytes:
        return blake2b(written, digest_size=16, key=self._key).digest()
