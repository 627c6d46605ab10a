"""How knowledge files are read: strict schemas, and errors that name the file and the key."""

from __future__ import annotations

from importlib import resources
from typing import Any, Literal, TypeVar

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError

Basis = Literal["source", "inference", "unverified"]
"""source: the cited text states it. inference: our own clinical reading, shown as a tool rule. unverified: recalled,
not yet confirmed; may only block, warn or ask (checked by `check-knowledge`)."""

EvidenceLevel = Literal["IB", "IV", "label", "guideline", "cohort", "reference", "none"]


class Strict(BaseModel):
    """A knowledge entry: unknown keys are errors, values never change."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class Sourced(Strict):
    """An entry that states where it comes from: keys of the evidence base, and how far they carry it."""

    sources: tuple[str, ...]
    basis: Basis


class KnowledgeError(Exception):
    """A knowledge file is wrong; the text names file and key and may be shown."""

    def __init__(self, file: str, key: str, message: str) -> None:
        super().__init__(f"{file}: {key}: {message}")
        self.file, self.key, self.message = file, key, message


Model = TypeVar("Model", bound=BaseModel)


def load(file: str, model: type[Model], text: str | None = None) -> Model:
    """Reads `hooks/knowledge/<file>` (or the given text) into the schema; KnowledgeError names the first wrong key."""
    if text is None:
        text = (resources.files("hooks.knowledge") / file).read_text(encoding="utf-8")
    return parse(file, yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader)), model)  # noqa: S506 - both are safe loaders


def parse(file: str, data: Any, model: type[Model]) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise KnowledgeError(file, key, first["msg"]) from None
