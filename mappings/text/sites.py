"""Body sites with their side: "left elbow", "elbows bilaterally", "R forearm and hand"."""

from __future__ import annotations

from mappings.facts import Laterality, Site
from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.schema import load_places
from mappings.text.vocabulary import Hit

_AFTER = 3


def sites(document: Document, first: int, last: int) -> tuple[Site, ...]:
    """The sites named in the words [first, last), negated ones left out."""
    return tidy([site for _, site in located(document, first, last)])


def tidy(found: list[Site]) -> tuple[Site, ...]:
    """Each site once; a site without a side goes when the same place is named with its side, and a word that leaves the
    part open ("Extremities: …") when the part is named."""
    sided = {(site.region, site.place) for site in found if site.laterality}
    regions = {site.region for site in found}
    opened = {wide for wide, parts in load_places().within.items() if not regions.isdisjoint(parts)}
    return tuple(
        dict.fromkeys(
            site
            for site in found
            if site.laterality or not ((site.region, site.place) in sided or site.region in opened)
        )
    )


def located(document: Document, first: int, last: int) -> list[tuple[Hit, Site]]:
    """Each site with the words that name it."""
    regions = load_places().regions
    places = [place for place in document.between("place", first, last) if not _ago(document, place)]
    if not places:
        return []
    sides = document.between("side", first, last)
    coordinators = {hit.first for hit in document.between("coordinator", first, last)}
    follows = document.vocab.side_follows
    out: list[tuple[Hit, Site]] = []
    carried: Laterality | None = None
    previous = first
    for index, place in enumerate(places):
        following = places[index + 1].first if index + 1 < len(places) else last
        before = [s for s in sides if previous <= s.first and s.last <= place.last]
        after = [s for s in sides if place.last <= s.first < min(following, place.last + _AFTER)]
        if follows:
            spoken = any(index in coordinators for index in range(place.last, after[0].first)) if after else True
            after = [] if spoken else after
            before = before if not after else [s for s in before if s.value == "bilateral"]
        elif after and not _belongs_back(document, after[0], place, following, last, coordinators):
            after = []
        own = {s.value for s in before} or {s.value for s in after[:1]}
        side = _side(own)
        joined = bool(out) and not own and _only_joined(document, out[-1][0].last, place.first, coordinators)
        if side is None and joined:
            side = carried
        out.append((place, Site(regions[place.value], place.value, side)))
        if after and not before and document.word(after[0].first) in document.vocab.side_shared:
            _share(document, out, first, coordinators, sides)
        carried = side
        previous = after[0].last if after and not before else place.last
    return _within_wholes(document, out)


def _within_wholes(document: Document, found: list[tuple[Hit, Site]]) -> list[tuple[Hit, Site]]:
    """ "Palm of the right hand" is one place, and its side is that of the hand; "fingers of both hands" are many."""
    wholes = load_places().wholes
    out: list[tuple[Hit, Site]] = []
    for place, site in found:
        part = out[-1] if out else None
        many = "bilateral" in (site.laterality, part[1].laterality if part else None)
        if part is not None and place.value in wholes and not many and _is_part(document, part, (place, site)):
            out[-1] = (part[0], Site(part[1].region, part[1].place, part[1].laterality or site.laterality))
        else:
            out.append((place, site))
    return out


def _is_part(document: Document, part: tuple[Hit, Site], whole: tuple[Hit, Site]) -> bool:
    """Only "of", articles and a side stand between the part and its whole."""
    if part[1].region != whole[1].region or part[1].place == whole[1].place:
        return False
    gap = range(part[0].last, whole[0].first)
    sides = {i for side in document.between("side", gap.start, gap.stop) for i in range(side.first, side.last)}
    joining, articles = load_common().possessing, document.vocab.articles
    owned = bool(gap) and document.word(gap.start) in joining
    return owned and all(document.word(i) in joining or document.word(i) in articles or i in sides for i in gap)


def _ago(document: Document, place: Hit) -> bool:
    """ "3 months back" names no place."""
    return bool(document.between("ago", place.first, place.first + 1)) and any(
        unit.last == place.first for unit in document.between("unit", place.first - 1, place.first)
    )


def _share(
    document: Document, out: list[tuple[Hit, Site]], first: int, coordinators: set[int], sides: list[Hit]
) -> None:
    """ "codo y rodilla izquierdos": the side holds for the joined places before, unless one has its own."""
    for at in range(len(out) - 2, -1, -1):
        place, site = out[at]
        following = out[at + 1][0]
        gap = range(place.last, following.first)
        own = any(s.first >= (out[at - 1][0].last if at else first) and s.last <= place.last for s in sides)
        if site.laterality or own or not gap or any(not _light(document, i, coordinators) for i in gap):
            return
        if not any(i in coordinators for i in gap):
            return
        out[at] = (place, Site(site.region, site.place, out[-1][1].laterality))


def _light(document: Document, index: int, coordinators: set[int]) -> bool:
    return index in coordinators or document.word(index) in document.vocab.stopwords


def _side(values: set[str]) -> Laterality | None:
    if "bilateral" in values or {"left", "right"} <= values:
        return "bilateral"
    return "left" if "left" in values else "right" if "right" in values else None


def _belongs_back(document: Document, side: Hit, place: Hit, following: int, last: int, coordinators: set[int]) -> bool:
    """ "elbow (left)", "elbow, left", "elbows bilaterally"; not "elbow and left knee" nor "trunk, both upper arms"."""
    if side.last == following != last and document.word(side.first - 1) in (",", ";"):
        return False
    if any(index in coordinators and document.word(index) != "," for index in range(place.last, side.first)):
        return False
    return (
        following == last
        or side.value == "bilateral"
        or side.last < following - 1
        or (document.word(side.last) in (",", ")", ";"))
    )


def _only_joined(document: Document, first: int, last: int, coordinators: set[int]) -> bool:
    """Only "and" stands between: a side said once holds for both ("left elbow and forearm")."""
    return last - first == 1 and first in coordinators and document.word(first) not in (",", ";")
