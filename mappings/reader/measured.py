"""The plain measurement: an Observation that is a number with a unit under a name, as most of a chart is.

Read here it gives exactly the facts that `observation.read` gives, at a fraction of the cost: there is no text to read,
no specimen, nothing contained, and what its name means is known (`names.py`). Whatever is not so plain, or not
as it should be, is not touched and goes the ordinary way. Tests compare the two, over public, published and mutated
charts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from decimal import Decimal
from typing import Any

import msgspec
from msgspec import UNSET, Struct

from mappings.dates import PartialDate, parsed
from mappings.elements import NO_NUMBER, Amount, DiagnosticReport, Observation
from mappings.facts import Result
from mappings.reader.access import Concept, concept
from mappings.reader.analyte import foreign_members, other_material, test_of
from mappings.reader.context import Collected, Named, key_of
from mappings.reader.merge import Stamp
from mappings.reader.names import Meaning, Test
from mappings.reader.result import Flag, State, flag_of, found_of, limits_of, measured
from mappings.unread import Unread
from mappings.values import Quantity, number, read_quantity, renumbered

_PLAIN = frozenset(
    {
        "resourceType",
        "id",
        "meta",
        "identifier",
        "status",
        "category",
        "code",
        "subject",
        "encounter",
        "effectiveDateTime",
        "issued",
        "performer",
        "valueQuantity",
        "component",
        "interpretation",
        "referenceRange",
    }
)
_OF_COMPONENT = frozenset({"code", "valueQuantity", "interpretation", "referenceRange"})
_OF_QUANTITY = frozenset({"value", "unit", "system", "code", "comparator"})
_LOOKED_AT = ("status", "code", "interpretation", "referenceRange")
_OF_PART = ("code", "interpretation", "referenceRange")
_OF_UNIT = ("unit", "system", "code", "comparator")
_DECODER = msgspec.json.Decoder(float_hook=Decimal)
_STATES: Mapping[str, State] = {
    "final": "final",
    "amended": "final",
    "corrected": "final",
    "preliminary": "preliminary",
}
_CORRECTED = ("amended", "corrected")
_LONGEST_NAME = 1000
BROKEN = (TypeError, ValueError, KeyError, AttributeError, ArithmeticError, LookupError, RecursionError)

NameAlone = Callable[[Mapping[str, Any], Collected], bool]


def read_plain(resource: Mapping[str, Any], ref: str, into: Collected, says_nothing: NameAlone) -> bool:
    """Adds the results of a plain measurement; False, and nothing added, when it is none.

    `says_nothing`: whether the name of a panel says nothing by itself, its components left aside."""
    if not resource.keys() <= _PLAIN or type(resource.get("meta", _NO_META)) is not dict:
        return False
    state = _STATES.get(resource["status"]) if type(resource.get("status")) is str else None
    subject = resource.get("subject")
    if state is None or type(subject) is not dict or subject.get("reference") != into.patient:
        return False
    if not _objects(resource.get("interpretation")) or not _objects(resource.get("referenceRange")):
        return False
    try:
        names = _names(resource, state, into, says_nothing)
        if names is None or ref in foreign_members(into):
            return False
        effective, issued = resource.get("effectiveDateTime"), resource.get("issued")
        date, out = PartialDate.parse(effective), PartialDate.parse(issued)
        if (date is None and effective is not None) or (out is None and issued is not None):
            return False
        found = [_result(body, name, ref, date or out, state, into) for body, name in names]
        updated = out or PartialDate.parse(resource.get("meta", _NO_META).get("lastUpdated"))
    except BROKEN:
        return False
    whole = [result for result in found if result is not None]
    if len(whole) < len(found):
        return False
    into.stamps[ref] = Stamp(resource["status"] in _CORRECTED, updated)
    into.results += whole
    return True


_NO_META: dict[str, Any] = {}


class _Part(Struct, frozen=True):
    """A number under a name: an Observation or one of its components."""

    body: Mapping[str, Any]
    label: str
    test: Test
    quantity: Quantity
    flag: Flag | None
    has_range: bool


class Plain(Struct, frozen=True):
    """A plain measurement of a chart, from which others differ only by when they were made and by their numbers."""

    parts: tuple[_Part, ...]
    state: State
    corrected: bool


def read_first(unread: Unread, ref: str, into: Collected, says_nothing: NameAlone) -> bool:
    """Adds the results of the first of its form, when it is a plain measurement, and keeps what the others have alike
    with it: as `read_plain`, from its elements. False, and nothing added, when it is none."""
    told, form = unread.told, unread.form
    if type(told) is not Observation or unread.number == NO_NUMBER:
        return False
    try:
        form.plain = _plain(told, into, says_nothing)
        found = form.plain is not None and read_another(unread, ref, into)
    except BROKEN:
        found = False
    if not found:
        form.plain = None
    return found


def _plain(told: Observation, into: Collected, says_nothing: NameAlone) -> Plain | None:
    body = {name: _DECODER.decode(raw) for name in _LOOKED_AT if (raw := getattr(told, name))}
    state = _STATES.get(status) if type(status := body.get("status")) is str else None
    if state is None or told.valueCodeableConcept or told.valueString or told.valueBoolean:
        return None
    if not _objects(body.get("interpretation")) or not _objects(body.get("referenceRange")):
        return None
    name = _named(body.get("code"), into)
    if name is None or name.meaning.other_material:
        return None
    if told.component is UNSET:
        part = _part(body, name, told.valueQuantity, into)
        return Plain((part,), state, status in _CORRECTED) if part is not None else None
    meaning = name.meaning
    if meaning.test is not None or told.valueQuantity.value or state != "final" or not told.component:
        return None
    parts = []
    for component in told.component:
        inside = {name: _DECODER.decode(raw) for name in _OF_PART if (raw := getattr(component, name))}
        if not component.is_plain:
            return None
        of_part = _named(inside.get("code"), into)
        part = None if of_part is None else _part(inside, of_part, component.valueQuantity, into)
        if part is None:
            return None
        parts.append(part)
    if meaning.says_nothing is None:
        meaning.says_nothing = says_nothing(body, into)
    return Plain(tuple(parts), state, status in _CORRECTED) if meaning.says_nothing else None


def _part(body: dict[str, Any], name: Named, amount: Amount, into: Collected) -> _Part | None:
    if name.meaning.test is None or not amount.value:
        return None
    if not _objects(body.get("interpretation")) or not _objects(body.get("referenceRange")):
        return None
    written = {part: _DECODER.decode(raw) for part in _OF_UNIT if (raw := getattr(amount, part))}
    quantity = read_quantity(written | {"value": 0}, into.tools.units)
    if quantity is None:
        return None
    if "interpretation" in body and found_of(body, into):
        return None
    flag = flag_of(body, into) if "interpretation" in body else None
    return _Part(body, name.label, name.meaning.test, quantity, flag, "referenceRange" in body)


def read_another(unread: Unread, ref: str, into: Collected) -> bool:
    """Adds the results of a measurement of this patient that is like one that was read; False, and nothing added, when
    it is not plain."""
    first, told = unread.form.plain, unread.told
    if first is None or not unread.dated or type(told) is not Observation or ref in foreign_members(into):
        return False
    made, found = date_of(told), []
    for part, written in zip(first.parts, unread.number.decode().split(" "), strict=True):
        value = number(Decimal(written) if "." in written else int(written))
        if value is None:
            return False
        quantity = renumbered(part.quantity, value)
        limits = limits_of(part.body, quantity, part.test, made, into) if part.has_range else None
        found.append(measured(ref, made, first.state, part.label, quantity, limits, part.flag, part.test, into))
    into.results += found
    if first.corrected:
        into.stamps[ref] = Stamp(True, _issued(told))
    else:
        into.unstamped.append(unread)
    return True


def stamp(into: Collected) -> None:
    """Stamps the results that `read_another` gave: stamps count only where something is corrected or replaced."""
    if any(given.corrected or given.replaces for given in into.stamps.values()):
        for unread in into.unstamped:
            told = unread.told
            if type(told) is Observation:
                into.stamps[unread.ref] = Stamp(False, _issued(told))


def date_of(told: Observation | DiagnosticReport) -> PartialDate | None:
    """When it was, of one whose dates are readable."""
    date = told.effectiveDateTime if told.effectiveDateTime is not UNSET else told.issued
    return None if date is UNSET else parsed(date)


def _issued(told: Observation) -> PartialDate | None:
    """When its result was made known, of one whose dates are readable."""
    return parsed(told.issued) if told.issued is not UNSET else PartialDate.parse(told.meta.lastUpdated)


def _names(
    resource: Mapping[str, Any], state: State, into: Collected, says_nothing: NameAlone
) -> list[tuple[Mapping[str, Any], Named]] | None:
    """What is measured, each with its name: the Observation itself or its components; None when it is not plain."""
    name = _named(resource.get("code"), into)
    if name is None or name.meaning.other_material:
        return None
    meaning = name.meaning
    if "component" not in resource:
        return [(resource, name)] if meaning.test is not None else None
    parts = resource["component"]
    if (
        meaning.test is not None
        or "valueQuantity" in resource
        or state != "final"
        or type(parts) is not list
        or not parts
    ):
        return None
    found = []
    for part in parts:
        of_part = _named(part.get("code"), into) if type(part) is dict and part.keys() <= _OF_COMPONENT else None
        if of_part is None or of_part.meaning.test is None:
            return None
        found.append((part, of_part))
    if meaning.says_nothing is None:
        meaning.says_nothing = says_nothing(resource, into)
    return found if meaning.says_nothing else None


def _result(
    body: Mapping[str, Any], name: Named, ref: str, date: PartialDate | None, state: State, into: Collected
) -> Result | None:
    quantity = body.get("valueQuantity")
    test = name.meaning.test
    if test is None or type(quantity) is not dict or not quantity.keys() <= _OF_QUANTITY:
        return None
    table = into.tools.units
    value = read_quantity(quantity, table)
    if value is None:
        return None
    flag = limits = None
    if "interpretation" in body or "referenceRange" in body:
        if not _objects(body.get("interpretation")) or not _objects(body.get("referenceRange")):
            return None
        if found_of(body, into):
            return None
        flag, limits = flag_of(body, into), limits_of(body, value, test, date, into)
    return measured(ref, date, state, name.label, value, limits, flag, test, into)


def _objects(value: object) -> bool:
    return value is None or (type(value) is list and all(type(entry) is dict for entry in value))


def _named(code: object, into: Collected) -> Named | None:
    """What a code says, found out once for a chart; None for a code of an odd form."""
    if type(code) is not dict:
        return None
    key = key_of(code)
    found = into.named.get(key)
    if found is None and 0 < len(key) <= _LONGEST_NAME:
        found = into.named[key] = _new(key, concept(code), into)
    return found


def _new(key: bytes, name: Concept, into: Collected) -> Named:
    names = into.tools.names
    digest = names.digest(key)
    meaning = names.get(digest)
    if meaning is None:
        meaning = Meaning(test_of(name, into, foreign=False), other_material(name.texts, into))
        names.keep(digest, meaning)
    return Named(name.label, meaning)
