"""Turns at the event loop: one piece of work at a time and then some passes without one, tenants in turn.

Every call takes several passes of the loop, and in each of them all that can go on do. A crowd that goes on at once
makes each pass as long as the crowd; one that goes on one by one does not. So a call waits for its turn where it comes
in, and again before each piece of work that occupies the processor; whoever else waits has the next turn, and what
takes many short passes (connections, heads, pieces of bodies, answers of the store) is not held up in each of them.

Nobody holds a turn: who has come in may wait for its body, its FHIR server or its database while others go on. Of a
tenant's calls those that have come in go before those that have not, and so end sooner.
"""

from __future__ import annotations

import asyncio
from collections import Counter, deque
from collections.abc import Callable

from cds_service.errors import Overloaded

_PASSES = 4
"""of the loop from one turn to the next while somebody waits: what a connection takes until its call has come in."""
_PAUSE = 0.001
"""seconds until the next turn at most: where a thread is at work, each pass has to wait for the interpreter."""
_Turn = asyncio.Future[None]


class _Line:
    """The calls of one tenant that wait."""

    def __init__(self) -> None:
        self.inside: deque[_Turn] = deque()
        self.outside: deque[_Turn] = deque()

    def next(self) -> _Turn | None:
        """The one whose turn it is; None when nobody waits any more."""
        for turns in (self.inside, self.outside):
            while turns:
                turn = turns.popleft()
                if not turn.done():
                    return turn
        return None


class LoopTurns:
    """`seconds`: the longest wait outside; `most`: so many wait outside, then the last of the tenant that has most
    of them there is sent away."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._taken, self._passes, self._since = False, 0, 0.0
        self._outside = 0
        self._lines: dict[str, _Line] = {}
        self._turns, self._last = 0, Counter[str]()
        """how many turns there were, and which was the last of each tenant, as far as it was known whose it was"""

    async def enter(self, who: Callable[[], str]) -> None:
        """Comes in, at once where nobody has a turn. `who`: whose turn it is when it has to wait; nobody has been
        verified yet, so that who claims to be another one waits in that one's line. Raises Overloaded."""
        if self._is_free():
            return
        turn = asyncio.get_running_loop().create_future()
        self._line(who()).outside.append(turn)
        self._outside += 1
        if self._outside > self._most:
            self._send_away()
        timer = asyncio.get_running_loop().call_later(self._seconds, _refuse, turn)
        try:
            await turn
        finally:
            self._outside -= 1
            timer.cancel()

    async def go_on(self, tenant: str) -> None:
        """A further turn of a call that has come in, waited for however long it takes: those inside are bounded, and
        what was read for the call would be lost."""
        if self._is_free():
            self._note(tenant)
            return
        turn = asyncio.get_running_loop().create_future()
        self._line(tenant).inside.append(turn)
        await turn

    def _is_free(self) -> bool:
        if self._taken:
            return False
        self._taken, self._passes = True, 0
        asyncio.get_running_loop().call_soon(self._next)
        return True

    def _line(self, tenant: str) -> _Line:
        found = self._lines.get(tenant)
        if found is None:
            found = self._lines[tenant] = _Line()
        return found

    def _next(self) -> None:
        """Once in each pass. When it is time, the turn goes to the tenant that has had none for longest."""
        if not self._lines:
            self._taken = False
            return
        loop = asyncio.get_running_loop()
        loop.call_soon(self._next)
        self._passes += 1
        if self._passes == 1:
            self._since = loop.time()  # the work of the last turn is done
        if self._passes < _PASSES and loop.time() - self._since < _PAUSE:
            return
        while self._lines:
            tenant = min(self._lines, key=self._last.__getitem__)
            line = self._lines[tenant]
            turn = line.next()
            if not line.inside and not line.outside:
                del self._lines[tenant]
            if turn is not None:
                self._passes = 0
                self._note(tenant)
                turn.set_result(None)
                return

    def _note(self, tenant: str) -> None:
        self._turns += 1
        self._last[tenant] = self._turns

    def _send_away(self) -> None:
        longest = max((line.outside for line in self._lines.values()), key=len)
        while longest:
            turn = longest.pop()
            if not turn.done():
                _refuse(turn)
                return


def _refuse(turn: _Turn) -> None:
    if not turn.done():
        turn.set_exception(Overloaded("too much to do; try again"))
