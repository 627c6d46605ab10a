"""Resources taken apart into their elements: what decides as it is written, what says whose, where and when as text.

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
Text = str | UnsetType


class _Meta(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    versionId: Text = UNSET  # noqa: N815 - names on the wire, here and below
    lastUpdated: Text = UNSET  # noqa: N815
    source: Text = UNSET
    profile: Raw = Raw()
    security: Raw = Raw()
    tag: Raw = Raw()


class _Reference(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    reference: Text = UNSET
    type: Text = UNSET
    display: Text = UNSET


class _Period(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    start: Text = UNSET
    end: Text = UNSET


class _Quantity(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    value: Raw
    comparator: Raw = Raw()
    unit: Raw = Raw()
    system: Raw = Raw()
    code: Raw = Raw()


_NO_META = _Meta()
_NO_REFERENCE = _Reference()
_NO_PERIOD = _Period()
_NO_QUANTITY = _Quantity(Raw(NO_NUMBER))
_References = list[_Reference] | UnsetType


class Resource(
    Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="resourceType", tag=True
):
    """What all of them have."""

    id: str
    meta: _Meta = _NO_META
    identifier: Raw = Raw()
    status: Raw = Raw()
    category: Raw = Raw()
    code: Raw = Raw()
    subject: _Reference = _NO_REFERENCE
    encounter: _Reference = _NO_REFERENCE

    def number(self) -> bytes:
        """The number that was measured."""
        return NO_NUMBER

    def dates(self) -> tuple[Text, ...]:
        """The dates that a resource is read without when they can't be."""
        return ()

    def alike(self) -> bytes:
        """What it says, whoever it is of and whenever, but for the number; the same only for the same."""
        raise NotImplementedError

    def besides(self) -> bytes:
        """All the rest that is not text: nobody looks at it."""
        meta = self.meta
        return _BETWEEN.join((meta.profile, meta.security, meta.tag, self.identifier))


class Observation(Resource, frozen=True, tag="Observation"):
    """Its elements are those of `mappings/reader/silence.py`."""

    effectiveDateTime: Text = UNSET  # noqa: N815
    issued: Text = UNSET
    performer: _References = UNSET
    valueQuantity: _Quantity = _NO_QUANTITY  # noqa: N815
    valueCodeableConcept: Raw = Raw()  # noqa: N815
    valueString: Raw = Raw()  # noqa: N815
    valueBoolean: Raw = Raw()  # noqa: N815
    interpretation: Raw = Raw()
    referenceRange: Raw = Raw()  # noqa: N815
    component: Raw = Raw()

    kind: ClassVar = "Observation"

    def number(self) -> bytes:
        return bytes(self.valueQuantity.value)

    def dates(self) -> tuple[Text, ...]:
        return self.effectiveDateTime, self.issued

    def alike(self) -> bytes:
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


class Condition(Resource, frozen=True, tag="Condition"):
    clinicalStatus: Raw = Raw()  # noqa: N815
    verificationStatus: Raw = Raw()  # noqa: N815
    severity: Raw = Raw()
    onsetDateTime: Text = UNSET  # noqa: N815
    abatementDateTime: Text = UNSET  # noqa: N815
    recordedDate: Text = UNSET  # noqa: N815
    recorder: _Reference = _NO_REFERENCE
    asserter: _Reference = _NO_REFERENCE

    kind: ClassVar = "Condition"

    def dates(self) -> tuple[Text, ...]:
        return self.onsetDateTime, self.abatementDateTime, self.recordedDate

    def alike(self) -> bytes:
        said = (self.status, self.clinicalStatus, self.verificationStatus, self.category, self.severity, self.code)
        return _BETWEEN.join((b"Condition", *said))


class Procedure(Resource, frozen=True, tag="Procedure"):
    performedDateTime: Text = UNSET  # noqa: N815
    performedPeriod: _Period = _NO_PERIOD  # noqa: N815
    recorder: _Reference = _NO_REFERENCE
    asserter: _Reference = _NO_REFERENCE
    location: _Reference = _NO_REFERENCE
    reasonReference: _References = UNSET  # noqa: N815
    bodySite: Raw = Raw()  # noqa: N815

    kind: ClassVar = "Procedure"

    def dates(self) -> tuple[Text, ...]:
        return (self.performedDateTime,)

    def alike(self) -> bytes:
        return _BETWEEN.join((b"Procedure", self.status, self.category, self.code, self.bodySite))


class DiagnosticReport(Resource, frozen=True, tag="DiagnosticReport"):
    """One without text: a list of results."""

    effectiveDateTime: Text = UNSET  # noqa: N815
    issued: Text = UNSET
    performer: _References = UNSET
    result: _References = UNSET

    kind: ClassVar = "DiagnosticReport"

    def dates(self) -> tuple[Text, ...]:
        return self.effectiveDateTime, self.issued

    def alike(self) -> bytes:
        return _BETWEEN.join((b"DiagnosticReport", self.status, self.category, self.code))


class MedicationRequest(Resource, frozen=True, tag="MedicationRequest"):
    intent: Raw = Raw()
    medicationCodeableConcept: Raw = Raw()  # noqa: N815
    authoredOn: Text = UNSET  # noqa: N815
    requester: _Reference = _NO_REFERENCE
    recorder: _Reference = _NO_REFERENCE
    reasonReference: _References = UNSET  # noqa: N815
    dosageInstruction: Raw = Raw()  # noqa: N815

    kind: ClassVar = "MedicationRequest"

    def dates(self) -> tuple[Text, ...]:
        return (self.authoredOn,)

    def alike(self) -> bytes:
        said = (self.status, self.intent, self.category, self.code)
        return _BETWEEN.join((b"MedicationRequest", *said, self.medicationCodeableConcept, self.dosageInstruction))


Told = Observation | Condition | Procedure | DiagnosticReport | MedicationRequest
_TOLD = msgspec.json.Decoder(Told)
_ENCODER = msgspec.json.Encoder()


def taken_apart(raw: Raw) -> Told | None:
    """The elements of such a resource; None of anything else, with any other element, or written otherwise than
    programs write JSON.

    Written again it would be as long: so there are no blanks, no signs escaped that need not be, and nothing is there
    twice, which would be left out."""
    try:
        told = _TOLD.decode(raw)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return told if len(_ENCODER.encode(told)) == len(raw) else None
