"""A whole prefetch decoded in one pass: the skeletons of its Bundles, and of the Patient what is taken of one."""

from __future__ import annotations

import threading
from typing import Any

import msgspec
from msgspec import Struct

from mappings.raw import Resource
from mappings.reader.patient import REPLACED_BY
from mappings.skeleton import CONTENT, Skeletons, skeletons_of

TAKEN = ("id", "gender", "birthDate", "deceasedBoolean", "deceasedDateTime")
"""of a Patient when nothing else is read (`mappings/reader/patient.py`)."""


class _Key(str):
    __slots__ = ()


class _Said:
    """A value as it was sent."""

    __slots__ = ("value",)

    def __init__(self, value: Any) -> None:
        self.value = value


_LOCK = threading.Lock()
_met: list[Any] = []
"""the kinds of the keys and values of interest that the decoder has met: of two of one name it keeps the last. Of one
decoding at a time; what each thread has for itself takes longer to find than the rest of the note."""


def _note(kind: Any, value: Any) -> Any:
    _met.append(kind)
    return kind(value)


_BUNDLE: Any = msgspec.defstruct("Bundle", CONTENT, tag_field="resourceType", tag="Bundle", gc=False, frozen=True)


class _Link(msgspec.Struct, gc=False, frozen=True):
    type: str = ""


_PATIENT: Any = msgspec.defstruct(
    "Patient",
    [*((name, _Said, msgspec.UNSET) for name in TAKEN), ("link", list[_Link], ())],
    tag_field="resourceType",
    tag="Patient",
    gc=False,
    frozen=True,
)
_DECODER = msgspec.json.Decoder(dict[_Key, _BUNDLE | _PATIENT | None], dec_hook=_note)


class Prefetch(Struct, frozen=True):
    """What the Bundles hold (None: not regular), and the Patient as far as it is taken (None: there is none)."""

    skeletons: Skeletons | None
    person: Resource | None


def prefetch(raw: memoryview, patient_id: str) -> Prefetch | None:
    """The prefetch of a request; None when it has to be looked at more closely: a key stands twice, a value is neither
    a Bundle nor null, or the Patient is no regular one. Never raises."""
    with _LOCK:
        _met.clear()
        try:
            found: dict[Any, Any] = _DECODER.decode(raw)
        except (msgspec.DecodeError, ValueError, RecursionError):
            return None
        met = len(_met)
    keys = len(found)
    person = found.pop("patient", None)
    told: dict[str, Any] = {}
    if person is not None:
        if type(person) is not _PATIENT or any(link.type == REPLACED_BY for link in person.link):
            return None
        told = {name: said.value for name in TAKEN if (said := getattr(person, name)) is not msgspec.UNSET}
    if met != keys + len(told) or not all(type(value) in (str, bool) for value in told.values()):
        return None
    if any(type(value) is _PATIENT for value in found.values()):
        return None
    if len(found) < keys:
        found["patient"] = None
    return Prefetch(skeletons_of(found, patient_id), None if person is None else {"resourceType": "Patient", **told})
