"""A result counts once, however often it came."""

from __future__ import annotations

import random
from decimal import Decimal

from mappings.dates import PartialDate
from mappings.facts import Result
from mappings.reader.merge import _each_once, _key

DATES = (
    None,
    "2026",
    "2026-01",
    "2026-01-05",
    "2026-01-05T10:00:00Z",
    "2026-01-05T11:00:00+01:00",
    "2026-01-05T10:00:00",
)


def test_each_once_whatever_stands_beside_it() -> None:
    """As when each is compared with all before it."""
    pick = random.Random(3)
    dropped = 0
    for _ in range(300):
        results = [
            Result(
                pick.choice(("phosphate", "albumin")),
                pick.choice(("Observation/1", "Observation/2")),
                PartialDate.parse(pick.choice(DATES)),
                "final",
                low=pick.choice((None, Decimal("1.2"), Decimal("1.20"))),
                unit=pick.choice(("mmol/L", "mg/dL")),
                from_text=pick.random() < 0.3,
            )
            for _ in range(pick.randrange(12))
        ]
        every: dict[object, Result] = {}
        for result in results:
            every.setdefault(_key(result), result)
        found = _each_once(tuple(results))
        assert [*map(id, found)] == [*map(id, every.values())]
        dropped += len(results) - len(found)
    assert dropped > 50
