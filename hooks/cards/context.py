"""What a card needs to know beyond the assessment: who asks, and where our pages are."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from mappings.codelists import Coding


@dataclass(frozen=True, slots=True)
class CardContext:
    """`orderables` are a tenant's own codings by workup or therapy id; they replace ours. `new_uuid` makes the uuids
    of cards and suggestions (injected, so that answers can be compared in tests)."""

    public_url: str
    service_id: str
    new_uuid: Callable[[], str]
    user_kind: str | None = None
    orderables: Mapping[str, tuple[Coding, ...]] = field(default_factory=dict)
    companion_url: str | None = None

    @property
    def for_clinician(self) -> bool:
        return self.user_kind not in ("Patient", "RelatedPerson")

    def evidence_url(self, key: str | None = None) -> str:
        base = f"{self.public_url.rstrip('/')}/evidence"
        return f"{base}/{key}" if key else base
