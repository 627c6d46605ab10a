"""What outlives a request: evaluations, cards shown, feedback, used tokens. No clinical value, no FHIR resource."""

from cds_service.store.records import CardRecord, Claim, EvaluationRecord, Shown, SuggestionRecord
from cds_service.store.store import Store, StoreError, TokenUse

__all__ = ["CardRecord", "Claim", "EvaluationRecord", "Shown", "Store", "StoreError", "SuggestionRecord", "TokenUse"]
