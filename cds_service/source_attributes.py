"""The 13 source attributes of evidence-based decision support, as data with what the running version adds."""

from datetime import date
from functools import cache
from importlib import resources
from typing import Any, Literal

from pydantic import Field

from cds_service import __version__
from hooks.knowledge import Knowledge
from hooks.knowledge.base import Strict, parse


class Attribute(Strict):
    id: str
    label: str
    value: str = Field(min_length=1)
    evidence: bool = False
    """the evidence base is listed with it."""


class Release(Strict):
    """A release of the program or of its knowledge, with its day."""

    of: Literal["software", "knowledge"]
    version: str
    date: date


class SourceAttributes(Strict):
    intervention: str
    type: str
    releases: tuple[Release, ...] = Field(min_length=1)
    attributes: tuple[Attribute, ...] = Field(min_length=13, max_length=13)


@cache
def load_source_attributes() -> SourceAttributes:
    """Reads the attributes; KnowledgeError names the key that is wrong."""
    import yaml

    text = (resources.files("cds_service") / "data/source_attributes.yaml").read_text(encoding="utf-8")
    return parse("source_attributes.yaml", yaml.safe_load(text), SourceAttributes)


def source_attributes(service_id: str, knowledge: Knowledge, public_url: str) -> dict[str, Any]:
    """The document of one service: attributes, versions, and the citations behind the knowledge."""
    data = load_source_attributes()
    attributes: list[dict[str, Any]] = []
    for attribute in data.attributes:
        entry: dict[str, Any] = {"id": attribute.id, "label": attribute.label, "value": attribute.value}
        if attribute.evidence:
            entry["url"] = f"{public_url}/evidence"
            entry["citations"] = [
                {"key": source.key, "citation": source.citation, "url": f"{public_url}/evidence/{source.key}"}
                for source in knowledge.evidence.sources.values()
            ]
        attributes.append(entry)
    return {
        "service": service_id,
        "intervention": data.intervention,
        "type": data.type,
        "softwareVersion": __version__,
        "knowledgeVersion": knowledge.version,
        "releases": [release.model_dump(mode="json") for release in data.releases],
        "attributes": attributes,
    }
