"""Real requests with something changed, straight into the application: `python -m tests.fuzz.mutated SECONDS [SEED]`.

Bodies are charts of the published cases and of public data (tests/data/public), complete hook calls, feedback,
questions and answers of the dialogue; one to four changes each: members gone, doubled or of another type, odd numbers,
dates and texts, deep nesting, bytes flipped or cut off. Every answer must be one that /openapi.json promises: its
status, its media type, and for cards the shape that the protocol asks for. `SEED:NUMBER` of a finding makes the same
input again.
"""

from __future__ import annotations

import asyncio
import copy
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

import orjson

from cds_service.app import create_app
from cds_service.sandbox.cases import published_cases
from cds_service.sandbox.content import load_all
from cds_service.sandbox.store import Store
from cds_service.settings import Settings
from hooks.services import SERVICES
from tests.charts import TODAY
from tests.conformance import check_response
from tests.fuzz.asgi import ask
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts
from tests.soak.plans import ehr_of, prefetch_of

_ODD: tuple[Any, ...] = (
    None, True, False, 0, -1, 1e308, -1e-300, 10**60, "", " ", "\x00", "a" * 5000, "é\u202e\U0001f9b4", "../../etc",
    "<script>", "{{7*7}}", "2026-13-45", "0000-00-00", "9999-12-31T24:00:00+99:99", "2026-06", "NaN", [], {}, [[]],
    [None], {"": None}, {"resourceType": "Bundle"}, {"resourceType": 7}, {"reference": "Patient/other"},
    {"extension": [{"url": "x", "valueDecimal": 1}]}, "urn:uuid:x", "http://169.254.169.254/latest", "%s%n", "9" * 400,
)  # fmt: skip
_STATUSES = {200, 400, 404, 412, 413, 415}
_CHARTS = 20
"""of each public set."""
_RESOURCES = 40
_ENTRIES = 6


@dataclass(slots=True)
class Found:
    """What came: inputs by address and status, and what no description promises."""

    statuses: Counter[tuple[str, int]] = field(default_factory=Counter)
    wrong: list[str] = field(default_factory=list)

    @property
    def total(self) -> int:
        return self.statuses.total()


