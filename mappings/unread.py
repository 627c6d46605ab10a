"""A resource that came as bytes, is known to an early look, and may never be decoded at all."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

import msgspec

from mappings.versions import Version, as_r4

_DECODER = msgspec.json.Decoder(float_hook=Decimal)
Digests = tuple[bytes, bytes]
Own = dict[str, bytes]
"""the elements of a resource that say which it is, whose, where and when, as they are written"""


class Unread(Mapping[str, Any]):
    """A resource by its bytes: a Mapping as any other, cheap as long as only type and id are asked for.

    `silent`: it is known to say nothing, read as `version`. `digests` are what it is remembered by
    (`mappings/reader/alike.py`)."""

    __slots__ = ("_body", "digests", "id", "kind", "own", "raw", "silent", "version")

    def __init__(
        self,
        raw: msgspec.Raw,
        kind: str,
        own: Own,
        version: Version | None,
        digests: Digests,
        body: Mapping[str, Any] | None = None,
    ) -> None:
        """`body`: the resource decoded, when it is not known to be silent."""
        self.raw, self.kind, self.own, self.version, self.digests = raw, kind, own, version, digests
        self.id, self.silent, self._body = own["id"].decode("ascii"), body is None, body

    @property
    def order(self) -> tuple[str, str]:
        """What tells versions of one resource apart, as of any other (`mappings/reader/identity.py`)."""
        stamp, number = self.own.get("lastUpdated", b""), self.own.get("versionId")
        return stamp.decode("ascii"), number.decode("ascii").zfill(20) if number is not None else ""

    @property
    def body(self) -> Mapping[str, Any]:
        """The resource decoded, in the shape of R4 when it is a silent one."""
        if self._body is None:
            self._body = as_r4(self.decoded(), self.version)
        return self._body

    def decoded(self) -> Mapping[str, Any]:
        """The resource as it was written."""
        found: Mapping[str, Any] = _DECODER.decode(self.raw)
        return found

    def __getitem__(self, name: str) -> Any:
        if name == "resourceType":
            return self.kind
        return self.id if name == "id" else self.body[name]

    def get(self, name: str, default: Any = None) -> Any:
        if name == "resourceType":
            return self.kind
        return self.id if name == "id" else self.body.get(name, default)

    def __iter__(self) -> Iterator[str]:
        return iter(self.body)

    def __len__(self) -> int:
        return len(self.body)

    def __repr__(self) -> str:
        return f"Unread({self.kind})"  # never what a chart holds
