"""Resources taken apart into their elements: what decides as it is written, what says whose, where and when as text.

Known are the elements that nearly all of them have; a resource with any other is for the ordinary decoder. `Raw` is an
element as it is written, empty where there is none."""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import Any, ClassVar

import msgspec
from msgspec import UNSET, Raw, Struct, UnsetType

BETWEEN, _BETWEEN_PARTS = b"\1", b"\3"
"""no JSON text holds these signs"""
NO_NUMBER = b""
"""of what is no measurement"""
Text = str | UnsetType
_NONE = Raw()
_NOTHING = (_NONE,) * 6
_JOINED = BETWEEN.join


class _Meta(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    versionId: Text = UNSET
    lastUpdated: Text = UNSET
    source: Text = UNSET
    profile: Raw = _NONE
    security: Raw = _NONE
    tag: Raw = _NONE


class _Reference(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    reference: Text = UNSET
    type: Text = UNSET
    display: Text = UNSET


class _Period(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    start: Text = UNSET
    end: Text = UNSET


class Amount(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """A Quantity as it is written."""

    value: Raw
    comparator: Raw = _NONE
    unit: Raw = _NONE
    system: Raw = _NONE
    code: Raw = _NONE


_NO_QUANTITY = Amount(Raw(NO_NUMBER), Raw(b"\2"))
"""its comparator, which no JSON text holds, tells it from a quantity of the number alone"""


class _Component(Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True, kw_only=True):
    code: Raw = _NONE
    valueQuantity: Amount = _NO_QUANTITY
    valueCodeableConcept: Raw = _NONE
    valueString: Raw = _NONE
    valueBoolean: Raw = _NONE
    valueInteger: Raw = _NONE
    dataAbsentReason: Raw = _NONE
    interpretation: Raw = _NONE
    referenceRange: Raw = _NONE

    @property
    def is_plain(self) -> bool:
        """Whether it is a number under a name, if any."""
        others = (self.valueCodeableConcept, self.valueString, self.valueBoolean, self.valueInteger)
        return others == _NOTHING[:4] and not self.dataAbsentReason


_NO_META = _Meta()
_NO_REFERENCE = _Reference()
_NO_PERIOD = _Period()
_References = list[_Reference] | UnsetType


class Resource(
    Struct, gc=False, frozen=True, forbid_unknown_fields=True, omit_defaults=True, tag_field="resourceType", tag=True
):
    """What all of them have."""

    id: str
    meta: _Meta = _NO_META
    identifier: Raw = _NONE
    status: Raw = _NONE
    category: Raw = _NONE
    code: Raw = _NONE
    subject: _Reference = _NO_REFERENCE
    encounter: _Reference = _NO_REFERENCE

    kind: ClassVar[str]

    said: ClassVar[Any]
    """what a resource of this kind says, whoever it is of and whenever"""
    when: ClassVar[tuple[Any, ...]]
    """the dates that it is read without when they can't be"""

    @classmethod
    def alike(cls, every: Sequence[Any]) -> list[bytes]:
        """What each of some resources of this kind says, but for the number; the same only for the same."""
        name, said = cls.kind.encode(), cls.said
        return [_JOINED((name, *said(told))) for told in every]

    @classmethod
    def dates(cls, every: Sequence[Any]) -> set[Text]:
        """The dates of some resources of this kind."""
        return set[Text]().union(*[map(date, every) for date in cls.when])


def _panel(components: Sequence[_Component]) -> bytes:
    """What the components of a panel say, but for their numbers."""
    return _BETWEEN_PARTS.join(
        [
            _JOINED(
                (
                    part.code,
                    (quantity := part.valueQuantity).comparator,
                    quantity.unit,
                    quantity.system,
                    quantity.code,
                    part.valueCodeableConcept,
                    part.valueString,
                    part.valueBoolean,
                    part.valueInteger,
                    part.dataAbsentReason,
                    part.interpretation,
                    part.referenceRange,
                )
            )
            for part in components
        ]
    )


class Observation(Resource, frozen=True, tag="Observation"):
    """Its elements are those of `mappings/reader/silence.py`."""

    effectiveDateTime: Text = UNSET
    issued: Text = UNSET
    performer: _References = UNSET
    valueQuantity: Amount = _NO_QUANTITY
    valueCodeableConcept: Raw = _NONE
    valueString: Raw = _NONE
    valueBoolean: Raw = _NONE
    interpretation: Raw = _NONE
    referenceRange: Raw = _NONE
    component: list[_Component] | UnsetType = UNSET

    kind: ClassVar = "Observation"
    when: ClassVar = (attrgetter("effectiveDateTime"), attrgetter("issued"))

    @classmethod
    def alike(cls, every: Sequence[Any]) -> list[bytes]:
        return [
            _JOINED(
                (
                    b"Observation",
                    told.status,
                    told.category,
                    told.code,
                    (quantity := told.valueQuantity).comparator,
                    quantity.unit,
                    quantity.system,
                    quantity.code,
                    *(
                        ()
                        if (
                            rest := (
                                told.valueCodeableConcept,
                                told.valueString,
                                told.valueBoolean,
                                told.interpretation,
                                told.referenceRange,
                                _NONE if told.component is UNSET else _panel(told.component),
                            )
                        )
                        == _NOTHING
                        else rest
                    ),
                )
            )
            for told in every
        ]


class Condition(Resource, frozen=True, tag="Condition"):
    clinicalStatus: Raw = _NONE
    verificationStatus: Raw = _NONE
    severity: Raw = _NONE
    onsetDateTime: Text = UNSET
    abatementDateTime: Text = UNSET
    recordedDate: Text = UNSET
    recorder: _Reference = _NO_REFERENCE
    asserter: _Reference = _NO_REFERENCE

    kind: ClassVar = "Condition"
    said: ClassVar = attrgetter("status", "clinicalStatus", "verificationStatus", "category", "severity", "code")
    when: ClassVar = (
        attrgetter("onsetDateTime"),
        attrgetter("abatementDateTime"),
        attrgetter("recordedDate"),
    )


class Procedure(Resource, frozen=True, tag="Procedure"):
    performedDateTime: Text = UNSET
    performedPeriod: _Period = _NO_PERIOD
    recorder: _Reference = _NO_REFERENCE
    asserter: _Reference = _NO_REFERENCE
    location: _Reference = _NO_REFERENCE
    reasonReference: _References = UNSET
    bodySite: Raw = _NONE

    kind: ClassVar = "Procedure"
    said: ClassVar = attrgetter("status", "category", "code", "bodySite")
    when: ClassVar = (attrgetter("performedDateTime"),)


class DiagnosticReport(Resource, frozen=True, tag="DiagnosticReport"):
    """One without text: a list of results."""

    effectiveDateTime: Text = UNSET
    issued: Text = UNSET
    performer: _References = UNSET
    result: _References = UNSET

    kind: ClassVar = "DiagnosticReport"
    said: ClassVar = attrgetter("status", "category", "code")
    when: ClassVar = (
        attrgetter("effectiveDateTime"),
        attrgetter("issued"),
    )


class MedicationRequest(Resource, frozen=True, tag="MedicationRequest"):
    intent: Raw = _NONE
    medicationCodeableConcept: Raw = _NONE
    authoredOn: Text = UNSET
    requester: _Reference = _NO_REFERENCE
    recorder: _Reference = _NO_REFERENCE
    reasonReference: _References = UNSET
    dosageInstruction: Raw = _NONE

    kind: ClassVar = "MedicationRequest"
    said: ClassVar = attrgetter(
        "status", "intent", "category", "code", "medicationCodeableConcept", "dosageInstruction"
    )
    when: ClassVar = (attrgetter("authoredOn"),)


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


def written(told: Told) -> bytes:
    """The resource as JSON again, its members in an order of ours."""
    return _ENCODER.encode(told)


def numbers_of(every: Sequence[Told]) -> list[bytes]:
    """The number that was measured by each of them; of a panel all that were, with blanks between them."""
    return [
        NO_NUMBER
        if type(told) is not Observation
        else bytes(told.valueQuantity.value)
        if told.component is UNSET
        else b" ".join([one.value for one in _amounts(told, told.component) if one.value])
        for told in every
    ]


def _amounts(told: Observation, components: Sequence[_Component]) -> list[Amount]:
    return [told.valueQuantity, *[part.valueQuantity for part in components]]


def besides(every: Sequence[Told]) -> set[bytes]:
    """All the rest of some resources that is not text, each once: nobody looks at it."""
    return {_JOINED(((meta := told.meta).profile, meta.security, meta.tag, told.identifier)) for told in every}
