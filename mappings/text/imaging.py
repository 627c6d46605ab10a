"""Imaging reports: does a text show calcification in the soft tissues, elsewhere only, or none (rule 2.7)?"""

from __future__ import annotations

from typing import cast

from msgspec import Struct, field
from msgspec.structs import replace

from mappings.facts import ImagingFinding, Laterality, Modality, Site
from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.reading import ImagingMention, Status
from mappings.text.schema import load_places
from mappings.text.sites import located, tidy
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_SUPPORT = ("affirmed", "possible")
_KINDS = ("soft", "vascular", "joint", "elsewhere")
_ELSEWHERE = ("vascular", "joint", "elsewhere")
_AFAR = 99


class _Found(Struct):
    soft: list[Status] = field(default_factory=list)
    vascular: bool = False
    joint: bool = False
    elsewhere: bool = False
    unplaced: list[Status] = field(default_factory=list)
    denied: bool = False
    clear: bool = False
    sites: list[Site] = field(default_factory=list)
    seen: bool = False
    first: int = _AFAR * _AFAR
    last: int = 0

    def touch(self, hit: Hit) -> None:
        self.first, self.last = min(self.first, hit.first), max(self.last, hit.last)


def report(document: Document, sentences: list[Sentence]) -> ImagingMention | None:
    """One mention for the sentences of one report; None when nothing in them speaks of calcification."""
    found = _Found()
    for sentence in sentences:
        _read(document, sentence, found)
    finding, status = _conclude(found)
    if finding is None:
        return None
    first, last = sentences[0].first, sentences[-1].last
    everywhere = tidy([s for _, s in located(document, first, last)])
    shown_first, shown_last = (found.first, found.last) if found.last else (first, last)
    modality = next(iter(document.between("modality", first, last)), None)
    return ImagingMention(
        finding=finding,
        modality=cast(Modality, modality.value) if modality else None,
        text=document.text(shown_first, shown_last),
        sites=_with_side(tidy(found.sites), everywhere) or everywhere,
        vascular_too=found.vascular,
        cystic=_affirmed(document, "attribute", first, last, "cystic"),
        internal_vascularity=_affirmed(document, "flow", first, last),
        progressed=_affirmed(document, "progressed", first, last),
        status=status,
    )


def _with_side(found: tuple[Site, ...], everywhere: tuple[Site, ...]) -> tuple[Site, ...]:
    """A site said without a side is the one the report was made of ("X-ray left elbow: … behind the elbow")."""
    places = {site.place: site.laterality for site in everywhere if site.laterality}
    regions: dict[str, set[Laterality | None]] = {}
    for site in everywhere:
        regions.setdefault(site.region, set()).add(site.laterality)
    out: dict[Site, None] = {}
    for site in found:
        known = regions.get(site.region, set()) - {None}
        side = site.laterality or places.get(site.place) or (next(iter(known)) if len(known) == 1 else None)
        out[replace(site, laterality=side)] = None
    return tuple(out)


def _read(document: Document, sentence: Sentence, found: _Found) -> None:
    for hit in document.within("positive", sentence):
        status = document.status(hit)
        found.seen = True
        if status in _SUPPORT and _of_organ(document, sentence, hit):
            found.elsewhere = True
            found.touch(hit)
        elif status in _SUPPORT:
            found.soft.append(status)
            found.touch(hit)
            _note_sites(document, sentence, hit, found)
        elif status == "negated":
            found.denied = True
            found.touch(hit)
    taken = {i for hit in document.within("positive", sentence) for i in range(hit.first, hit.last)}
    for hit in document.within("calcification", sentence):
        if hit.first in taken:
            continue
        found.seen = True
        status = document.status(hit)
        kind = _explained(document, sentence, hit) or _kind(document, sentence, hit)
        if status == "negated":
            if kind in ("soft", None):
                found.denied = True
                found.touch(hit)
        elif status in _SUPPORT:
            found.touch(hit)
            if kind == "soft":
                found.soft.append(status)
                _note_sites(document, sentence, hit, found)
            elif kind is None:
                found.unplaced.append(status)
            else:
                setattr(found, kind, True)
        elif status == "historical":
            found.unplaced.append(status)
    for hit in document.within("clear", sentence):
        if document.status(hit) == "affirmed":
            found.clear = True
            found.touch(hit)


def _of_organ(document: Document, sentence: Sentence, hit: Hit) -> bool:
    """ "Dystrophic calcification at the lumpectomy site": the word tells the kind, not the place."""
    said = document.words.words[hit.first : hit.last]
    kinds = any(word in load_common().kinds_of_calcium for word in said)
    return kinds and not document.between("soft", hit.first, hit.last) and _kind(document, sentence, hit) == "elsewhere"


