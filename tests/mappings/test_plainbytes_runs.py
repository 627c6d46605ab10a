"""The quick looks at bytes say what the plain ones do."""

from __future__ import annotations

import json
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mappings import plainbytes
from mappings.plainbytes import DOUBLE, escapes, goes_on
from mappings.text.markup import CELLS, INLINE

PARTS = ("a" * 1023, "b" * 400, "é", "ß", "日本", "\u200b", '="x>', "= 'y' >", '="a"<', '=\\"q>', "=", " x ")


def test_runs_and_quoted_ends_are_found_wherever_they_stand() -> None:
    pick = random.Random(7)
    for _ in range(300):
        raw = "".join(pick.choices(PARTS, k=pick.randint(0, 12))).encode()
        begin, end = sorted(pick.choices(range(len(raw) + 1), k=2))
        for span in ((0, len(raw)), (begin, end)):
            runs = [run.span() for run in plainbytes._runs(raw, *span)]
            assert runs == [run.span() for run in plainbytes._RUN.finditer(raw, *span)]
        assert plainbytes.as_ascii(raw, begin, end) == plainbytes.as_ascii(raw[begin:end])
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


def test_letters_exchanged_at_once_are_those_exchanged_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    pick = random.Random(9)
    alone = [chr(code) for code in (*range(0x80, 0x250), *range(0x2000, 0x2070))]
    at_once = 0
    for _ in range(200):
        few = pick.choices(alone, k=pick.randint(1, 40))
        few += pick.choices(("\u0301", "日", "\ufeff", "ﬁ"), k=pick.choice((0, 0, 0, 1)))
        raw = "".join(pick.choices([*few, "a", "b ", ">", '"', "\\u00", "\\"], k=400)).encode()
        monkeypatch.setattr(plainbytes, "_MANY", 10**9)
        one_by_one = plainbytes.as_ascii(raw)
        monkeypatch.setattr(plainbytes, "_MANY", 32)
        assert plainbytes.as_ascii(raw) == one_by_one
        at_once += plainbytes._letter_by_letter(raw) is not None
    assert at_once > 50
    assert plainbytes.as_ascii(b"\xc3a\xbc " * 100) is None


def test_the_name_of_a_tag_tells_whether_it_may_join(monkeypatch: pytest.MonkeyPatch) -> None:
    pick = random.Random(10)
    names = [*sorted(INLINE | CELLS), "div", "bx", "b:", "p", "", "B", "Span"]
    ends = (">", ' class="x">', "/>", " ", ":b>", "-b>", "><i>", "</b>")
    texts = []
    for _ in range(2000):
        tags = [f"<{pick.choice(('', '/'))}{pick.choice(names)}{pick.choice(ends)}" for _ in range(pick.randint(1, 3))]
        texts.append(f"lup{''.join(tags)}{pick.choice(('us', ' us', ''))}".encode())
    by_name = [plainbytes._parted(text) for text in texts]
    monkeypatch.setattr(plainbytes, "_is_gone", lambda *_: True)
    assert by_name == [plainbytes._parted(text) for text in texts]
    assert 200 < sum(by_name) < 1800


@given(st.lists(st.sampled_from([b"\\", b"u", b"n", b"a" * 300, b'"', b"-", b" "]), max_size=60).map(b"".join))
def test_escapes_are_found_however_many_there_are(found: bytes) -> None:
    letters, double, behind_hyphen = escapes(found)
    assert (letters, double) == (b"\\u" in found, DOUBLE in found)
    assert behind_hyphen or not (goes_on(found) and b"\\" in found)
