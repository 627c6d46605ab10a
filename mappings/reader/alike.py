"""Resources of a chart that say the same but for whose they are, when it was and which number was measured.

Nearly all of a chart is the same housing question, weight or sodium, word for word. Resources are taken apart from
their bytes (`mappings/elements.py`); those in which all that decides is alike are of one form. When one said nothing,
no more of it is read; when it was a plain measurement, only numbers and dates are (`measured.py`). Everything that was
checked in the first one (repeated keys, depth, numbers) holds for all. Which forms were checked and which say nothing
is remembered for the life of the process, by keyed digest (`silence.py`); all else is let go of with the chart. What is
written in another way (other elements, blanks, needless escapes) is decoded and read.

All resources of a Bundle are looked at together, in loops of C wherever that is possible: a call of ours for each of
them would cost more than taking it apart."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Any, Literal

import msgspec

from mappings.dates import unreadable_dates
from mappings.elements import BETWEEN, NO_NUMBER, Resource, Told, besides, numbers_of, taken_apart, written
from mappings.reader.again import Again
from mappings.reader.digests import ByDigest
from mappings.reader.identity import references
from mappings.reader.measured import Plain
from mappings.unread import Unread
from mappings.versions import Version, as_r4

_MOST = 65_536
_LONGEST = 20_000
"""bytes; what is longer is no measurement or diagnosis like any other."""
_PLAIN_NUMBERS = b"0123456789.- "
_LONGEST_NUMBER = 32
"""signs; any other number is for the ordinary decoder, which says whether it is one that can be used."""
Decoded = Callable[[bytes], Any]
"""JSON as data; may raise."""


_Said = Literal["anything", "nothing", "nothing with some numbers"]


class Alike(ByDigest[_Said]):
    """Digests of forms that were checked, and what is known to follow from them; of forms with a number from which
    nothing followed."""

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

    __slots__ = ("_alike", "_name", "_numbers_count", "again", "checked", "is_foreign", "plain", "silent", "version")

    def __init__(self, alike: Alike, name: bytes, version: Version | None) -> None:
        """`name`: the digest of what they say."""
        self._alike, self._name, self.version = alike, name, version
        known = alike.get(name)
        self.checked = known is not None
        """whether one of them was found to be well written"""
        self.silent = known == "nothing"
        """whether no fact follows from them, whichever usual number was measured"""
        self.plain: Plain | None = None
        """the first of them, when it was a plain measurement"""
        self.again: Again | None = None
        """what the first of them said, when the others say the same"""
        self.is_foreign: bool | None = None
        self._numbers_count = self.checked and known != "anything"

    def says_nothing(self, number: bytes) -> bool:
        """Whether no fact follows from one of them with this number and readable dates."""
        if self.silent and self.is_usual(number):
            return True
        if number == NO_NUMBER or not self._numbers_count or self.plain or self.again:
            return False
        return self._with(number) in self._alike

    def said_nothing(self, number: bytes, *, exactly: bool) -> None:
        """Remembers that no fact followed: from this number (`exactly`), or whichever was measured."""
        if number != NO_NUMBER and (exactly or not self.is_usual(number)):
            self._alike.keep(self._with(number), "nothing")
            self._numbers_count = True
            if not self.silent:
                self._alike.keep(self._name, "nothing with some numbers")
        else:
            self._alike.keep(self._name, "nothing")
            self.silent = True

    def was_checked(self) -> None:
        """Remembers that they are well written: nothing stands twice in them, no number is beyond use."""
        self._alike.keep(self._name, "anything")

    def is_usual(self, number: bytes) -> bool:
        """Whether none of the numbers that were measured could be part of a name."""
        return self._alike.telling.isdisjoint([one.lstrip(b"-") for one in number.split(b" ")])

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

    def __call__(self, raws: Sequence[msgspec.Raw], decoded: Decoded) -> list[Any]:
        """Resources one by one: those of the patient taken apart, any other as `decoded`, which may raise."""
        every = [taken_apart(raw) if len(raw) <= _LONGEST else None for raw in raws]
        plain = [told is not None and self._plain((told,)) is not None for told in every]
        fit = [told for told, is_plain in zip(every, plain, strict=True) if told is not None and is_plain]
        apart = iter(self.at_once(fit, decoded) or ())
        return [next(apart) if is_plain else decoded(bytes(raw)) for raw, is_plain in zip(raws, plain, strict=True)]

    def at_once(self, every: Sequence[Told], decoded: Decoded) -> list[Unread] | None:
        """Resources that were taken apart together, each with its form; None when one of them is for the ordinary
        decoder. Of what was not met before the first is `decoded`, which may raise, and so checked."""
        plain = self._plain(every)
        if plain is None:
            return None
        for beside in besides(every) - self._besides:
            decoded(b"[[" + b",".join([part for part in beside.split(BETWEEN) if part]) + b"]]")
            self._besides.add(beside)
        said, unreadable = self._said(every)
        forms, telling = self._forms, self._alike.telling
        found = []
        for told, says, ref, number in zip(every, said, *plain, strict=True):
            form, body = forms.get(says), None
            dated = not unreadable or unreadable.isdisjoint(told.dates((told,)))
            if form is None:
                form = Form(self._alike, self._alike.digest(f"{self._version}\0".encode() + says), self._version)
                if not form.checked:
                    body = as_r4(decoded(written(told)), self._version)
                    form.was_checked()
                forms[says] = form
            usual = dated and (number.lstrip(b"-") not in telling if b" " not in number else form.is_usual(number))
            found.append(Unread(told, ref, number, form, dated, usual, body))
        return found

    def _plain(self, every: Sequence[Told]) -> tuple[list[str], list[bytes]] | None:
        """References and numbers; None unless all are the patient's, with an id, and every number is a plain one of
        usual length."""
        refs, numbers = references(every), numbers_of(every)
        if refs is None or not {told.subject.reference for told in every} <= {self._reference}:
            return None
        written = b" ".join(set(numbers))
        if written.translate(None, _PLAIN_NUMBERS) or max(map(len, written.split(b" "))) > _LONGEST_NUMBER:
            return None
        return refs, numbers

    def _said(self, every: Sequence[Told]) -> tuple[list[bytes], set[str]]:
        """What each of them says, and the dates that can't be read."""
        kinds: set[type[Resource]] = set(map(type, every))
        said: list[bytes] = []
        dates: set[Any] = set()
        for kind in kinds:
            of_kind = every if len(kinds) == 1 else [told for told in every if type(told) is kind]
            said += kind.alike(of_kind)
            dates |= kind.dates(of_kind)
        if len(kinds) > 1:
            of = dict(zip([id(told) for kind in kinds for told in every if type(told) is kind], said, strict=True))
            said = [of[id(told)] for told in every]
        dates -= self._good_dates
        dates.discard(msgspec.UNSET)
        found = unreadable_dates(dates)
        self._good_dates |= dates - found
        return said, found
