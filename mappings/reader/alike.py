"""Resources of a chart that say the same but for whose they are, when it was and which number was measured.

Nearly all of a chart is the same housing question, weight or sodium, word for word. Resources are taken apart from
their bytes (`mappings/elements.py`); those in which all that decides is alike are of one form. When one said nothing,
no more of it is read; when it was a plain measurement, only numbers and dates are (`measured.py`). Everything that was
checked in the first one (repeated keys, depth, numbers) holds for all. Which forms say nothing is remembered for the
life of the process, by keyed digest (`silence.py`); all else is let go of with the chart. What is written in another
way (other elements, blanks, needless escapes) is decoded and read."""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable
from hashlib import blake2b
from typing import Any

import msgspec

from mappings.dates import is_date
from mappings.elements import NO_NUMBER, Told, taken_apart
from mappings.reader.again import Again
from mappings.reader.digests import ByDigest
from mappings.reader.measured import Plain
from mappings.unread import Unread
from mappings.versions import Version

_MOST = 65_536
_LONGEST = 20_000
"""bytes; what is longer is no measurement or diagnosis like any other."""
_NUMBER = re.compile(rb"-?(?:0|[1-9][0-9]{0,30})(?:\.[0-9]{1,30})?")


class Alike(ByDigest[None]):
    """Digests of forms that said nothing."""

    def __init__(self, telling_numbers: frozenset[str] = frozenset(), most: int = _MOST) -> None:
        """`telling_numbers`: as `Silence` has them."""
        super().__init__(most)
        self.telling = frozenset(number.encode() for number in telling_numbers)
        self._keyed = blake2b(digest_size=16, key=secrets.token_bytes(32))

    def digest(self, written: bytes) -> bytes:
        keyed = self._keyed.copy()
        keyed.update(written)
        return keyed.digest()


class Form:
    """What is alike in some resources of one chart, and what is known of them."""

    __slots__ = ("_alike", "_good_dates", "_name", "_silent", "again", "is_foreign", "plain")

    def __init__(self, alike: Alike, name: bytes, good_dates: set[str]) -> None:
        """`name`: the digest of what they say."""
        self._alike, self._name, self._good_dates = alike, name, good_dates
        self._silent = name in alike
        self.plain: Plain | None = None
        """the first of them, when it was a plain measurement"""
        self.again: Again | None = None
        """what the first of them said, when the others say the same"""
        self.is_foreign: bool | None = None

    def says_nothing(self, told: Told, number: bytes) -> bool:
        """Whether no fact follows from one of them, whose dates are readable ones."""
        silent = self._silent and self._counts_for_all(number)
        if not silent and (self.plain or self.again or self._with(number) not in self._alike):
            return False
        known = self._good_dates
        for date in told.dates():
            if date is not msgspec.UNSET and date not in known:
                if not is_date(date):
                    return False
                known.add(date)
        return True

    def said_nothing(self, number: bytes, *, exactly: bool) -> None:
        """Remembers that no fact followed: from this number (`exactly`), or whichever was measured."""
        if number != NO_NUMBER and (exactly or not self._counts_for_all(number)):
            self._alike.keep(self._with(number), None)
        else:
            self._alike.keep(self._name, None)
            self._silent = True

    def _counts_for_all(self, number: bytes) -> bool:
        return number.lstrip(b"-") not in self._alike.telling

    def _with(self, number: bytes) -> bytes:
        return self._alike.digest(self._name + number)


class Look:
    """The early look at the resources of one chart, read as one release."""

    def __init__(self, alike: Alike, patient_id: str, version: Version | None) -> None:
        self._alike, self._reference, self._version = alike, f"Patient/{patient_id}", version
        self._forms: dict[bytes, Form] = {}
        self._besides: set[bytes] = set()
        """what was checked of elements that nobody looks at"""
        self._good_dates: set[str] = set()

    def __call__(self, raw: msgspec.Raw, decoded: Callable[[bytes], Any]) -> Any:
        """A resource of the patient taken apart, or any as `decoded`, which may raise."""
        told = taken_apart(raw) if len(raw) <= _LONGEST else None
        if told is None or told.subject.reference != self._reference:
            return decoded(bytes(raw))
        number = told.number()
        if number != NO_NUMBER and _NUMBER.fullmatch(number) is None:
            return decoded(bytes(raw))
        says, besides = told.alike(), told.besides()
        form, body = self._forms.get(says), None
        if form is None:
            form = Form(self._alike, self._alike.digest(f"{self._version}\0".encode() + says), self._good_dates)
            known = form.says_nothing(told, number)
        else:
            known = True
        if not known or besides not in self._besides:
            body = decoded(bytes(raw))
        self._forms[says] = form
        self._besides.add(besides)
        return Unread(raw, told, number, form, self._version, body)
