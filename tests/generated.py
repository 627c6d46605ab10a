"""Parts of documentation pages that tests write, so that no copy of a figure ages."""

from __future__ import annotations

import os
from pathlib import Path


def check_part(page: Path, part: str, by: str, wanted: str) -> None:
    """The part of a page between its marks is what was wanted; with CDS_WRITE_DOCS=1 it becomes that. `by`: the test
    module, as the mark names it."""
    text = page.read_text(encoding="utf-8")
    start, end = f"<!-- {part}: written by {by} -->\n", f"<!-- /{part} -->"
    assert start in text and end in text, f"{page.name} has no part {part}"
    before, _, rest = text.partition(start)
    _, _, after = rest.partition(end)
    whole = before + start + wanted + end + after
    if os.environ.get("CDS_WRITE_DOCS"):
        page.write_text(whole, encoding="utf-8")
        return
    assert text == whole, f"CDS_WRITE_DOCS=1 pytest {by} writes it"
