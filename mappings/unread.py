"""A resource that was taken apart, is known to an early look, and may never be decoded at all."""

from __future__ import annotations

from abc import ABCMeta
from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Protocol

import msgspec
from msgspec import Struct, StructMeta

from mappings.elements import Told, written
from mappings.versions import Version, as_r4

_DECODER = msgspec.json.Decoder(float_hook=Decimal)


class Form(Protocol):
    """What is known of all resources of one chart that say the same but for the number (`mappings/reader/alike.py`)."""

    version: Version | None
    """the release that they are read as"""

    silent: bool
    """whether no fact follows from them, whichever usual number was measured"""

    plain: Any
    """the first of them, as `mappings/reader/measured.py` keeps it, when it was a plain measurement"""

    again: Any
    """what the first of them said (`mappings/reader/again.py`), when the others say the same"""

    is_foreign: bool | None
    """of a report, whether its results are of another material than blood; None until somebody asked"""

    def says_nothing(self, number: bytes) -> bool:
        """Whether no fact follows from one of them with this number and readable dates."""

    def said_nothing(self, number: bytes, *, exactly: bool) -> None:
        """Remembers that no fact followed: from this number (`exactly`), or whichever was measured."""


class _Kind(StructMeta, ABCMeta):
    """Of a Struct that is a Mapping."""


class Unread(Struct, Mapping[str, Any], metaclass=_Kind, gc=False, eq=False):
    """A resource of the patient by its elements: a Mapping as any other, cheap as long as only type and id are asked
    for. It is made thousands of times, and so a Struct, which takes a third of the time to make.

    `ref` is "Type/id"; `number` is what was measured, as it is written; `dated`: all its dates are readable; `usual`:
    they are, and the number is none that could be part of a name."""

    told: Told
    ref: str
    number: bytes
    form: Form
    dated: bool
    usual: bool
    decoded_body: Mapping[str, Any] | None = None
    """in the shape of R4, where it was decoded already"""

    @property
    def silent(self) -> bool:
        """Whether it is known to say nothing."""
        form = self.form
        return (self.usual and form.silent) or (self.dated and form.says_nothing(self.number))

    @property
    def order(self) -> tuple[str, str]:
        """What tells versions of one resource apart, as of any other (`mappings/reader/identity.py`)."""
        stamp, number = self.told.meta.lastUpdated, self.told.meta.versionId
        return stamp or "", number.zfill(20) if number is not msgspec.UNSET else ""

    @property
    def body(self) -> Mapping[str, Any]:
        """The resource decoded, in the shape of R4."""
        body = self.decoded_body
        if body is None:
            body = self.decoded_body = as_r4(self.decoded(), self.form.version)
        return body

    def decoded(self) -> Mapping[str, Any]:
        """The resource as it was sent."""
        found: Mapping[str, Any] = _DECODER.decode(written(self.told))
        return found

    def __getitem__(self, name: str) -> Any:
        if name == "resourceType":
            return self.told.kind
        return self.told.id if name == "id" else self.body[name]

    def get(self, name: str, default: Any = None) -> Any:
        if name == "resourceType":
            return self.told.kind
        return self.told.id if name == "id" else self.body.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.body)

    def __len__(self) -> int:
        return len(self.body)

    def __repr__(self) -> str:
        return f"Unread({self.told.kind})"  # never what a chart holds

    def __rich_repr__(self) -> Any:
        yield self.told.kind
