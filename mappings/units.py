"""Units: the closed table of spellings, and the exact conversion of one analyte's value to its canonical unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal
from functools import cache, lru_cache

from msgspec import Struct, field

from mappings import data_schema
from mappings.data_schema import Analytes, Units, read_table
from mappings.table_cache import kept
from mappings.text.entries import expand
from mappings.text.markup import replaced

_PUNCTUATION = re.compile(r"[\W_]+")
_BRACKETED = re.compile(r"[(\[]([^()\[\]]{1,40})[)\]]")


class Analyte(Struct, frozen=True):
    """How results of one analyte are read. `units` maps a unit to its factor (None: no factor was verified)."""

    id: str
    canonical: str | None
    units: Mapping[str, str | None]
    plausible: tuple[Decimal, Decimal] | None
    unit_optional: bool = False
    aliases: Mapping[str, str] = field(default_factory=dict)
    """what a unit of the table means for this analyte alone (g/L of cells is 10*9/L)."""
    whole_name: bool = False
    """never recognised by a part of a test's name."""
    narrower: Mapping[str, str] = field(default_factory=dict)
    """analyte that the words may name beside this one's code -> "take" it, or "conflict"."""
    lowest_stands: bool = False
    """of several values of one moment the lowest is relied on (tool rule)."""
    low_below: Decimal | None = None
    """canonical limit below which a number without a unit is low in every unit of the analyte"""
    high_above: Decimal | None = None
    only_tested: str = ""
    kinds: tuple[Decimal, ...] = ()
    """the numbers that name a kind of it instead of a result, unless the name holds `only_tested`"""
    bare: Mapping[str, tuple[Decimal, Decimal]] = field(default_factory=dict)
    """the numbers that people write in each unit; without it every number may be in every unit"""

    def convert(self, value: Decimal, unit: str) -> Decimal | None:
        """The value in the canonical unit, exactly; None when the unit has no factor."""
        factor = self.units.get(unit)
        if factor is None:
            return None
        return value / _decimal(factor[1:]) if factor[:1] == "/" else value * _decimal(factor)

    def surely(self, name: str, value: Decimal) -> tuple[str, str | None] | None:
        """A number without a unit behind a name that is low, or high, in every unit that it may be in: which, and the
        unit if there is one only. None of the harmless ones: no unit is guessed to prove safety."""
        units = [
            u for u in self.units if not self.bare or (u in self.bare and self.bare[u][0] <= value <= self.bare[u][1])
        ]
        told = [self.convert(value, unit) for unit in units]
        if (value in self.kinds and self.only_tested not in name) or not told or None in told:
            return None
        known = [t for t in told if t is not None]
        one = units[0] if len(units) == 1 and not self.whole_name else None
        if self.low_below is not None and max(known) < self.low_below:
            return "low", one
        return ("high", one) if self.high_above is not None and min(known) > self.high_above else None

    def is_plausible(self, canonical: Decimal) -> bool:
        return self.plausible is None or self.plausible[0] <= canonical <= self.plausible[1]


@lru_cache(1024)
def _decimal(factor: str) -> Decimal:
    """A factor of the table as a number."""
    return Decimal(factor)


class UnitTable(Struct, frozen=True):
    """Spellings of units (-> UCUM), analytes by id and by whole name, words of results and of interpretations, all
    folded."""

    spellings: Mapping[str, str]
    analytes: Mapping[str, Analyte]
    names: Mapping[str, str]
    words: Mapping[str, str]
    interpretations: Mapping[str, str]
    exact: Mapping[str, str] = field(default_factory=dict)
    by_tokens: Mapping[tuple[str, ...], str] = field(default_factory=dict)
    """analyte by the sorted words of its name, those that say nothing left out."""
    neutral_phrases: tuple[str, ...] = ()
    neutral_tokens: frozenset[str] = frozenset()
    gas_tokens: frozenset[str] = frozenset()
    """words of a name by which a blood gas analyser made the result, and what none of those measures."""
    never_by_gas: frozenset[str] = frozenset()
    unrecognised: frozenset[str] = frozenset()
    surely_other: frozenset[str] = frozenset()
    written_flags: tuple[str, ...] = ()
    """flags that laboratories write behind a number, and those that some write before its unit."""
    flags_before_unit: tuple[str, ...] = ()
    asked_by_code: tuple[str, ...] = ()
    """the tests that a search names where a server does not give all results, the most needed first."""

    def unit(self, text: object) -> str | None:
        """The canonical spelling of a unit, or None when it is not in the table."""
        if not isinstance(text, str):
            return None
        return self.exact.get(text.strip()) or self.spellings.get(_squeeze(text))

    def analyte_named(self, text: object) -> str | None:
        """The analyte that a test is called. The whole name must say it: in the table as it stands, or when units in
        brackets and words that say nothing ("serum", "level") are left out, in any order."""
        if not isinstance(text, str):
            return None
        text = text.replace("++", "2+")  # the charge of an ion is part of its name, not punctuation
        name = plain(text)
        found = self.names.get(name) or self.by_tokens.get(self._telling(text))
        if found in self.never_by_gas and not self.gas_tokens.isdisjoint(name.split()):
            return None
        return found

    def may_be_missed(self, text: str) -> bool:
        """Whether a test of this name could be a serum calcium that we don't recognise."""
        tokens = set(plain(text.replace("++", "2+")).split())
        return bool(tokens & self.unrecognised) and not tokens & self.surely_other

    def _telling(self, text: str) -> tuple[str, ...]:
        bare = _BRACKETED.sub(lambda match: " " if self.unit(match[1]) else match[0], text)
        return telling(plain(bare), self.neutral_phrases, self.neutral_tokens)

    def word(self, text: object) -> str | None:
        """A result in words ("within normal limits") as normal, low, high, abnormal, positive, negative; "normal?" is
        none."""
        if not isinstance(text, str) or text.rstrip().endswith("?"):
            return None
        return self.words.get(plain(text.removesuffix(" (qualifier value)")))


