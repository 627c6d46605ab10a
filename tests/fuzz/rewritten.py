"""The same chart written otherwise must be answered alike, a broken one never better:
`python -m tests.fuzz.rewritten SECONDS [SEED [URL]]`.

Charts are those of public data, the held charts and the published cases. Each is asked about as it is (the whole
assessment, and the cards); then rewritten in ways that mean the same (`rewritings.py`), when both answers must be equal
but for uuids; then with something taken away or broken (`losses.py`), when the answer must say so and must not become
better by it. `SEED:NUMBER` of a finding makes the same input again.
"""

from __future__ import annotations

import asyncio
import copy
import gzip
import json
import random
import sys
import time
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import httpx
import orjson

from cds_service.app import create_app
from cds_service.prefetch import NEEDS_OF
from cds_service.sandbox.cases import published_cases
from cds_service.settings import Settings
from hooks.services import PREFETCH
from tests.cases.held_charts import held_charts
from tests.charts import TODAY
from tests.conformance import check_response
from tests.fuzz.asgi import JSON_HEADERS, Told, ask
from tests.fuzz.losses import ASSESSED, LOSSES
from tests.fuzz.rewritings import TREES, Call, written
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts

_CHARTS, _LONGEST = 25, 1200
"""of each public set, and resources of one"""
_AT_ONCE = 3
"""ways of rewriting in one request, at most"""
_CATEGORIES = {
    "laboratory": "laboratory", "exam": "examinations", "vital-signs": "vitals", "survey": "answers",
    "social-history": "answers", "imaging": "answers", "procedure": "answers",
}  # fmt: skip
OTHERS = "notesAndOthers"
"""a key of the client's own, for what no template asks for"""
_KEY_OF = {need: key for key, (need, _) in reversed(PREFETCH.items())}
_LINES = 4
"""of what one input does wrong"""
_UUIDS = ("uuid",)
_VIEWED, _SIGNED = "/cds-services/calcinosis-patient-view", "/cds-services/calcinosis-order-sign"
_DRUGS = ("diltiazem 60 mg", "minocycline 100 mg", "colchicine 0.5 mg", "warfarin 3 mg")
Asking = Callable[[str, bytes, bool], Awaitable[Told]]
"""path, body, and whether it goes packed"""


@dataclass(slots=True)
class Found:
    """What was asked, by kind and status, and what came out otherwise than it should."""

    asked: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)


def prefetch_of(resources: list[dict[str, Any]]) -> dict[str, Any]:
    """As a client would have searched them: every resource under the key of its type, null where there is none."""
    found: dict[str, list[Any]] = {}
    for resource in resources:
        kind = resource["resourceType"]
        need = "medications" if kind == "Medication" else NEEDS_OF.get(kind)
        key = _category(resource) if need == "observations" else _KEY_OF[need] if need else OTHERS
        found.setdefault(key, []).append({"resource": resource})
    patient = found.pop("patient", None)
    prefetch = {key: {"resourceType": "Bundle", "type": "searchset", "entry": found[key]} for key in found}
    return dict.fromkeys(PREFETCH) | prefetch | {"patient": patient[0]["resource"] if patient else None}


def _category(resource: Mapping[str, Any]) -> str:
    said = json.dumps(resource.get("category", ""))
    return next((key for code, key in _CATEGORIES.items() if f'"{code}"' in said), "laboratory")


def seeds() -> list[tuple[str, Call]]:
    """(name, call) of every chart."""
    found = [(held.id, "p", list(held.resources)) for held in held_charts()]
    found += [(stage.id, stage.id, list(stage.build(TODAY).resources)) for stage in published_cases()]
    for name in (*BUNDLE_SETS, *FILE_SETS):
        found += [(c.label, c.patient_id, list(c.resources)[:_LONGEST]) for c in islice(charts(name), _CHARTS)]
    return [(name, _call(patient, resources)) for name, patient, resources in found]


def _call(patient: str, resources: list[dict[str, Any]]) -> Call:
    plain = json.loads(json.dumps(resources, default=float))
    for number, resource in enumerate(plain):
        resource.setdefault("id", f"unnamed-{number}")
    context = {"userId": "Practitioner/1", "patientId": patient, "encounterId": "e1"}
    return {"hook": "patient-view", "hookInstance": "1", "context": context, "prefetch": prefetch_of(plain)}


