"""`cds-service synthesize` and `cds-service score`: from the arguments to what is printed."""

from __future__ import annotations

import argparse
import sys
from datetime import UTC, datetime

import msgspec

from cds_service.screening.synthetic.score import ScoreError, read_truth, read_worklist, score, written
from cds_service.screening.synthetic.write import Asked, synthesize
from cds_service.settings import Settings


def make(given: argparse.Namespace) -> int:
    day = given.as_of or datetime.now(UTC).date()
    asked = Asked(given.out, given.patients, given.seed, day, given.ctd, given.others, given.observations, given.base)
    counts = synthesize(asked)
    for name, many in sorted(counts.items()):
        sys.stdout.write(f"{many:>12,} {name}\n")
    return 0


def compare(given: argparse.Namespace, settings: Settings) -> int:
    if given.key_file is not None:
        try:
            secret: bytes = given.key_file.read_bytes().strip()
        except OSError as error:
            raise ScoreError(f"--key-file: {error.strerror or 'unreadable'}", "keyFile") from None
    elif settings.pseudonym_key is not None:
        secret = settings.pseudonym_key.get_secret_value().encode()
    else:
        raise ScoreError("--key-file or CDS_PSEUDONYM_KEY is needed: the worklist holds hashes", "keyFile")
    found = score(read_truth(given.truth), read_worklist(given.worklist), secret)
    text = msgspec.json.format(msgspec.json.encode(found), indent=2).decode() if given.json else written(found)
    sys.stdout.write(text + "\n")
    return 0
