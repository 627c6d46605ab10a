"""Units: the closed table of spellings, and the exact conversion of one analyte's value to its canonical unit."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from importlib import resources
from typing import Any

import yaml

_PUNCTUATION = re.compile(r"[\W_]+")


@dataclass(frozen=True, slots=True)
class Analyte:
    """How results of one analyte are read. `units` maps a unit to its factor (None: no factor was verified)."""

    id: str
    canonical: str | None
    units: Mapping[str, str | None]
    plausible: tuple[Decimal, Decimal] | None
    unit_optional: bool = False

    def convert(self, value: Decimal, unit: str) -> Decimal | None:
        """The value in the canonical unit, exactly; None when the unit has no factor."""
        factor = self.units.get(unit)
        if factor is None:
            return None
        return value / Decimal(factor[1:]) if factor.startswith("/") else value * Decimal(factor)

    def is_plausible(self, canonical: Decimal) -> bool:
        return self.plausible is None or self.plausible[0] <= canonical <= self.plausible[1]


@dataclass(frozen=True, slots=True)
class UnitTable:
    spellings: Mapping[str, str]
    analytes: Mapping[str, Analyte]
    names: Mapping[str, str]
    words: Mapping[str, str]
    interpretations: Mapping[str, str]

    def unit(self, text: object) -> str | None:
        """The canonical spelling of a unit, or None when it is not in the table."""
        return self.spellings.get(_squeeze(text)) if isinstance(text, str) else None

    def analyte_named(self, text: object) -> str | None:
        """The analyte that a test is called, when the whole name is in the table (never a part of a longer name)."""
        return self.names.get(plain(text)) if isinstance(text, str) else None

    def word(self, text: object) -> str | None:
        """A result in words ("within normal limits") as normal, low, high, abnormal, positive, negative."""
        return self.words.get(plain(text)) if isinstance(text, str) else None


def plain(text: str) -> str:
    """Lower case, without accents and punctuation, single blanks: for comparing whole names."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    return _PUNCTUATION.sub(" ", "".join(c for c in folded if not unicodedata.combining(c))).strip()


@cache
def load_units() -> UnitTable:
    """The unit and analyte tables, read once; KeyError or ValueError when a data file is wrong."""
    units = _yaml("units.yaml")["units"]
    data = _yaml("analytes.yaml")
    return UnitTable(
        spellings={_squeeze(s): unit for unit, written in units.items() for s in (unit, *written)},
        analytes={key: _analyte(key, entry) for key, entry in data["analytes"].items()},
        names={plain(name): key for key, names in data["names"].items() for name in names},
        words={plain(word): key for key, words in data["words"].items() for word in words},
        interpretations={str(key): value for key, value in data["interpretations"].items()},
    )


def _analyte(key: str, entry: Mapping[str, Any]) -> Analyte:
    limits = entry.get("plausible")
    return Analyte(
        key,
        entry.get("canonical"),
        entry.get("units", {}),
        (Decimal(limits[0]), Decimal(limits[1])) if limits else None,
        entry.get("unit_optional", False),
    )


def _squeeze(text: str) -> str:
    return "".join(text.casefold().split()).replace("μ", "µ")


def _yaml(name: str) -> Any:
    text = (resources.files("mappings") / "data" / name).read_text(encoding="utf-8")
    return yaml.safe_load(text)
