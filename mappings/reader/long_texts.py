"""Texts longer than what is read of them: their resource is named, so that silence about the rest is none."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mappings.reader.access import LONGEST_TEXT, text
from mappings.reader.attachment import words_of
from mappings.reader.context import key_of

READ_IN_PART = f"longer than {LONGEST_TEXT:,} characters, read in part"
_NARRATIVE = "div"
"""what a person is shown of the same resource; read for a title at most"""


def is_read_in_part(resource: Mapping[str, Any]) -> bool:
    """Whether a text in it is longer than what is read. Written out, no text is longer than its resource, so that
    nearly all are told by their size alone."""
    if 0 < len(key_of(resource)) <= LONGEST_TEXT:
        return False
    waiting: list[object] = [resource]
    while waiting:
        value = waiting.pop()
        if isinstance(value, str):
            if _is_cut(value):
                return True
        elif isinstance(value, Mapping):
            if isinstance(value.get("data"), str):
                waiting.append(words_of(value) or "")
            waiting.extend(inner for name, inner in value.items() if name not in ("data", _NARRATIVE))
        elif isinstance(value, list):
            waiting.extend(value)
    return False


def _is_cut(written: str) -> bool:
    """RTF is longer than its words."""
    return len(written) >= LONGEST_TEXT and len(text(written) or "") >= LONGEST_TEXT
