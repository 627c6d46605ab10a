"""What a drug or procedure is for: a diagnosis that may stand nowhere else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.dates import PartialDate
from mappings.facts import Finding
from mappings.reader.access import concepts
from mappings.reader.context import Collected
from mappings.reader.narrative import Source, add_reading

_ASKED_BY_RULES = "trigger."


def add_reasons(resource: Mapping[str, Any], ref: str, since: PartialDate | None, into: Collected) -> None:
    """Adds the reasons that a rule may ask for ("heart failure with reduced ejection fraction")."""
    for reason in concepts(resource.get("reasonCode")):
        alone = Collected(into.tools, into.patient)
        source = Source(ref, date=since, recorded=since, title=True)
        if coded := into.concepts_of(reason):
            alone.findings.append(Finding(coded, reason.label, ref, recorded=since))
        for words in () if coded else reason.texts:
            add_reading(into.tools.engine.read(words, kind="condition"), source, alone, lesions=False)
        into.findings.extend(f for f in alone.findings if all(name.startswith(_ASKED_BY_RULES) for name in f.concepts))