def _kind(document: Document, sentence: Sentence, hit: Hit) -> str | None:
    """Where a calcification sits: by the nearest word of place in its own part of the sentence. Some words say both
    ("phleboliths" stands in the lists of calcifications and of vessels)."""
    first, last = _part(document, sentence, hit)
    near: list[tuple[int, str]] = []
    for kind in _KINDS:
        for word in document.between(kind, first, last):
            if document.status(word) == "negated" and document.status(hit) != "negated":
                continue
            if word.first <= hit.first < word.last:
                return kind
            gap = hit.first - word.last if word.first < hit.first else word.first - hit.last + 1
            near.append((gap, kind))
    known = load_places()
    places = [place for place, _ in located(document, first, last)]
    skin = [p for p in places if p.value not in known.joints and p.value not in known.organs]
    if any(kind != "soft" for _, kind in near):
        near = [found for found in near if not _shapes(document, hit, found)]
    if near:
        gap, kind = min(near)
        # "calcification of the arms, thighs and uterus": an organ at the end of a row of limbs
        named_first = any(hit.last <= p.first and p.first - hit.last + 1 < gap for p in skin)
        return "soft" if kind == "elsewhere" and named_first else kind
    if skin:
        return "soft"
    return "elsewhere" if any(place.value in known.organs for place in places) else None


def _shapes(document: Document, hit: Hit, found: tuple[int, str]) -> bool:
    """ "Amorphous calcification at the insertion": a word of shape right beside it says less than one of place."""
    beside = {document.word(hit.first - 1), document.word(hit.last)}
    return found == (0, "soft") and not beside.isdisjoint(load_common().shapes)


def _explained(document: Document, sentence: Sentence, hit: Hit) -> str | None:
    """ "Calcification adjacent to the trochanter, likely calcific tendinosis": the report itself says what it is. Not
    "soft tissue calcification and possible calcific tendinitis", which are two."""
    named = [h for c in ("calcification", "positive", *_ELSEWHERE) for h in document.within(c, sentence)]
    following = next(
        (
            h
            for h in sorted(named, key=lambda h: (h.first, h.category == "calcification"))
            if h.first >= hit.last and _names_calcium(document, h)
        ),
        None,
    )
    if following is None or following.category == "positive":
        return None
    comma = next((i for i in range(following.first - 1, hit.last, -1) if document.word(i) in (",", ":", "-")), None)
    if comma is None or document.between("coordinator", comma + 1, following.first):
        return None
    told = any(h.last <= following.first for h in document.between("identity", comma + 1, following.first))
    kind = _kind(document, sentence, following) if following.category == "calcification" else following.category
    return kind if kind in _ELSEWHERE and (told or document.status(following) == "possible") else None


def lies_elsewhere(document: Document, sentence: Sentence, hit: Hit) -> bool:
    """Whether a calcification named in any text is that of a vessel, a joint or an organ, not of the skin."""
    return _kind(document, sentence, hit) in ("vascular", "joint", "elsewhere")


def _part(document: Document, sentence: Sentence, hit: Hit) -> tuple[int, int]:
    """The stretch around a hit that no comma, "and" before another calcification, or colon cuts off."""
    first, last = sentence.first, sentence.last
    colon = next((i for i in range(hit.first - 1, first - 1, -1) if document.word(i) == ":"), None)
    if colon is not None and document.between("place", colon, last):
        first = colon + 1
    others = [h for h in document.between("calcification", first, last) if h.first != hit.first]
    before = max((h.last for h in others if h.last <= hit.first), default=None)
    after = min((h.first for h in others if h.first >= hit.last), default=None)
    if before is not None:
        first = next((i for i in range(before, hit.first) if _cuts(document, i)), before)
    if after is not None:
        last = max((i for i in range(hit.last, after) if _cuts(document, i)), default=after)
    return first, last


def _cuts(document: Document, index: int) -> bool:
    return document.word(index) in (",", ":") or any(
        h.first == index for h in document.between("coordinator", index, index + 1)
    )


def _note_sites(document: Document, sentence: Sentence, hit: Hit, found: _Found) -> None:
    first, last = _part(document, sentence, hit)
    found.sites.extend(site for _, site in located(document, first, last))


def _conclude(found: _Found) -> tuple[ImagingFinding | None, Status]:
    if found.soft:
        return "soft-tissue", "affirmed" if "affirmed" in found.soft else "possible"
    if found.unplaced:
        return "not-understood", "affirmed" if "affirmed" in found.unplaced else found.unplaced[0]
    if found.joint:
        return "joint-or-tendon-only", "affirmed"
    if found.vascular:
        return "vascular-only", "affirmed"
    if found.denied or found.clear:
        return "none", "affirmed"
    return None, "affirmed"


def _affirmed(document: Document, category: str, first: int, last: int, value: str | None = None) -> bool:
    return any(
        (value is None or hit.value == value) and document.status(hit) == "affirmed"
        for hit in document.between(category, first, last)
    )


def _names_calcium(document: Document, hit: Hit) -> bool:
    """Whether the name of a tendon or a vessel says that it is calcified."""
    said = document.words.words[hit.first : hit.last]
    return any(part in word for word in said for part in load_common().calcified)
