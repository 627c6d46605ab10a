"""What of a prefetch stays the same from search to search, as bytes.

Of a Bundle its own id, meta and timestamp don't count: servers make them anew at every search, and no rule reads them.
They stand before its entries, as servers write them; of Bundles that begin otherwise all counts. Nothing of the
entries is looked at: two contents that give the same parts differ in nothing else."""

from __future__ import annotations

import json
from collections.abc import Iterator

import msgspec

from cds_service.bundle_frame import BundleFrame, is_all

_BEGIN, _ENTRIES, _NO_ENTRIES = b'{"resourceType":"Bundle",', b'"entry":[', b'"entry":[]}'
_LONGEST = 4096
"""bytes before the first entry of a Bundle, its links among them"""
_VALUES = json.JSONDecoder(strict=False)


class _Bundle(BundleFrame, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    entry: msgspec.Raw = msgspec.Raw()


_BUNDLE = msgspec.json.Decoder(_Bundle)


def content_of(prefetch: memoryview) -> Iterator[bytes | memoryview]:
    """Its parts, each behind its length, so that no two divisions of the same bytes look alike."""
    for part in _parts(prefetch):
        yield len(part).to_bytes(8)
        yield part


def _parts(prefetch: memoryview) -> Iterator[bytes | memoryview]:
    """What stands between the beginnings of Bundles, and what counts of these."""
    sent = bytes(prefetch)
    begin, at = 0, sent.find(_BEGIN)
    while at >= 0:
        found = _head(sent, at)
        if found is not None:
            head, end = found
            yield prefetch[begin:at]
            yield from map(bytes, (head.type, head.total, head.link))
            begin = end
        at = sent.find(_BEGIN, max(begin, at + 1))
    yield prefetch[begin:]


def _head(sent: bytes, at: int) -> tuple[_Bundle, int] | None:
    """A Bundle up to its entries, or all of one without, and where that ends; None when it is written otherwise."""
    end = sent.find(_ENTRIES, at, at + _LONGEST)
    head = _bundle(sent[at:end] + _NO_ENTRIES) if end >= 0 else None
    if head is not None:
        return head, end
    try:
        words = sent[at : at + _LONGEST].decode("utf-8", "ignore")
        end = at + len(words[: _VALUES.raw_decode(words)[1]].encode())
    except (ValueError, RecursionError):
        return None
    head = _bundle(sent[at:end])
    return None if head is None or len(head.entry) else (head, end)


def _bundle(written: bytes) -> _Bundle | None:
    """A Bundle with nothing beside what a searchset has, as programs write it; None for anything else."""
    try:
        bundle = _BUNDLE.decode(written)
    except (msgspec.DecodeError, ValueError, RecursionError):
        return None
    return bundle if is_all(bundle, written) else None
