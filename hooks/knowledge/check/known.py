"""The words that knowledge may use: what code lists, text lexicon and drug dictionary can make of a chart."""

from __future__ import annotations

from collections.abc import Iterable
from fnmatch import fnmatchcase

from msgspec import Struct

from mappings.codelists import Terminology
from mappings.facts import Lesion
from mappings.text.common import load_common
from mappings.text.engine import LANGUAGES
from mappings.text.schema import load_lexicon, load_places

_PAINFUL = "painful"
"""asked of a lesion beside its own attributes: any pain at all (hooks/therapy/conditions.py)."""


class Known(Struct, frozen=True):
    """A word that is not here would be a rule that never fires."""

    concepts: frozenset[str]
    analytes: frozenset[str]
    drugs: frozenset[str]
    """ingredients and classes."""
    unsure_classes: frozenset[str]
    """classes whose members are not confirmed: they may only make a rule block, warn or ask."""
    antibodies: frozenset[str]
    places: frozenset[str]
    regions: frozenset[str]
    attributes: frozenset[str]
    """what can be said of a lesion."""
    histology: frozenset[str]
    """what a description or a report can name a lesion to be."""

    @classmethod
    def of(cls, terminology: Terminology) -> Known:
        lexicons = [load_lexicon(language) for language in LANGUAGES]
        common, places = load_common(), load_places()
        concepts = {name for lex in lexicons for key in (*lex.concepts, *lex.absent) for name in key.split("+")}
        concepts |= {name for key in common.concepts for name in key.split("+")}
        concepts |= {name for lex in lexicons for key in lex.named_lesions for name in key.split("+")[2:]}
        concepts |= {name for lex in lexicons for g in lex.guarded for name in (g.concept, g.otherwise) if name}
        named = [name for table in (common.analytes, *(lex.analytes for lex in lexicons)) for name in table]
        drugs = terminology.drugs
        return cls(
            concepts=terminology.known_concepts | concepts | {f"failed.{drug}" for drug in drugs.names},
            analytes=terminology.known_analytes | {name.partition(":")[0] for name in named},
            drugs=frozenset((*drugs.names, *drugs.classes)),
            unsure_classes=frozenset(name for name, entry in drugs.classes.items() if entry.basis != "source"),
            antibodies=frozenset(row.extra["antibody"] for row in terminology.rows if row.extra.get("antibody"))
            | {name.partition(":")[2] for name in named if ":" in name},
            places=frozenset(places.regions),
            regions=frozenset(places.regions.values()),
            attributes=frozenset((*Lesion.__struct_fields__, _PAINFUL)),
            histology=frozenset(
                name
                for lex in lexicons
                for keys in (lex.mimics, lex.pathology.other, [k.split("+")[1] for k in lex.named_lesions])
                for name in keys
            ),
        )

    def has_concept(self, concept: str) -> bool:
        """ "ctd.*" is known when any concept of that prefix is."""
        if concept.endswith("*"):
            return any(fnmatchcase(name, concept) for name in self.concepts)
        return concept in self.concepts

    def unknown(self, kind: str, names: Iterable[str]) -> tuple[str, ...]:
        if kind == "concepts":
            return tuple(name for name in names if not self.has_concept(name))
        return tuple(name for name in names if name not in getattr(self, kind))
