"""Resources that are written like one that was read and said nothing, told from their bytes without decoding them.

Nearly all of a chart is the same housing question, weight or cold, word for word: only whose, when, in which encounter
and which number differ. What is left when these are taken out is remembered by keyed digest once the ordinary reader
has found that no fact follows (`silence.py`). Bytes that leave the same behind are the same JSON but for the values of
those elements, so that everything that was checked in the first one (repeated keys, depth, numbers) holds for them too.
What is written in another way (other order, blanks, escapes in these elements) is decoded and read."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from hashlib import blake2b
from typing import Any

import msgspec

from mappings.dates import is_date
from mappings.reader.access import mapping
from mappings.reader.digests import ByDigest
from mappings.unread import Digests, Own, Unread
from mappings.versions import Version

_MOST = 65_536
_MOST_NAMES = 8192
_LONGEST = 20_000
"""bytes; what is longer is no measurement or diagnosis like any other."""
_LONGEST_NUMBER = 40
_TAKEN_OUT = b"\1"
"""no JSON text holds this sign"""
_SUBJECT = (b'"subject":{"reference":"', "subject")
_ENCOUNTER = (b'"encounter":{"reference":"', "encounter")
_META = ((b'"versionId":"', "versionId"), (b'"lastUpdated":"', "lastUpdated"))
_KINDS: Mapping[bytes, tuple[str, tuple[tuple[bytes, str], ...]]] = {
    b'{"resourceType":"Observation","id":"': (
        "Observation",
        (
            *_META,
            _SUBJECT,
            _ENCOUNTER,
            (b'"effectiveDateTime":"', "effectiveDateTime"),
            (b'"issued":"', "issued"),
        ),
    ),
    b'{"resourceType":"Condition","id":"': (
        "Condition",
        (
            *_META,
            _SUBJECT,
            _ENCOUNTER,
            (b'"onsetDateTime":"', "onsetDateTime"),
            (b'"abatementDateTime":"', "abatementDateTime"),
            (b'"recordedDate":"', "recordedDate"),
        ),
    ),
}
"""how a resource begins, and the elements that say whose, where and when, in the order in which servers write them"""
_BEGINNINGS = tuple(_KINDS)
_TYPE = len(b'{"resourceType":"')
_DATES = frozenset({"effectiveDateTime", "issued", "onsetDateTime", "abatementDateTime", "recordedDate"})
_CODE = b'"code":{'
_OWNER = b'"subject":'
_NUMBER = b'"valueQuantity":{"value":'


class Alike(ByDigest[None]):
    """Digests of what is left of resources that said nothing."""

    def __init__(self, telling_numbers: frozenset[str] = frozenset(), most: int = _MOST) -> None:
        """`telling_numbers`: as `Silence` has them."""
        super().__init__(most)
        self._telling = frozenset(number.encode() for number in telling_numbers)
        self._keyed = blake2b(digest_size=16, key=secrets.token_bytes(32))
        self._speaking: set[int] = set()

    def add(self, place: int, told: Unread, body: Mapping[str, Any]) -> None:
        """Remembers a resource that said nothing, whichever number was measured (0) or with the number (1). `body`: the
        resource decoded, in which what was taken out has to be what it was taken for."""
        if _is_own(told, body):
            self.keep(told.digests[place], None)

    def speaks(self, written: msgspec.Raw) -> None:
        """Remembers that what has this name is worth decoding at once."""
        if len(self._speaking) >= _MOST_NAMES:
            self._speaking.clear()
        self._speaking.add(_name(bytes(written)))

    def knows(self, digests: Digests) -> bool:
        return digests[0] in self._known or digests[1] in self._known

    def taken_apart(self, written: bytes, version: Version | None) -> tuple[str, Own, Digests] | None:
        """Type, own elements and digests of an Observation or Condition, which is read as that release."""
        if not written.startswith(_BEGINNINGS) or len(written) > _LONGEST or _name(written) in self._speaking:
            return None
        at = written.index(b'"', _TYPE) + len(b'","id":"')  # behind the type, where the id begins
        kind, names = _KINDS[written[:at]]
        end = written.find(b'"', at)
        own: Own = {"id": written[at:end]}
        left = [written[:at]]
        at = end
        for key, name in names:
            found = written.find(key, at)
            if found >= 0:
                found += len(key)
                end = written.find(b'"', found)
                own[name] = written[found:end]
                left.append(written[at:found])
                at = end
        number = b""
        found = written.find(_NUMBER, at)
        if found >= 0:
            found += len(_NUMBER)
            end = written.find(b",", found)
            number = written[found:end]
            plain = number.lstrip(b"-")
            if len(plain) < _LONGEST_NUMBER and plain.replace(b".", b"", 1).isdigit() and plain not in self._telling:
                left.append(written[at:found])
                at = end
            else:
                number = b""
        left.append(written[at:])
        said = b"".join(own.values())
        if b"\\" in said or not said.isascii() or not said.decode("ascii").isprintable():
            return None
        digest = self._keyed.copy()
        digest.update(f"{version}\0".encode() + _TAKEN_OUT.join(left))
        loose = digest.digest()
        if not number:
            return kind, own, (loose, loose)
        digest.update(_TAKEN_OUT + number)
        return kind, own, (loose, digest.digest())


class Look:
    """The early look at the resources of one chart, read as one release."""

    def __init__(self, alike: Alike, patient_id: str, version: Version | None) -> None:
        self._alike, self._reference, self._version = alike, f"Patient/{patient_id}".encode(), version
        self._good_dates: set[bytes] = set()

    def __call__(self, raw: msgspec.Raw, decoded: Callable[[bytes], Any]) -> Any:
        """A resource that stays bytes since it says nothing, or `decoded`, which may raise."""
        written = bytes(raw)
        apart = self._alike.taken_apart(written, self._version)
        if apart is None:
            return decoded(written)
        kind, own, digests = apart
        silent = self._alike.knows(digests) and self._is_regular(own)
        return Unread(raw, kind, own, self._version, digests, None if silent else decoded(written))

    def _is_regular(self, own: Own) -> bool:
        """Whether it is the patient's and its dates can be read; what is not is named by the reader."""
        if own.get("subject") != self._reference:
            return False
        for name, value in own.items():
            if name in _DATES and value not in self._good_dates:
                if not is_date(value.decode("ascii")):
                    return False
                self._good_dates.add(value)
        return True


def _name(written: bytes) -> int:
    """The hash of what a resource is called, in this process. Two names that share one cost time only."""
    begins = written.find(_CODE)
    return hash(written[begins : written.find(_OWNER, begins)])


def _is_own(told: Unread, body: Mapping[str, Any]) -> bool:
    """Whether every own element was found, and is the one of the resource itself."""
    meta = mapping(body.get("meta"))
    values = {name: body.get(name) for name in ("id", *_DATES)}
    values |= {name: meta.get(name) for name in ("versionId", "lastUpdated")}
    values |= {name: mapping(body.get(name)).get("reference") for name in ("subject", "encounter")}
    return {name: value.decode("ascii") for name, value in told.own.items()} == {
        name: value for name, value in values.items() if value is not None
    }
