"""One hook call from the parsed request to the cards: assess, write, hold back repeats, keep the record."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Sequence
from functools import partial
from secrets import token_hex

from msgspec import Struct

from cds_service.assessing import assessed, count
from cds_service.async_store import now_ms
from cds_service.chart_cache import Asked, Opened, Reopening, Terms, asked
from cds_service.errors import Precondition
from cds_service.evaluation_record import Card, age_band, card_record, decisions_of, topic_of
from cds_service.fast_path import FAST_PATH_HOOKS, Doubt, SilentCall, is_coded, silent_call
from cds_service.lazy_request import Prefetch
from cds_service.pipeline import new_uuid
from cds_service.reasons import reason_code
from cds_service.scheduler import HEAVY_BYTES
from cds_service.state import AppState
from cds_service.store import CardRecord, EvaluationRecord
from cds_service.store.records import Outcome
from cds_service.suppression import hashed, held_back, load_suppression, material_facts
from cds_service.tenants import NOBODY, Tenant
from cds_service.tracing import span
from hooks.cards import CardContext
from hooks.knowledge.card_schema import load_override_reasons
from hooks.model import Assessment
from hooks.services import SERVICES
from hooks.wire import HookRequest
from mappings.doubtful import is_meant
from mappings.facts import PatientFacts

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
        count(self.state, opened.facts, opened.assessment)
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
        kept = tuple(card_record(card, opened.material) for card in shown)
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
        count(self.state, seen.facts, assessment)
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
                decisions=decisions_of(assessment, written),
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
        shown = [card for card in written if topic_of(card) not in held]
        return shown, "shown" if shown else "suppressed"


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
