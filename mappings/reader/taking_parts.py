"""The parts of a note as far as drugs go: its lists, plans and other lines, told by their headings."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Literal

from mappings.drugs import NameHit
from mappings.reader.plan_rows import heads_table
from mappings.reader.taking_words import taking_words

Part = Literal["list", "plan", "other", "named", "ended"]
"""`named`: lines as `other`, where drugs are named for another reason than that they are taken; `ended`: they were
stopped"""

_HEADING = re.compile(r"\W*([^\W\d_][^:\n]{0,40}?)\s*(?::|-(?=\s)|–|$)")
_INLINE = re.compile(r"(?<=[.;!?])\s+(?=([^\W\d_][^:\n.;,!?]{0,40}?)\s?:(?:\s|$))")


def parts_of(folded: str, hits: list[NameHit]) -> Iterator[tuple[Part, str, int]]:
    """The lines of a note with where they begin, and what part of it they belong to. A part ends at the next heading,
    a list at a blank line too."""
    words = taking_words()
    part: Part = "other"
    listed = 0
    planned = passed = False
    for line, start, passes in _pieces(folded):
        at = start + len(line) + 1
        if passed and not passes:
            part, planned = "other", False
        passed = passes
        if not line.strip():
            if part in ("list", "named", "ended") and listed:
                part, planned = "other", False
            continue
        heading = _HEADING.match(line)
        named = " ".join(heading[1].split()).rstrip(".") if heading is not None else ""
        if part in ("other", "plan") and heads_table(line):
            part, listed = "list", 0
            continue
        if part == "ended" and not (words.entry.search(line) or any(start <= hit.start < at for hit in hits)):
            part = "other"  # no line of the list: what stands below it may be taken
        if heading is not None and named in words.ended:
            own = bool(line[heading.end() :].strip())  # "Stop: smoking" tells nothing of the next line
            part, planned, listed = "other" if own else "ended", False, 0
            yield "ended", line[heading.end() :], start + heading.end()
            continue
        if heading is not None and (named in words.headings or named in words.plans):
            part = "list" if named in words.headings else "plan"
            planned = part == "plan"
            line, start, listed = line[heading.end() :], start + heading.end(), 0
        elif heading is not None and named in words.others:
            own = bool(line[heading.end() :].strip())  # "Allergies: clonidine patch" tells nothing of the next line
            part, listed = "other" if own else "named", 0
            yield "named", line, start
            continue
        elif heading is not None and heading[0].endswith(":"):
            end = start + heading.end()
            if part != "list" or not any(start <= hit.start < end for hit in hits):  # "- Bisoprolol 2.5 mg: 1-0-0"
                same = part == "named" and named in words.indications  # "HTN: metoprolol" below "Allergies:"
                part = "named" if planned or same else "other"
        listed += bool(line.strip())
        passed = passed and bool(line.strip()) and not line.rstrip().endswith(",")
        yield part, line, start


def _pieces(folded: str) -> Iterator[tuple[str, int, bool]]:
    """Lines with where they begin, cut where a heading that tells of drugs stands behind a sentence, and at those
    behind it ("Seen today. Meds: warfarin. Exam: normal"). The flag: what such a heading opens ends with its line."""
    words = taking_words()
    known = words.headings | words.plans | words.others | words.ended
    start = 0
    for line in folded.split("\n"):
        begin, cut = 0, False
        for found in _INLINE.finditer(line) if ":" in line else ():
            if cut or " ".join(found[1].split()) in known:
                yield line[begin : found.end()], start + begin, cut
                begin, cut = found.end(), True
        yield line[begin:], start + begin, cut
        start += len(line) + 1
