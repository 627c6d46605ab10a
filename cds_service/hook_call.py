"""One hook call from the parsed request to the cards: assess, write, hold back repeats, keep the record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from datetime import date
from functools import partial
from secrets import token_hex
from typing import Any

from msgspec import Struct

from cds_service.async_store import now_ms
from cds_service.chart_cache import Asked, Opened, Reopening, Terms, asked
from cds_service.clinical_notes import wants_notes, with_notes
from cds_service.errors import Precondition
from cds_service.fast_path import FAST_PATH_HOOKS, Doubt, SilentCall, is_coded, silent_call
from cds_service.fast_path_pages import silent_facts
from cds_service.fhir.client import Deadline
from cds_service.gather import Gathered, gather_lazily
from cds_service.lazy_request import Prefetch
from cds_service.pipeline import Brain, new_uuid
from cds_service.reasons import reason_code
from cds_service.scheduler import HEAVY_BYTES, HEAVY_RESOURCES
from cds_service.state import AppState
from cds_service.store import CardRecord, EvaluationRecord, SuggestionRecord
from cds_service.store.records import Outcome
from cds_service.suppression import hashed, held_back, load_suppression, material_facts
from cds_service.tenants import NOBODY, Tenant
from cds_service.tracing import span
from hooks.cards import CardContext
from hooks.knowledge.card_schema import load_override_reasons
from hooks.model import Assessment
from hooks.services import SERVICES
from hooks.wire import HookRequest
from mappings.dates import PartialDate
from mappings.doubtful import is_meant
from mappings.facts import PatientFacts
from mappings.raw import RawChart

Card = dict[str, Any]
_AGE_BANDS = (("0-17", 18), ("18-39", 40), ("40-64", 65))
_OLDEST = "65+"
_ID_BYTES = 16
"""of what names an evaluation: nobody outside asks for it, and it takes a fifth of what a UUID does"""


class HookCall(Struct, frozen=True):
    """A call of one service by one tenant (None: the sandbox)."""

    state: AppState
    tenant: Tenant | None
    service_id: str
    public_url: str

    @property
    def tenant_id(self) -> str:
        return self.tenant.id if self.tenant else NOBODY

    async def cards(self, hook: HookRequest, body: bytes) -> list[Card]:
        """The cards to show. Precondition when the question itself could not be read. `body`: the request."""
        tenant, begun = self.tenant, time.perf_counter()
        if self._is_off:
            return []
        size = hook.prefetch.size if isinstance(hook.prefetch, Prefetch) else None
        beside = partial(self._asked, body, lambda _: self.state.charts.keeps, size)
        read = await assessed(hook, self.state, tenant, beside, may_skip=hook.hook in FAST_PATH_HOOKS)
        if read.assessment.unreadable:
            await self._keep(hook, read.facts, read.assessment, (), (), "unreadable", begun)
            if tenant is not None and tenant.fail_silent:
                return []
            raise _unreadable(read.facts, read.assessment)
        material = hashed(material_facts(read.assessment), self._key)
        opened = Opened(read.terms, read.facts, read.assessment, read.heavy, material)
        shown = await self._show(hook, opened, begun)
        if read.asked is not None:
            asked, digest = read.asked
            key = self.tenant_id, asked.hook.patient_id
            self.state.charts.keep(key, digest, opened.to_keep(), len(asked.prefetch))
        return shown

    async def reopened(self, body: bytes) -> Reopening | None:
        """A chart that was opened before and is unchanged; None when it has to be looked at."""
        charts, name = self.state.charts, self.tenant_id
        if not len(charts):
            return None
        work = partial(self._asked, body, lambda patient_id: charts.knows((name, patient_id)))
        found = await self.state.scheduler.run(name, len(body) > HEAVY_BYTES, work)
        if found is None:
            return None
        hook, digest = found[0].hook, found[1]
        opened = charts.find((name, hook.patient_id), digest, self._terms(hook))
        return None if opened is None else Reopening(hook, opened)

    def _asked(self, body: bytes, wanted: Callable[[str], bool], size: int | None = None) -> tuple[Asked, bytes] | None:
        """The question of a request about a patient that is wanted, and the digest of its prefetch, which has so many
        bytes. For any thread."""
        found = asked(body, SERVICES[self.service_id].hook, wanted, size)
        return None if found is None else (found, self.state.charts.digest(found))

    def _terms(self, hook: HookRequest) -> Terms:
        brain, tenant, state = self.state.brain_of(self.tenant), self.tenant, self.state
        zone = tenant.zone if tenant is not None else None
        reads = state.fhir_client(hook, tenant) is not None
        return Terms(brain, brain.today(), state.release(hook, tenant), zone, reads)

    async def again(self, found: Reopening) -> list[Card]:
        """The cards of a chart that is opened again: as if it had been read again, and kept on record as often."""
        begun = time.perf_counter()
        if self._is_off:
            return []
        opened = found.opened
        self.state.metrics.reopened(self.service_id)
        _count(self.state, opened.facts, opened.assessment)
        return await self._show(found.hook, opened, begun)

    async def _show(self, hook: HookRequest, opened: Opened, begun: float) -> list[Card]:
        """Writes the cards, holds back repeats, keeps the record."""
        facts, assessment, context = opened.facts, opened.assessment, self._context(hook)
        written = opened.cards(context)
        if written is None:
            with span("cards") as writing:
                written = await self.state.scheduler.run(
                    self.tenant_id,
                    opened.heavy,
                    partial(self.state.brain_of(self.tenant).cards, hook.hook, facts, assessment, context),
                )
                writing.note(cards=len(written))
            opened.keep(context, written)
        shown, outcome = await self._permitted(hook, written, opened.material)
        kept = tuple(_card_record(card, opened.material) for card in shown)
        await self._keep(hook, facts, assessment, written, kept, outcome, begun)
        return shown

    async def fast_path(self, body: bytes) -> SilentCall | None:
        """What can be told of a silent patient without reading the chart; None when it has to be read."""
        return await self.state.scheduler.run(self.tenant_id, len(body) > HEAVY_BYTES, partial(self._fast_path, body))

    def _fast_path(self, body: bytes) -> SilentCall | None:
        brain = self.state.brain_of(self.tenant)
        if not brain.prescan.ready:
            return None
        doubt, concepts = None, brain.knowledge.criteria.ctd.concepts
        is_sure = partial(is_coded, brain.reader, concepts)
        concern = brain.prescan.look(body, partial(is_meant, body, brain.may_concern, is_sure))
        if concern is not None and concern.meant:
            return None
        if concern is not None:
            doubt = Doubt(
                concern,
                brain.may_concern,
                concepts,
                partial(self.state.release, tenant=self.tenant),
            )
        hook = SERVICES[self.service_id].hook
        reads = lambda sent: self.state.fhir_client(sent, self.tenant) is not None  # noqa: E731
        return silent_call(body, hook, brain.reader, reads, doubt, max_nodes=self.state.settings.max_nodes)

    async def silence(self, seen: SilentCall) -> list[Card]:
        """The answer of the fast path: no cards, and the same record as after reading the chart."""
        begun = time.perf_counter()
        if self._is_off:
            return []
        assessment = self.state.brain_of(self.tenant).silence()
        _count(self.state, seen.facts, assessment)
        await self._keep(seen.hook, seen.facts, assessment, (), (), "nothing", begun)
        return []

    @property
    def _is_off(self) -> bool:
        return (self.tenant is not None and self.tenant.mode == "off") or self.state.tenants.killed

    async def _keep(
        self,
        hook: HookRequest,
        facts: PatientFacts,
        assessment: Assessment,
        written: Sequence[Card],
        kept: tuple[CardRecord, ...],
        outcome: Outcome,
        begun: float,
    ) -> None:
        """Counts the evaluation and records it, with keyed hashes and codes only."""
        key = self._key
        self.state.metrics.outcome(self.tenant_id, self.service_id, outcome)
        await self.state.async_store.record(
            EvaluationRecord(
                id=token_hex(_ID_BYTES),
                at_ms=now_ms(),
                tenant=self.tenant_id,
                service=self.service_id,
                patient_key=key("patient", hook.patient_id),
                user_key=_optional(key, "user", hook.context.get("userId")),
                encounter_key=_optional(key, "encounter", hook.encounter_id),
                knowledge_version=assessment.knowledge_version,
                grade=assessment.grade,
                card=assessment.card,
                outcome=outcome,
                sex=facts.sex,
                age_band=age_band(facts.born, assessment.as_of),
                user_kind=hook.user_kind,
                decisions=_decisions(assessment, written),
                incomplete=tuple(
                    f"{need}={found.state}:{reason_code(found.reason)}"
                    for need, found in facts.completeness.items()
                    if found.state != "complete"
                ),
                milliseconds=round((time.perf_counter() - begun) * 1000, 1),
                cards=kept,
            )
        )

    def _key(self, *parts: str) -> str:
        return self.state.async_store.store.key(self.tenant_id, *parts)

    def _context(self, hook: HookRequest) -> CardContext:
        tenant = self.tenant
        return CardContext(
            self.public_url,
            self.service_id,
            new_uuid,
            user_kind=hook.user_kind,
            user=_text(hook.context.get("userId")),
            dialect=tenant.dialect if tenant else "generic-2.0",
            orderables=tenant.codings if tenant else {},
            units=tenant.units if tenant else "conventional",
            encounter_id=hook.encounter_id,
            companion_url=self._companion_url(),
            selected=hook.selections,
        )

    def _companion_url(self) -> str | None:
        """The launch URL of the companion, where it is registered; in the demonstration it always is."""
        registered = self.tenant.companion is not None if self.tenant else self.state.settings.sandbox_url is not None
        return f"{self.public_url.rstrip('/')}/companion/launch" if registered else None

    async def _permitted(
        self, hook: HookRequest, written: list[Card], material: frozenset[str]
    ) -> tuple[list[Card], Outcome]:
        """What of the written cards is shown, and what became of the evaluation."""
        if not written:
            return [], "nothing"
        tenant = self.tenant
        if tenant is not None and tenant.mode == "silent":
            return [], "silent"
        if tenant is not None and not in_rollout(hook.patient_id, tenant):
            return [], "rollout"
        if not self.state.settings.suppresses:
            return written, "shown"
        before = await self.state.async_store.shown_before(self.tenant_id, self._key("patient", hook.patient_id))
        held = held_back(
            before,
            material,
            now_ms(),
            load_suppression(),
            load_override_reasons(),
            user_key=_optional(self._key, "user", hook.context.get("userId")),
            encounter_key=_optional(self._key, "encounter", hook.encounter_id),
            client_remembers=tenant is not None and tenant.client_remembers_overrides,
        )
        shown = [card for card in written if _topic(card) not in held]
        return shown, "shown" if shown else "suppressed"


class Assessed(Struct, frozen=True):
    """A chart read and assessed. `heavy`: it is heavy work; `asked`: what `beside` gave, None where more than the
    prefetch was asked for."""

    facts: PatientFacts
    assessment: Assessment
    heavy: bool
    terms: Terms
    asked: tuple[Asked, bytes] | None


async def assessed(
    hook: HookRequest,
    state: AppState,
    tenant: Tenant | None,
    beside: Callable[[], tuple[Asked, bytes] | None] = lambda: None,
    *,
    may_skip: bool = False,
) -> Assessed:
    """Facts and assessment of the patient that the request names. Empties the request's prefetch. `beside`: what is
    found out about the request in the same turn at the processor. `may_skip`: a chart that names no connective
    tissue disease need not be read, since nothing but cards is asked for."""
    deadline = Deadline.after(state.settings.deadline_ms)
    client, zone = state.fhir_client(hook, tenant), tenant.zone if tenant is not None else None
    with span("gather") as gathering:
        gathered = await gather_lazily(
            hook,
            client=client,
            deadline=deadline,
            version=tenant.fhir_version if tenant is not None else None,
            zone=zone,
            statements=tenant is not None and tenant.medication_statements,
        )
        gathering.note(resources=gathered.count)
    brain, name = state.brain_of(tenant), tenant.id if tenant is not None else NOBODY
    heavy, version = gathered.count > HEAVY_RESOURCES, gathered.frame.version
    with span("read and assess") as assessing:
        noting = client is not None and tenant is not None and tenant.clinical_notes
        work = partial(_understood, brain, gathered, beside, may_skip, noting=noting)
        facts, found, asked, chart = await state.scheduler.run(name, heavy, work)
        if chart is not None and client is not None:
            noted = await with_notes(chart, hook.authorization, client, deadline)
            if noted is not chart:
                facts, found = await state.scheduler.run(name, True, partial(brain.understand, noted))
        assessing.note(grade=found.grade)
    _count(state, facts, found)
    return Assessed(facts, found, heavy, Terms(brain, found.as_of, version, zone, client is not None), asked)


def _understood(
    brain: Brain,
    gathered: Gathered,
    beside: Callable[[], tuple[Asked, bytes] | None],
    may_skip: bool,
    *,
    noting: bool,
) -> tuple[PatientFacts, Assessment, tuple[Asked, bytes] | None, RawChart | None]:
    """Facts, assessment, and what `beside` gave; the chart itself when it is to be read again with notes."""
    silent = silent_facts(gathered, brain.prescan) if may_skip else None
    if silent is not None:
        return silent, brain.silence(), None, None
    chart = gathered.chart()
    facts, found = brain.understand(chart)
    if noting and wants_notes(found):
        return facts, found, None, chart
    return facts, found, None if gathered.asked else beside(), None


def _count(state: AppState, facts: PatientFacts, found: Assessment) -> None:
    state.metrics.assessed(found.grade, found.card)
    for need, completeness in facts.completeness.items():
        if completeness.state != "complete":
            state.metrics.incomplete(need, completeness.state, reason_code(completeness.reason))


def in_rollout(patient_id: str, tenant: Tenant) -> bool:
    """A stable share of the patients: the same patient is always in or always out."""
    digest = hashlib.sha256(f"{tenant.id}\0{patient_id}".encode()).digest()
    return int.from_bytes(digest[:4]) % 100 < tenant.rollout


def _unreadable(facts: PatientFacts, assessment: Assessment) -> Precondition:
    reasons = ", ".join(f"{need} ({reason_code(facts.need(need).reason)})" for need in assessment.unreadable)
    return Precondition(f"could be had neither from prefetch nor from the FHIR server: {reasons}", "prefetch")


def _optional(key: Callable[..., str], kind: str, value: object) -> str | None:
    return key(kind, value) if isinstance(value, str) else None


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None


def _topic(card: Card) -> str:
    return str(card.get("source", {}).get("topic", {}).get("code", ""))


def _decisions(assessment: Assessment, written: Sequence[Card]) -> tuple[str, ...]:
    return (
        *(f"card:{_topic(card)}" for card in written),
        *(f"workup:{item.id}={item.decision}" for item in assessment.workup),
        *(f"therapy:{item.id}={item.decision}" for item in assessment.therapies),
    )


def _card_record(card: Card, material: frozenset[str]) -> CardRecord:
    return CardRecord(
        card["uuid"],
        _topic(card),
        material,
        tuple(SuggestionRecord(s["uuid"], _what(s)) for s in card.get("suggestions", ())),
    )


def _what(suggestion: dict[str, Any]) -> str:
    """Resource type of the draft and our own name of what it is for; no words of the chart."""
    for action in suggestion.get("actions", ()):
        resource = action.get("resource", {})
        concept = resource.get("code") or resource.get("medicationCodeableConcept") or {}
        return f"{resource.get('resourceType')} {concept.get('text', '')}".strip()
    return "-"


def age_band(born: PartialDate | None, day: date) -> str:
    """The age in bands as wide as the committee report needs them; "unknown" without a date of birth."""
    if born is None:
        return "unknown"
    years = day.year - born.latest.year - ((day.month, day.day) < (born.latest.month, born.latest.day))
    return next((name for name, below in _AGE_BANDS if years < below), _OLDEST)
