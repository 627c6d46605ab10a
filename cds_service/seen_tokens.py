"""Used tokens, in the memory of one process: each is for one request, and its answer is kept for a retry."""

from __future__ import annotations

import asyncio
import hashlib
import secrets
import time
from collections import OrderedDict, deque
from enum import Enum
from typing import TYPE_CHECKING

from msgspec import Struct

from cds_service.errors import Overloaded, Unauthorized
from cds_service.spent_tokens import SpentTokens

if TYPE_CHECKING:
    from cds_service.auth import Caller

LEEWAY = 60
"""seconds by which clocks may differ"""
OUTAGE_SECONDS = 60
"""how old a token may be while the store does not answer; this process still takes each only once."""
_REPEAT_SECONDS = 30
_HELD_SECONDS = OUTAGE_SECONDS + LEEWAY
"""since its first use: from then on only the store could let a token in again, and it knows it"""
_SPENT_SECONDS = _HELD_SECONDS - _REPEAT_SECONDS
_MAX_SEEN = 50_000
_MAX_KEPT = 4 * 1024 * 1024
"""bytes of answers that are kept for retries; the oldest go for a new one, and their retries are answered anew"""
_NAME_BYTES = 8
"""Of what stands for a token. With as many tokens as are held at most, a new one is taken for one of them with a chance
below 2**-45, and then refused."""


class Answer(Struct, frozen=True, gc=False):
    """What a call was answered, to be given again to its retry."""

    body: bytes
    media_type: str


class _Without(Enum):
    """Why there is no answer."""

    YET = "under way"
    FAILED = "a retry is tried anew"
    ANY_MORE = "it was kept long enough"


class _Seen(Struct):
    request_hash: str
    first: float
    """when it was used first, by a clock that nobody sets"""
    answer: Answer | asyncio.Future[None] | _Without = _Without.YET
    """a future: under way, and retries wait for it."""


class SeenTokens:
    """Each token for one request. The same request delivered again within seconds (a gateway's retry) gets the stored
    answer, waits for it where the first delivery is still under way, and is tried anew where that one failed.

    Held in this process, in front of the shared store: it keeps the answers, and stands in while the store is away.
    What the store took is held as long as an outage would let it in again, what it did not take until it ends. There
    are thousands of tokens a minute, so that little is held of each: of its name a keyed digest, a future only where
    somebody waits, and no timer of its own."""

    def __init__(self) -> None:
        self._keyed = hashlib.blake2b(digest_size=_NAME_BYTES, key=secrets.token_bytes(32))
        self._seen: dict[int, _Seen] = {}
        self._order: deque[int] = deque()
        """the names of `_seen`, oldest first"""
        self._only_here: OrderedDict[int, tuple[_Seen, float]] = OrderedDict()
        """with when they end"""
        self._spent = SpentTokens(_SPENT_SECONDS)
        self._answers: deque[_Seen] = deque()
        self._kept = 0
        self._timer: asyncio.TimerHandle | None = None

    def __len__(self) -> int:
        return len(self._seen) + len(self._only_here) + len(self._spent)

    async def claim(self, caller: Caller, request_hash: str) -> Answer | None:
        """None for a request to be answered; the stored answer for a retry; Unauthorized for any other reuse."""
        now = time.monotonic()
        self._tidy(now)
        name = self._name(caller)
        known = self._known(name)
        if known is None:
            if name in self._spent:
                raise Unauthorized("not authorized")
            self._seen[name] = _Seen(request_hash, now)
            self._order.append(name)
            return None
        while True:
            answer = known.answer
            if request_hash != known.request_hash or now - known.first > _REPEAT_SECONDS:
                raise Unauthorized("not authorized")
            if answer is _Without.ANY_MORE:
                raise Unauthorized("not authorized")
            if isinstance(answer, Answer):
                return answer
            if answer is _Without.FAILED:
                known.answer = _Without.YET
                return None
            if not isinstance(answer, asyncio.Future):
                answer = known.answer = asyncio.get_running_loop().create_future()
            try:
                await asyncio.wait_for(asyncio.shield(answer), _REPEAT_SECONDS)
            except TimeoutError:
                raise Overloaded("the same request is still being answered") from None

    def not_stored(self, caller: Caller) -> None:
        """The store did not take the token: nobody but this process knows that it was used."""
        name = self._name(caller)
        known = self._seen.pop(name, None)
        if known is not None:
            self._only_here[name] = known, caller.ends

    def answered(self, caller: Caller, answer: Answer | None) -> None:
        """Keeps the first answer for a retry, for seconds only; None: there is none, a retry is tried anew."""
        known = self._known(self._name(caller))
        if known is None:
            return
        waited = known.answer
        if waited is not _Without.YET and not isinstance(waited, asyncio.Future):
            return
        known.answer = _Without.FAILED
        if answer is not None and len(answer.body) <= _MAX_KEPT:
            self._keep(known, answer)
        if isinstance(waited, asyncio.Future):
            waited.set_result(None)

    def _keep(self, known: _Seen, answer: Answer) -> None:
        self._let_go()
        while self._kept + len(answer.body) > _MAX_KEPT:
            self._drop(_Without.FAILED)
        known.answer = answer
        self._kept += len(answer.body)
        self._answers.append(known)
        if self._timer is None:
            self._timer = asyncio.get_running_loop().call_later(_REPEAT_SECONDS, self._in_time)

    def _in_time(self) -> None:
        """Lets go of the answers of the last second, for as long as there are any."""
        self._timer = None
        self._let_go()
        if self._answers:
            wait = self._answers[0].first + _REPEAT_SECONDS - time.monotonic() + _REPEAT_SECONDS / 30
            self._timer = asyncio.get_running_loop().call_later(wait, self._in_time)

    def _let_go(self) -> None:
        """Of answers that no retry is given any more."""
        begun = time.monotonic() - _REPEAT_SECONDS
        while self._answers and self._answers[0].first < begun:
            self._drop(_Without.ANY_MORE)

    def _drop(self, why: _Without) -> None:
        """The oldest answer."""
        oldest = self._answers.popleft()
        if isinstance(oldest.answer, Answer):
            self._kept -= len(oldest.answer.body)
        oldest.answer = why

    def _name(self, caller: Caller) -> int:
        keyed = self._keyed.copy()
        keyed.update(f"{caller.tenant.id}\0{caller.jti}".encode("utf-8", "surrogatepass"))
        return int.from_bytes(keyed.digest(), "big")

    def _known(self, name: int) -> _Seen | None:
        known = self._seen.get(name)
        if known is None and self._only_here:
            here = self._only_here.get(name)
            return None if here is None else here[0]
        return known

    def _tidy(self, now: float) -> None:
        """Lets go of what need not be held any more, and of the oldest when there are too many."""
        self._spent.tidy(now)
        while self._order:
            name = self._order[0]
            known = self._seen.get(name)
            if known is not None:
                if now - known.first <= _REPEAT_SECONDS and len(self._seen) <= _MAX_SEEN:
                    break
                del self._seen[name]
                if now - known.first <= _HELD_SECONDS:
                    self._spent.add(name)
            self._order.popleft()
        while self._only_here:
            _, ends = next(iter(self._only_here.values()))
            if ends >= time.time() and len(self._only_here) <= _MAX_SEEN:
                break
            self._only_here.popitem(last=False)
