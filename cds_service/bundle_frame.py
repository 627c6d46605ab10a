"""What stands around the resources of a Bundle, and whether JSON is written as programs write it."""

from __future__ import annotations

from typing import Literal

import msgspec

_ENCODER = msgspec.json.Encoder()


class BundleFrame(msgspec.Struct, gc=False, forbid_unknown_fields=True, omit_defaults=True):
    """The members of a searchset but for its entries, as they are written; another one does not decode."""

    resourceType: Literal["Bundle"]
    id: msgspec.Raw = msgspec.Raw()
    meta: msgspec.Raw = msgspec.Raw()
    type: msgspec.Raw = msgspec.Raw()
    timestamp: msgspec.Raw = msgspec.Raw()
    total: msgspec.Raw = msgspec.Raw()
    link: msgspec.Raw = msgspec.Raw()


def is_all(decoded: msgspec.Struct, raw: bytes | msgspec.Raw) -> bool:
    """Whether it is as long when it is written again: no member was there twice, and no blanks are between them."""
    return len(_ENCODER.encode(decoded)) == len(raw)
