"""Lumps that the text itself says to be something else, of a kind that the examination alone settles: "hard nodule in
the palm, Dupuytren's disease", "hard lump of the upper eyelid. Impression: stye". Which, and where each can lie, is
data (`lumps` of the language files and of `places.yaml`). A lump that might be calcinosis all the same (a doubt, a
chalky lump, a place where the named thing does not lie, two things in a row) stays a lesion."""

from __future__ import annotations

from mappings.facts import Site
from mappings.text.document import Document
from mappings.text.draft import CALCIFIED
from mappings.text.schema import load_places
from mappings.text.sites import located
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit

_DESCRIBING = ("hardness", "attribute", "pain", "tender", "side", "lump")
_BREAKS = frozenset({",", "(", ";", ":", "-", "–", "—", "="})
_ENDS = frozenset({")", ";", ".", "\n", "", ":"})
_OTHER = ("lesion", "concept", "lump", "coordinator", "trigger", "place")
_ADJECTIVES = 2
_ALONE = 4


def settled_otherwise(document: Document, lesion: Hit) -> bool:
    """Whether the lump of the words `lesion` is said to be one of the named things."""
    if not document.hits.get("lump") or lesion.category != "lesion" or lesion.value in CALCIFIED:
        return False
    sentence = document.sentence_of(lesion.first)
    if any(hit.value in ("chalk", "white", "chalk_complete") for hit in document.within("attribute", sentence)):
        return False
    places = located(document, sentence.first, sentence.last)
    named = [name for name in document.within("lump", sentence) if document.status(name) == "affirmed"]
    if any(_lies(name, places) and _is_it(document, lesion, name, sentence) for name in named):
        return True
    return bool(places) and any(_lies(name, places) for name in _concluded(document, sentence))


def _lies(name: Hit, places: list[tuple[Hit, Site]]) -> bool:
    """Whether the thing lies at these places, its own among them ("papules on the fingers, plantar warts": no)."""
    own = {site.region for place, site in places if name.first <= place.first < name.last}
    others = {site.region for place, site in places if not name.first <= place.first < name.last}
    known = load_places().lumps[name.value].places
    return all(site.place in known for _, site in places) and (not own or others <= own)


def _is_it(document: Document, lesion: Hit, name: Hit, sentence: Sentence) -> bool:
    if _beside(document, lesion, name):
        return True
    if name.last <= lesion.first:  # "Dupuytren's disease: hard nodule and cord in the palm"
        told = document.between("identity", name.last, name.last + 1)  # "port palpable as a hard lump"
        leads = any(h.first == name.last and _leads(document, h.last, lesion.first) for h in told)
        return leads or _heads(document, lesion, name, sentence)
    at = _before(document, name, lesion.last)
    said = (hit for c in ("identity", "cause") for hit in document.between(c, max(0, at - _ALONE), name.first))
    if any(at <= hit.last <= name.first for hit in said):  # the article may be a part of it ("il s'agit de la …")
        return True
    if document.word(at - 1) == "=":  # "lump below the clavicle = power port, accessed today"
        return True
    if document.word(at - 1) not in _BREAKS:
        return False
    plural = document.word(lesion.last - 1).endswith("s")
    if not _ends(document, name):  # "nodule of the finger, a viral wart, frozen today"; "… : viral wart treated with …"
        noun = at < name.first or (name.last - name.first > 1 and _only_more(document, name, sentence))
        return noun and not plural and (document.word(name.last) == "," or _only_more(document, name, sentence))
    listed = plural and at == name.first and name.last - name.first == 1
    return document.word(at - 1) != "," or not listed  # "nodules of the fingertips, warts" are two things


def _heads(document: Document, lesion: Hit, name: Hit, sentence: Sentence) -> bool:
    """ "Keloid on the sternum after acne: hard plaque": before a colon, with nothing named or doubted in between."""
    if name.first != sentence.first and document.word(name.first - 1) != ":":
        return False
    colon = next((i for i in range(name.last, lesion.first) if document.word(i) == ":"), None)
    others = ("lesion", "concept", "lump", "coordinator", "trigger")
    return colon is not None and not any(document.between(c, name.last, colon) for c in others)


