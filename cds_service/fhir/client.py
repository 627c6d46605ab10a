"""One patient's reads from one FHIR server, inside one deadline.

A failure is a short reason code, never an exception.
"""

from __future__ import annotations

import asyncio
import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import httpx

from cds_service.fhir.door import Policy, Refused
from mappings.bundles import NotJsonError, decode, unpack
from mappings.raw import Resource

MAX_PAGES = 20
MAX_ENTRIES = 5000
MAX_BYTES = 32 * 1024 * 1024
_RETRIES = 1


@dataclass(frozen=True, slots=True)
class Deadline:
    """The moment by which everything must be answered."""

    at: float

    @classmethod
    def after(cls, milliseconds: int) -> Deadline:
        return cls(time.monotonic() + milliseconds / 1000)

    @property
    def left(self) -> float:
        return self.at - time.monotonic()


@dataclass(slots=True)
class Read:
    """What one search gave: resources, and why there may be more (`partial`) or why there are none (`failed`)."""

    resources: list[Resource] = field(default_factory=list)
    issues: list[Mapping[str, Any]] = field(default_factory=list)
    partial: str | None = None
    failed: str | None = None
    issue_codes: frozenset[str] = frozenset()
    status: int | None = None


@dataclass(frozen=True, slots=True)
class FhirClient:
    """Reads below one base URL with one bearer token (or none, on an open server)."""

    http: httpx.AsyncClient
    policy: Policy
    base: str
    token: str | None = field(default=None, repr=False)

    async def read(self, path: str, deadline: Deadline) -> Read:
        """GET {base}/{path}; a single resource."""
        return await self._pages(f"{self.base}/{path}", deadline)

    async def search(self, kind: str, parameters: list[tuple[str, str]], deadline: Deadline) -> Read:
        """GET {base}/{kind}?…, all pages within the guards."""
        return await self._pages(f"{self.base}/{kind}?{urlencode(parameters, safe=',|:$')}", deadline)

    async def follow(self, url: str, deadline: Deadline) -> Read:
        """A page link that came with the data; only below the same base."""
        if not (url.startswith((f"{self.base}/", f"{self.base}?")) or url == self.base):
            return Read(partial="page link of another server")
        return await self._pages(url, deadline)

    async def _pages(self, url: str, deadline: Deadline) -> Read:
        result = Read()
        seen: set[str] = set()
        total = 0
        for _ in range(MAX_PAGES):
            if url in seen:
                result.partial = "page loop"
                return result
            seen.add(url)
            page, size = await self._page(url, deadline)
            total += size
            result.status = page.status
            if page.failed is not None:
                if len(seen) > 1:
                    result.partial = page.failed
                else:
                    result.failed, result.issue_codes = page.failed, page.issue_codes
                return result
            result.resources.extend(page.resources)
            result.issues.extend(page.issues)
            if page.partial is None:
                return result
            if len(result.resources) >= MAX_ENTRIES or total >= MAX_BYTES:
                break
            url = page.partial
            if not (url.startswith((f"{self.base}/", f"{self.base}?"))):
                result.partial = "page link of another server"
                return result
        result.partial = "page-limit"
        return result

    async def _page(self, url: str, deadline: Deadline) -> tuple[Read, int]:
        """One page; `partial` carries the next link."""
        status, body, _, failed = await self._get(url, deadline)
        if failed is not None:
            return Read(failed=failed, status=status), 0
        try:
            value = decode(body)
        except NotJsonError:
            reason = str(status) if status >= 400 else "not-json"
            return Read(failed=reason, status=status), len(body)
        unpacked = unpack(value)
        if status >= 400 or (isinstance(value, Mapping) and value.get("resourceType") == "OperationOutcome"):
            codes = frozenset(str(i.get("code")) for i in unpacked.issues)
            return Read(
                failed=str(status) if status >= 400 else "operation-outcome", issue_codes=codes, status=status
            ), len(body)
        if not isinstance(value, Mapping) or not isinstance(value.get("resourceType"), str):
            return Read(failed="not-fhir", status=status), len(body)
        page = Read([r for _, r in unpacked.resources], list(unpacked.issues), unpacked.next_url, status=status)
        return page, len(body)

    async def _get(self, url: str, deadline: Deadline) -> tuple[int, bytes, httpx.Headers, str | None]:
        """(status, body, headers, reason of failure). Waits out one Retry-After that fits into the deadline, follows
        one redirect of a merged patient below the same base."""
        redirected = False
        for attempt in range(_RETRIES + 2):
            status, body, headers, failed = await self._once(url, deadline)
            if failed is not None:
                return status, body, headers, failed
            if status in (429, 503) and attempt < _RETRIES:
                wait = retry_after(headers.get("retry-after"))
                if wait is not None and wait < deadline.left - 0.05:
                    await asyncio.sleep(wait)
                    continue
                return status, body, headers, str(status)
            if status in (301, 302, 307, 308):
                target = headers.get("location", "")
                if redirected or not target.startswith(f"{self.base}/"):
                    return status, body, headers, "redirect"
                url, redirected = target, True
                continue
            return status, body, headers, str(status) if status in (401, 403, 404, 429, 503) or status >= 500 else None
        return status, body, headers, str(status)

    async def _once(self, url: str, deadline: Deadline) -> tuple[int, bytes, httpx.Headers, str | None]:
        empty = httpx.Headers()
        left = deadline.left
        if left <= 0:
            return 0, b"", empty, "deadline"
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        try:
            self.policy.base_of(url)
            async with asyncio.timeout(left), self.http.stream("GET", url, headers=headers, timeout=left) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    body.extend(chunk)
                    if len(body) > MAX_BYTES:
                        return response.status_code, b"", response.headers, "too-large"
                return response.status_code, bytes(body), response.headers, None
        except Refused as refused:
            return 0, b"", empty, str(refused)
        except (TimeoutError, httpx.TimeoutException):
            return 0, b"", empty, "timeout"
        except httpx.RemoteProtocolError:
            return 0, b"", empty, "truncated"
        except (httpx.HTTPError, httpx.InvalidURL, OSError):
            return 0, b"", empty, "connection"


async def get_bytes(
    http: httpx.AsyncClient, policy: Policy, url: str, deadline: Deadline, max_bytes: int
) -> tuple[int, bytes]:
    """One small document through the door: (status, body), (0, b"") when it could not be had."""
    try:
        policy.base_of(url)
        async with asyncio.timeout(max(deadline.left, 0.01)), http.stream("GET", url) as response:
            body = bytearray()
            async for chunk in response.aiter_bytes():
                body.extend(chunk)
                if len(body) > max_bytes:
                    return 0, b""
            return response.status_code, bytes(body)
    except (Refused, TimeoutError, httpx.HTTPError, httpx.InvalidURL, OSError):
        return 0, b""


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None when absent or unreadable."""
    if value is None:
        return None
    if value.strip().isdigit():
        return float(value)
    moment = email.utils.parsedate_to_datetime(value) if "," in value else None
    return max(0.0, moment.timestamp() - time.time()) if moment else None
