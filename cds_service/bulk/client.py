"""Requests to a Bulk Data server, through the one door out: waiting, trying again, following what may be followed."""

from __future__ import annotations

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol
from urllib.parse import urljoin, urlsplit

import httpx
import msgspec

from cds_service.bulk.model import BulkError
from cds_service.fhir.calls import retry_after
from cds_service.fhir.outbound import Policy, Refused

_LARGEST = 32 * 1024 * 1024
"""of what is no file: manifests, tokens, outcomes."""
_HOPS = 5
_RENEWALS = 5
"""of one request's token: downloads side by side use up each other's, so that one renewal is not always enough."""
_REDIRECTS = frozenset({301, 302, 303, 307, 308})
_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})
_TIMEOUT = httpx.Timeout(60.0, connect=20.0)


class Tokens(Protocol):
    """Where bearer tokens come from. `used_up`: the server no longer takes this one."""

    async def token(self) -> str: ...

    def used_up(self, token: str) -> None: ...


@dataclass(frozen=True, slots=True)
class Pace:
    """How long to wait, and how often to try. Doubled from try to try unless the server says how long."""

    first: float = 2.0
    most: float = 300.0
    longest: float = 3600.0
    """a server that asks for more is asked again after this."""
    tries: int = 8

    def wait(self, attempt: int, headers: Mapping[str, str]) -> float:
        asked = retry_after(headers.get("retry-after"))
        if asked is not None:
            return min(asked, self.longest)
        # spread, so that clients that failed together don't come back together
        return min(self.first * 2.0 ** min(attempt, 30), self.most) * random.uniform(0.75, 1.0)  # noqa: S311


@dataclass(frozen=True, slots=True)
class Answer:
    status: int
    headers: httpx.Headers
    body: bytes = field(default=b"", repr=False)

    @property
    def codes(self) -> frozenset[str]:
        """The issue codes of an OperationOutcome; empty when it is none."""
        try:
            found = msgspec.json.decode(self.body, type=_Outcome)
        except (msgspec.DecodeError, UnicodeDecodeError):
            return frozenset()
        return frozenset(issue.code for issue in found.issue) if found.resourceType == "OperationOutcome" else _NONE


class _Issue(msgspec.Struct):
    code: str = ""


class _Outcome(msgspec.Struct):
    resourceType: str = ""
    issue: list[_Issue] = []


_NONE: frozenset[str] = frozenset()


class BulkRequestError(Exception):
    """A request that gave nothing; the text is a short reason. `status`: what the server said, 0 for nothing."""

    def __init__(self, reason: str, status: int = 0) -> None:
        super().__init__(reason)
        self.reason, self.status = reason, status


@dataclass(slots=True)
class BulkClient:
    """The door, the token and the pace of one export."""

    http: httpx.AsyncClient
    policy: Policy
    pace: Pace
    tokens: Tokens | None = None
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep

    async def ask(self, method: str, url: str, headers: Mapping[str, str], *, doing: str) -> Answer:
        """One small document. Waits out 429 and passing failures; the answer is the first that is neither. BulkError
        when the server can't be had; it says what was being done."""
        for attempt in range(self.pace.tries):
            last = attempt + 1 == self.pace.tries
            try:
                async with self.stream(method, url, headers) as response:
                    answer = Answer(response.status_code, response.headers, await _whole(response))
            except BulkRequestError as error:
                if last or error.status:
                    raise BulkError(f"{doing}: {error.reason}") from None
                await self.sleep(self.pace.wait(attempt, {}))
                continue
            if not _passing(answer) or last:
                return answer
            await self.sleep(self.pace.wait(attempt, answer.headers))
        raise BulkError(f"{doing}: no try left")

    @asynccontextmanager
    async def stream(
        self, method: str, url: str, headers: Mapping[str, str], *, with_token: bool = True
    ) -> AsyncIterator[httpx.Response]:
        """One answer, its body unread. A token that the server refuses is renewed a few times. BulkRequestError."""
        renewals = 0
        while True:
            token = await self.tokens.token() if self.tokens is not None and with_token else None
            async with self._followed(method, url, headers, token) as response:
                refused = response.status_code == 401 and renewals < _RENEWALS
                if refused and token is not None and self.tokens is not None:
                    self.tokens.used_up(token)
                    renewals += 1
                    continue
                yield response
                return

    @asynccontextmanager
    async def _followed(
        self, method: str, url: str, headers: Mapping[str, str], token: str | None
    ) -> AsyncIterator[httpx.Response]:
        """Redirects lead to allowed hosts only, and the token not beyond its own origin."""
        here = url
        for _ in range(_HOPS):
            sent = dict(headers)
            if token is not None and _origin(here) == _origin(url):
                sent["Authorization"] = f"Bearer {token}"
            async with self._one(method, here, sent) as response:
                if response.status_code not in _REDIRECTS:
                    yield response
                    return
                target = response.headers.get("location")
            if not target or any(ord(c) < 0x21 for c in target):
                raise BulkRequestError("a redirect to nowhere", response.status_code)
            here = urljoin(here, target)
        raise BulkRequestError("too many redirects", 310)

    @asynccontextmanager
    async def _one(self, method: str, url: str, headers: Mapping[str, str]) -> AsyncIterator[httpx.Response]:
        try:
            self.policy.base_of(url)
            async with self.http.stream(method, url, headers=headers, timeout=_TIMEOUT) as response:
                yield response
        except Refused as refused:
            raise BulkRequestError(f"{refused} (see --allow)", 403) from None
        except httpx.TimeoutException:
            raise BulkRequestError("no answer in time") from None
        except httpx.RemoteProtocolError:
            raise BulkRequestError("the answer broke off") from None
        except httpx.DecodingError:
            raise BulkRequestError("the answer's packing is damaged") from None
        except (httpx.HTTPError, httpx.InvalidURL, OSError, ValueError):
            raise BulkRequestError("no connection") from None


async def _whole(response: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body.extend(chunk)
        if len(body) > _LARGEST:
            raise BulkRequestError("the answer is too large", 413)
    return bytes(body)


def _passing(answer: Answer) -> bool:
    """Whether to try again: too many calls, a gateway in trouble, an outcome that calls itself transient; a server
    that says by an outcome what is wrong for good is believed."""
    if answer.status not in _AGAIN:
        return False
    lasting = answer.status == 500 and bool(answer.codes)
    return not lasting or not answer.codes.isdisjoint({"transient", "timeout", "throttled", "lock-error"})


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port
