"""How full each part of the service is, read when /metrics is asked: what must be flat over days, and the switches."""

from __future__ import annotations

import asyncio
import sys

from cds_service import __version__
from cds_service.state import AppState


def register(state: AppState) -> None:
    """Puts the gauges of one application into its metrics."""
    watch, store, tenants = state.metrics.watch, state.async_store, state.tenants
    watch("cds_event_loop_tasks", "Tasks of the event loop", _tasks)
    watch("cds_requests_in_progress", "Requests with a body that are under way", lambda: state.slots.used)
    watch("cds_store_connections_open", "Database connections that are open", lambda: store.store.connections[0])
    watch("cds_store_connections_in_use", "Database connections at work", lambda: store.store.connections[1])
    watch("cds_store_calls_in_progress", "Calls of the store that are under way", lambda: store.pending)
    watch("cds_store_waiting_records", "Records that wait to be written", lambda: store.waiting)
    watch("cds_tokens_remembered", "Used tokens that this process remembers", lambda: len(state.authenticator.seen))
    watch("cds_charts_kept", "Charts that are kept in case they are opened again", lambda: len(state.charts))
    watch("cds_companion_sessions", "Open sessions of the companion", lambda: len(state.sessions))
    watch("cds_live_blocks", "Blocks of memory that Python objects take", sys.getallocatedblocks)
    watch("cds_tenants_enabled", "Tenants that may call", lambda: tenants.enabled)
    watch("cds_tenants_disabled", "Entries of the tenants file that are wrong", lambda: len(tenants.problems))
    watch("cds_kill_switch", "1 while the kill file exists and no card is shown", lambda: int(tenants.killed))
    state.metrics.about(__version__, state.brain.knowledge.version, state.settings.profile)


def _tasks() -> int:
    try:
        return len(asyncio.all_tasks())
    except RuntimeError:  # asked from outside of the loop
        return 0