def telling(name: str, phrases: tuple[str, ...], tokens: frozenset[str]) -> tuple[str, ...]:
    """The words of a folded name that tell which test it is, sorted."""
    padded = f" {name} "
    for phrase in phrases:
        padded = padded.replace(f" {phrase} ", " ")
    return tuple(sorted({token for token in padded.split() if token not in tokens}))


def plain(text: str) -> str:
    """Lower case, without accents and punctuation, single blanks: for comparing whole names."""
    folded = text.casefold()
    if not folded.isascii():
        folded = "".join(c for c in unicodedata.normalize("NFKD", folded) if not unicodedata.combining(c))
    return _PUNCTUATION.sub(" ", folded).strip()


@cache
def load_units() -> UnitTable:
    """The unit and analyte tables, read once; DataError when a data file is wrong."""
    return kept("mappings").get("units", _load)


def _load() -> UnitTable:
    spelled, data = read_table(Units), read_table(Analytes)
    names = {plain(form): key for key, names in data.names.items() for name in names for form in expand(name)}
    phrases = tuple(sorted((plain(p) for p in data.neutral.phrases), key=len, reverse=True))
    gas = frozenset(data.neutral.gas)
    tokens = frozenset(data.neutral.tokens) | gas
    by_tokens: dict[tuple[str, ...], str] = {}
    prefix = data.antibody_tests.prefix
    for name, key in names.items():
        by_tokens.setdefault(telling(name, phrases, tokens), key)
    for key, name in [(key, name) for name, key in names.items()]:
        if key.partition(":")[0] in data.antibody_tests.of:
            bare = name.removeprefix(prefix)
            for word in data.antibody_tests.words:
                bare = bare.removesuffix(f" {word}")
            if not telling(bare, phrases, tokens):
                continue
            for word in data.antibody_tests.words:
                for anti in ("", prefix):
                    by_tokens.setdefault(telling(f"{anti}{bare} {word}", phrases, tokens), key)
    by_tokens.pop((), None)
    return UnitTable(
        spellings={_squeeze(s): unit for unit, written in spelled.units.items() for s in (unit, *written)},
        analytes={key: _analyte(key, entry, data.narrower.get(key, {})) for key, entry in data.analytes.items()},
        names=names,
        words={plain(form): key for key, words in data.words.items() for word in words for form in expand(word)},
        interpretations=data.interpretations,
        exact=spelled.exact,
        written_flags=data.written_flags.behind,
        flags_before_unit=data.written_flags.before_unit,
        asked_by_code=data.asked_by_code,
        by_tokens=by_tokens,
        neutral_phrases=phrases,
        neutral_tokens=tokens,
        gas_tokens=gas,
        never_by_gas=frozenset(data.neutral.never_by_gas),
        unrecognised=frozenset(data.unrecognised.words),
        surely_other=frozenset(data.unrecognised.other),
    )


def _analyte(key: str, entry: data_schema.Analyte, narrower: Mapping[str, str]) -> Analyte:
    return Analyte(
        key,
        entry.canonical,
        entry.units,
        entry.plausible,
        entry.unit_optional,
        entry.aliases,
        entry.whole_name,
        narrower,
        entry.lowest_stands,
        entry.low_below,
        entry.high_above,
        entry.only_tested,
        entry.kinds,
        entry.bare,
    )


def _squeeze(text: str) -> str:
    if not text.isascii():
        text = replaced(text)
    return "".join(text.casefold().split()).replace("μ", "µ")