def seeds() -> list[tuple[str, Any]]:
    """(address, body) of every kind of call, none of them changed yet."""
    store = Store(":memory:")
    load_all(store, TODAY, background=False)
    ehr = ehr_of(store)
    found: list[tuple[str, Any]] = []
    for stage in published_cases():
        prefetch = prefetch_of(ehr, stage.id)
        found += [(f"/cds-services/{s.id}", _call(s.hook, stage.id, prefetch)) for s in SERVICES.values()]
        found.append(("/assessments", _call("patient-view", stage.id, prefetch)))
        chart = {"resourceType": "Bundle", "type": "collection", "entry": prefetch["conditions"].get("entry", [])}
        chart["entry"] = [{"resource": prefetch["patient"]}, *chart["entry"]]
        found.append(("/fhir/Questionnaire/$next-question", _next(chart)))
    for name in (*BUNDLE_SETS, *FILE_SETS):
        for public in islice(charts(name), _CHARTS):
            entries = [{"resource": r} for r in public.resources[:_RESOURCES]]
            bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
            found.append(("/assessments", _call("patient-view", public.patient_id, {"conditions": bundle})))
    item = {"card": "c", "outcome": "overridden", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    reason = {"reason": {"code": "patient-ineligible", "system": "x"}, "userComment": "no"}
    found.append(("/cds-services/calcinosis-patient-view/feedback", {"feedback": [item | {"overrideReason": reason}]}))
    accepted = {"card": "c", "outcome": "accepted", "outcomeTimestamp": "2026-06-01T10:00:00Z"}
    found.append(
        (
            "/cds-services/calcinosis-order-sign/feedback",
            {"feedback": [accepted | {"acceptedSuggestions": [{"id": "s"}]}]},
        )
    )
    found.append(
        ("/questions", {"question": "Does diltiazem help?", "language": "en", "assessment": {"grade": "likely"}})
    )
    return found


def _call(hook: str, patient: str, prefetch: dict[str, Any]) -> dict[str, Any]:
    draft = {
        "resourceType": "MedicationRequest",
        "id": "d1",
        "status": "draft",
        "intent": "order",
        "medicationCodeableConcept": {"text": "diltiazem"},
        "subject": {"reference": f"Patient/{patient}"},
    }
    context: dict[str, Any] = {"userId": "Practitioner/1", "patientId": patient, "encounterId": "e1"}
    if hook.startswith("order"):
        context |= {
            "draftOrders": {"resourceType": "Bundle", "entry": [{"resource": draft}]},
            "selections": ["MedicationRequest/d1"],
        }
    return {"hook": hook, "hookInstance": "1", "context": context, "prefetch": prefetch}


def _next(chart: dict[str, Any]) -> dict[str, Any]:
    response = {"resourceType": "QuestionnaireResponse", "status": "in-progress", "item": []}
    return {
        "resourceType": "Parameters",
        "parameter": [{"name": "questionnaire-response", "resource": response}, {"name": "chart", "resource": chart}],
    }


def changed(value: Any, draw: random.Random) -> bytes:
    """The body with one to four changes, the last of them perhaps of its bytes."""
    value = _thinned(value, draw)
    for _ in range(draw.randint(1, 4)):
        _change(value, draw)
    body = orjson.dumps(value, option=orjson.OPT_NON_STR_KEYS, default=lambda _: None) if _writable(value) else b"{}"
    kind = draw.random()
    if kind < 0.04:
        return body[: draw.randrange(len(body) + 1)]
    if kind < 0.08 and body:
        at = draw.randrange(len(body))
        return body[:at] + draw.randbytes(draw.randint(1, 4)) + body[at + 1 :]
    if kind < 0.10:
        return body.replace(b'"id":', b'"id":"x","id":', 1)
    if kind < 0.12:
        return body.replace(b"[", b"[" * draw.randint(2, 90), 1)
    return body


def _thinned(value: Any, draw: random.Random) -> Any:
    """A copy with a few entries of each Bundle: small charts are quick, and every entry has its turn."""
    if isinstance(value, dict):
        return {key: _thinned(inner, draw) for key, inner in value.items()}
    if isinstance(value, list):
        few = draw.sample(value, _ENTRIES) if len(value) > _ENTRIES else value
        return [_thinned(inner, draw) for inner in few]
    return value


def _writable(value: Any) -> bool:
    try:
        orjson.dumps(value)
    except (TypeError, orjson.JSONEncodeError):
        return False
    return True


def _change(root: Any, draw: random.Random) -> None:
    """One change at a random place, deep places as likely as shallow ones."""
    place = root
    for _ in range(draw.randint(0, 12)):
        inner = [v for v in (place.values() if isinstance(place, dict) else place) if isinstance(v, dict | list) and v]
        if not inner:
            break
        place = draw.choice(inner)
    keys = list(place) if isinstance(place, dict) else list(range(len(place)))
    if not keys:
        return
    key = draw.choice(keys)
    kind = draw.random()
    if kind < 0.5:
        place[key] = copy.deepcopy(draw.choice(_ODD))
    elif kind < 0.65:
        del place[key]
    elif kind < 0.8:
        place[key] = copy.deepcopy(place[draw.choice(keys)])
    elif kind < 0.9 and isinstance(place[key], str) and place[key]:
        at = draw.randrange(len(place[key]))
        place[key] = place[key][:at] + draw.choice("\x00ß٣½\u0301-.,<>{}9 ") + place[key][at + draw.randint(0, 2) :]
    elif isinstance(place, list):
        place.extend(place[:3] * draw.randint(1, 4))
    else:
        place[draw.choice(("resourceType", "status", "value", "code", "subject", "_id", "x" * 50))] = place[key]


def problem(path: str, status: int, kind: str, body: bytes) -> str | None:
    """What no description promises of an answer; None when it is in order."""
    if status not in _STATUSES:
        return f"{path}: {status} {body[:100]!r}"
    value = orjson.loads(body)
    if status != 200:
        return (
            None
            if value.get("resourceType") == "OperationOutcome" and "fhir+json" in kind
            else f"{path}: {status} no outcome"
        )
    if path.startswith("/cds-services/") and not path.endswith("/feedback"):
        broken = check_response(value)
        if broken:
            return f"{path}: cards: {broken[0][:300]}"
    return None


async def fuzz(seconds: float, seed: int, most: int = 10**9) -> Found:
    """Inputs for so long, or so many."""
    app = create_app(
        Settings(
            profile="sandbox",
            as_of=TODAY,
            database_url="sqlite://",
            deadline_ms=100,
            max_nodes=200_000,
            sandbox_url="http://127.0.0.1:1/",
        )
    )
    known, found = seeds(), Found()
    until = time.monotonic() + seconds
    async with app.router.lifespan_context(app):
        for number in range(most):
            if time.monotonic() > until:
                break
            draw = random.Random(f"{seed}:{number}")
            path, value = draw.choice(known)
            told = await ask(app, "POST", path, changed(value, draw))
            found.statuses[path, told.status] += 1
            wrong = problem(path, told.status, told.media_type, told.body)
            if wrong is not None and len(found.wrong) < 200:
                found.wrong.append(f"{seed}:{number} {wrong}")
    return found


def main() -> int:
    seconds, seed = float(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else int(time.time())
    found = asyncio.run(fuzz(seconds, seed))
    by_status: Counter[int] = Counter()
    for (_, status), number in found.statuses.items():
        by_status[status] += number
    sys.stdout.write(f"{found.total} inputs, seed {seed}, by status {dict(sorted(by_status.items()))}\n")
    sys.stdout.write(f"{len(found.wrong)} not as described\n" + "".join(f"{line}\n" for line in found.wrong[:40]))
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
