"""`python -m tests.soak [SECONDS] [FOLDER]`: the whole run; writes soak.json, soak.md and soak.svg into the folder.

Exit code 1 when an answer was wrong, something grew, or a stop was not clean.
"""

from __future__ import annotations

import asyncio
import os
import sys
import tempfile
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from cds_service.pipeline import load_brain
from cds_service.store import Store
from cds_service.tenants import load_tenants
from tests.serving import free_port
from tests.soak.callers import Callers, Tally
from tests.soak.expected import Expected
from tests.soak.fhir import sandbox
from tests.soak.plans import Deck, Plan
from tests.soak.report import write
from tests.soak.service import GRACE_SECONDS, PUBLIC, Hospital, Service, database, fhir_process
from tests.soak.watch import Watch, total

RATE = float(os.environ.get("SOAK_RATE", "12"))
SEED = int(os.environ.get("SOAK_SEED", "1"))
SAMPLE_SECONDS = 5.0
RELOAD_SECONDS = 20.0
IN_FLIGHT = 20
PLANS = 400
"""different hook calls, whose right answers are computed before the clock starts."""
_AT_ONCE = 8
"""callers that wait at the same time; the machine decides how many calls a second that makes."""


async def soak(seconds: float, folder: Path) -> dict[str, Any]:
    """Runs everything; gives what report.write takes."""
    with database(folder) as (database_url, kind), fhir_process(folder) as (fhir, authority):
        hospital = Hospital(folder, fhir, authority)
        service = Service(folder, database_url, hospital.write(), free_port())
        service.start()
        try:
            return await _driven(seconds, service, hospital, fhir) | {
                "database": kind,
                "callers": _AT_ONCE,
                "seed": SEED,
            }
        finally:
            service.kill()


