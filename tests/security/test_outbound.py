"""The door out: URLs that a hostile request might carry reach nobody, the canary least of all."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import pytest

from cds_service.fhir.client import Deadline, FhirClient, get_bytes
from cds_service.fhir.outbound import Policy, Refused, address_allowed, open_client
from hooks.wire import RequestError, parse_request

BASE = "https://ehr.example.org/fhir/r4"
HOSTILE = {
    "scheme": "http://ehr.example.org/fhir/r4",
    "port": "https://ehr.example.org:8443/fhir/r4",
    "path that begins alike": "https://ehr.example.org/fhir/r4evil",
    "path above": "https://ehr.example.org/fhir",
    "root": "https://ehr.example.org/",
    "other path": "https://ehr.example.org/other",
    "dot segments": "https://ehr.example.org/fhir/r4/../../admin",
    "one dot": "https://ehr.example.org/fhir/r4/./Patient",
    "encoded dots": "https://ehr.example.org/fhir/r4/%2e%2e/admin",
    "encoded dots in capitals": "https://ehr.example.org/fhir/r4/%2E%2E/admin",
    "dots encoded twice": "https://ehr.example.org/fhir/r4/%252e%252e/admin",
    "dots with a parameter": "https://ehr.example.org/fhir/r4/..;/admin",
    "half encoded dots": "https://ehr.example.org/fhir/r4/.%2e/admin",
    "encoded slash after dots": "https://ehr.example.org/fhir/r4/..%2fadmin",
    "encoded backslash after dots": "https://ehr.example.org/fhir/r4/..%5cadmin",
    "encoded slash": "https://ehr.example.org/fhir/r4/Patient%2F1",
    "encoded null": "https://ehr.example.org/fhir/r4/Patient%00",
    "encoded line end": "https://ehr.example.org/fhir/r4/Patient%0d%0aX:y",
    "backslash in the path": "https://ehr.example.org/fhir/r4/Patient\\1",
    "backslash before a host": "https://ehr.example.org\\@evil.example.com/fhir/r4",
    "host as user": "https://ehr.example.org@evil.example.com/fhir/r4",
    "host as user with password": "https://ehr.example.org:pw@evil.example.com/fhir/r4",
    "user": "https://user@ehr.example.org/fhir/r4",
    "user and password": "https://user:pw@ehr.example.org/fhir/r4",
    "host with a suffix": "https://ehr.example.org.evil.example.com/fhir/r4",
    "host with a prefix": "https://evil-ehr.example.org/fhir/r4",
    "host with a dot at the end": "https://ehr.example.org./fhir/r4",
    "fragment before a host": "https://ehr.example.org#@evil.example.com/fhir/r4",
    "fragment": "https://ehr.example.org/fhir/r4#fragment",
    "base in the query": "https://evil.example.com/?https://ehr.example.org/fhir/r4",
    "base in the path": "https://evil.example.com/https://ehr.example.org/fhir/r4",
    "other host": "https://evil.example.com/fhir/r4",
    "Cyrillic letter": "https://еhr.example.org/fhir/r4",  # Cyrillic e
    "ideographic full stops": "https://ehr。example。org/fhir/r4",
    "punycode": "https://xn--hr-dlc.example.org/fhir/r4",
    "port 0": "https://ehr.example.org:0/fhir/r4",
    "port too large": "https://ehr.example.org:99999/fhir/r4",
    "port that is no number": "https://ehr.example.org:x/fhir/r4",
    "no host": "https:///fhir/r4",
    "nothing but a scheme": "https://",
    "no slashes": "https:ehr.example.org/fhir/r4",
    "no scheme": "//ehr.example.org/fhir/r4",
    "path only": "/fhir/r4",
    "empty": "",
    "relative": "ehr.example.org/fhir/r4",
    "ftp": "ftp://ehr.example.org/fhir/r4",
    "file": "file:///etc/passwd",
    "gopher": "gopher://127.0.0.1:70/_x",
    "dict": "dict://127.0.0.1:11211/stats",
    "ldap": "ldap://127.0.0.1/",
    "data": "data:application/json,{}",
    "javascript": "javascript:alert(1)",
    "unix": "unix:///var/run/docker.sock",
    "jar": "jar:https://ehr.example.org/fhir/r4!/",
    "metadata service": "http://169.254.169.254/latest/meta-data/",
    "metadata service in IPv6": "http://[fd00:ec2::254]/latest/meta-data/",
    "metadata service by name": "http://metadata.google.internal/computeMetadata/v1/",
    "localhost": "http://localhost:{canary}/fhir/r4",
    "loopback": "http://127.0.0.1:{canary}/fhir/r4",
    "loopback over TLS": "https://127.0.0.1:{canary}/fhir/r4",
    "short loopback": "http://127.1:{canary}/",
    "decimal loopback": "http://2130706433:{canary}/",
    "hexadecimal loopback": "http://0x7f000001:{canary}/",
    "octal loopback": "http://0177.0.0.1:{canary}/",
    "any address": "http://0.0.0.0:{canary}/",
    "loopback in IPv6": "http://[::1]:{canary}/",
    "mapped loopback": "http://[::ffff:127.0.0.1]:{canary}/",
    "any address in IPv6": "http://[::]:{canary}/",
    "private 10": "http://10.0.0.1/",
    "private 192.168": "http://192.168.0.1/",
    "blank before": " https://ehr.example.org/fhir/r4",
    "line end within": "https://ehr.example.org/fhir/r4\r\nHost: evil",
    "tab after": "https://ehr.example.org/fhir/r4\t",
    "very long": "https://ehr.example.org/fhir/r4/" + "a" * 9000,
}


def test_the_corpus_is_large() -> None:
    assert len(set(HOSTILE.values())) >= 70


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_url_is_refused(name: str) -> None:
    with pytest.raises(Refused):
        Policy((BASE,)).base_of(HOSTILE[name].replace("{canary}", "4711"))


def test_the_canary_is_never_hit_and_no_token_leaves() -> None:
    async def go() -> list[str | None]:
        hits: list[bytes] = []

        async def canary(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            hits.append(b"connected")
            writer.close()

        server = await asyncio.start_server(canary, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        policy = Policy((BASE,))
        reasons = []
        async with open_client(policy) as http:
            for url in HOSTILE.values():
                target = url.replace("{canary}", str(port))
                client = FhirClient(http, policy, target, "token")
                reasons.append((await client.read("Patient", "1", Deadline.after(1000))).failed)
                followed = await FhirClient(http, policy, BASE, "token").follow(target, Deadline.after(1000))
                # a link without a host is one below our own base: nothing of it can answer here
                reasons.append(followed.partial or followed.failed)
        server.close()
        assert hits == []
        return reasons

    assert None not in asyncio.run(go())


def test_an_allowed_name_that_resolves_to_this_machine_is_not_connected_to() -> None:
    async def go() -> None:
        hits: list[int] = []

        async def canary(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            hits.append(1)
            writer.close()

        server = await asyncio.start_server(canary, "127.0.0.1", 0)
        base = f"http://localhost:{server.sockets[0].getsockname()[1]}/fhir"
        policy = Policy((base,))
        async with open_client(policy) as http:
            found = await FhirClient(http, policy, base).read("Patient", "1", Deadline.after(1000))
        server.close()
        assert (found.failed, hits) == ("address not allowed", [])

    asyncio.run(go())


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "::1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.1.1", "169.254.169.254", "0.0.0.0",  # noqa: S104
        "::", "fe80::1", "fc00::1", "224.0.0.1", "255.255.255.255", "100.64.0.1", "::ffff:127.0.0.1", "::ffff:10.0.0.1",
        "64:ff9b::7f00:1", "2002:7f00:1::", "168.63.129.16",
    ],
)  # fmt: skip
def test_inner_addresses_are_refused(address: str) -> None:
    assert not address_allowed(address, Policy())


def test_private_addresses_by_permission_but_never_the_metadata_service() -> None:
    policy = Policy(allow_private=True)
    assert address_allowed("10.1.2.3", policy)
    assert address_allowed("8.8.8.8", Policy())
    assert not any(address_allowed(a, policy) for a in ("169.254.169.254", "fd00:ec2::254", "100.100.100.200", "::"))


def test_below_the_base_is_allowed() -> None:
    policy = Policy((BASE,))
    for url in (BASE, f"{BASE}/Patient/1", f"{BASE}/Observation?code=http://loinc.org|2000-8", f"{BASE}?page=2"):
        assert policy.base_of(url) == BASE


SERVERS = {
    "below": f"{BASE}/other-tenant",
    "above": "https://ehr.example.org/fhir",
    "query": f"{BASE}?x=1",
    "empty query": f"{BASE}?",
    "other host": "https://evil.example.com/fhir/r4",
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_request_names_a_listed_server_itself(name: str) -> None:
    with pytest.raises(Refused):
        Policy((BASE,)).server(SERVERS[name])


def test_a_listed_server_is_called_as_it_is_listed() -> None:
    policy = Policy((BASE, f"{BASE}/other-tenant"))
    for url in (BASE, f"{BASE}/", "https://EHR.example.org:443/fhir/r4"):
        assert policy.server(url) == BASE
    assert policy.server(f"{BASE}/other-tenant") == f"{BASE}/other-tenant"


def test_a_base_without_a_path_lists_a_whole_host() -> None:
    policy = Policy(("https://ehr.example.org/",))
    assert policy.server(f"{BASE}/") == BASE
    for url in (SERVERS["other host"], SERVERS["query"], "https://ehr.example.org/fhir/../x"):
        with pytest.raises(Refused):
            policy.server(url)


@pytest.mark.parametrize("token", ["x y", "a\r\nX-Evil: 1", "\u00e9", "a\x7f"])
def test_a_token_that_is_none_is_named(token: str) -> None:
    authorization = {"access_token": token, "token_type": "Bearer", "scope": "s", "subject": "s", "expires_in": 300}
    body = {"hook": "patient-view", "hookInstance": "x", "context": {"patientId": "1"}, "fhirServer": BASE}
    with pytest.raises(RequestError) as refused:
        parse_request(
            body | {"fhirAuthorization": authorization},
            expected_hook="patient-view",
            known_hooks=frozenset({"patient-view"}),
        )
    assert refused.value.element == "fhirAuthorization.access_token"
    assert token not in str(refused.value)


def test_a_token_that_cannot_be_sent_is_no_fault_of_the_server() -> None:
    async def go() -> None:
        server = Listener(answer(PATIENT))
        base = f"http://127.0.0.1:{await server.start()}/fhir"
        policy = Policy((base,), open_loopback=True)
        async with open_client(policy) as http:
            http.breakers.failures = 1
            for token in ("a\r\nX-Evil: 1", "\u2028"):
                found = await FhirClient(http, policy, base, token).read("Patient", "1", Deadline.after(1000))
                assert (found.failed, server.heard) == ("refused", [])
            found = await FhirClient(http, policy, base, "token").read("Patient", "1", Deadline.after(3000))
        assert found.failed is None
        server.stop()

    asyncio.run(go())


class Listener:
    """A server on a loopback address that keeps what it was sent and answers the same to everybody."""

    def __init__(self, answer: str) -> None:
        self.answer, self.heard = answer, list[str]()

    async def start(self, address: str = "127.0.0.1", port: int = 0) -> int:
        self._server = await asyncio.start_server(self._serve, address, port)
        return int(self._server.sockets[0].getsockname()[1])

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            self.heard.append((await reader.readuntil(b"\r\n\r\n")).decode())
            writer.write(self.answer.encode())
            await writer.drain()
        except asyncio.IncompleteReadError as error:
            assert not error.partial  # a caller who connects and then says nothing was not heard
        finally:
            writer.close()

    def stop(self) -> None:
        self._server.close()


def answer(body: str, status: str = "200 OK", more: str = "") -> str:
    head = f"HTTP/1.1 {status}\r\ncontent-type: application/fhir+json\r\nconnection: close\r\n{more}"
    return f"{head}content-length: {len(body)}\r\n\r\n{body}"


PATIENT = '{"resourceType":"Patient","id":"1"}'


async def read(base: str, policy: Policy, token: str | None = "token") -> tuple[str | None, int]:  # noqa: S107
    """Reads the patient below `base`: why it failed, how many resources."""
    async with open_client(policy) as http:
        found = await FhirClient(http, policy, base, token).read("Patient", "1", Deadline.after(3000))
    return found.failed, len(found.resources)


def test_a_server_that_is_not_listed_gets_no_call() -> None:
    """Its address would be allowed: the list alone keeps it out."""

    async def go() -> None:
        canary = Listener(answer(PATIENT))
        base = f"http://127.0.0.1:{await canary.start()}/fhir"
        policy = Policy((BASE,), allow_private=True)
        assert await read(base, policy) == ("server not allowed", 0)
        async with open_client(policy) as http:
            assert await get_bytes(http, policy, f"{base}/jwks", Deadline.after(1000), 100) == (0, b"")
        assert canary.heard == []
        canary.stop()

    asyncio.run(go())


@pytest.mark.parametrize("target", ["other server", "off the base"])
def test_redirects_end_at_the_base(target: str) -> None:
    async def go() -> None:
        canary, server = Listener(answer(PATIENT)), Listener("")
        there = await canary.start()
        here = await server.start()
        base = f"http://127.0.0.1:{here}/fhir"
        to = f"http://127.0.0.1:{there}/fhir/Patient/1" if target == "other server" else f"http://127.0.0.1:{here}/x"
        server.answer = answer("", "302 Found", f"location: {to}\r\n")
        assert await read(base, Policy((base,), open_loopback=True)) == ("redirect", 0)
        assert canary.heard == []
        assert len(server.heard) == 1
        server.stop()
        canary.stop()

    asyncio.run(go())


def test_no_proxy_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        proxy, server = Listener(answer(PATIENT)), Listener(answer(PATIENT))
        for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
            monkeypatch.setenv(name, f"http://127.0.0.1:{await proxy.start() if name == 'HTTP_PROXY' else 9}")
        base = f"http://127.0.0.1:{await server.start()}/fhir"
        assert await read(base, Policy((base,), open_loopback=True)) == (None, 1)
        assert proxy.heard == []
        server.stop()
        proxy.stop()

    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    asyncio.run(go())


@pytest.mark.parametrize("elsewhere", ["other server", "off the base"])
def test_the_token_goes_below_its_own_base_only(elsewhere: str) -> None:
    """Both servers are allowed; a page link from one to the other is not followed with the first one's token."""

    async def go() -> None:
        other, server = Listener(answer(PATIENT)), Listener("")
        there, here = await other.start(), await server.start()
        base, second = f"http://127.0.0.1:{here}/fhir", f"http://127.0.0.1:{there}/fhir"
        link = f"{second}/next" if elsewhere == "other server" else f"http://127.0.0.1:{here}/elsewhere"
        bundle = f'{{"resourceType":"Bundle","type":"searchset","link":[{{"relation":"next","url":"{link}"}}]}}'
        server.answer = answer(bundle)
        policy = Policy((base, second, f"http://127.0.0.1:{here}/elsewhere"))
        policy = Policy(policy.bases, allow_private=True)
        async with open_client(policy) as http:
            found = await FhirClient(http, policy, base, "secret-token").search("Condition", [], Deadline.after(3000))
        assert found.partial == "page link of another server"
        assert [("secret-token" in text, text.split()[1]) for text in server.heard] == [(True, "/fhir/Condition?")]
        assert other.heard == []
        server.stop()
        other.stop()

    asyncio.run(go())


