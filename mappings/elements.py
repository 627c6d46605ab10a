"""Observations and Conditions taken apart into their elements, each still as it is written.

Known are the elements that nearly all of them have; a resource with any other is for the ordinary decoder. `Raw` is an
element as it is written, empty where there is none."""

from __future__ import annotations

from typing import ClassVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

_BETWEEN = b"\1"
"""no JSON text holds this sign"""
NO_NUMBER = b""
"""of what is no measurement"""


class _Meta(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    versionId: str | UnsetType = UNSET  # noqa: N815 - names on the wire, here and below
    lastUpdated: str | UnsetType = UNSET  # noqa: N815
    source: Raw = Raw()
    profile: Raw = Raw()
    security: Raw = Raw()
    tag: Raw = Raw()


class _Reference(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    reference: str
    type: Raw = Raw()
    display: Raw = Raw()


class _Quantity(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    value: Raw
    comparator: Raw = Raw()
    unit: Raw = Raw()
    system: Raw = Raw()
    code: Raw = Raw()


_NO_META = _Meta()
_NO_REFERENCE = _Reference("")
_NO_QUANTITY = _Quantity(Raw(NO_NUMBER))


class Observation(
    Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="resourceType", tag=True
):
    """What decides and what says whose, where and when: `mappings/reader/silence.py` has both."""

    id: str
    meta: _Meta = _NO_META
    identifier: Raw = Raw()
    status: Raw = Raw()
    category: Raw = Raw()
    code: Raw = Raw()
    subject: _Reference = _NO_REFERENCE
    encounter: _Reference = _NO_REFERENCE
    effectiveDateTime: str | UnsetType = UNSET  # noqa: N815
    issued: str | UnsetType = UNSET
    performer: Raw = Raw()
    valueQuantity: _Quantity = _NO_QUANTITY  # noqa: N815
    valueCodeableConcept: Raw = Raw()  # noqa: N815
    valueString: Raw = Raw()  # noqa: N815
    valueBoolean: Raw = Raw()  # noqa: N815
    interpretation: Raw = Raw()
    referenceRange: Raw = Raw()  # noqa: N815
    component: Raw = Raw()

    kind: ClassVar = "Observation"

    def number(self) -> bytes:
        """The number that was measured."""
        return bytes(self.valueQuantity.value)

    def dates(self) -> tuple[str | UnsetType, ...]:
        return self.effectiveDateTime, self.issued

    def alike(self) -> bytes:
        """What it says, whoever it is of and whenever, but for the number; the same only for the same."""
        quantity = self.valueQuantity
        return _BETWEEN.join(
            (
                b"Observation" if quantity is _NO_QUANTITY else b"Observation of a number",
                self.status,
                self.category,
                self.code,
                quantity.comparator,
                quantity.unit,
                quantity.system,
                quantity.code,
                self.valueCodeableConcept,
                self.valueString,
                self.valueBoolean,
                self.interpretation,
                self.referenceRange,
                self.component,
            )
        )

    def besides(self) -> bytes:
        """All the rest that nobody looks at."""
        return _BETWEEN.join((*_besides(self.meta, self.subject, self.encounter), self.identifier, self.performer))


class Condition(
    Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="resourceType", tag=True
):
    """As `Observation`."""

    id: str
    meta: _Meta = _NO_META
    identifier: Raw = Raw()
    clinicalStatus: Raw = Raw()  # noqa: N815
    verificationStatus: Raw = Raw()  # noqa: N815
    category: Raw = Raw()
    severity: Raw = Raw()
    code: Raw = Raw()
    subject: _Reference = _NO_REFERENCE
    encounter: _Reference = _NO_REFERENCE
    onsetDateTime: str | UnsetType = UNSET  # noqa: N815
    abatementDateTime: str | UnsetType = UNSET  # noqa: N815
    recordedDate: str | UnsetType = UNSET  # noqa: N815
    recorder: Raw = Raw()
    asserter: Raw = Raw()

    kind: ClassVar = "Condition"

    def number(self) -> bytes:
        return NO_NUMBER

    def dates(self) -> tuple[str | UnsetType, ...]:
        return self.onsetDateTime, self.abatementDateTime, self.recordedDate

    def alike(self) -> bytes:
        return _BETWEEN.join(
            (
                b"Condition",
                self.clinicalStatus,
                self.verificationStatus,
                self.category,
                self.severity,
                self.code,
            )
        )

    def besides(self) -> bytes:
        rest = (self.identifier, self.recorder, self.asserter)
        return _BETWEEN.join((*_besides(self.meta, self.subject, self.encounter), *rest))


Told = Observation | Condition
_TOLD = msgspec.json.Decoder(Told)
_ENCODER = msgspec.json.Encoder()


def _besides(meta: _Meta, *references: _Reference) -> tuple[Raw, ...]:
    """What a resource has in such elements and nobody looks at."""
    if meta is _NO_META:
        found: tuple[Raw, ...] = ()
    else:
        found = (meta.source, meta.profile, meta.security, meta.tag)
    for reference in references:
        found = (*found, reference.type, reference.display)
    return found


def taken_apart(raw: Raw) -> Told | None:
    """The elements of an Observation or Condition; None of anything else, with any other element, or written otherwise
    than programs write JSON.

    Written again it would be as long: so there are no blanks, no signs escaped that need not be, and nothing is there
    twice, which would be left out."""
    try:
        told = _TOLD.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return told if len(_ENCODER.encode(told)) == len(raw) else None
