"""The quick looks at bytes say what the plain ones do."""

from __future__ import annotations

import random

from mappings import plainbytes

PARTS = ("a" * 1023, "b" * 400, "é", "ß", "日本", "\u200b", '="x>', "= 'y' >", '="a"<', '=\\"q>', "=", " x ")


def test_runs_and_quoted_ends_are_found_wherever_they_stand() -> None:
    pick = random.Random(7)
    for _ in range(300):
        raw = "".join(pick.choices(PARTS, k=pick.randint(0, 12))).encode()
        assert [run.span() for run in plainbytes._runs(raw)] == [run.span() for run in plainbytes._RUN.finditer(raw)]
        assert plainbytes._ends_in_quotes(raw) == (plainbytes._QUOTED_END.search(raw) is not None)
