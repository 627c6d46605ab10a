"""One call to one FHIR server: below its base, in time, with its token; a failure is a short reason code."""

from __future__ import annotations

import asyncio
import email.utils
import time
from urllib.parse import urljoin, urlsplit

import httpx
from msgspec import Struct

from cds_service.fhir.failures import FAILURES, LOST, reason_of, untied
from cds_service.fhir.outbound import OutboundClient, Policy, Refused
from cds_service.fhir.slots import NoSlotError
from cds_service.fhir.uncancelled import uncancelled
from cds_service.reasons import reason_code
from cds_service.tracing import resource_type, span
from mappings.guarded import Guarded
from mappings.versions import Version

MAX_BYTES = 32 * 1024 * 1024
_FRESH = {"Cache-Control": "no-cache"}
"""HAPI FHIR answers a search from its memory for a minute unless it is told: an order just signed was offered again."""
_REDIRECTS = frozenset({301, 302, 307, 308})
_SERVER_FAULTS = frozenset({"timeout", "connection", "truncated"})


class Deadline(Struct, frozen=True):
    """The moment by which everything must be answered."""

    at: float

    @classmethod
    def after(cls, milliseconds: int) -> Deadline:
        return cls(time.monotonic() + milliseconds / 1000)

    @property
    def left(self) -> float:
        return self.at - time.monotonic()


class Caller(Guarded, frozen=True):
    """Calls below one base URL with one bearer token (or none, on an open server)."""

    hidden = frozenset({"token"})
    http: httpx.AsyncClient
    policy: Policy
    base: str
    token: str | None = None
    version: Version | None = None
    """the server's FHIR release where it is set; it is not asked then."""
    accept: str | None = None
    """the media type that is asked for in place of FHIR JSON."""
    most: int = MAX_BYTES
    """bytes of an answer."""

    def own(self, link: str, page: str | None = None) -> str | None:
        """The absolute URL of a link when it lies below our base, else None: the token goes nowhere else."""
        if any(ord(c) < 0x21 for c in link):
            return None  # urljoin would silently drop tabs and line ends
        try:
            url = _as_secure(urljoin(page or f"{self.base}/", link), self.base)
            found, base = urlsplit(url), urlsplit(self.base)
            same = (found.scheme, found.hostname, _port(found.scheme, found.port)) == (
                base.scheme,
                base.hostname,
                _port(base.scheme, base.port),
            )
            self.policy.base_of(url)
        except (Refused, ValueError):
            return None
        below = found.path == base.path or found.path.startswith(f"{base.path.rstrip('/')}/")
        return url if same and below else None

    async def call(self, url: str, deadline: Deadline, form: str | None) -> tuple[int, bytes, str | None, bool]:
        """(status, body, reason of failure, whether redirected). Waits out one Retry-After that fits, follows one
        redirect of a merged patient below the same base."""
        redirected = waited = False
        while True:
            status, body, headers, failed = await self._guarded(url, deadline, form)
            if failed is not None:
                return status, body, failed, redirected
            if status in (429, 503) and not waited:
                wait = retry_after(headers.get("retry-after"))
                if wait is not None and wait < deadline.left - 0.05:
                    waited = True
                    await asyncio.sleep(wait)
                    continue
            if status in _REDIRECTS and form is None:
                target = self.own(headers.get("location", ""), url)
                if redirected or target is None or "location" not in headers:
                    return status, body, "redirect", redirected
                url, redirected = target, True
                continue
            if 300 <= status < 400:
                return status, body, "redirect", redirected
            return status, body, None, redirected

    async def _guarded(
        self, url: str, deadline: Deadline, form: str | None
    ) -> tuple[int, bytes, httpx.Headers, str | None]:
        """One call, unless the server failed so often that it is left alone for now."""
        breakers = self.http.breakers if isinstance(self.http, OutboundClient) else None
        if breakers is not None and not breakers.allows(self.base):
            return 0, b"", httpx.Headers(), "server left alone after failures"
        answer = await self._once(url, deadline, form)
        if answer[3] == LOST:
            # Most often a kept-alive connection that the server closed in the same moment: the next one is new.
            answer = await self._once(url, deadline, form)
        status, body, headers, failed = answer
        if failed == LOST:
            failed = "connection"
        if breakers is not None:
            if failed in _SERVER_FAULTS or status >= 500:
                breakers.failed(self.base)
            elif status:
                breakers.succeeded(self.base)
        return status, body, headers, failed

    async def _once(
        self, url: str, deadline: Deadline, form: str | None
    ) -> tuple[int, bytes, httpx.Headers, str | None]:
        with span("fhir", type=resource_type(url, self.base)) as asking:
            answer = await self._in_turn(url, deadline, form)
            status, _, _, failed = answer
            asking.note(status=status, reason=reason_code(failed) if failed else "-")
            return answer

    async def _in_turn(
        self, url: str, deadline: Deadline, form: str | None
    ) -> tuple[int, bytes, httpx.Headers, str | None]:
        if deadline.left <= 0:
            return 0, b"", httpx.Headers(), "deadline"
        if not isinstance(self.http, OutboundClient):
            return await self._call(url, deadline, form)
        try:
            async with self.http.slots.turn(self.base, deadline.left):
                return await self._call(url, deadline, form)
        except NoSlotError:
            return 0, b"", httpx.Headers(), "too many calls at once"

    async def _call(
        self, url: str, deadline: Deadline, form: str | None
    ) -> tuple[int, bytes, httpx.Headers, str | None]:
        left = max(deadline.left, 0.001)
        try:
            return await uncancelled(self._ask(url, deadline, form, left), left)
        except TimeoutError:
            return 0, b"", httpx.Headers(), "timeout"

    async def _ask(
        self, url: str, deadline: Deadline, form: str | None, left: float
    ) -> tuple[int, bytes, httpx.Headers, str | None]:
        """The call itself. Each of its operations may take `left`; that all together are over in time is its caller's
        concern."""
        empty = httpx.Headers()
        headers = dict(_FRESH)
        if self.accept is not None:
            headers["Accept"] = self.accept
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        method = "GET" if form is None else "POST"
        if form is not None:
            headers["Content-Type"] = "application/x-www-form-urlencoded"
        try:
            self.policy.base_of(url)
            async with self.http.stream(method, url, headers=headers, content=form, timeout=left) as response:
                body = bytearray()
                async for chunk in response.aiter_bytes():
                    if deadline.left <= 0:
                        raise TimeoutError
                    body.extend(chunk)
                    if len(body) > self.most:
                        return response.status_code, b"", response.headers, "too-large"
                return response.status_code, bytes(body), response.headers, None
        except FAILURES as error:
            untied(error)
            return 0, b"", empty, reason_of(error)


def _as_secure(url: str, base: str) -> str:
    """An http link as the https base has it. A server behind a gateway that ends TLS is not told of it, and names
    itself by http; nothing is ever sent there."""
    found, wanted = urlsplit(url), urlsplit(base)
    if (found.scheme, wanted.scheme, found.hostname) != ("http", "https", wanted.hostname):
        return url
    if found.port not in (None, 80, _port(wanted.scheme, wanted.port)):
        return url
    return found._replace(scheme="https", netloc=wanted.netloc).geturl()


def _port(scheme: str, port: int | None) -> int:
    return port or (443 if scheme == "https" else 80)


def retry_after(value: str | None) -> float | None:
    """Seconds to wait, from seconds or an HTTP date; None when absent or unreadable."""
    if value is None:
        return None
    if value.strip().isdecimal():
        return float(value[:12])
    try:
        return max(0.0, email.utils.parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, TypeError, OverflowError):
        return None
