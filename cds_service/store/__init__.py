"""What outlives a request: evaluations, cards shown, feedback, used tokens. No clinical value, no FHIR resource."""

from typing import TYPE_CHECKING, Any

from cds_service.store.records import (
    CardRecord,
    Claim,
    EvaluationRecord,
    Shown,
    StoreError,
    SuggestionRecord,
    TokenUse,
)

if TYPE_CHECKING:
    from cds_service.store.store import Store

__all__ = ["CardRecord", "Claim", "EvaluationRecord", "Shown", "Store", "StoreError", "SuggestionRecord", "TokenUse"]


def __getattr__(name: str) -> Any:
    """`Store` brings SQLAlchemy along, half as much to import as FastAPI: read when a database is opened."""
    if name != "Store":
        raise AttributeError(name)
    from cds_service.store.store import Store

    return Store
