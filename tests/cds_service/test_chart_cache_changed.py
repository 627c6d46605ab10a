"""Requests that are nearly those of a chart that is kept are answered as by a service that keeps none."""

from __future__ import annotations

import json
import random

import pytest

from tests.cds_service.test_chart_cache import JSON, PATH, Service, body, without_uuids


def _changed(sent: bytes, rnd: random.Random) -> bytes:
    """The request with a few bytes taken out, put in, repeated or moved: often no JSON any more, or another chart."""
    for _ in range(rnd.randint(1, 3)):
        at, size = rnd.randrange(len(sent)), rnd.choice((1, 2, 7, 40))
        piece = sent[at : at + size]
        how = rnd.randrange(5)
        if how == 0:
            sent = sent[:at] + sent[at + size :]
        elif how == 1:
            sent = sent[:at] + piece + sent[at:]
        elif how == 2:
            odd = rnd.choice((b" ", b"0", b"9", b'"', b",", b"{", b"}", b"null", b"\\u0061", b"\xff"))
            sent = sent[:at] + odd + sent[at:]
        elif how == 3:
            sent = sent[:at] + bytes([sent[at] ^ 1 << rnd.randrange(8)]) + sent[at + 1 :]
        else:
            to = rnd.randrange(len(sent))
            sent = sent[:to] + piece + sent[to:]
    return sent


@pytest.mark.parametrize("number", [200, pytest.param(8_000, marks=pytest.mark.long)])
def test_whatever_changed_is_answered_as_when_it_is_opened_first(monkeypatch: pytest.MonkeyPatch, number: int) -> None:
    rnd = random.Random(7)
    known, new = Service(monkeypatch), Service(monkeypatch, keep_charts_seconds=0)
    sent = json.dumps(body(), separators=(",", ":")).encode()
    with known.client, new.client:
        for _ in range(number):
            known.ask(sent)
            changed = _changed(sent, rnd)
            answers = [one.client.post(PATH, content=changed, headers=JSON) for one in (known, new)]
            first, second = (
                (found.status_code, without_uuids(found.json()["cards"]) if found.status_code == 200 else found.json())
                for found in answers
            )
            assert first == second, changed
        assert known.read < new.read + number, "the chart itself was known each time but the first"
