"""Schema of therapies.yaml: what is known of each option, as reported, and whom it fits."""

from collections.abc import Mapping
from decimal import Decimal
from functools import cache, cached_property
from pathlib import Path
from typing import Literal, Self

from pydantic import Field, model_validator

from hooks.knowledge.base import FOLDER, EvidenceLevel, Sourced, Strict, load
from hooks.knowledge.safety_schema import Condition

Group = Literal["drug", "specialist", "historical", "procedure", "never"]


class Draft(Strict):
    """What a draft order would say: a starting dose, never a target."""

    text: str
    amount: Decimal | None = None
    unit: str | None = None
    per: str | None = None
    route: str | None = None
    basis: Literal["source", "inference"]


class Evidence(Strict):
    """One statement with its denominators, as the source gives it."""

    text: str
    level: EvidenceLevel
    sources: tuple[str, ...] = Field(min_length=1)


class Therapy(Sourced):
    """One agent of the contract. `drugs`, `drug_classes`: how it is found on a medication list, by `routes` if it
    matters; `orders`: workup ids of orders that count as already ordered. `own_classes`: an allergy to the bare class
    word concerns it; `allergy_classes`: an allergy to any member does (rule G3.1)."""

    id: str
    name: str
    group: Group
    drugs: tuple[str, ...] = ()
    drug_classes: tuple[str, ...] = ()
    routes: tuple[str, ...] = ()
    orders: tuple[str, ...] = ()
    own_classes: tuple[str, ...] = ()
    allergy_classes: tuple[str, ...] = ()
    extent: str
    dose: str
    draft: Draft | None = None
    evidence: tuple[Evidence, ...] = ()
    monitoring: tuple[str, ...] = ()
    label_status: str
    fits: Condition
    unfit: str
    """said when it does not fit this patient."""
    rank_localized: int
    rank_extensive: int


class Phrases(Strict):
    """How the one sentence of an item begins, by what decided; `{reason}` and `{name}` are filled in."""

    block: str
    need: str
    replace: str
    warn_off: str
    cap: str
    warn: str
    offer: str
    not_orderable: str
    pair_first: str
    pair_later: str
    unfit: str


class Therapies(Strict):
    """In presentation order of extensive disease (`ordered` gives the order for an extent)."""

    phrases: Phrases
    therapies: tuple[Therapy, ...]

    def get(self, agent: str) -> Therapy:
        """KeyError for an id that is no therapy."""
        return self.by_id[agent]

    def ordered(self, extent: str) -> tuple[Therapy, ...]:
        return self.of_extensive if extent == "extensive" else self.of_localized

    @cached_property
    def by_id(self) -> Mapping[str, Therapy]:
        return {therapy.id: therapy for therapy in self.therapies}

    @cached_property
    def of_extensive(self) -> tuple[Therapy, ...]:
        return tuple(sorted(self.therapies, key=lambda t: t.rank_extensive))

    @cached_property
    def of_localized(self) -> tuple[Therapy, ...]:
        return tuple(sorted(self.therapies, key=lambda t: t.rank_localized))

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [therapy.id for therapy in self.therapies]
        if len(ids) != len(set(ids)):
            raise ValueError("a therapy is listed twice")
        return self


@cache
def load_therapies(folder: Path = FOLDER) -> Therapies:
    """Reads hooks/knowledge/therapies.yaml; KnowledgeError names the key that is wrong."""
    return load("therapies.yaml", Therapies, folder=folder)