def _leads(document: Document, first: int, last: int) -> bool:
    """Only articles, describing words and an adjective or two from an identity to the lesion word."""
    between = range(first, last)
    plain = [i for i in between if document.word(i) not in document.vocab.articles and not _describes(document, i)]
    return len(plain) <= _ADJECTIVES and all(document.word(i).isalpha() and not _speaks(document, i) for i in plain)


def _ends(document: Document, name: Hit) -> bool:
    """Whether the name ends what is said: nothing, or a denial, follows it."""
    end = document.sentence_of(name.first).last
    if name.last >= end or document.word(name.last) in _ENDS:
        return True
    return document.word(name.last) == "," and bool(document.between("trigger", name.last + 1, name.last + 2))


def _only_more(document: Document, name: Hit, sentence: Sentence) -> bool:
    """Whether what follows the name speaks of the same thing: nothing else is named, joined, doubted or denied."""
    return not any(document.between(category, name.last, sentence.last) for category in _OTHER)


def _beside(document: Document, lesion: Hit, name: Hit) -> bool:
    """ "Dupuytren's nodule", "hard warty papule": in one noun."""
    first, last = sorted((lesion, name), key=lambda hit: hit.first)
    if first.last > last.first:
        return True
    return all(_describes(document, index) for index in range(first.last, last.first))


def _describes(document: Document, index: int) -> bool:
    return any(hit.first <= index < hit.last for c in _DESCRIBING for hit in document.between(c, index - 3, index + 1))


def _before(document: Document, name: Hit, limit: int) -> int:
    """Where the noun phrase of the name begins: articles, other such names and an adjective or two are its own."""
    at, adjectives = name.first, 0
    while at > limit:
        word = document.word(at - 1)
        if word in document.vocab.articles or _describes(document, at - 1) or _coordinates(document, at - 1, at):
            at -= 1
        elif word.isalpha() and not _speaks(document, at - 1) and adjectives < _ADJECTIVES:
            at, adjectives = at - 1, adjectives + 1
        else:
            break
    return at


def _coordinates(document: Document, index: int, at: int) -> bool:
    """The "and" of two such names ("Heberden and Bouchard nodes")."""
    joins = any(hit.first == index for hit in document.between("coordinator", index, index + 1))
    return joins and document.word(index).isalpha() and any(h.last == at - 1 for h in document.hits["lump"])


def _speaks(document: Document, index: int) -> bool:
    categories = ("preposition", "coordinator", "place", "lesion", "identity", "cause", "trigger", "concept")
    return any(hit.first <= index < hit.last for c in categories for hit in document.between(c, index - 4, index + 1))


def _examined(document: Document, sentence: Sentence) -> bool:
    """ "Core biopsy invasive lobular carcinoma": told of tissue, and of no earlier day."""
    taken = any(hit.first <= sentence.first + 1 for hit in document.within("specimen", sentence))
    return taken and not any(document.word(i)[0].isdigit() for i in range(sentence.first, sentence.last))


def _concluded(document: Document, sentence: Sentence) -> list[Hit]:
    """The names that the next sentence of the paragraph gives alone: "Impression: stye.", "Common wart."."""
    after = document.sentence_of(sentence.last) if sentence.last < len(document.words) else sentence
    if after.first < sentence.last or after.paragraph != sentence.paragraph:
        return []
    names = [name for name in document.within("lump", after) if document.status(name) == "affirmed"]
    if not names or document.within("lesion", after):
        return []
    at = _before(document, names[0], after.first)
    opened = any(hit.first == after.first for c in ("conclusion", "identity") for hit in document.within(c, after))
    led = (opened or _examined(document, after)) and at - after.first <= _ALONE
    alone = at == after.first and after.last - after.first <= _ALONE and not document.within("place", after)
    return names if led or alone else []
