"""The findings of the doctor as lines for a person."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from cds_service.doctor import Findings


def written(found: Findings) -> str:
    return "\n".join(_lines(found))


def _lines(found: Findings) -> Iterator[str]:
    yield f"Tenant {found.tenant}, FHIR server {found.server}"
    yield ""
    for searched in found.searches:
        mark = "ok" if searched.problem is None else "!!"
        yield f"{mark}  {searched.need:<18} {searched.resources:>5} resource(s)" + (
            f"  {searched.problem}" if searched.problem else ""
        )
    for problem in found.problems:
        yield f"!!  {problem}"
    for note in dict.fromkeys(found.notes):
        yield f"    {note}"
    yield from _table("Units", found.units)
    yield from _table("Results", found.ranges)
    yield from _table("Code systems", found.systems)
    yield ""
    yield "healthy" if found.healthy else "something is withheld or broken (lines marked !!)"


def _table(title: str, counted: Counter[str]) -> Iterator[str]:
    if counted:
        yield ""
        yield title
        for name, number in counted.most_common():
            yield f"    {number:>5}  {name}"
