"""What the parts of a card share: the assessment, the facts behind it, the wording, and what is confidential.

A `Voice` is made for one answer. Its methods return GFM, chart text escaped; those ending in `_plain` plain text.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from functools import cached_property
from itertools import chain
from typing import Any

from hooks.cards.context import CardContext
from hooks.cards.dates import dates_in_words
from hooks.cards.markdown import code, escape, link, plain
from hooks.cards.tables import Tables, tables
from hooks.knowledge import Knowledge
from hooks.knowledge.card_schema import Cards
from hooks.model import Assessment
from hooks.restricted import restricted
from mappings.facts import Biopsy, Finding, Imaging, Lesion, PatientFacts, Site


@dataclass
class Voice:
    """One card while it is written; `cited` gathers the sources of what was said, in order."""

    assessment: Assessment
    facts: PatientFacts
    knowledge: Knowledge
    context: CardContext
    cited: dict[str, None] = field(default_factory=dict)
    """keys of the sources cited so far, in order; one card at a time."""
    links: dict[str, str] = field(default_factory=dict)
    """by source, as they stand in the text; empty where the evidence base does not have it."""
    memory: dict[object, Any] = field(default_factory=dict)
    """what the parts of this answer have asked before."""

    @cached_property
    def cards(self) -> Cards:
        return self.knowledge.cards

    # What may be shown ------------------------------------------------------------------------------------------------

    @cached_property
    def hidden(self) -> frozenset[str]:
        """References of restricted entries: they count, but nothing of them is quoted."""
        return restricted(self.facts)

    def reveals(self, references: Iterable[str]) -> bool:
        """Whether a sentence with this evidence would tell what a restricted entry says."""
        return bool(self.hidden) and not self.hidden.isdisjoint(references)

    def sentence(self, text: str, evidence: Iterable[str] = ()) -> str:
        """A sentence of the assessment, dates in words; one that rests on a restricted entry is replaced."""
        return escape(self.sentence_plain(text, evidence))

    def sentence_plain(self, text: str, evidence: Iterable[str] = ()) -> str:
        if self.reveals(evidence):
            return self.cards.say("hidden_reason")
        found: str | None = self.memory.get(("said", text))
        if found is None:
            found = self.memory["said", text] = dates_in_words(plain(text)).replace(".)", ")")
        return found

    def verdict(self, because: str, evidence: Iterable[str]) -> str:
        """The reason of an option. Where a restricted entry gives it, what it means for the option is still said."""
        if not self.reveals(evidence):
            return self.sentence(because)
        hidden = self.cards.say("hidden_reason")
        for template in self.tables.verdicts:
            if because.startswith(template.partition("{")[0]):
                return escape(template.format(reason=f"{hidden}."))
        return escape(f"{hidden}.")

    # References and sources -------------------------------------------------------------------------------------------

    def refs(self, references: Iterable[str]) -> str:
        """ " (`Condition/1`, `Condition/2`)", or nothing."""
        found = [reference for reference in dict.fromkeys(references) if reference not in self.hidden]
        if not found:
            return ""
        limit = self.cards.limits["references"]
        shown = [code(reference) for reference in found[:limit]]
        if len(found) > limit:
            shown.append(self.cards.say("and_more", count=len(found) - limit))
        return f" ({', '.join(shown)})"

    def cite(self, sources: Iterable[str]) -> str:
        """Links to the evidence pages of the sources that the evidence base has."""
        links, found = self.links, {}
        for key in sources:
            if key not in links:
                known = key in self.knowledge.evidence
                links[key] = link(key, self.context.evidence_url(key)) if known else ""
            if links[key]:
                found[key] = links[key]
        self.cited.update(dict.fromkeys(found))
        return " ".join(found.values())

    @property
    def said_with_source(self) -> Mapping[str, tuple[str, ...]]:
        """Sentence of the assessment -> its sources, for sentences without filled-in values."""
        return self.tables.said_with_source

    @cached_property
    def tables(self) -> Tables:
        """Look-ups of the knowledge that every card needs."""
        return tables(self.knowledge)

    def decisive(
        self, because: str, rules: Iterable[str], agents: tuple[str, ...]
    ) -> tuple[tuple[str, ...], tuple[str, ...]]:
        """(rule ids, sources) of those of the fired rules whose sentence the reason tells of these agents."""
        known = self.tables.rules
        told = [rule for name in rules for text, rule in known.get(name, ()) if text in because]
        names = tuple(dict.fromkeys(rule.reported for rule in told))
        sources = tuple(dict.fromkeys(key for rule in told for agent in agents for key in rule.sources_for(agent)))
        return names, sources[: self.cards.limits["sources"]]

    # Words ------------------------------------------------------------------------------------------------------------

    def site_plain(self, site: Site) -> str:
        name = site.place or site.region
        if site.laterality == "bilateral" and name in self.cards.both:
            return self.cards.both[name]
        place = self.cards.places.get(name) or name.replace("-", " ")
        return self.cards.sides[site.laterality].format(place=place) if site.laterality else place

    def sites_plain(self, sites: Iterable[Site], limit: int | None = None) -> str:
        key = (tuple(sites), limit)
        found: str | None = self.memory.get(key)
        if found is None:
            found = self.memory[key] = self._sites_plain(key[0], limit)
        return found

    def _sites_plain(self, sites: tuple[Site, ...], limit: int | None) -> str:
        both = {(site.region, site.place) for site in sites if site.laterality == "bilateral"}
        told = [s for s in sites if s.laterality == "bilateral" or (s.region, s.place) not in both]
        names = list(dict.fromkeys(plain(self.site_plain(site)) for site in told))
        if limit is not None and len(names) > limit:
            return f"{', '.join(names[:limit])} {self.cards.say('and_more', count=len(names) - limit)}"
        return ", ".join(names)

    def order_name(self, workup: str) -> str:
        return self.knowledge.orderables.name(workup)

    def therapy_name(self, therapy: str) -> str:
        try:
            return self.knowledge.therapies.get(therapy).name
        except KeyError:
            return therapy.replace("-", " ")

    @cached_property
    def lesions(self) -> tuple[Lesion, ...]:
        """The lesions that count and may be shown, as the chart describes them."""
        counted = set(self.assessment.criteria.lesion.evidence) - self.hidden
        return tuple(le for le in self.facts.lesions if le.ref in counted and le.certainty != "absent")

    @cached_property
    def coded_lesions(self) -> tuple[Finding | Imaging | Biopsy, ...]:
        """Named calcinosis and reports that stand for a lesion which nothing else describes."""
        described = {le.ref for le in self.lesions}
        counted = set(self.assessment.criteria.lesion.evidence) - self.hidden - described
        calcinosis = set(self.knowledge.criteria.lesion.calcinosis_concepts)
        named = (f for f in self.facts.findings if f.certainty != "absent" and f.concepts & calcinosis)
        entries: Iterable[Finding | Imaging | Biopsy] = chain(named, self.facts.imaging, self.facts.biopsies)
        return tuple({entry.ref: entry for entry in entries if entry.ref in counted}.values())

    @cached_property
    def body_sites(self) -> tuple[Site, ...]:
        """Sites of the lesions that count, without those only a restricted entry tells."""
        criterion = self.assessment.criteria.lesion
        if not self.reveals(criterion.evidence):
            return criterion.body_sites
        return tuple(dict.fromkeys(site for entry in (*self.lesions, *self.coded_lesions) for site in entry.sites))


def number(value: Decimal) -> str:
    """A value as the laboratory wrote it: digits kept, no exponent."""
    return f"{value:f}"