async def _driven(seconds: float, service: Service, hospital: Hospital, fhir: str) -> dict[str, Any]:
    app, store = sandbox(datetime.now(UTC).date(), PUBLIC)
    found = load_tenants(service.tenants)
    tenants = {name: tenant for name in "abc" if (tenant := found.by_id(name)) is not None}
    expected = Expected(load_brain(), app, store, fhir, PUBLIC, tenants)
    checked = await expected.check_published()
    deck, tally, watch = Deck(SEED), Tally(), Watch()
    plans = deck.deal(PLANS if seconds > 60 else PLANS // 8)
    for plan, tenant in plans:
        await expected.of(plan, tenant)
    callers = Callers(service.url, hospital, expected, deck, tally)
    begun = time.monotonic()
    load = asyncio.create_task(_load(callers, begun + seconds))
    watching = asyncio.create_task(_watching(callers, watch, begun, begun + seconds))
    reloads = await _reloading(callers, hospital, begun + seconds)
    await asyncio.gather(load, watching)
    metrics = (await callers.http.get("/metrics")).text
    stop = await _stopped(callers, service)
    kept = await _restarted(callers, service, tally)
    await callers.close()
    return {
        "seconds": seconds,
        "checked": checked,
        "plans": len(plans),
        "tally": tally,
        "watch": watch,
        "reloads": reloads,
        "store_failures": total(metrics, "cds_store_failures_total"),
        "stop": stop,
        "restart": kept,
        "begun": datetime.now(UTC).isoformat(timespec="seconds"),
    }


async def _load(callers: Callers, until: float) -> None:
    """Calls at the given rate at most, so many at once at most."""
    waiting: set[asyncio.Task[None]] = set()
    while time.monotonic() < until:
        await asyncio.sleep(callers.deck.random.expovariate(RATE))
        if len(waiting) >= _AT_ONCE:
            await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        task = asyncio.create_task(callers.one())
        waiting.add(task)
        task.add_done_callback(waiting.discard)
    if waiting:
        await asyncio.wait(waiting)


async def _watching(callers: Callers, watch: Watch, begun: float, until: float) -> None:
    while time.monotonic() < until:
        metrics = (await callers.http.get("/metrics")).text
        watch.sample(time.monotonic() - begun, metrics, callers.in_force)
        await asyncio.sleep(min(SAMPLE_SECONDS, max(0.2, (until - begun) / 60)))


async def _reloading(callers: Callers, hospital: Hospital, until: float) -> int:
    """Writes the tenants file again and again: tenant c on and off, a wrong entry in between."""
    number = 0
    while time.monotonic() + RELOAD_SECONDS < until:
        await asyncio.sleep(RELOAD_SECONDS)
        number += 1
        mode = ("off", "live", "live")[number % 3]
        hospital.write(mode, broken=number % 4 == 1)
        if mode != callers.mode_of_c[0]:
            callers.mode_of_c = (mode, time.monotonic())
    return number


async def _stopped(callers: Callers, service: Service) -> dict[str, Any]:
    """SIGTERM while calls wait for a FHIR server that hangs: each must be answered."""
    tasks = await callers.in_flight(IN_FLIGHT)
    stopping = asyncio.create_task(asyncio.to_thread(service.stop))
    answers = await asyncio.gather(*tasks, return_exceptions=True)
    code, seconds = await stopping
    good = [a for a in answers if not isinstance(a, BaseException) and a.status_code == 200]
    told = [a for a in good if a.json()["completeness"]["procedures"]["state"] == "unavailable"]
    return {
        "in flight": len(tasks),
        "answered": len(good),
        "said what was missing": len(told),
        "otherwise": ", ".join(f"{n} {what}" for what, n in Counter(map(_ending, answers)).items() if what != "200")
        or "-",
        "exit code": code,
        "seconds": round(seconds, 1),
        "clean": len(told) == len(tasks) and code == 0 and seconds < GRACE_SECONDS,
    }


def _ending(answer: Any) -> str:
    """Its status, or the failure of a call that got none (one that the service had not taken in yet)."""
    return type(answer).__name__ if isinstance(answer, BaseException) else str(answer.status_code)


async def _restarted(callers: Callers, service: Service, tally: Tally) -> dict[str, Any]:
    """After a new start on the same database: a token of before is still used up, feedback is kept, the trail holds."""
    path = "/assessments"
    headers = callers.token("a", path)
    await asyncio.to_thread(service.start)
    body = Plan(path, "patient-view", "lopez2017-labs", (), False).body(1, {}, "")
    before = (await callers.http.post(path, content=body, headers=headers)).status_code
    await asyncio.to_thread(service.stop)
    await asyncio.to_thread(service.start)
    after = (await callers.http.post(path, content=body + b"\n", headers=headers)).status_code
    code, _ = await asyncio.to_thread(service.stop)
    store = Store(service.database, "long-run-0123456789-abcdefghijklmnop")
    try:
        verdict = store.verify_audit()
        from sqlalchemy import select

        from cds_service.store.tables import feedback

        with store.engine.connect() as connection:
            rows = {(r.card, r.outcome) for r in connection.execute(select(feedback.c.card, feedback.c.outcome))}
    finally:
        store.close()
    return {
        "first use of a token": before,
        "its use after a restart": after,
        "exit code": code,
        "feedback acknowledged": len(tally.feedback),
        "feedback lost": len(tally.feedback - rows),
        "audit trail holds": verdict.problem is None,
        "audit rows": verdict.rows,
        "clean": after == 401 and before == 200 and code == 0 and tally.feedback <= rows and verdict.problem is None,
    }


def main() -> int:
    seconds = float(sys.argv[1]) if len(sys.argv) > 1 else 1800.0
    out = Path(sys.argv[2]) if len(sys.argv) > 2 else Path("dist/soak")
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="soak-") as folder:
        found = asyncio.run(soak(seconds, Path(folder).resolve()))
    passed, lines = write(found, out)
    sys.stdout.write("\n".join(lines) + "\n")
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
