"""How knowledge files are read: strict schemas, and errors that name the file and the key."""

from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

FOLDER = Path(__file__).parent
"""where the knowledge files are; every loader takes another folder, so that a proposed change can be checked first."""

Basis = Literal["source", "inference", "unverified"]
"""source: the cited text states it. inference: our own clinical reading, shown as a tool rule. unverified: recalled,
not yet confirmed; may only block, warn or ask (checked by `check-knowledge`)."""

EvidenceLevel = Literal["IB", "IV", "label", "guideline", "cohort", "reference", "none"]

Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1)]


class Strict(BaseModel):
    """A knowledge entry: unknown keys are errors, values never change."""

    # schemas do without `from __future__ import annotations`: pydantic would compile each annotation again at import;
    # and a schema is built with the file that it stands in the way of, not once more for every part of it
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class Sourced(Strict):
    """An entry that states where it comes from: keys of the evidence base, and how far they carry it."""

    sources: tuple[str, ...]
    basis: Basis
    awaiting: str | None = None
    """the part of a sourced entry that is recalled from memory and still awaits confirmation, in words."""


class KnowledgeError(Exception):
    """A knowledge file is wrong; the text names file and key and may be shown."""

    def __init__(self, file: str, key: str, message: str) -> None:
        super().__init__(f"{file}: {key}: {message}")
        self.file, self.key, self.message = file, key, message


Model = TypeVar("Model", bound=BaseModel)


def load(file: str, model: type[Model], text: str | None = None, folder: Path = FOLDER) -> Model:
    """Reads `folder/file` (or the given text) into the schema; KnowledgeError names the first wrong key."""
    return parse(file, read(file, folder) if text is None else _decode(file, text), model)


def read(file: str, folder: Path = FOLDER) -> Any:
    """The data of one YAML file; KnowledgeError when it can't be read or is no YAML."""
    try:
        text = (folder / file).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        raise KnowledgeError(file, "(top)", "can't be read") from None
    return _decode(file, text)


def _decode(file: str, text: str) -> Any:
    import yaml  # only where a table is read: those of an installed service are kept made

    try:
        return yaml.load(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe loaders
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        raise KnowledgeError(file, f"line {mark.line + 1}" if mark else "(top)", "is not YAML") from None


def parse(file: str, data: Any, model: type[Model]) -> Model:
    try:
        return model.model_validate(data)
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(str(part) for part in first["loc"]) or "(top)"
        raise KnowledgeError(file, key, first["msg"]) from None
