"""Our own words in a chart: a clinician copies the companion's summary into a note, and the next call reads that note.
A question ("Digital ulcers, Raynaud, smoking?") and a verdict are no findings, so what stands between the marks is not
read."""

from __future__ import annotations

BEGIN = "[Decision support, not a finding:]"
END = "[End of decision support]"


def without_own_words(text: str) -> str:
    """The text without what stands between the marks; where the second is lost, up to the next empty line."""
    kept: list[str] = []
    while BEGIN in text:
        before, _, rest = text.partition(BEGIN)
        kept.append(before)
        inside, found, after = rest.partition(END)
        text = after if found else inside.replace("\r", "").partition("\n\n")[2]
    return "\n".join((*kept, text))
