"""One patient's reads from one FHIR server, inside one deadline.

A failure is a short reason code, never an exception.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import httpx
from msgspec import Struct, field
from msgspec.structs import replace

from cds_service.fhir.calls import MAX_BYTES, Caller, Deadline, retry_after
from cds_service.fhir.capability import Capabilities, Capability, Manner, read_capability
from cds_service.fhir.failures import FAILURES, untied
from cds_service.fhir.lazy_pages import Page, page_of
from cds_service.fhir.outbound import OutboundClient, Policy
from cds_service.fhir.parallel_pages import ParallelPages
from cds_service.fhir.uncancelled import uncancelled
from cds_service.prefetch import FEWER
from mappings.bundles import NotJsonError, decode, unpack
from mappings.raw import Resource
from mappings.reader import ChartReader

__all__ = ["Deadline", "FhirClient", "Read", "get_bytes", "retry_after"]

MAX_PAGES = 20
MAX_ENTRIES = 5000
_ALL = "*"
"""stands for every type, where a manner is one of the whole server."""
_LOST_SESSION = frozenset({404, 410})
_EXPIRED = frozenset({"expired", "4113"})
"""issue type, and Epic's own code, of a paging session that timed out."""


class Read(Struct):
    """What one search gave: resources, and why there may be more (`partial`) or why there are none (`failed`)."""

    resources: list[Resource] = field(default_factory=list)
    issues: list[Mapping[str, Any]] = field(default_factory=list)
    partial: str | None = None
    failed: str | None = None
    issue_codes: frozenset[str] = frozenset()
    status: int | None = None
    broken: list[str] = field(default_factory=list)
    """entries of the answer that are no resource ("Observation entry[3]")."""
    redirected: bool = False
    """the server answered from another of its own URLs (a merged patient)."""
    pages: list[Page] = field(default_factory=list)
    """large answers that are bytes still, of a client that leaves them so; their resources are not in `resources`."""
    total: int | None = None
    """how many matches all pages hold, as the server says."""
    size: int = 0
    """bytes"""
    has_newest: bool = False
    """of Observations that came only in part: whether the newest results that decide are among them."""

    @property
    def count(self) -> int:
        """How many resources came."""
        return len(self.resources) + sum(page.count for page in self.pages)

    @property
    def kinds(self) -> set[str]:
        """The types of the resources that came."""
        return {str(r.get("resourceType")) for r in self.resources}.union(*(page.kinds for page in self.pages))

    def counted(self) -> Read:
        """The answer with all its pages; not whole when the server counted more than it gave. Nothing of what it
        counted is no answer."""
        came = self.count + len(self.issues) + len(self.broken)
        if self.failed is not None or self.partial is not None or self.total is None or self.total <= came:
            return self
        if self.count:
            self.partial = FEWER
        else:
            self.failed = FEWER
        return self

    def add(self, other: Read) -> None:
        """The content of another answer to the same question, or of another page. Of two counts the lower one: some
        servers count the page alone."""
        if other.total is not None:
            self.total = other.total if self.total is None else min(self.total, other.total)
        self.resources.extend(other.resources)
        self.pages.extend(other.pages)
        self.issues.extend(other.issues)
        self.broken.extend(other.broken)


Enough = Callable[[Read], bool]
"""whether the pages that came are all that is wanted."""


