"""The right answer to each plan: the same rules over the chart that should have arrived, in this process, in peace.

Charts are gathered from the same FHIR server without a network; the published cases among them are compared with what
the clinical specification expects (tests/cases/expected.yaml), so that the yardstick itself is checked.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import orjson
import yaml
from msgspec.structs import replace

from cds_service.answers import json_response
from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.outbound import Policy
from cds_service.gather import gather
from cds_service.limits import decode_request
from cds_service.pipeline import Brain
from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.store import Store
from cds_service.tenants import Tenant
from hooks.cards import CardContext
from hooks.model import to_json
from hooks.services import RESOURCE_NEEDS
from hooks.wire import HookRequest, parse_request
from mappings.facts import Completeness
from mappings.raw import RawChart
from tests.ehr import without_uuids
from tests.soak.fhir import ALIAS, FaultyFhir
from tests.soak.plans import Plan, ehr_of, prefetch_of

_LONG = 60_000
_CASES = Path(__file__).parents[1] / "cases" / "expected.yaml"


@dataclass(frozen=True, slots=True)
class Right:
    """Status and body (uuids and the name of the call's own taken off), and the chart it comes from."""

    status: int
    body: Any
    chart: RawChart
    partial: bool


def plain(body: bytes) -> Any:
    """An answer without what is random in it: uuids, the name of the patient in this call."""
    return without_uuids(orjson.loads(ALIAS.sub(b"", body)))


class Expected:
    """`fhir` is the base URL that requests name; tenants by id."""

    def __init__(
        self, brain: Brain, app: Any, store: Store, fhir: str, public_url: str, tenants: dict[str, Tenant]
    ) -> None:
        self.brain, self.fhir, self.public_url, self.tenants = brain, fhir, public_url, tenants
        self.ehr = ehr_of(store)
        self._http = httpx.AsyncClient(transport=httpx.ASGITransport(FaultyFhir(app, at_once=True)))
        self._prefetch: dict[str, dict[str, Any]] = {}
        self._known: dict[tuple[Plan, str], Right] = {}

    def prefetch(self, patient: str) -> dict[str, Any]:
        if patient not in self._prefetch:
            self._prefetch[patient] = prefetch_of(self.ehr, patient)
        return self._prefetch[patient]

    def known(self, plan: Plan, tenant: str) -> Right:
        """What `of` found before."""
        return self._known[plan, tenant]

    async def of(self, plan: Plan, tenant: str) -> Right:
        """What must come when everything goes as planned."""
        known = self._known.get((plan, tenant))
        if known is None:
            hook = self._request(plan)
            chart = await self._chart(hook, self.tenants[tenant])
            known = self._known[plan, tenant] = self._right(plan, hook, chart, self.tenants[tenant])
        return known

    def with_less(self, plan: Plan, tenant: str, right: Right, told: dict[str, Any]) -> Any:
        """The assessment that is right when these needs (name, state, reason as told) could not be read either."""
        states = {need: Completeness(c["state"], c.get("reason")) for need, c in told.items()}
        gone = {need for need, c in states.items() if c.state == "unavailable"}
        kept = tuple(r for r in right.chart.resources if RESOURCE_NEEDS.get(str(r.get("resourceType"))) not in gone)
        chart = replace(right.chart, resources=kept, completeness=states)
        return self._right(plan, self._request(plan), chart, self.tenants[tenant]).body

    async def check_published(self) -> int:
        """Compares the yardstick with the clinical specification; how many stages were compared."""
        expected = yaml.safe_load(_CASES.read_text(encoding="utf-8"))
        tenant = next(iter(self.tenants))
        for stage in published_cases():
            wanted = expected[stage.case]["case"] | expected[stage.case][stage.stage]
            plan = Plan("/assessments", "patient-view", stage.id, (), True)
            body = (await self.of(plan, tenant)).body
            assert (body["grade"], body["card"]) == (wanted["grade"], wanted["card"]), stage.id
        return len(published_cases())

    def _request(self, plan: Plan) -> HookRequest:
        body = ALIAS.sub(b"", plan.body(0, self.prefetch(plan.patient), self.fhir))
        return parse_request(decode_request(body), expected_hook=plan.hook, known_hooks=frozenset((plan.hook,)))

    async def _chart(self, hook: HookRequest, tenant: Tenant) -> RawChart:
        client = None
        if hook.fhir_server is not None and hook.authorization is not None:
            token = hook.authorization.access_token
            client = FhirClient(self._http, Policy(any_host=True), hook.fhir_server, token, "R4")
        return await gather(
            hook, client=client, deadline=Deadline.after(_LONG), version=tenant.fhir_version, zone=tenant.zone
        )

    def _right(self, plan: Plan, hook: HookRequest, chart: RawChart, tenant: Tenant) -> Right:
        facts, found = self.brain.understand(chart)
        partial = any(c.state != "complete" for c in chart.completeness.values())
        if plan.path == "/assessments":
            return Right(200, self._json(to_json(found)), chart, partial)
        if found.unreadable:
            return Right(412, None, chart, partial)
        cards = self.brain.cards(hook.hook, facts, found, self._context(plan, hook, tenant))
        return Right(200, self._json({"cards": cards}), chart, partial)

    def _context(self, plan: Plan, hook: HookRequest, tenant: Tenant) -> CardContext:
        launch = f"{self.public_url}/companion/launch" if tenant.companion else None
        return CardContext(
            self.public_url,
            plan.path.rpartition("/")[2],
            lambda: "…",
            user_kind=hook.user_kind,
            user=str(hook.context["userId"]),
            dialect=tenant.dialect,
            orderables=tenant.codings,
            units=tenant.units,
            encounter_id=hook.encounter_id,
            companion_url=launch,
            selected=hook.selections,
        )

    @staticmethod
    def _json(value: Any) -> Any:
        return plain(bytes(json_response(value).body))
