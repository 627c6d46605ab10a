"""Codes that know their own syntax and check digit, one frozen type for each code system.

`parse` returns None for what cannot be a code of the system; `normalise` gives the spelling under which our lists keep
it (ICD codes get their dot, German and WHO markers go).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import ClassVar, Self

from msgspec import Struct

from mappings import systems


class CodelistError(Exception):
    """A code list, drug list or overlay is wrong; file and place are named and the text may be shown."""

    def __init__(self, file: str, where: str, message: str) -> None:
        super().__init__(f"{file}: {where}: {message}")
        self.file, self.where, self.message = file, where, message


class Code(Struct, frozen=True):
    """A code of one system, in its normal spelling."""

    value: str
    system: ClassVar[str]
    pattern: ClassVar[re.Pattern[str]]

    @classmethod
    def parse(cls, text: object) -> Self | None:
        """The code in its normal spelling, or None when syntax or check digit are wrong. Never raises."""
        if not isinstance(text, str) or len(text) > 40:
            return None
        value = cls.normalise(text)
        return cls(value) if cls.pattern.fullmatch(value) and cls.check(value) else None

    @classmethod
    def normalise(cls, text: str) -> str:
        return text.strip()

    @classmethod
    def check(cls, value: str) -> bool:
        """Whether the check digit is right; True for systems without one."""
        return True


class SnomedCt(Code, frozen=True):
    """SNOMED CT identifier of a concept: partition identifier 00 or 10, Verhoeff check digit."""

    system = systems.SNOMED
    pattern = re.compile(
        r"""
        (?P<item>        [1-9] \d{2,14} )   # item identifier (with namespace, in the long format)
        (?P<partition>   00 | 10 )          # concept; 01, 02, 11, 12 are descriptions and relationships
        (?P<check>       \d )               # Verhoeff
        """,
        re.VERBOSE | re.ASCII,
    )

    @classmethod
    def check(cls, value: str) -> bool:
        return verhoeff(value)


class Loinc(Code, frozen=True):
    """LOINC number: up to seven digits, a hyphen, a mod-10 (Luhn) check digit."""

    system = systems.LOINC
    pattern = re.compile(
        r"""
        (?P<number> [1-9] \d{0,6} )
        -
        (?P<check>  \d )
        """,
        re.VERBOSE | re.ASCII,
    )

    @classmethod
    def check(cls, value: str) -> bool:
        return luhn(value.replace("-", ""))


class _Icd(Code, frozen=True):
    @classmethod
    def normalise(cls, text: str) -> str:
        value = text.strip().upper().rstrip("†*+!#- ").replace(" ", "")
        if "." not in value and len(value) > 3:
            value = f"{value[:3]}.{value[3:]}"
        return value


class Icd10Cm(_Icd, frozen=True):
    """ICD-10-CM: a category of three characters, up to four more after the dot (placeholder X, 7th character)."""

    system = systems.ICD10CM
    pattern = re.compile(
        r"""
        (?P<category> [A-Z] \d [0-9A-Z] )
        (?: \. (?P<rest> [0-9A-Z]{1,4} ) )?
        """,
        re.VERBOSE | re.ASCII,
    )


class Icd10(_Icd, frozen=True):
    """WHO ICD-10 and its national modifications: a category, one digit, and national subdivisions below it."""

    system = systems.ICD10
    pattern = re.compile(
        r"""
        (?P<category> [A-Z] \d \d )
        (?: \. (?P<subcategory> \d ) (?P<national> [0-9A-Z]{0,2} ) )?
        """,
        re.VERBOSE | re.ASCII,
    )


class Icd9Cm(_Icd, frozen=True):
    """ICD-9-CM diagnosis: three digits, or V and two, or E and three; up to two digits after the dot."""

    system = systems.ICD9CM
    pattern = re.compile(
        r"""
        (?P<category> \d{3} | V \d{2} | E \d{3} )
        (?: \. (?P<rest> \d{1,2} ) )?
        """,
        re.VERBOSE | re.ASCII,
    )

    @classmethod
    def normalise(cls, text: str) -> str:
        value = text.strip().upper()
        if "." not in value:
            whole = 4 if value.startswith("E") else 3
            if len(value) > whole:
                value = f"{value[:whole]}.{value[whole:]}"
        return value


class RxNorm(Code, frozen=True):
    """RxNorm concept unique identifier (RxCUI): a plain number."""

    system = systems.RXNORM
    pattern = re.compile(r"[1-9] \d{0,7}", re.VERBOSE | re.ASCII)


class Atc(Code, frozen=True):
    """ATC code of any of the five levels."""

    system = systems.ATC
    pattern = re.compile(
        r"""
        [ABCDGHJLMNPRSV]            # 1 anatomical main group
        (?: \d{2}                   # 2 therapeutic subgroup
          (?: [A-Z]                 # 3 pharmacological subgroup
            (?: [A-Z]               # 4 chemical subgroup
              (?: \d{2} )?          # 5 substance
        )? )? )?
        """,
        re.VERBOSE | re.ASCII,
    )

    @classmethod
    def normalise(cls, text: str) -> str:
        return text.strip().upper().replace(" ", "")

    @classmethod
    def levels(cls, value: str) -> tuple[str, ...]:
        """The code and its ancestors, most specific first: C07AB02, C07AB, C07A, C07, C."""
        return tuple(value[:length] for length in (7, 5, 4, 3, 1) if length <= len(value))


class Cvx(Code, frozen=True):
    """CVX vaccine code: two or three digits; one of less than ten is written with a zero before it."""

    system = systems.CVX
    pattern = re.compile(r"\d{2,3}", re.ASCII)

    @classmethod
    def normalise(cls, text: str) -> str:
        return text.strip().zfill(2)


TYPES: Mapping[str, type[Code]] = {
    kind.system: kind for kind in (SnomedCt, Loinc, Icd10Cm, Icd10, Icd9Cm, RxNorm, Atc, Cvx)
}


_VERHOEFF_D = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 2, 3, 4, 0, 6, 7, 8, 9, 5),
    (2, 3, 4, 0, 1, 7, 8, 9, 5, 6),
    (3, 4, 0, 1, 2, 8, 9, 5, 6, 7),
    (4, 0, 1, 2, 3, 9, 5, 6, 7, 8),
    (5, 9, 8, 7, 6, 0, 4, 3, 2, 1),
    (6, 5, 9, 8, 7, 1, 0, 4, 3, 2),
    (7, 6, 5, 9, 8, 2, 1, 0, 4, 3),
    (8, 7, 6, 5, 9, 3, 2, 1, 0, 4),
    (9, 8, 7, 6, 5, 4, 3, 2, 1, 0),
)
_VERHOEFF_P = (
    (0, 1, 2, 3, 4, 5, 6, 7, 8, 9),
    (1, 5, 7, 6, 2, 8, 3, 0, 9, 4),
    (5, 8, 0, 3, 7, 9, 6, 1, 4, 2),
    (8, 9, 1, 6, 0, 4, 3, 5, 2, 7),
    (9, 4, 5, 3, 1, 2, 6, 8, 7, 0),
    (4, 2, 8, 6, 5, 7, 3, 9, 0, 1),
    (2, 7, 9, 3, 8, 0, 6, 4, 1, 5),
    (7, 0, 4, 6, 9, 1, 3, 2, 5, 8),
)


def verhoeff(digits: str) -> bool:
    """Whether the last digit is the Verhoeff check digit (dihedral group D5) of the others."""
    state = 0
    for index, digit in enumerate(reversed(digits)):
        state = _VERHOEFF_D[state][_VERHOEFF_P[index % 8][int(digit)]]
    return state == 0


def luhn(digits: str) -> bool:
    """Whether the last digit is the mod-10 (Luhn) check digit of the others."""
    total = 0
    for index, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if index % 2 else 1)
        total += value - 9 if value > 9 else value
    return total % 10 == 0
