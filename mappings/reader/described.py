"""What words beside a lesion's code say of it, where they do not name it: "Consistency: hard", "Stone-hard, 1 cm"."""

from __future__ import annotations

from mappings.facts import LesionKind
from mappings.reader.analyte import observation_words
from mappings.reader.context import Collected
from mappings.text.reading import LesionMention


def under_heading(kind: LesionKind, lines: list[str], into: Collected) -> tuple[LesionMention, ...]:
    """What components and notes say of a lesion that only a code without words names ("Consistency: hard"), read under
    its name in the language that understands them."""
    words = ". ".join(line for line in lines if line)
    if not words:
        return ()
    for heading in observation_words().lesion_headings.get(kind, ()):
        found = into.tools.engine.read(f"{heading}. {words}", kind="observation").lesions
        if any(le.hardness != "unstated" or le.sites for le in found):
            return found
    return ()