def _resolver(monkeypatch: pytest.MonkeyPatch, *answers: list[str]) -> list[str]:
    """A name server that says something else each time; the names it was asked."""
    asked: list[str] = []
    real = socket.getaddrinfo

    def resolve(host: Any, port: Any, *rest: Any, **more: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if name != "ehr.example.org":
            return real(host, port, *rest, **more)
        said = answers[min(len(asked), len(answers) - 1)]
        asked.append(name)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in said]

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    return asked


def test_a_name_that_changes_between_check_and_connect(monkeypatch: pytest.MonkeyPatch) -> None:
    """The checked address is the one that is connected to; the name is asked for once."""

    async def go() -> None:
        server, canary = Listener(answer(PATIENT)), Listener(answer(PATIENT))
        port = await server.start()
        await canary.start("127.0.0.2", port)
        asked = _resolver(monkeypatch, ["127.0.0.1"], ["127.0.0.2"])
        base = f"http://ehr.example.org:{port}/fhir"
        assert await read(base, Policy((base,), allow_private=True)) == (None, 1)
        assert canary.heard == []
        assert asked == ["ehr.example.org"]
        server.stop()
        canary.stop()

    asyncio.run(go())


def test_one_inner_address_among_several_is_enough_to_refuse(monkeypatch: pytest.MonkeyPatch) -> None:
    async def go() -> None:
        canary = Listener(answer(PATIENT))
        port = await canary.start()
        _resolver(monkeypatch, ["127.0.0.1", "8.8.8.8"])
        base = f"http://ehr.example.org:{port}/fhir"
        assert await read(base, Policy((base,))) == ("address not allowed", 0)
        assert canary.heard == []
        canary.stop()

    asyncio.run(go())
