"""The bound of the values in a JSON text is never below their number, however little of the text is counted."""

from __future__ import annotations

import json
import random
from typing import Any

import pytest

from cds_service import limits


def values(tree: Any) -> int:
    below = tree.values() if isinstance(tree, dict) else tree if isinstance(tree, list) else ()
    return 1 + sum(map(values, below))


def made(pick: random.Random, depth: int) -> Any:
    if not depth or pick.random() < 0.2:
        return pick.choice((1, "", "a,b[{", None, [], {}))
    many = [made(pick, depth - 1) for _ in range(pick.randint(0, 4))]
    return many if pick.random() < 0.7 else {str(number)[:1]: one for number, one in enumerate(many)}


def test_a_text_has_no_more_values(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(limits, "_PART", 3)
    pick = random.Random(6)
    for _ in range(500):
        tree = made(pick, 5)
        body = json.dumps(tree, separators=(",", ":")).encode()
        for enough in (0, 1, 5, 20, 100, 10**6):
            assert limits.values_at_most(body, enough) >= values(tree)


def test_what_is_far_below_is_not_counted() -> None:
    """Quotes apart, all of it could be values; the bound says so without a look."""
    assert limits.values_at_most(b"[" * 1000, 1000) <= 1000
    assert limits.values_at_most(b"[" * 1000, 400) == 1001
    assert limits.values_at_most(b"[1,1]" + b" " * 100_000, 40_000) < 40_000