class Campaign:
    """Asks one service about charts in many ways."""

    def __init__(self, asking: Asking, seed: int) -> None:
        self._ask, self._seed, self.found = asking, seed, Found()
        self._known = seeds()
        self._plain: dict[str, Mapping[str, Any]] = {}

    async def one(self, number: int) -> None:
        """One chart, rewritten or broken; what is wrong is noted."""
        place = f"{self._seed}:{number}"
        draw = random.Random(place)
        name, call = draw.choice(self._known)
        before = self._plain.get(name) or await self._answers(call, draw, "plain", place)
        self._plain[name] = before
        changed = copy.deepcopy(call)
        if draw.random() < 0.25:
            lost = draw.choice(list(LOSSES.values()))(changed, before, draw)
            if lost is not None:
                after = await self._answers(changed, draw, "broken", place)
                self._note(place, name, lost.what, lost.wrong(before, after))
            return
        ways = draw.sample(list(TREES), draw.randint(0, _AT_ONCE))
        for way in ways:
            TREES[way](changed, draw)
        after = await self._answers(changed, draw, "rewritten", place)
        self._note(place, name, ", ".join(ways) or "as written", differences(before, after))

    def _note(self, place: str, name: str, what: str, wrong: list[str]) -> None:
        self.found.wrong += [f"{place} {name} [{what}] {line}" for line in wrong[:_LINES]]

    async def _answers(self, call: Call, draw: random.Random, kind: str, number: str) -> dict[str, Any]:
        """The assessment, the cards and those of orders (or why there are none), without what is new in each."""
        found: dict[str, Any] = {}
        packed = kind == "rewritten" and draw.random() < 0.1
        for path, asked in ((ASSESSED, call), (_VIEWED, call), (_SIGNED, _signing(call))):
            body = orjson.dumps(asked) if kind == "plain" else written(asked, draw)
            told = await self._ask(path, body, packed)
            self.found.asked[f"{kind} {path}", told.status] += 1
            value = orjson.loads(told.body)
            if told.status not in (200, 412):
                self.found.wrong.append(f"{number} {kind} {path}: {told.status} {str(value)[:200]}")
            elif "cards" in value:
                self.found.wrong += [f"{number} {kind} {path}: {line}" for line in check_response(value)[:_LINES]]
            found[path] = _settled(value) if told.status == 200 else (told.status, value)
        return found


def _signing(call: Call) -> Call:
    """The same chart when orders are signed."""
    subject = {"subject": {"reference": f"Patient/{call['context']['patientId']}"}}
    kind = {"resourceType": "MedicationRequest", "status": "draft", "intent": "order", **subject}
    drafts = [{**kind, "id": f"d{n}", "medicationCodeableConcept": {"text": name}} for n, name in enumerate(_DRUGS)]
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft} for draft in drafts]}
    return {**call, "hook": "order-sign", "context": {**call["context"], "draftOrders": bundle}}


def _settled(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _settled(inner) for key, inner in value.items() if key not in _UUIDS}
    return [_settled(inner) for inner in value] if isinstance(value, list) else value


def differences(before: Any, after: Any, path: str = "") -> list[str]:
    """Where two answers differ, and in what; places in a prefetch that something was left out at may differ."""
    if isinstance(before, dict) and isinstance(after, dict):
        keys = [*before, *(key for key in after if key not in before)]
        return [line for key in keys for line in differences(before.get(key), after.get(key), f"{path}/{key}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            line
            for n, (a, b) in enumerate(zip(before, after, strict=True))
            for line in differences(a, b, f"{path}[{n}]")
        ]
    return [] if before == after else [f"{path}: {str(before)[:300]} != {str(after)[:300]}"]


async def campaign(seconds: float, seed: int, most: int = 10**9) -> Found:
    """Inputs for so long, or so many, straight into the application."""
    app = create_app(
        Settings(profile="sandbox", as_of=TODAY, database_url="sqlite://", sandbox_url="http://127.0.0.1:1/")
    )

    async def asking(path: str, body: bytes, packed: bool) -> Told:
        headers = (*JSON_HEADERS, (b"content-encoding", b"gzip")) if packed else JSON_HEADERS
        return await ask(app, "POST", path, gzip.compress(body, 1) if packed else body, headers=headers)

    async with app.router.lifespan_context(app):
        app.state.cds.brain.prepare()
        return await run(Campaign(asking, seed), seconds, most)


async def over_http(url: str, seconds: float, seed: int) -> Found:
    """The same against a service that runs, on the day of the tests (`CDS_AS_OF=2026-06-01 make demo`)."""
    async with httpx.AsyncClient(base_url=url, timeout=60) as client:

        async def asking(path: str, body: bytes, packed: bool) -> Told:
            headers = {"content-type": "application/json"} | ({"content-encoding": "gzip"} if packed else {})
            sent = pieces(body) if not packed and len(body) % 3 == 0 else gzip.compress(body, 1) if packed else body
            answer = await client.post(path, content=sent, headers=headers)
            return Told(answer.status_code, {}, answer.content)

        return await run(Campaign(asking, seed), seconds, 10**9)


async def pieces(body: bytes) -> AsyncIterator[bytes]:
    """A body of unknown length."""
    for at in range(0, len(body), 10_007):
        yield body[at : at + 10_007]


async def run(asked: Campaign, seconds: float, most: int) -> Found:
    """Asks until the time is over."""
    until = time.monotonic() + seconds
    for number in range(most):
        if time.monotonic() > until:
            break
        await asked.one(number)
    return asked.found


def main() -> int:
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    url = sys.argv[3] if len(sys.argv) > 3 else None
    found = asyncio.run(campaign(seconds, seed) if url is None else over_http(url, seconds, seed))
    lines = "".join(f"{kind}: {status} × {number}\n" for (kind, status), number in sorted(found.asked.items()))
    sys.stdout.write(f"{found.asked.total()} requests, seed {seed}\n{lines}{len(found.wrong)} wrong\n")
    sys.stdout.write("".join(f"{line}\n" for line in found.wrong[:200]))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
