"""`cds-service bulk-export`: from the arguments to a folder of NDJSON. Prints counts, never an id, link or token."""

from __future__ import annotations

import argparse
import asyncio
import ssl
import sys
from urllib.parse import urlsplit

import msgspec

from cds_service.bulk.backend import BackendTokens, FixedToken, read_key
from cds_service.bulk.client import BulkClient, Pace, Tokens
from cds_service.bulk.export import Export, Summary
from cds_service.bulk.folder import Folder
from cds_service.bulk.model import TYPES, BulkError, Wanted
from cds_service.fhir.outbound import OutboundClient, Policy, open_client


def run(given: argparse.Namespace, token: str | None) -> int:
    """0: everything is here; 1: some file could not be had (started again, only that is fetched). BulkError says why
    there is no export. `token`: one that the user holds, where there is no client id."""
    if given.parallel < 1 or given.tries < 1 or not 0 <= given.first_wait <= 3600:
        raise BulkError("--parallel, --tries, --first-wait: out of range")
    if (given.client_id is None) != (given.key_file is None):
        raise BulkError("--client-id and --key-file go together", "clientId")
    base = given.fhir_server.rstrip("/")
    types = tuple(filter(None, given.types.split(","))) or TYPES
    wanted = Wanted(base, given.group, given.patients, types, given.since, tuple(given.type_filter))
    policy = _policy(given, base)
    folder = Folder(given.out, wanted.url)
    if folder.state.done:
        _say("everything of this export is here already")
        return 0
    found = asyncio.run(_export(given, wanted, policy, folder, token))
    print(msgspec.json.format(msgspec.json.encode(found), indent=2).decode())  # noqa: T201 - the summary
    for lost in found.lost:
        _say(f"lost: {lost.file} {lost.type}: {lost.reason}")
    return 1 if found.lost else 0


async def _export(
    given: argparse.Namespace, wanted: Wanted, policy: Policy, folder: Folder, token: str | None
) -> Summary:
    async with open_client(policy, _context(given)) as http:
        client = BulkClient(
            http, policy, Pace(given.first_wait, tries=given.tries), _tokens(given, http, policy, wanted, token)
        )
        export = Export(wanted, client, folder, given.parallel, _say)
        try:
            found = await export.run()
        except asyncio.CancelledError:  # Ctrl-C: nobody waits for this job any more
            await export.cancel()
            raise
        if not given.keep_job and not found.lost:
            await export.cancel()
        return found


def _tokens(
    given: argparse.Namespace, http: OutboundClient, policy: Policy, wanted: Wanted, token: str | None
) -> Tokens | None:
    if given.client_id is not None:
        scope = given.scope or " ".join(f"system/{kind}.rs" for kind in wanted.types)
        return BackendTokens(http, policy, wanted.base, given.client_id, read_key(given.key_file), scope)
    return FixedToken(token) if token else None


def _policy(given: argparse.Namespace, base: str) -> Policy:
    bases = (base, *(url.rstrip("/") for url in given.allow))
    for url in bases:
        parts = urlsplit(url)
        here = parts.scheme == "http" and given.allow_private and parts.hostname in ("localhost", "127.0.0.1", "::1")
        if not parts.hostname or not (parts.scheme == "https" or here):
            raise BulkError("--fhir-server, --allow: must be https base URLs", "fhirServer")
    return Policy(bases=bases, allow_private=given.allow_private)


def _context(given: argparse.Namespace) -> ssl.SSLContext | None:
    if given.ca_file is None:
        return None
    try:
        return ssl.create_default_context(cafile=str(given.ca_file))
    except (OSError, ssl.SSLError):
        raise BulkError("--ca-file: holds no certificate that can be read", "caFile") from None


def _say(text: str) -> None:
    sys.stderr.write(text + "\n")
    sys.stderr.flush()
