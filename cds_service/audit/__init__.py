"""The audit trail: who asked what about whom, when, and what came of it; append-only and hash-chained."""

from cds_service.audit.events import Event, Verdict

__all__ = ["Event", "Verdict"]
