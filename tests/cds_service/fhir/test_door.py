"""The door out: URLs that a hostile request might carry reach nobody, the canary least of all."""

from __future__ import annotations

import asyncio

import pytest

from cds_service.fhir.client import Deadline, FhirClient
from cds_service.fhir.door import Policy, Refused, address_allowed, open_client

BASE = "https://ehr.example.org/fhir/r4"
HOSTILE = [
    "http://ehr.example.org/fhir/r4",
    "https://ehr.example.org:8443/fhir/r4",
    "https://ehr.example.org/fhir/r4evil",
    "https://ehr.example.org/fhir",
    "https://ehr.example.org/",
    "https://ehr.example.org/other",
    "https://ehr.example.org/fhir/r4/../../admin",
    "https://ehr.example.org/fhir/r4/./Patient",
    "https://ehr.example.org/fhir/r4/%2e%2e/admin",
    "https://ehr.example.org/fhir/r4/%2E%2E/admin",
    "https://ehr.example.org/fhir/r4/%252e%252e/admin",
    "https://ehr.example.org/fhir/r4/..;/admin",
    "https://ehr.example.org/fhir/r4/.%2e/admin",
    "https://ehr.example.org/fhir/r4/..%2fadmin",
    "https://ehr.example.org/fhir/r4/..%5cadmin",
    "https://ehr.example.org/fhir/r4/Patient%2F1",
    "https://ehr.example.org/fhir/r4/Patient%00",
    "https://ehr.example.org/fhir/r4/Patient%0d%0aX: y",
    "https://ehr.example.org\\@evil.example.com/fhir/r4",
    "https://ehr.example.org@evil.example.com/fhir/r4",
    "https://ehr.example.org:pw@evil.example.com/fhir/r4",
    "https://user@ehr.example.org/fhir/r4",
    "https://user:pw@ehr.example.org/fhir/r4",
    "https://ehr.example.org.evil.example.com/fhir/r4",
    "https://evil-ehr.example.org/fhir/r4",
    "https://ehr.example.org./fhir/r4",
    "https://ehr.example.org#@evil.example.com/fhir/r4",
    "https://ehr.example.org/fhir/r4#fragment",
    "https://evil.example.com/?https://ehr.example.org/fhir/r4",
    "https://evil.example.com/https://ehr.example.org/fhir/r4",
    "https://evil.example.com/fhir/r4",
    "https://еhr.example.org/fhir/r4",  # Cyrillic e
    "https://ehr。example。org/fhir/r4",
    "https://xn--hr-dlc.example.org/fhir/r4",
    "https://ehr.example.org:0/fhir/r4",
    "https://ehr.example.org:99999/fhir/r4",
    "https://ehr.example.org:x/fhir/r4",
    "https:///fhir/r4",
    "https://",
    "https:ehr.example.org/fhir/r4",
    "//ehr.example.org/fhir/r4",
    "/fhir/r4",
    "",
    "ehr.example.org/fhir/r4",
    "ftp://ehr.example.org/fhir/r4",
    "file:///etc/passwd",
    "gopher://127.0.0.1:70/_x",
    "dict://127.0.0.1:11211/stats",
    "ldap://127.0.0.1/",
    "data:application/json,{}",
    "javascript:alert(1)",
    "unix:///var/run/docker.sock",
    "jar:https://ehr.example.org/fhir/r4!/",
    "http://169.254.169.254/latest/meta-data/",
    "http://[fd00:ec2::254]/latest/meta-data/",
    "http://metadata.google.internal/computeMetadata/v1/",
    "http://localhost:{canary}/fhir/r4",
    "http://127.0.0.1:{canary}/fhir/r4",
    "https://127.0.0.1:{canary}/fhir/r4",
    "http://127.1:{canary}/",
    "http://2130706433:{canary}/",
    "http://0x7f000001:{canary}/",
    "http://0177.0.0.1:{canary}/",
    "http://0.0.0.0:{canary}/",
    "http://[::1]:{canary}/",
    "http://[::ffff:127.0.0.1]:{canary}/",
    "http://[::]:{canary}/",
    "http://10.0.0.1/",
    "http://192.168.0.1/",
    " https://ehr.example.org/fhir/r4",
    "https://ehr.example.org/fhir/r4\r\nHost: evil",
    "https://ehr.example.org/fhir/r4\t",
    "https://ehr.example.org/fhir/r4/" + "a" * 9000,
]


def test_the_corpus_is_large_and_every_url_is_refused() -> None:
    assert len(set(HOSTILE)) >= 60
    policy = Policy((BASE,))
    for url in HOSTILE:
        with pytest.raises(Refused):
            policy.base_of(url.replace("{canary}", "4711"))


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
            for url in HOSTILE:
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
