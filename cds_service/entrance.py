"""Where calls come in: one in each pass of the event loop, tenants in turn.

Every call takes several passes of the loop, and in each of them all that came in have their turn. A crowd that comes in
at once makes each pass as long as the crowd; one that comes in one by one does not, whoever else comes waits for one of
it, not for all. Nobody is waited for here: who has come in may wait for its body, its FHIR server or its database while
the next one comes in.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict, deque
from collections.abc import Callable

from cds_service.errors import Overloaded


class Entrance:
    """`seconds`: the longest wait outside; `most`: so many wait, then the last of the longest queue is sent away."""

    def __init__(self, seconds: float, most: int) -> None:
        self._seconds, self._most = seconds, most
        self._taken = False
        self._outside = 0
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    async def enter(self, who: Callable[[], str]) -> None:
        """Comes in, at once where nobody did in this pass. `who`: whose turn it is when it has to wait; nobody has been
        verified yet, so that who claims to be another one waits in that one's queue. Raises Overloaded."""
        loop = asyncio.get_running_loop()
        if not self._taken:
            self._taken = True
            loop.call_soon(self._next)
            return
        turn: asyncio.Future[None] = loop.create_future()
        self._queues.setdefault(who(), deque()).append(turn)
        self._outside += 1
        if self._outside > self._most:
            self._send_away()
        timer = loop.call_later(self._seconds, _refuse, turn)
        try:
            await turn
        finally:
            self._outside -= 1
            timer.cancel()

    def _next(self) -> None:
        """Lets in who is next of the tenant that waited longest; its other calls go behind the other tenants."""
        while self._queues:
            tenant, queue = self._queues.popitem(last=False)
            while queue and queue[0].done():
                queue.popleft()
            if not queue:
                continue
            queue.popleft().set_result(None)
            if queue:
                self._queues[tenant] = queue
            asyncio.get_running_loop().call_soon(self._next)
            return
        self._taken = False

    def _send_away(self) -> None:
        longest = max(self._queues.values(), key=len)
        while longest[-1].done():
            longest.pop()
        _refuse(longest.pop())


def _refuse(turn: asyncio.Future[None]) -> None:
    if not turn.done():
        turn.set_exception(Overloaded("too much to do; try again"))
