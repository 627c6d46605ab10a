"""What still awaits confirmation: every entry that rests on memory, and what it may do meanwhile.

Made from the data, so that nothing unverified can be left off the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Literal

from msgspec import Struct

from hooks.knowledge import Knowledge
from hooks.knowledge.base import Sourced
from hooks.knowledge.criteria_schema import CriticalLimits, Diagnosis, ProductLimit
from hooks.knowledge.entries import Entry, entries
from hooks.knowledge.red_flags import Flag
from hooks.knowledge.safety_schema import Action, Rule
from mappings.drugdata import DrugClass

Acts = Action | Literal["capped", "sends-elsewhere", "warns-of", "narrows"]
"""What the entry does until it is confirmed: a rule's own action; capped: only a possible case; sends-elsewhere: away
from dystrophic calcinosis; warns-of: shown as something to think of; narrows: members of a class that rules warn of."""


class Awaiting(Struct, frozen=True):
    """One item. `part`: only this part of the entry awaits confirmation, the rest is sourced."""

    file: str
    key: str
    says: str
    acts: Acts
    part: str | None = None


def awaiting_confirmation(knowledge: Knowledge, classes: Mapping[str, DrugClass]) -> tuple[Awaiting, ...]:
    """Every unverified entry and every unverified part, in the order of the files."""
    return (*_of_knowledge(knowledge), *_of_classes(classes))


def _of_knowledge(knowledge: Knowledge) -> Iterator[Awaiting]:
    for entry in entries(knowledge):
        value = entry.value
        if isinstance(value, Sourced) and (value.basis == "unverified" or value.awaiting):
            yield Awaiting(entry.file, entry.key, _says(entry), _acts(value), value.awaiting)


def _of_classes(classes: Mapping[str, DrugClass]) -> Iterator[Awaiting]:
    for name, entry in classes.items():
        if entry.basis != "source":
            yield Awaiting("drugs.yaml", f"classes.{name}", f"{name}: {entry.source}", "narrows")


def _says(entry: Entry) -> str:
    value = entry.value
    if isinstance(value, CriticalLimits):
        return f"{entry.key.rpartition('.')[2]}: below {value.low} or above {value.high} mmol/L is critical"
    if isinstance(value, ProductLimit):
        return f"calcium × phosphate above {value.alternative_above or value.caution_above} mmol²/L²"
    if isinstance(value, Diagnosis):
        return f"{value.name}: {value.frequency}"
    if isinstance(value, Rule):
        return f"{', '.join(value.agents)}: {value.text}"
    return str(getattr(value, "text", None) or getattr(value, "because", None) or entry.key)


def _acts(value: Sourced) -> Acts:
    if isinstance(value, Rule):
        return value.action
    if isinstance(value, Diagnosis):
        return "capped"
    return "sends-elsewhere" if isinstance(value, CriticalLimits | ProductLimit | Flag) else "warns-of"
