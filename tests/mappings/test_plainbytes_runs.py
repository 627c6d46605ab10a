"""The quick looks at bytes say what the plain ones do."""

from __future__ import annotations

import json
import random

import pytest

from mappings import plainbytes

PARTS = ("a" * 1023, "b" * 400, "é", "ß", "日本", "\u200b", '="x>', "= 'y' >", '="a"<', '=\\"q>', "=", " x ")


def test_runs_and_quoted_ends_are_found_wherever_they_stand() -> None:
    pick = random.Random(7)
    for _ in range(300):
        raw = "".join(pick.choices(PARTS, k=pick.randint(0, 12))).encode()
        assert [run.span() for run in plainbytes._runs(raw)] == [run.span() for run in plainbytes._RUN.finditer(raw)]
        assert plainbytes._ends_in_quotes(raw) == (plainbytes._QUOTED_END.search(raw) is not None)


def test_no_string_is_in_two_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    """But one that ends in a quoted "resource", cut there."""
    monkeypatch.setattr(plainbytes, "_PART", 20)
    pick = random.Random(8)
    for _ in range(300):
        said = ["".join(pick.choices(PARTS, k=3)) for _ in range(pick.randint(0, 6))]
        raw = json.dumps([{"resource": {"a": words}, "b": words} for words in said], ensure_ascii=False).encode()
        spans = plainbytes.in_parts(raw)
        assert b"".join(raw[begin : end - 1] for begin, end in spans) + raw[-1:] == raw
        assert all(raw[end - 1 : end + 9] == b'"resource"' for _, end in spans[:-1])
        for words in said:
            written = json.dumps(words, ensure_ascii=False).encode()
            assert raw.count(written) == sum(raw[begin:end].count(written) for begin, end in spans)
    ends = json.dumps([{"resource": 'says "resource'}, "x" * 99, {"a": 'a "resource'}]).encode()
    assert [ends[begin:end] for begin, end in plainbytes.in_parts(ends)][-1] == b'"resource"}]'