class FhirClient(Caller, frozen=True):
    """Reads and searches below one base URL. `late`: large plain answers are left as bytes (`Read.pages`); `reader`:
    who will read them then."""

    late: bool = False
    reader: ChartReader | None = None

    async def read(self, kind: str, resource_id: str, deadline: Deadline) -> Read:
        """GET {base}/{kind}/{id}; a single resource."""
        return await self._pages(f"{self.base}/{kind}/{quote(resource_id, safe='')}", deadline)

    async def search(
        self, kind: str, parameters: list[tuple[str, str]], deadline: Deadline, enough: Enough | None = None
    ) -> Read:
        """GET {base}/{kind}?…, all pages within the guards, or as many as are `enough`."""
        url = f"{self.base}/{kind}?{urlencode(parameters, safe=',|:$')}"
        return (await self._pages(url, deadline, enough=enough)).counted()

    async def search_by_post(self, kind: str, parameters: list[tuple[str, str]], deadline: Deadline) -> Read:
        """POST {base}/{kind}/_search with the parameters as a form: for what would make a URL too long."""
        return (await self._pages(f"{self.base}/{kind}/_search", deadline, form=urlencode(parameters))).counted()

    @property
    def capability(self) -> Capability:
        """What is known of this server; empty when nothing is."""
        known = self._capabilities
        found = known.of(self.base) if known is not None else Capability()
        return found if self.version is None else replace(found, version=self.version)

    async def learn(self, deadline: Deadline) -> None:
        """Asks the server what it is, once in a while; what it says is kept with the HTTP client. Never raises."""
        known = self._capabilities
        if known is None or self.version is not None or not known.due(self.base):
            return
        known.learned(self.base, None)  # so that requests beside this one, and after a failure, don't ask too
        answer = await self._pages(f"{self.base}/metadata", deadline)
        found = next((read_capability(r) for r in answer.resources), None)
        if found is not None:
            known.learned(self.base, found)

    def manners(self, kind: str) -> frozenset[Manner]:
        """What earlier answers taught of searching this type here."""
        return self._capabilities.manners(self.base, kind) if self._capabilities is not None else frozenset()

    def has_manner(self, kind: str, manner: Manner, *, lasting: bool = True) -> None:
        if self._capabilities is not None:
            self._capabilities.has_manner(self.base, kind, manner, lasting=lasting)

    def refused_post(self) -> None:
        if self._capabilities is not None:
            self._capabilities.refused_post(self.base)

    @property
    def _capabilities(self) -> Capabilities | None:
        return self.http.capabilities if isinstance(self.http, OutboundClient) else None

    async def follow(self, url: str, deadline: Deadline) -> Read:
        """A page link that came with the data; only below the same base."""
        own = self.own(url)
        if own is None:
            return Read(partial="page link of another server")
        return await self._pages(own, deadline)

    async def _pages(
        self, first_url: str, deadline: Deadline, form: str | None = None, enough: Enough | None = None
    ) -> Read:
        """All pages; a paging session that the server lost is begun again once. `form`: the first one by POST."""
        result = await self._chain(first_url, deadline, form, enough)
        if result.partial is not None and (result.status in _LOST_SESSION or bool(result.issue_codes & _EXPIRED)):
            again = await self._chain(first_url, deadline, form, enough)
            if again.failed is None and (again.partial is None or again.count >= result.count):
                return again
        return result

    async def _chain(self, url: str, deadline: Deadline, form: str | None, enough: Enough | None) -> Read:
        ahead = ParallelPages(
            lambda link: self._page(link, deadline, None),
            lambda: self.has_manner(_ALL, "one-by-one", lasting=False),
            on="one-by-one" not in self.manners(_ALL),
        )
        try:
            return await self._followed(url, deadline, form, enough, ahead)
        finally:
            ahead.close()

    async def _followed(
        self, url: str, deadline: Deadline, form: str | None, enough: Enough | None, ahead: ParallelPages
    ) -> Read:
        result = Read()
        seen: set[str] = set()
        for left in reversed(range(MAX_PAGES)):
            if url in seen:
                result.partial = "page loop"
                return result
            seen.add(url)
            page = await (ahead.page(url) if form is None else self._page(url, deadline, form))
            form = None
            result.size += page.size
            result.status = page.status
            result.redirected = result.redirected or page.redirected
            if page.failed is not None:
                result.issue_codes = page.issue_codes
                if len(seen) > 1:
                    result.partial = page.failed
                else:
                    result.failed = page.failed
                return result
            result.add(page)
            if page.partial is None:
                return result
            if result.count >= MAX_ENTRIES or result.size >= MAX_BYTES or (enough is not None and enough(result)):
                break
            following = self.own(page.partial, url)
            if following is None:
                result.partial = "page link of another server"
                return result
            url = following
            ahead.tell(url, result.count, page.total, min(left, (MAX_BYTES - result.size) // max(page.size, 1)))
        result.partial = "page-limit"
        return result

    async def _page(self, url: str, deadline: Deadline, form: str | None) -> Read:
        """One page; `partial` carries the next link."""
        status, body, failed, redirected = await self.call(url, deadline, form)
        size = len(body)
        if failed is not None:
            return Read(failed=failed, status=status)
        page = page_of(body) if self.late and status < 300 else None
        if page is not None:
            read = Read(issues=[*page.issues], partial=page.next_url, status=status, redirected=redirected)
            read.pages, read.total, read.size = [page], page.total, size
            return read
        try:
            value = decode(body)
        except NotJsonError as error:
            cut = "truncated" in str(error) and body.strip() != b""
            reason = str(status) if status >= 400 else "truncated" if cut else "not-json"
            return Read(failed=reason, status=status, size=size)
        unpacked = unpack(value)
        if status >= 400 or (isinstance(value, Mapping) and value.get("resourceType") == "OperationOutcome"):
            codes = frozenset(code for issue in unpacked.issues for code in _issue_codes(issue))
            reason = str(status) if status >= 400 else "operation-outcome"
            return Read(failed=reason, issue_codes=codes, status=status, size=size)
        if not isinstance(value, Mapping) or not isinstance(value.get("resourceType"), str):
            return Read(failed="not-fhir", status=status, size=size)
        kind = urlsplit(url).path.rsplit("/", 1)[-1]
        broken = [f"{kind} {path}" for path in unpacked.broken]
        resources = [r for _, r in unpacked.resources]
        read = Read(resources, list(unpacked.issues), unpacked.next_url, status=status, broken=broken, size=size)
        read.redirected = redirected
        read.total = unpacked.total
        return read


def _issue_codes(issue: Mapping[str, Any]) -> Iterator[str]:
    """The FHIR issue type and the server's own codes."""
    yield str(issue.get("code"))
    details = issue.get("details")
    codings = details.get("coding") if isinstance(details, Mapping) else None
    for coding in codings if isinstance(codings, list) else ():
        if isinstance(coding, Mapping):
            yield str(coding.get("code"))


async def get_bytes(
    http: httpx.AsyncClient, policy: Policy, url: str, deadline: Deadline, max_bytes: int
) -> tuple[int, bytes]:
    """One small document through the door: (status, body), (0, b"") when it could not be had."""
    left = max(deadline.left, 0.01)
    try:
        return await uncancelled(_fetched(http, policy, url, deadline, max_bytes, left), left)
    except TimeoutError:
        return 0, b""


async def _fetched(
    http: httpx.AsyncClient, policy: Policy, url: str, deadline: Deadline, max_bytes: int, left: float
) -> tuple[int, bytes]:
    try:
        policy.base_of(url)
        async with http.stream("GET", url, timeout=left) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body.extend(chunk)
                if len(body) > max_bytes or deadline.left <= 0:
                    return 0, b""
            return response.status_code, bytes(body)
    except FAILURES as error:
        untied(error)
        return 0, b""
