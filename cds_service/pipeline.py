"""The way of a request, with no way back: gathered chart → facts → assessment → cards."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, tzinfo
from functools import cached_property
from typing import TYPE_CHECKING, Any

from cds_service.prescan_terms import prescan_of
from hooks.answer import answer
from hooks.assess import assess
from hooks.cards import CardContext
from hooks.hypothetical import prepare as prepare_supposing
from hooks.knowledge import Knowledge, load_knowledge
from hooks.model import Assessment
from mappings.codelists import OverlayText, load_terminology
from mappings.facts import NEEDS, Completeness, PatientFacts
from mappings.prescan import Prescan
from mappings.raw import RawChart
from mappings.reader import ChartReader

if TYPE_CHECKING:
    from hooks.answers import Answers

_EMPTY = PatientFacts("Patient/-", completeness=dict.fromkeys(NEEDS, Completeness("complete")))


@dataclass(frozen=True)
class Brain:
    """Reader and knowledge, loaded once. `today` is injected: the sandbox may fix it, rules never read a clock."""

    reader: ChartReader
    knowledge: Knowledge
    today: Callable[[], date]
    prescan: Prescan
    _silences: dict[date, Assessment] = field(default_factory=dict, init=False, compare=False, repr=False)

    @cached_property
    def answers(self) -> Answers:
        """The base for typed questions, imported and indexed when the first is asked."""
        from hooks.answers import load

        return load(self.knowledge)

    def with_overlay(self, overlay: OverlayText) -> Brain:
        """The same with a hospital's own codes. CodelistError names what is wrong with them."""
        from mappings.text.engine import TextEngine

        terminology, text = load_terminology(overlay), TextEngine.load()
        reader = ChartReader(terminology, terminology.drugs, text)
        prescan = prescan_of(terminology, text, self.knowledge)
        threading.Thread(target=prescan.prepare, name="prescan", daemon=True).start()
        return replace(self, reader=reader, prescan=prescan)

    def in_zone(self, zone: tzinfo) -> Brain:
        """The same where the day begins with that of a hospital: a result of its morning is none of tomorrow."""
        return replace(self, today=lambda: datetime.now(zone).date())

    def prepare(self) -> None:
        """Makes what need not be ready before the first request, and what that would wait for."""
        self.prescan.prepare()
        self.silence()
        prepare_supposing(self.knowledge)

    def may_concern(self, raw: bytes) -> bool:
        """Whether JSON text (a request, a Bundle, a line of NDJSON) may name a connective tissue disease; False only
        when no reading of it can: then the assessment of whatever it holds is silent, and nothing need be parsed."""
        return self.prescan.may_concern(raw)

    def understand(self, chart: RawChart, as_of: date | None = None) -> tuple[PatientFacts, Assessment]:
        """Facts and assessment of one chart; never raises on a chart."""
        facts = self.reader.read(chart)
        return facts, self.assess(facts, as_of)

    def assess(self, facts: PatientFacts, as_of: date | None = None) -> Assessment:
        return assess(facts, self.knowledge, as_of or self.today())

    def silence(self) -> Assessment:
        """The assessment of somebody whose chart was read and is empty: grade and card are those of every patient
        without a connective tissue disease. Made once a day."""
        day = self.today()
        found = self._silences.get(day)
        if found is None:
            self._silences.clear()
            found = self._silences[day] = assess(_EMPTY, self.knowledge, day)
        return found

    def cards(
        self, hook: str, facts: PatientFacts, assessment: Assessment, context: CardContext
    ) -> list[dict[str, Any]]:
        """The cards of a hook in the dialect of the context."""
        return answer(hook, assessment, facts, self.knowledge, context)


def load_brain(as_of: date | None = None, overlay: OverlayText | None = None) -> Brain:
    """Reads code lists, lexicons and knowledge; their errors name file and key."""
    from mappings.text.engine import TextEngine

    terminology = load_terminology(overlay)
    text = TextEngine.load()
    reader = ChartReader(terminology, terminology.drugs, text)
    knowledge = load_knowledge()
    today = (lambda: as_of) if as_of is not None else _utc_today
    return Brain(reader, knowledge, today, prescan_of(terminology, text, knowledge))


def _utc_today() -> date:
    return datetime.now(UTC).date()


def new_uuid() -> str:
    return str(uuid.uuid4())
