"""New calls out of calls that schemathesis made up: members of two bodies mixed, place by place.

Drawing a body from the description takes a tenth of a second, an answer a thousandth. So a stock of drawn calls is bred
on: parents are chosen by how they were answered, so that the few that got far are parents as often as the many that
were refused at once, and so are children with a rare answer.
"""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from typing import Any

import orjson

_MOST = 500
"""calls of one address that were answered alike; later ones take the place of any of them."""
_LARGEST = 20_000
_DEEPEST = 12


@dataclass(frozen=True, slots=True)
class Made:
    """A call: `value` is its body as data, None where that is no JSON and `body` stays as it is."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes
    value: Any = None


@dataclass(slots=True)
class Stock:
    """Calls by what they were sent to and how they were answered; members of all of them by name."""

    calls: dict[str, dict[int, list[Made]]] = field(default_factory=lambda: defaultdict(lambda: defaultdict(list)))
    members: dict[str, list[Any]] = field(default_factory=lambda: defaultdict(list))

    def keep(self, label: str, made: Made, status: int, draw: random.Random) -> None:
        """A parent of later calls."""
        if len(made.body) > _LARGEST:
            return
        _put(self.calls[label][status], made, draw)
        self.learn(made.value, draw)

    def learn(self, value: Any, draw: random.Random, depth: int = 0) -> None:
        """Members of a call, or of an answer, by name: what the service said is sent back to it."""
        if depth > _DEEPEST:
            return
        for key, inner in value.items() if isinstance(value, dict) else ():
            _put(self.members[key], inner, draw)
        for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
            self.learn(inner, draw, depth + 1)

    def child(self, label: str, draw: random.Random) -> Made:
        """A call of that address out of two earlier ones."""
        one, other = self._parent(label, draw), self._parent(label, draw)
        place = draw.choice((one, other))
        if one.value is None or other.value is None:
            return place if one.value is None else one
        value = self._crossed(one.value, other.value, draw, 0)
        headers = draw.choice((one, other)).headers
        body = orjson.dumps(value)
        return Made(one.method, place.path, place.raw_path, place.query, headers, body, value)

    def _parent(self, label: str, draw: random.Random) -> Made:
        by_status = self.calls[label]
        return draw.choice(by_status[draw.choice(list(by_status))])

    def _crossed(self, one: Any, other: Any, draw: random.Random, depth: int) -> Any:
        if depth > _DEEPEST or draw.random() < 0.1:
            return other
        if isinstance(one, dict) and isinstance(other, dict):
            return {
                key: self._member(key, one, other, draw, depth)
                for key in dict.fromkeys((*one, *other))
                if draw.random() > 0.05
            }
        if isinstance(one, list) and isinstance(other, list):
            mixed = [item for pair in zip(one, other, strict=False) for item in pair]
            mixed += one[len(other) :] + other[len(one) :]
            return [self._crossed(item, draw.choice(mixed), draw, depth + 1) for item in mixed if draw.random() < 0.6]
        return one

    def _member(self, key: str, one: dict[str, Any], other: dict[str, Any], draw: random.Random, depth: int) -> Any:
        known = self.members.get(key)
        if known and draw.random() < 0.15:
            return draw.choice(known)
        if key in one and key in other:
            return self._crossed(one[key], other[key], draw, depth + 1)
        return one[key] if key in one else other[key]


def _put(known: list[Any], item: Any, draw: random.Random) -> None:
    if len(known) < _MOST:
        known.append(item)
    else:
        known[draw.randrange(_MOST)] = item
