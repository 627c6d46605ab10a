"""Schemas of cards.yaml and orderables.yaml."""

from __future__ import annotations

from functools import cache
from typing import Literal

from pydantic import Field

from hooks.knowledge.base import Strict, load

Indicator = Literal["info", "warning"]
Effect = Literal["done", "not-this-patient", "later", "disagrees"]


class CardKindText(Strict):
    indicator: Indicator
    indicator_likely: Indicator | None = None
    topic: str = Field(pattern=r"^[A-Za-z0-9]{1,100}$")
    summary: str
    lead: str


class OverrideReason(Strict):
    """`days` of silence that the reason brings; none: for good on these facts."""

    code: str
    display: str
    effect: Effect
    days: int | None = None


class OverrideReasons(Strict):
    system: str
    reasons: tuple[OverrideReason, ...] = Field(min_length=3, max_length=5)


class FindingChoice(Strict):
    id: str
    code_text: str
    value: str
    label: str


class Findings(Strict):
    when_hardness: tuple[str, ...]
    choices: tuple[FindingChoice, ...]


class Cards(Strict):
    source_label: str
    topic_system: str
    max_summary: int = Field(le=139)
    max_therapies: int
    disclaimer: str
    read_more: str
    banned: tuple[str, ...]
    kinds: dict[str, CardKindText]
    short: dict[str, str]
    ctd_names: dict[str, str]
    lesions: dict[str, str]
    headings: dict[str, str]
    labels: dict[str, str]
    needs: dict[str, str]
    rule: str
    therapy_line: str
    left_line: str
    child_note: str
    quarantine_line: str
    override_reasons: OverrideReasons
    findings: Findings


class Orderable(Strict):
    label: str
    description: str
    site: bool = False


class Orderables(Strict):
    orders: dict[str, Orderable]


@cache
def load_cards() -> Cards:
    return load("cards.yaml", Cards)


@cache
def load_orderables() -> Orderables:
    return load("orderables.yaml", Orderables)
