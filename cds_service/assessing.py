"""From the parsed request to the assessment: the chart is gathered, read and judged, with its notes where they help."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from msgspec import Struct

from cds_service.chart_cache import Asked, Terms
from cds_service.clinical_notes import wants_notes, with_notes
from cds_service.fast_path_pages import silent_facts
from cds_service.fhir.client import Deadline
from cds_service.gather import Gathered, gather_lazily
from cds_service.pipeline import Brain
from cds_service.reasons import reason_code
from cds_service.scheduler import HEAVY_RESOURCES
from cds_service.state import AppState
from cds_service.tenants import NOBODY, Tenant
from cds_service.tracing import span
from hooks.model import Assessment
from hooks.wire import HookRequest
from mappings.facts import PatientFacts
from mappings.raw import RawChart


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
    count(state, facts, found)
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


def count(state: AppState, facts: PatientFacts, found: Assessment) -> None:
    """Counts an assessment and what of its chart could not be read whole."""
    state.metrics.assessed(found.grade, found.card)
    for need, completeness in facts.completeness.items():
        if completeness.state != "complete":
            state.metrics.incomplete(need, completeness.state, reason_code(completeness.reason))
