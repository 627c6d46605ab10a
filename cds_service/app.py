"""The application: everything it needs is handed to `create_app`, nothing is global."""

from __future__ import annotations

import asyncio
import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from typing import TYPE_CHECKING

import httpx
from fastapi import FastAPI

from cds_service import __version__, heap
from cds_service.answers import register_errors
from cds_service.async_store import AsyncStore
from cds_service.auth import Authenticator
from cds_service.chart_cache import ChartCache
from cds_service.companion.launching import restored
from cds_service.companion.session_cipher import SessionCipher
from cds_service.companion.sessions import Session, Sessions
from cds_service.companion.shared import Kept, Shared
from cds_service.fhir.outbound import Policy, open_client
from cds_service.gauges import register
from cds_service.metrics import Metrics
from cds_service.middleware import Cors, Observed, RequestLimits
from cds_service.openapi import describe_bodies
from cds_service.overlay import read_overlay
from cds_service.overload import Rates, Room, Slots
from cds_service.pipeline import Brain, load_brain
from cds_service.routes import (
    companion,
    evidence,
    feedback,
    health,
    hooks,
    questionnaire,
    questions,
    source_attributes,
    start,
)
from cds_service.scheduler import Scheduler
from cds_service.settings import Settings, check_production
from cds_service.state import AppState, open_store
from cds_service.tenants import Tenants
from cds_service.tracing import Traced, Tracer, open_tracer

if TYPE_CHECKING:
    from cds_service.store import Store

_GC_THRESHOLDS = (50_000, 20, 100)
"""decoding a large chart makes many small objects; the default thresholds would collect in the middle of it."""
_CLEAN_SECONDS = 3600
_ROUTERS = (
    hooks.router,
    feedback.router,
    source_attributes.router,
    evidence.router,
    questions.router,
    questionnaire.router,
    companion.router,
    health.router,
    start.router,
)


def create_app(
    settings: Settings,
    *,
    brain: Brain | None = None,
    http: httpx.AsyncClient | None = None,
    store: Store | None = None,
    tracer: Tracer | None = None,
) -> FastAPI:
    """Builds the ASGI application. SettingsError, KnowledgeError and CodelistError say why it can't start."""
    check_production(settings)
    heap.tune()
    state = _state(settings, brain, http, store)
    state.tenants.check = state.check
    state.tenants.start()
    register(state)
    docs = settings.sandbox
    app = FastAPI(
        title="Calcinosis CDS",
        version=__version__,
        docs_url="/docs" if docs else None,
        redoc_url=None,
        openapi_url="/openapi.json" if docs else None,
        lifespan=_lifespan(state),
        redirect_slashes=False,
        # the framework's own would record addresses, and asks for its providers at every request: `tracing.py` is ours
        telemetry={"tracing": False, "metrics": False, "logs": False, "auto_configure": False},
    )
    app.state.cds = state
    for router in _ROUTERS:
        app.include_router(router)
    register_errors(app)
    describe_bodies(app)
    _add_middleware(app, state, tracer)
    return app


def _state(settings: Settings, brain: Brain | None, http: httpx.AsyncClient | None, store: Store | None) -> AppState:
    """What all requests share; a part that is given is taken instead of one of the settings."""
    policy = Policy(open_loopback=settings.sandbox)
    tenants = Tenants(settings.tenants_file, settings.kill_file)
    metrics = Metrics()
    kept = store or open_store(settings)

    async def restore(session: Kept, ours: Session | None) -> Session | None:
        return await restored(state, session, ours)

    state = AppState(
        settings=settings,
        brain=brain or load_brain(settings.as_of, read_overlay(settings.knowledge_overlay)),
        policy=policy,
        http=http or open_client(policy, parallel=settings.fhir_parallel),
        tenants=tenants,
        authenticator=Authenticator(tenants),
        metrics=metrics,
        async_store=AsyncStore(kept, metrics, settings.deadline_ms / 1000),
        sessions=Sessions(shared=_shared(settings, kept, tenants), restore=restore),
        charts=ChartCache(settings.keep_charts_seconds),
        slots=Slots(settings.max_concurrent, settings.max_concurrent_per_tenant),
        rates=Rates(settings.max_per_minute_per_tenant),
        scheduler=Scheduler(settings.deadline_ms / 1000, settings.max_concurrent),
        room=Room(settings.max_bytes_at_once, settings.max_bytes_at_once_per_tenant, settings.deadline_ms / 2000),
    )
    return state


def _lifespan(state: AppState) -> Callable[[FastAPI], AbstractAsyncContextManager[None]]:
    @asynccontextmanager
    async def lifespan(_: FastAPI) -> AsyncIterator[None]:
        if gc.isenabled():  # it is not while the command starts: there is next to nothing to collect
            gc.collect()
        gc.freeze()
        gc.set_threshold(*_GC_THRESHOLDS)
        gc.enable()
        threading.Thread(target=_prepare, args=(state.brain,), name="prescan", daemon=True).start()
        chores = [asyncio.create_task(_clean(state)), asyncio.create_task(heap.tidying(lambda: state.slots.used > 0))]
        if threading.current_thread() is threading.main_thread():
            asyncio.get_running_loop().add_signal_handler(signal.SIGHUP, state.tenants.reload)
        yield
        for chore in chores:
            chore.cancel()
        await state.close()

    return lifespan


def _add_middleware(app: FastAPI, state: AppState, tracer: Tracer | None) -> None:
    """Each is put around those before it: a request meets the last one first."""
    settings = state.settings
    app.add_middleware(hooks.HookCalls)
    app.add_middleware(
        RequestLimits,
        max_bytes=settings.max_body_bytes,
        seconds=settings.body_timeout_ms / 1000,
        slots=state.slots,
        turns=state.scheduler.turns,
    )
    app.add_middleware(Cors, any_origin=settings.sandbox, tenants=state.tenants)
    app.add_middleware(Observed, metrics=state.metrics, tenants=state.tenants)
    if tracer is None and settings.traces_url is not None:
        tracer = open_tracer(settings.traces_url)
    if tracer is not None:
        app.add_middleware(Traced, tracer=tracer)


async def _clean(state: AppState) -> None:
    """Removes what is older than its retention, and used-up tokens, now and every hour."""
    while True:
        await state.async_store.expire(state.tenants.retention, state.settings.retention_days)
        await asyncio.sleep(_CLEAN_SECONDS)


def _prepare(brain: Brain) -> None:
    """Beside the first requests; making it leaves more freed than kept."""
    brain.prepare()
    heap.give_back()


def _shared(settings: Settings, store: Store, tenants: Tenants) -> Shared | None:
    """Sessions of the companion between processes, where the settings have a key for them."""
    if settings.session_key is None:
        return None
    return Shared(store, SessionCipher(settings.session_key.get_secret_value()), tenants)
