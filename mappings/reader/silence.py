"""What has been read before and said nothing, so that it need not be read again in the next chart.

Most of a chart is weights, housing questions and colds: the same codes and words thousands of times, from which no fact
follows. The ordinary reader decides that, once; here only its verdict "says nothing" is kept, under a keyed digest.

No chart text outlives its request: what stays is 16 bytes that mean nothing without the key, which is random, of this
process, and never leaves it. Nothing can be listed or read back; ids, dates and measured numbers do not go in at all.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from decimal import Decimal
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from mappings.dates import PartialDate
from mappings.reader.digests import ByDigest

Digests = tuple[bytes, bytes]
_MOST = 65_536
_ENCODER = msgspec.json.Encoder(decimal_format="number")
_FIXED: Mapping[str, frozenset[str]] = {
    "Observation": frozenset(
        {
            "resourceType",
            "status",
            "category",
            "code",
            "valueQuantity",
            "valueCodeableConcept",
            "valueString",
            "valueBoolean",
            "component",
            "interpretation",
            "referenceRange",
        }
    ),
    "Condition": frozenset({"resourceType", "code", "category", "clinicalStatus", "verificationStatus", "severity"}),
}
"""elements that decide, with what no fact can come from without them; a resource with any other is always read."""
_VARYING: Mapping[str, frozenset[str]] = {
    "Observation": frozenset(
        {"id", "meta", "identifier", "subject", "encounter", "effectiveDateTime", "issued", "performer"}
    ),
    "Condition": frozenset(
        {
            "id",
            "meta",
            "identifier",
            "subject",
            "encounter",
            "onsetDateTime",
            "abatementDateTime",
            "recordedDate",
            "recorder",
            "asserter",
        }
    ),
}
"""elements that only say whose, when and where: they describe a fact, and make none where there is none."""
_DATES: Mapping[str, tuple[str, ...]] = {
    "Observation": ("effectiveDateTime", "issued"),
    "Condition": ("onsetDateTime", "abatementDateTime", "recordedDate"),
}


_NUMBERS = frozenset({int, float, Decimal})
_NO_META: dict[str, Any] = {}


class Silence(ByDigest[None]):
    """Digests of what said nothing."""

    def __init__(self, telling_numbers: frozenset[str] = frozenset(), most: int = _MOST) -> None:
        """`telling_numbers` are words of the text engine: "5" alone may be nothing, and part of a name beside one."""
        super().__init__(most)
        self._key, self._telling = secrets.token_bytes(32), telling_numbers

    def add(self, digest: bytes) -> None:
        self.keep(digest, None)

    def place(self, digests: Digests | None) -> Literal[0, 1] | None:
        """Which of the two digests of a resource is known."""
        if digests is None:
            return None
        return 0 if digests[0] in self._known else 1 if digests[1] in self._known else None

    def of_text(self, purpose: bytes, text: str) -> bytes:
        """The digest of a text read for a purpose ("sites", "workup", …)."""
        content = purpose + text.encode("utf-8", "surrogatepass")
        return blake2b(content, digest_size=16, key=self._key).digest()

    def of_resource(self, resource: Mapping[str, Any], kind: object) -> Digests | None:
        """Two digests of everything in a resource that can make a fact: whichever number was measured, and with the
        number. None when it holds more than we know of."""
        if not isinstance(kind, str) or kind not in _FIXED:
            return None
        fixed, varying = _FIXED[kind], _VARYING[kind]
        body: dict[str, Any] = {}
        for name, value in resource.items():
            if name in fixed:
                body[name] = value
            elif name not in varying:
                return None
        numbers: list[str] = []
        try:
            if "valueQuantity" in body:
                body["valueQuantity"] = self._without_number(body["valueQuantity"], numbers)
            if "component" in body:
                body["component"] = [self._without_number(entry, numbers) for entry in body["component"]]
            content = _ENCODER.encode(body)
        except (TypeError, ValueError, RecursionError):
            return None
        loose = blake2b(content, digest_size=16, key=self._key)
        exact = loose.copy()
        exact.update("\0".join(("numbers", *numbers)).encode())
        return loose.digest(), exact.digest()

    def _without_number(self, element: object, numbers: list[str]) -> dict[str, Any]:
        """A Quantity, or a component with one, its number taken out; TypeError or ValueError when it is none."""
        if type(element) is not dict:
            raise TypeError
        if "valueQuantity" in element:
            return element | {"valueQuantity": self._without_number(element["valueQuantity"], numbers)}
        if "code" in element and type(element["code"]) is dict:
            return element
        value = element.get("value")
        if type(value) not in _NUMBERS:
            raise TypeError
        written = str(value)
        numbers.append(written)
        if not written.lstrip("-").replace(".", "", 1).isdigit():
            raise ValueError
        # which number it is makes no fact where neither the code nor any word does
        return element if written.lstrip("-") in self._telling else element | {"value": None}


def well_formed(resource: Mapping[str, Any], kind: str, reference: str, good_dates: set[str]) -> bool:
    """Whether the varying elements are of the patient `reference` and readable; what is not goes the long way, where
    it is named. `good_dates` are dates of this chart that have been read."""
    subject = resource.get("subject")
    if type(subject) is not dict or subject.get("reference") != reference:
        return False
    if type(resource.get("meta", _NO_META)) is not dict:
        return False
    for name in _DATES[kind]:
        value = resource.get(name)
        if value is None:
            continue
        if not isinstance(value, str) or (value not in good_dates and PartialDate.parse(value) is None):
            return False
        good_dates.add(value)
    return True
