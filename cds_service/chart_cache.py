"""Charts that are opened again unchanged: what was worked out of them is kept for minutes, in memory only.

A chart is opened several times in a visit, by several people, and seldom has anything been added in between. What is
kept stands for a patient, and is used only when the prefetch has the same content byte for byte and everything else on
which facts and assessment depend is the same too; then it is exactly what would be worked out again. Only charts are
kept that were read from the prefetch alone: what a server would say today is known only when it is asked."""

from __future__ import annotations

import secrets
import time
from collections import OrderedDict
from collections.abc import Callable
from datetime import date, tzinfo
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from cds_service.errors import BadRequest
from cds_service.fast_path import FAST_PATH_HOOKS, KNOWN, parted
from cds_service.limits import decode_request
from cds_service.prefetch_content import content_of
from cds_service.request_tag import content_tag
from hooks.cards import CardContext
from hooks.model import Assessment
from hooks.services import HOOKS
from hooks.wire import HookRequest, parse_request
from mappings.facts import PatientFacts
from mappings.guarded import Guarded
from mappings.versions import Version

Card = dict[str, Any]
Key = tuple[str, str]
"""Tenant and patient."""
_MOST_BYTES, _LARGEST = 2 * 1024 * 1024, 4 * 1024 * 1024
"""of all charts together; of one, which is then kept alone"""
_OF_ENTRY = 128 * 1024
"""bytes of an assessment with its cards; beside them facts take less than half of what the prefetch took."""
_MOST_READERS = 4
"""people for whom the cards of one chart are kept as written: who accepts is named in them."""
_SECRET_BYTES = 32


class Terms(Guarded, frozen=True, eq=False):
    """What facts and assessment depend on beside the prefetch: rules and codes (`brain`), the day, the release and time
    zone of the hospital, and whether anything could have been read from a server."""

    hidden = frozenset({"brain"})
    brain: object
    day: date
    version: Version | None
    zone: tzinfo | None
    reads: bool

    def same(self, other: Terms) -> bool:
        """Whether both lead to the same reading; another overlay is another brain."""
        return self.brain is other.brain and (self.day, self.version, self.zone, self.reads) == (
            other.day,
            other.version,
            other.zone,
            other.reads,
        )


class Opened(Guarded, frozen=True):
    """A chart as it was understood. `heavy`: writing its cards is heavy work; `written` are its cards by context."""

    hidden = frozenset({"facts", "assessment", "material", "written"})
    terms: Terms
    facts: PatientFacts
    assessment: Assessment
    heavy: bool
    material: frozenset[str]
    """hashes of what makes a card worth showing again (`suppression.py`)"""
    written: list[tuple[CardContext, list[Card]]] = msgspec.field(default_factory=list)

    def cards(self, context: CardContext) -> list[Card] | None:
        """The cards of this context with uuids of their own; None when they are not written yet."""
        for known, cards in self.written:
            if known == context:
                return [_renewed(card, context.new_uuid) for card in cards]
        return None

    def to_keep(self) -> Opened:
        """The same without what is good for one request only."""
        return replace(self, assessment=replace(self.assessment, situation=None))

    def keep(self, context: CardContext, cards: list[Card]) -> None:
        """Keeps the cards of a context beside those of few others."""
        self.written.append((context, cards))
        del self.written[:-_MOST_READERS]


def _renewed(card: Card, new_uuid: Callable[[], str]) -> Card:
    """A card that can be told from the one that was shown before, and each of its suggestions too."""
    suggestions = [{**one, "uuid": new_uuid()} for one in card.get("suggestions", ())]
    return {**card, "uuid": new_uuid()} | ({"suggestions": suggestions} if suggestions else {})


class Asked(Guarded, frozen=True):
    """The question of a request, and its prefetch in bytes."""

    hidden = frozenset({"hook", "prefetch"})
    hook: HookRequest
    prefetch: memoryview


class Reopening(Guarded, frozen=True):
    """A request for a chart that is kept."""

    hidden = frozenset({"hook", "opened"})
    hook: HookRequest
    opened: Opened


class _Held(Struct):
    digest: bytes
    opened: Opened
    room: int
    until: float


class ChartCache:
    """The charts of one process. `seconds`: how long one is kept after it was last opened; 0 keeps none. For the event
    loop only."""

    def __init__(self, seconds: float) -> None:
        self._seconds, self._secret = seconds, secrets.token_bytes(_SECRET_BYTES)
        self._held: OrderedDict[Key, _Held] = OrderedDict()
        self._room = 0

    def __len__(self) -> int:
        return len(self._held)

    @property
    def keeps(self) -> bool:
        return self._seconds > 0

    def knows(self, key: Key) -> bool:
        """Whether it is worth looking closer at a prefetch of this patient. For any thread."""
        return key in self._held

    def find(self, key: Key, digest: bytes, terms: Terms) -> Opened | None:
        """The chart, when nothing has changed since it was kept; it is kept for longer then."""
        self.tidy()
        held = self._held.get(key)
        if held is None or held.digest != digest or not held.opened.terms.same(terms):
            return None
        held.until = time.monotonic() + self._seconds
        self._held.move_to_end(key)
        return held.opened

    def keep(self, key: Key, digest: bytes, opened: Opened, size: int) -> None:
        """Keeps a chart instead of an earlier one of the patient; the ones that were opened longest ago make room.
        `size`: bytes of its prefetch."""
        self.tidy()
        self._drop(key)
        room = _OF_ENTRY + size // 2
        if room > _LARGEST or not self.keeps:
            return
        while self._held and self._room + room > _MOST_BYTES:
            self._drop(next(iter(self._held)))
        self._held[key] = _Held(digest, opened, room, time.monotonic() + self._seconds)
        self._room += room

    def tidy(self) -> None:
        """Lets go of what has not been opened for long."""
        now = time.monotonic()
        while self._held and next(iter(self._held.values())).until < now:
            self._drop(next(iter(self._held)))

    def digest(self, asked: Asked) -> bytes:
        """What stands for the content of a prefetch; it never leaves the process. For any thread."""
        return content_tag(self._secret, content_of(asked.prefetch))

    def _drop(self, key: Key) -> None:
        held = self._held.pop(key, None)
        if held is not None:
            self._room -= held.room


_PREFETCH = msgspec.json.Decoder(dict[str, msgspec.Raw])


def asked(body: bytes, expected_hook: str, wanted: Callable[[str], bool], size: int | None = None) -> Asked | None:
    """The question of a request and its prefetch, where the patient is `wanted`; None for a hook that brings drafts,
    and whenever the request is not quite regular: then the long way says what is wrong with it. `size`: how many bytes
    its prefetch has, where that is known."""
    if expected_hook not in FAST_PATH_HOOKS:
        return None
    for rest, sent in parted(body):
        try:
            members = decode_request(rest)
            if members.get("prefetch", rest) is not None or not KNOWN.issuperset(members):
                continue
            hook = parse_request(members, expected_hook=expected_hook, known_hooks=HOOKS)
            if not wanted(hook.patient_id):
                return None
            if len(sent) != size:
                _PREFETCH.decode(sent)  # or something else stands behind it
        except (msgspec.DecodeError, ValueError, RecursionError, BadRequest):
            continue
        return None if hook.drafts else Asked(hook, sent)
    return None
