"""The evidence base: what a source key stands for, how it was read, and what we take from it."""

import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, StringConstraints, field_validator, model_validator

from hooks.knowledge.base import FOLDER, EvidenceLevel, KnowledgeError, Strict, Text, load

Read = Literal["full", "abstract", "opening", "label-excerpt", "page", "secondary"]
"""How a source was read; never more than this is claimed of it."""

_FILE = "evidence.yaml"
_KEY = re.compile(r"[a-z][a-z0-9_]*")


class Claim(Strict):
    """One statement that we take from a source, in our own words, numbers as given there."""

    text: Text
    level: EvidenceLevel
    topics: tuple[Text, ...] = Field(min_length=1)
    """contract ids (therapies, diagnoses, workup) or plain themes ("frequency", "latency", "limits")."""


class Source(Strict):
    """A cited source. At least one of doi, pmid, pmcid, url, locator or the citation itself says where it is."""

    key: str = ""
    citation: Text
    title: Text | None = None
    year: int | None = Field(default=None, ge=1900, le=2100)
    doi: Annotated[str, StringConstraints(pattern=r"^10\.\d{4,9}/\S+$")] | None = None
    pmid: Annotated[str, StringConstraints(pattern=r"^\d{1,9}$")] | None = None
    pmcid: Annotated[str, StringConstraints(pattern=r"^PMC\d{1,9}$")] | None = None
    url: Annotated[str, StringConstraints(pattern=r"^https://[a-z0-9.-]+\.[a-z]{2,}(/\S*)?$")] | None = None
    locator: Text | None = None
    """where it was read, in words, when no address is certain enough to be followed."""
    read: Read
    level: EvidenceLevel
    claims: tuple[Claim, ...] = Field(min_length=1)
    notes: tuple[Text, ...] = ()
    """errata, unverified names, disagreements."""

    @property
    def link(self) -> str | None:
        """The best address to follow, or None when none is certain."""
        if self.doi:
            return f"https://doi.org/{self.doi}"
        if self.pmid:
            return f"https://pubmed.ncbi.nlm.nih.gov/{self.pmid}/"
        if self.pmcid:
            return f"https://pmc.ncbi.nlm.nih.gov/articles/{self.pmcid}/"
        return self.url


class EvidenceBase(Strict):
    """All sources by key."""

    sources: Mapping[str, Source]

    @field_validator("sources")
    @classmethod
    def _keys(cls, sources: Mapping[str, Source]) -> Mapping[str, Source]:
        for key in sources:
            if not _KEY.fullmatch(key):
                raise ValueError(f"{key!r} is not a source key (lower case, digits, underscore)")
        return {key: source.model_copy(update={"key": key}) for key, source in sources.items()}

    @model_validator(mode="after")
    def _not_empty(self) -> "EvidenceBase":
        if not self.sources:
            raise ValueError("no source")
        return self

    def get(self, key: str) -> Source | None:
        """The source of a key, or None."""
        return self.sources.get(key)

    def __contains__(self, key: object) -> bool:
        return key in self.sources

    def about(self, topic: str) -> tuple[tuple[Source, Claim], ...]:
        """Every claim on a topic with its source, in the order of the file."""
        return tuple((s, c) for s in self.sources.values() for c in s.claims if topic in c.topics)

    def missing(self, keys: tuple[str, ...]) -> tuple[str, ...]:
        """Those of the keys that are no source here; for checking the other knowledge files."""
        return tuple(dict.fromkeys(key for key in keys if key not in self.sources))


@cache
def load_evidence(folder: Path = FOLDER) -> EvidenceBase:
    """Reads and checks the evidence base; KnowledgeError names file and key."""
    return load(_FILE, EvidenceBase, folder=folder)


__all__ = ["Claim", "EvidenceBase", "KnowledgeError", "Read", "Source", "load_evidence"]
