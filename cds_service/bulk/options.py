"""The options of `cds-service bulk-export`; imports nothing that costs time, since every command parses them."""

from __future__ import annotations

import argparse
from datetime import datetime
from pathlib import Path
from typing import Any


def add_parser(commands: Any) -> None:
    """The options of `bulk-export`."""
    parser = commands.add_parser("bulk-export", help="export a population from a FHIR server (Bulk Data) for `screen`")
    parser.add_argument("out", type=Path, metavar="DIR", help="where the files go; started again, it goes on there")
    parser.add_argument("--fhir-server", required=True, metavar="URL")
    level = parser.add_mutually_exclusive_group()
    level.add_argument("--group", metavar="ID", help="of the patients of this Group")
    level.add_argument("--patients", action="store_true", help="Patient level (default: system level)")
    parser.add_argument("--types", default="", metavar="T,T", help="_type (default: what the assessment reads)")
    parser.add_argument("--since", type=instant, metavar="INSTANT", help="_since, with time and zone")
    parser.add_argument("--type-filter", action="append", default=[], metavar="QUERY", help="_typeFilter; repeatable")
    parser.add_argument("--client-id", metavar="ID", help="of backend services; with --key-file")
    parser.add_argument("--key-file", type=Path, metavar="FILE", help="private key: JWK or JWK Set (ES384, RS384)")
    parser.add_argument("--scope", metavar="SCOPES", help="default: system/TYPE.rs of every type")
    parser.add_argument("--allow", action="append", default=[], metavar="URL", help="other base URLs: files, token")
    parser.add_argument("--allow-private", action="store_true", help="addresses of the hospital's own network")
    parser.add_argument("--ca-file", type=Path, metavar="FILE", help="certificate authority of the hospital")
    parser.add_argument("--parallel", type=int, default=3, metavar="N", help="downloads at once (3)")
    parser.add_argument("--first-wait", type=float, default=2.0, metavar="S", help="first wait without Retry-After (2)")
    parser.add_argument("--tries", type=int, default=8, metavar="N", help="failures in a row of one request (8)")
    parser.add_argument("--keep-job", action="store_true", help="leave the finished job on the server")


def instant(text: str) -> str:
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError("must be an instant, as 2026-01-31T00:00:00Z") from None
    if when.tzinfo is None:
        raise argparse.ArgumentTypeError("must have a time zone, as 2026-01-31T00:00:00Z")
    return text
