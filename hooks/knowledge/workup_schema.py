"""Schema of workup.yaml: when an investigation or referral is worth suggesting, when it is done, when to avoid it."""

from functools import cache
from pathlib import Path
from typing import Self

from pydantic import Field, model_validator

from hooks.knowledge.base import FOLDER, Sourced, Strict, load
from hooks.knowledge.safety_schema import Condition
from mappings.facts import Modality


class Done(Strict):
    """What counts as done: a usable result of any of the analytes, imaging of the modalities with a report, a biopsy
    with a report, or an action recorded under the workup id. `window_days`: how old it may be. `same_site`: imaging
    must cover the lesion. `unless`: it does not count while this holds."""

    analytes: tuple[str, ...] = ()
    numeric: bool = False
    any_status: bool = False
    all_analytes: bool = False
    imaging: tuple[Modality, ...] = ()
    biopsy: bool = False
    action: bool = False
    window_days: int | None = None
    same_site: bool = False
    unless: Condition | None = None


class Reason(Strict):
    when: Condition
    because: str = Field(min_length=5)


class Avoid(Strict):
    """Without `regions` and `places` for every site; else for the lesion's sites that match."""

    when: Condition
    because: str = Field(min_length=5)
    regions: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    not_places: tuple[str, ...] = ()

    @property
    def by_site(self) -> bool:
        return bool(self.regions or self.places)


class WorkupEntry(Sourced):
    """One workup id of the contract. `options`: the rows W1 to W17 it serves; `sites`: the order names the lesion's
    body sites; `idle`: what is said when nothing calls for it."""

    id: str
    name: str
    options: tuple[str, ...] = Field(min_length=1)
    done: Done
    offer: tuple[Reason, ...] = Field(min_length=1)
    avoid: tuple[Avoid, ...] = ()
    sites: bool = False
    idle: str


class WorkupPhrases(Strict):
    done: str
    ordered: str
    avoid: str


class WorkupRules(Strict):
    """In the order in which a clinician wants them. `open_order_days`: an older active order no longer counts.
    `therapy_grades`: needs of therapies are pulled in from these grades on."""

    phrases: WorkupPhrases
    open_order_days: int
    therapy_grades: tuple[str, ...]
    entries: tuple[WorkupEntry, ...]

    @model_validator(mode="after")
    def _unique(self) -> Self:
        ids = [entry.id for entry in self.entries]
        if len(ids) != len(set(ids)):
            raise ValueError("a workup id is listed twice")
        return self


@cache
def load_workup(folder: Path = FOLDER) -> WorkupRules:
    """Reads hooks/knowledge/workup.yaml; KnowledgeError names the key that is wrong."""
    return load("workup.yaml", WorkupRules, folder=folder)
