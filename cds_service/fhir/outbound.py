"""The one door out: every outbound request goes to an allowed FHIR base, at an address that was checked, or nowhere."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from functools import cache
from http.cookiejar import CookieJar, DefaultCookiePolicy
from typing import Any
from urllib.parse import unquote, urlsplit

import httpcore
import httpx
from msgspec import Struct

from cds_service.fhir.breaker import Breakers
from cds_service.fhir.capability import Capabilities
from cds_service.fhir.slots import PARALLEL, CallSlots
from cds_service.fhir.unpacking import ACCEPTED, unpacked

_MAX_URL = 8000
_METADATA = frozenset(
    ipaddress.ip_address(a)
    for a in ("169.254.169.254", "100.100.100.200", "192.0.0.192", "168.63.129.16", "fd00:ec2::254")
)
"""where clouds hand out credentials; refused even where private addresses are allowed."""
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Refused(Exception):
    """The door does not let this request out; the text is a short reason code."""


class Policy(Struct, frozen=True):
    """Where one tenant's requests may go. `bases` are FHIR base URLs; `open_loopback` is the sandbox's exception."""

    bases: tuple[str, ...] = ()
    allow_private: bool = False
    open_loopback: bool = False
    any_host: bool = False
    """the command line reads a server that its user named; private addresses still need --allow-private."""

    def server(self, url: str) -> str:
        """The server that a request names, as it is listed: one of the bases itself, and not another server below it
        ("/fhir/other"). A base without a path lists a whole host. Raises Refused."""
        parts = _checked(url)
        if "?" in url:
            raise Refused("malformed URL")  # it would stand in the middle of what is put behind the base
        for base in self.bases:
            wanted = urlsplit(base)
            if _place(parts) != _place(wanted):
                continue
            if not wanted.path.rstrip("/"):
                return url.rstrip("/")
            if parts.path.rstrip("/") == wanted.path.rstrip("/"):
                return base.rstrip("/")
        if self.any_host or (self.open_loopback and _is_loopback(parts.hostname or "")):
            return url.rstrip("/")
        raise Refused("server not allowed")

    def base_of(self, url: str) -> str:
        """The allowed base that a URL lies under. Raises Refused."""
        parts = _checked(url)
        for base in self.bases:
            wanted = urlsplit(base)
            path = wanted.path.rstrip("/")
            if _place(parts) == _place(wanted) and (parts.path == path or parts.path.startswith(f"{path}/")):
                return base.rstrip("/")
        if self.any_host or (self.open_loopback and _is_loopback(parts.hostname or "")):
            return f"{parts.scheme}://{parts.netloc}"
        raise Refused("server not allowed")


def _checked(url: str) -> Any:
    if len(url) > _MAX_URL or any(ord(c) < 0x21 or ord(c) > 0x7E for c in url) or "\\" in url:
        raise Refused("malformed URL")
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise Refused("malformed URL") from None
    path = parts.path.lower()
    decoded = _decoded(path)
    if (
        parts.scheme not in ("https", "http")
        or not parts.hostname
        or parts.username is not None
        or parts.password is not None
    ):
        raise Refused("malformed URL")
    if (
        "%2f" in path
        or "%5c" in path
        or "%00" in path
        or decoded is None
        or any(segment.split(";")[0] in (".", "..") for segment in decoded.split("/"))
        or any(ord(c) < 0x20 or c == "\\" for c in decoded)
        or port == 0
        or parts.fragment
    ):
        raise Refused("malformed URL")
    return parts


def _decoded(path: str) -> str | None:
    """The path with percent-encoding taken off; None when it was encoded twice, as no FHIR client does."""
    once = unquote(path)
    return once if unquote(once) == once else None


def _place(parts: Any) -> tuple[str, str, int]:
    """Scheme, host and port."""
    return parts.scheme, parts.hostname, parts.port or (443 if parts.scheme == "https" else 80)


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def address_allowed(address: str, policy: Policy) -> bool:
    """Public addresses always; private, loopback, link-local and the like only as the policy says."""
    ip = ipaddress.ip_address(address)
    ip = _inner(ip)
    if ip in _METADATA:
        return False
    if ip.is_loopback:
        return policy.open_loopback or policy.allow_private
    if ip.is_link_local or ip.is_multicast or ip.is_reserved or ip.is_unspecified:
        return False
    return policy.allow_private if (ip.is_private or not ip.is_global) else True


def _inner(ip: ipaddress.IPv4Address | ipaddress.IPv6Address) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """The IPv4 address that an IPv6 address stands for (mapped, 6to4, NAT64), else the address itself."""
    if isinstance(ip, ipaddress.IPv4Address):
        return ip
    if ip in _NAT64:
        return ipaddress.IPv4Address(int(ip) & 0xFFFFFFFF)
    return ip.ipv4_mapped or ip.sixtofour or ip


class _CheckedBackend(httpcore.AsyncNetworkBackend):
    """Resolves a name once, checks every address, and connects to a checked one (no rebinding in between)."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._inner = httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError) as error:
            raise httpcore.ConnectError("name not resolved") from error
        addresses = list(dict.fromkeys(str(entry[4][0]) for entry in found))
        if not addresses or not all(address_allowed(a, self._policy) for a in addresses):
            raise Refused("address not allowed")
        for address in addresses[:-1]:
            try:
                return await self._inner.connect_tcp(address, port, timeout, local_address, socket_options)
            except httpcore.ConnectError:
                continue
        return await self._inner.connect_tcp(addresses[-1], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        raise Refused("address not allowed")

    async def sleep(self, seconds: float) -> None:
        await self._inner.sleep(seconds)


class _Transport(httpx.AsyncHTTPTransport):
    def __init__(self, policy: Policy, context: ssl.SSLContext, parallel: int) -> None:
        super().__init__(verify=context, http2=False)
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=context,
            max_connections=2 * parallel,  # calls that nobody waits for any more end beside those under way
            max_keepalive_connections=20,
            keepalive_expiry=30,
            http1=True,
            http2=False,
            network_backend=_CheckedBackend(policy),
        )

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        return unpacked(await super().handle_async_request(request))


