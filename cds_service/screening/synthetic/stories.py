"""Stories -> chart rows: every slot is drawn once a patient, from the alternatives that `stories.yaml` lists."""

from __future__ import annotations

import random
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Literal

import msgspec
import yaml

Group = Literal["ctd", "other"]
Truth = Literal["dystrophic", "other-calcification", "none"]
_SLOT = re.compile(r"\{([a-z_0-9]+)\}")
_MAYBE = re.compile(r"\?(0\.\d+)\s+")


class Number(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A number drawn between two, with so many places."""

    low: float
    high: float
    places: int = 0


class Story(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One kind of patient: what is true of them, and the rows of their chart."""

    id: str
    group: Group
    share: float
    truth: Truth
    card: bool
    grades: tuple[str, ...]
    evidence: tuple[str, ...]
    tells: str
    rows: tuple[str, ...]


class Decided(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the stories decide: parts of the names of conditions and of tests, in small letters."""

    conditions: tuple[str, ...]
    tests: tuple[str, ...]


class _Book(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    decided: Decided
    numbers: dict[str, Number]
    words: dict[str, tuple[str, ...]]
    stories: tuple[Story, ...]


@dataclass(frozen=True, slots=True)
class Told:
    """A story with its slots filled."""

    story: Story
    rows: tuple[str, ...]


@cache
def book() -> _Book:
    text = resources.files(__package__).joinpath("data", "stories.yaml").read_text(encoding="utf-8")
    return msgspec.convert(yaml.safe_load(text), _Book)


def stories() -> tuple[Story, ...]:
    return book().stories


def draw(group: Group, chance: random.Random) -> Told:
    """One story of a group by its share, filled in."""
    choices = [story for story in stories() if story.group == group]
    return tell(chance.choices(choices, [story.share for story in choices])[0], chance)


def tell(story: Story, chance: random.Random) -> Told:
    drawn: dict[str, str] = {}
    rows: list[str] = []
    for row in story.rows:
        maybe = _MAYBE.match(row)
        if maybe is not None and chance.random() >= float(maybe[1]):
            continue
        text = _fill(row[maybe.end() :] if maybe is not None else row, drawn, chance)
        rows.extend(line.strip() for line in text.split("\n") if line.strip())
    return Told(story, tuple(rows))


def _fill(text: str, drawn: dict[str, str], chance: random.Random) -> str:
    def one(found: re.Match[str]) -> str:
        name = found[1]
        if name not in drawn:
            drawn[name] = _draw(name, drawn, chance)
        return drawn[name]

    return _SLOT.sub(one, text)


def _draw(name: str, drawn: dict[str, str], chance: random.Random) -> str:
    numbers: Any = book().numbers.get(name)
    if numbers is not None:
        return f"{chance.uniform(numbers.low, numbers.high):.{numbers.places}f}"
    return _fill(chance.choice(book().words[name]), drawn, chance)
