"""What a card needs to know beyond the assessment: who asks, where our pages are, what the tenant can order."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from msgspec import Struct, field

from mappings.codelists import Coding, Units

_NOT_CLINICIANS = frozenset({"patient", "relatedperson"})


class CardContext(Struct, frozen=True):
    """`orderables` are a tenant's own codings by workup or therapy id; they replace ours. `new_uuid` makes the uuids
    of cards and suggestions (injected, so that answers can be compared in tests). `user_kind` is the resource type of
    the hook's user, `user` the reference itself (performer of what is recorded by accepting). `suppress` holds topic
    codes that are not to be shown now, `selected` the drafts that are asked about (None: all)."""

    public_url: str
    service_id: str
    new_uuid: Callable[[], str]
    user_kind: str | None = None
    user: str | None = None
    dialect: str = "generic-2.0"
    orderables: Mapping[str, tuple[Coding, ...]] = field(default_factory=dict)
    units: Units = "conventional"
    companion_url: str | None = None
    encounter_id: str | None = None
    suppress: frozenset[str] = frozenset()
    selected: frozenset[str] | None = None

    @property
    def for_clinician(self) -> bool:
        return (self.user_kind or "").lower() not in _NOT_CLINICIANS

    @property
    def base_url(self) -> str:
        return self.public_url.rstrip("/")

    def evidence_url(self, key: str | None = None) -> str:
        base = f"{self.base_url}/evidence"
        return f"{base}/{key}" if key else base
