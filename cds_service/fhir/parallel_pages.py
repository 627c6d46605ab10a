"""Pages of a search that are asked for before the page that links to them has come.

Pages follow each other by links, one wait each. Where the link to the second page says in which place it begins
(HAPI FHIR's `_getpagesoffset=200`, Canvas' `_offset=200`, `_skip`, or `_page=2`) and the first page says how many there
are in all, the links of the pages behind it can be told, and those pages be asked for beside it. Such an answer counts
only when the page before it then links to the very same URL: so what is read is what following the links would have
read, no resource more or less. A link that turns out otherwise, or a page that the server refuses to give so, is
followed or asked for again as ever, and the server is not asked that way any more.

https://docs.oracle.com/en/industries/health-sciences/healthcare-data-repository/8.2.0.3/fhir-guide/ and
https://docs.canvasmedical.com/api/pagination have such links. Those of Epic, Oracle Millennium and MEDITECH are opaque
(`sessionID`, `-pageContext`, `continue`), and are followed one by one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from cds_service.fhir.client import Read

_MOST = 8
"""pages that are asked for at once: as many as the searches with which a chart begins."""
_SIZES = frozenset({"_count", "count", "_getpagessize", "_pagesize", "limit", "_limit"})
"""parameters that say how long a page is, not where it begins."""
_NUMBERS = frozenset({"page", "_page"})
"""parameters that number pages, from one."""


class ParallelPages:
    """The pages of one search. `ask` asks for a page; `unfit` is called once when its pages can't be told; `on`:
    whether any may be asked for ahead."""

    def __init__(self, ask: Callable[[str], Coroutine[Any, Any, Read]], unfit: Callable[[], None], *, on: bool) -> None:
        self._ask, self._unfit, self._on = ask, unfit, on
        self._asked: dict[str, asyncio.Task[Read]] = {}
        self._size = 0

    async def page(self, url: str) -> Read:
        """The page at a URL that was linked to, or is the first."""
        early = self._asked.pop(url, None)
        if early is not None:
            found = await early
            if found.failed is None:
                return found
        if early is not None or self._asked:
            self._give_up()  # it is refused, or linked otherwise than we thought
        return await self._ask(url)

    def tell(self, link: str, came: int, total: int | None, most: int) -> None:
        """Asks for the page that is linked to and those behind it, where they can be told. `came`: how many resources
        the pages before it held; `most`: how many pages may still be read."""
        self._size = self._size or came
        if not self._on or self._asked or total is None:
            return
        urls = pages_from(link, came, self._size, total)[: min(_MOST, most)]
        if len(urls) > 1:
            self._asked = {url: asyncio.create_task(self._ask(url)) for url in urls}

    def close(self) -> None:
        """Leaves to itself what nobody will look at any more."""
        for early in self._asked.values():
            early.cancel()
        self._asked = {}

    def _give_up(self) -> None:
        self.close()
        self._on = False
        self._unfit()


def pages_from(link: str, came: int, size: int, total: int) -> list[str]:
    """The URLs of the page at `link`, which begins after `came` resources in pages of `size`, and of those behind it;
    none where the link does not say so itself."""
    if size <= 0 or came % size:
        return []
    head, _, query = link.partition("?")
    parts = query.split("&")
    places = [place for place, part in enumerate(parts) if _begins(part, came, size)]
    if len(places) != 1:
        return []
    place = places[0]
    name, _, value = parts[place].partition("=")
    step = 1 if name in _NUMBERS else size
    told = (f"{name}={int(value) + number * step}" for number in range(-(-(total - came) // size)))
    return [f"{head}?{'&'.join([*parts[:place], part, *parts[place + 1 :]])}" for part in told]


def _begins(part: str, came: int, size: int) -> bool:
    """Whether a parameter says that the page begins after so many resources."""
    name, _, value = part.partition("=")
    return name not in _SIZES and value == str(came // size + 1 if name in _NUMBERS else came)