_READ = httpx.ByteStream(b"")


class OutboundClient(httpx.AsyncClient):
    """An HTTP client behind the door, with what it knows of the servers it talks to: which fail, what they can, and
    how many calls are under way to each. It keeps no cookies: calls of different people must not share a session.

    A response and its stream refer to each other; with the stream hangs the whole connection, TLS included. That would
    stay until the cycle collector comes by, and it sees a handful of objects there, not the megabytes below them. So
    the stream is taken off a response that was read."""

    def __init__(self, *, parallel: int = PARALLEL, **settings: Any) -> None:
        super().__init__(cookies=CookieJar(DefaultCookiePolicy(allowed_domains=())), **settings)
        self.breakers = Breakers()
        self.capabilities = Capabilities()
        self.slots = CallSlots(parallel)

    async def send(self, request: httpx.Request, *, stream: bool = False, **options: Any) -> httpx.Response:
        response = await super().send(request, stream=stream, **options)
        if not stream:
            response.stream = _READ
        return response

    @asynccontextmanager
    async def stream(self, method: str, url: httpx.URL | str, **options: Any) -> AsyncIterator[httpx.Response]:
        response = None
        try:
            async with super().stream(method, url, **options) as response:
                yield response
        finally:
            if response is not None:
                response.stream = _READ


@cache
def _default_context() -> ssl.SSLContext:
    """The machine's own certificate authorities, read once: it takes a tenth of a second and a megabyte each time."""
    return ssl.create_default_context()


def open_client(policy: Policy, context: ssl.SSLContext | None = None, *, parallel: int = PARALLEL) -> OutboundClient:
    """One HTTP/1.1 client behind the door: no redirects, no proxy or netrc from the environment."""
    return OutboundClient(
        parallel=parallel,
        transport=_Transport(policy, context or _default_context(), parallel),
        follow_redirects=False,
        trust_env=False,
        headers={"Accept": "application/fhir+json, application/json;q=0.9", "Accept-Encoding": ACCEPTED},
    )
