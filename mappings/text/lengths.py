"""Words for an amount that belong to a length of time: "a hard nodule for several months" is one nodule."""

from __future__ import annotations

from mappings.text.vocabulary import Hit


def without_lengths(hits: dict[str, list[Hit]]) -> dict[str, list[Hit]]:
    """The hits without those that would count lesions and count weeks or months instead."""
    few, units = hits.get("few"), hits.get("unit")
    if not few or not units:
        return hits
    begins = {unit.first for unit in units}
    counting = {(hit.first, hit.last) for hit in few if hit.last in begins}
    if not counting:
        return hits
    described = hits.get("attribute", [])
    kept = [h for h in described if not (h.value == "multiple" and any(a <= h.first < b for a, b in counting))]
    return hits | {"attribute": kept}
