"""Schema of `lexicon/notation.yaml`: how notes write units, and the words that systems put around them."""

import re
from functools import cache
from typing import Annotated

from pydantic import AfterValidator, Field

from mappings.text.schema import Strict, load


def _compiles(pattern: str) -> str:
    try:
        re.compile(pattern)
    except re.error as error:
        raise ValueError(f"{pattern!r} is no pattern: {error}") from None
    return pattern


Patterns = tuple[Annotated[str, AfterValidator(_compiles)], ...]
"""regular expressions, in small letters."""


class Units(Strict):
    """What may stand behind a number as its unit."""

    amounts: Patterns
    counts: Patterns
    others: Patterns
    surfaces: Patterns
    rates: Patterns
    seconds: Patterns


class Concentration(Strict):
    """A unit of the form "mg/dL"."""

    of: Patterns
    in_: Patterns = Field(alias="in")


class TableTitle(Strict):
    """The words before and behind the number in a title ("Readings from Last 3 Encounters")."""

    before: str
    behind: str


class Notation(Strict):
    """`notation.yaml`; each list is explained there."""

    units: Units
    concentrations: Concentration
    concentrations_of_cells: Concentration
    doses: dict[str, str]
    tables_of_readings: tuple[TableTitle, ...]


@cache
def load_notation() -> Notation:
    """How units are written, read once; LanguageError names what is wrong."""
    return load("lexicon/notation.yaml", Notation)
