"""Questions about the words around a lesion word: what describes it, what denies it, what belongs to it."""

from __future__ import annotations

from msgspec import Struct

from mappings.facts import Site
from mappings.text.common import load_common
from mappings.text.document import Document
from mappings.text.draft import BARE, Draft
from mappings.text.imaging import lies_elsewhere
from mappings.text.schema import load_places
from mappings.text.tokens import Sentence
from mappings.text.vocabulary import Hit, rule

_MERGING = frozenset({"ulcer", "calcification", "calcinosis", "induration", "deposit", "skin-change"})
_PARTING = frozenset({",", ":", "(", "+"})
_WINDOW = 5
_QUOTES = frozenset("\"“”„«»‹›'‘’")
_QUOTED_BEFORE = 3
_LENGTHS = frozenset({"mm", "cm", "x"})
_NEW_OTHER = ("concept", "guard", "drug", "analyte", "modality", "specimen", "lesion", "named")
_COMPARED = 3
"""words of the shortest comparison ("como si tuviera piedras")"""


class Head(Struct, frozen=True):
    """A lesion word, and the words of the sentence that speak of it."""

    kind: str
    hit: Hit
    first: int
    last: int


class Surroundings:
    """Questions of one document; hits and sentences are those of that document."""

    def __init__(self, document: Document) -> None:
        self.document = document

    def _only_denied(self, before: Hit, hit: Hit) -> bool:
        """ "nodule without ulceration": the ulcer is a denied attribute of the nodule."""
        document = self.document
        return (
            hit.value in _MERGING
            and document.status(hit) == "negated"
            and document.status(before) != "negated"
            and not any(self._is("coordinator", i) for i in range(before.last, hit.first))
            and not any(
                rule(document.vocab, h).kind == "terminate" for h in document.between("trigger", before.last, hit.first)
            )
        )

    def _inside(self, hit: Hit, sentence: Sentence) -> bool:
        """Whether a lesion word speaks of a part that is no skin: "hard swelling in the floor of the mouth", "gingival
        nodule", "Macula: hard drusen"."""
        document = self.document
        for part in document.within("inside", sentence):
            if part.first <= hit.first < part.last:
                return True
            if part.first >= hit.last:
                gap = range(hit.last, part.first)
                other = any(document.between(c, hit.last, part.first) for c in ("place", "lesion", "soft"))
                led = all(self._is("side", i) for i in gap) or any(self._is("preposition", i) for i in gap)
                if not other and led and len(gap) <= _WINDOW:
                    return True
                titled = part.last == sentence.last and [document.word(i) for i in gap] == [","]
                if titled and not other:  # "Calcified plaque, aortic arch"
                    return True
                if self._identified(part) and not document.between("lesion", hit.last, part.first):
                    return True
            elif part.last <= hit.first:
                heading = part.first == sentence.first and document.word(part.last) == ":"
                if heading and not document.between("place", part.last, sentence.last):
                    return True
                if all(
                    self._of_size(i)
                    or self._covered(i, ("hardness", "attribute"))
                    or document.word(i) in document.vocab.joining
                    for i in range(part.last, hit.first)
                ):
                    return True
        return False

    def _calcium_elsewhere(self, calcium: Hit, inner: list[Hit], sentence: Sentence) -> bool:
        """Whether a calcification is that of a vessel, joint or organ, or of a lesion in one ("thyroid nodule with
        calcification")."""
        document = self.document
        within = any(
            0 < calcium.first - hit.last < _WINDOW
            and all(document.word(i) in document.vocab.joining for i in range(hit.last, calcium.first))
            for hit in (*inner, *document.within("ignored", sentence))
        )
        return within or lies_elsewhere(document, sentence, calcium)

    def _of_vessel(self, plaque: Hit, sentence: Sentence) -> bool:
        """Whether a calcified plaque is one of an artery: "calcified plaque in right leg arteries"."""
        document = self.document
        commas = [i for i in range(sentence.first, sentence.last) if document.word(i) in _PARTING]
        first = max((i + 1 for i in commas if i < plaque.first), default=sentence.first)
        last = min((i for i in commas if i >= plaque.last), default=sentence.last)
        return all(document.between(category, first, last) for category in ("calcification", "vascular"))

    def _of_size(self, index: int) -> bool:
        word = self.document.word(index)
        return word[:1].isdigit() or word in _LENGTHS

    def _identified(self, part: Hit) -> bool:
        """Whether a word is what the words before it are said to be ("nodules c/w Heberden's nodes")."""
        document = self.document
        at = part.first
        while at > 0 and (document.word(at - 1) in document.vocab.articles or document.word(at - 1) == "("):
            at -= 1
        return any(hit.last == at for hit in document.between("identity", max(0, at - _WINDOW), at))

    def _vague(self, sentence: Sentence) -> list[Hit]:
        """ "a gritty spot on the elbow": a word for any small thing is a lesion where it is called hard at a place of
        the body."""
        document = self.document
        named = document.within("vague", sentence)
        places = document.within("place", sentence) if named else []
        return [
            Hit("lesion", "lump", hit.first, hit.last)
            for hit in named
            if not self._covered(hit.first, ("lesion", "named", "hardness"))
            and any(self._near_place(hit, place) for place in places)
            and self._called_hard(hit, sentence)
        ]

    def _near_place(self, hit: Hit, place: Hit) -> bool:
        """In one clause with a place: "hard spot of the L elbow", "hard spot, L elbow"."""
        document = self.document
        first, last = sorted((hit, place), key=lambda h: h.first)
        if not first.last <= last.first <= first.last + 2 * _WINDOW:
            return False
        comma = max((i for i in range(first.last, last.first) if document.word(i) == ","), default=last.first)
        return all(
            self._is("side", i) or self._is("preposition", i) or document.word(i) in document.vocab.articles
            for i in range(comma + 1, last.first)
        )

    def _called_hard(self, hit: Hit, sentence: Sentence) -> bool:
        """Whether "hard" or its like stands beside the word, with nothing but describing words between."""
        document = self.document
        words = document.words
        if words.text[words.ends[hit.last - 1] : words.ends[hit.last - 1] + 1] == "-":
            return False
        first, last = max(sentence.first, hit.first - _WINDOW), min(sentence.last, hit.last + 2)
        return any(
            all(
                self._covered(i, ("hardness", "attribute", "tender", "pain"))
                or self._is("coordinator", i)
                or document.word(i) in _QUOTES
                or document.word(i) in load_common().adjectives
                for i in (*range(hard.last, hit.first), *range(hit.last, hard.first))
            )
            for hard in document.between("hardness", first, last)
            if hard.value == "definite"
        ) or self._told_hard(hit, sentence)

    def _told_hard(self, hit: Hit, sentence: Sentence) -> bool:
        """ "A patch on the outside of her hip that is hard like a shell": a clause behind the place says so."""
        document = self.document
        for hard in document.between("hardness", hit.last, min(sentence.last, hit.last + 5 * _WINDOW)):
            gap = range(hit.last, hard.first)
            told = [i for i in range(hit.last, hard.last) if document.word(i) in load_common().predicating]
            if hard.value != "definite" or not told or document.between("lesion", gap.start, gap.stop):
                continue
            other = [i for i in gap if not self._places_or_links(i, told)]
            opened = any(document.word(i) in load_common().relative for i in gap[-_WINDOW:])
            if len(other) <= (2 * _WINDOW if opened else 1) and all(document.word(i).isalpha() for i in other):
                return document.status(hard) == "affirmed"
        return False

    def _places_or_links(self, index: int, verbs: list[int]) -> bool:
        word = self.document.word(index)
        small = word in self.document.vocab.stopwords or word in self.document.vocab.articles or word in _QUOTES
        return small or index in verbs or any(self._is(c, index) for c in ("place", "side", "preposition", "ignored"))

    def _called_stone(self, sentence: Sentence) -> Hit | None:
        """ "a rock" in her thigh, as if there were stones in her knees: a stone in quotation marks, or a
        comparison with one, at a place of the skin is what is felt there."""
        document = self.document
        for hit in document.within("attribute", sentence) + document.within("pebbles", sentence):
            behind = hit.last + (document.word(hit.last) in _QUOTES)
            inside = hit.category == "pebbles" and bool(document.between("within", behind, behind + 1))
            told = hit.value == "stone" and (hit.last - hit.first >= _COMPARED or self._quoted(hit, sentence))
            if not (inside or told):
                continue
            organs = [h for c in ("elsewhere", "inside") for h in document.within(c, sentence)]
            if any(not hit.first <= organ.first < hit.last for organ in organs):
                continue
            quoted = (told or inside) and self._quoted(hit, sentence)
            reach = 2 * _WINDOW if quoted else _WINDOW
            reach += sum(h.last - h.first for h in document.between("ignored", hit.last, hit.last + reach))  # "back of"
            for place in document.between("place", hit.last, min(hit.last + reach, sentence.last)):
                gap = range(hit.last, place.first)
                joined = any(self._is("preposition", i) for i in gap)
                clause = "," not in document.words.words[hit.last : place.first]
                if joined and clause and (told or place.value not in load_places().hollow):
                    return hit
        return None

    def _quoted(self, hit: Hit, sentence: Sentence) -> bool:
        """Whether a quotation mark opens at the word or at one of the few before it."""
        words = self.document.words
        for index in range(hit.first, max(sentence.first, hit.first - _QUOTED_BEFORE) - 1, -1):
            before = words.text[max(0, words.starts[index] - _QUOTED_BEFORE) : words.starts[index]].rstrip()
            if before[-1:] in _QUOTES and before:
                return not before[-2:-1].isalnum()
        return False

    def _same_lesion(self, one: Head, other: Head, first: Draft, second: Draft) -> bool:
        """ "nodule with central ulcer", "plaque with calcification": one lesion under two words."""
        if first.status != second.status or first.status not in ("affirmed", "possible"):
            return False
        if (second.count or 0) > 1 or (second.count and other.kind in _MERGING):
            return False
        if self._alternatives(one, other):
            return True
        if other.kind in _MERGING:
            alike = not second.sites or one.kind.partition("+")[0] == other.kind
            return alike or not (first.sites or self._coordinated(one, other))
        apart = bool(first.sites) and (one.kind != "skin-change" or bool(second.sites))
        return one.kind in _MERGING and not apart and not self._coordinated(one, other)

    def _coordinated(self, one: Head, other: Head) -> bool:
        """ "nodules and indurated plaques": nothing but describing words and "and" between."""
        document = self.document
        joined = False
        rules = [
            rule(document.vocab, h)
            for h in document.between("trigger", one.hit.last, other.hit.first)
            if document.word(h.first) != "?"
        ]
        if any(found.kind == "terminate" or found.direction != "forward" for found in rules):
            return False
        for index in range(one.hit.last, other.hit.first):
            word = document.word(index)
            if self._is("coordinator", index) or word in (",", "/"):
                joined = True
            elif self._is("preposition", index) or document.between("place", index, index + 1):
                return False
        return joined

    def _until_but(self, hit: Hit, last: int) -> int:
        """ "denies ulcers, but has …": where a denial ends, what describes the denied thing ends, too."""
        document = self.document
        if document.status(hit) != "negated":
            return last
        stops = (
            h.first for h in document.between("trigger", hit.last, last) if rule(document.vocab, h).kind == "terminate"
        )
        return next(stops, last)

    def _after_denial(self, sentence: Sentence, heads: list[Head]) -> Sentence | None:
        """ "Denies ulcers, but has something gritty at the elbow": what follows the denial speaks for itself."""
        first = heads[-1].last
        if first >= sentence.last or self.document.status(heads[-1].hit) != "negated":
            return None
        return Sentence(first, sentence.last, sentence.paragraph)

    def _alternatives(self, one: Head, other: Head) -> bool:
        """ "lump/nodule": two names for one thing, one of them vague."""
        vague = BARE & {one.kind, other.kind}
        return bool(vague) and self.document.word(one.hit.last) == "/" and other.hit.first == one.hit.last + 1

    def _own_site(self, hit: Hit, hits: list[Hit], sentence: Sentence) -> bool:
        following = next((h.first for h in hits if h.first > hit.first), sentence.last)
        return bool(self.document.between("place", hit.first, following))

    def _covered(self, index: int, categories: tuple[str, ...]) -> bool:
        if self.document.word(index)[:1].isdigit():
            return "number" in categories
        return any(
            hit.first <= index < hit.last for c in categories for hit in self.document.between(c, index - 4, index + 1)
        )

    def _is(self, category: str, index: int) -> bool:
        return any(hit.first <= index < hit.last for hit in self.document.between(category, index - 2, index + 1))

    def _means_other(self, hit: Hit) -> bool:
        """A word that is part of a diagnosis ("diffuse SSc") or of a denial ("no new lesions"), or that calls the
        material chalky, not the lesion."""
        document = self.document
        for denial in document.between("trigger", hit.first - 2, hit.first + 1):
            denies = rule(document.vocab, denial).status == "negated"
            ahead = rule(document.vocab, denial).direction == "forward"
            last = hit.first + 1 if ahead else hit.last  # "no new" and "new sites" overlap
            if denies and denial.first < hit.first and last <= denial.last:
                return True
        for concept in document.between("concept", hit.first - 2, hit.first + 1):
            if concept.first <= hit.first and hit.last < concept.last:
                return True
        if hit.value == "called_new":
            # "new X-ray ordered", "new-onset diabetes"; but "new calcinosis" is a lesion
            beside = {h.category for c in _NEW_OTHER for h in document.between(c, hit.last, hit.last + 1)}
            return bool(beside) and beside.isdisjoint(("lesion", "named"))
        if hit.category != "hardness" or hit.value != "definite":
            return False
        chalk = [
            h for h in document.between("attribute", hit.first, hit.last) if h.value in ("chalk", "chalk_complete")
        ]
        near = document.between("attribute", hit.first - _WINDOW, hit.last + _WINDOW)
        return bool(chalk) and any(h.value == "material" and h.first != hit.first for h in near)

    def _denied_place(self, place: Hit) -> bool:
        """Whether the text says "not there"; after "without ulceration" a place is still the lesion's own."""
        document = self.document
        reaches = [r for r in document.contexts.over(place) if r.status == "negated"]
        return any(
            not any(
                document.between(category, reach.first, place.first)
                for category in ("attribute", "pain", "tender", "hardness", "lesion")
            )
            for reach in reaches
        )

    def _possessed(self, head: Head) -> bool:
        """ "no tenderness over the nodules": what is denied is the tenderness."""
        document = self.document
        reaches = [r for r in document.contexts.over(head.hit) if r.status == "negated" and r.trigger < head.hit.first]
        if not reaches:
            return False
        for reach in reaches:
            attributes = [
                h
                for c in ("attribute", "pain", "tender", "hardness")
                for h in document.between(c, reach.first, head.hit.first)
            ]
            attributes += [h for h in document.between("lesion", reach.first, head.hit.first) if h.value == "ulcer"]
            if not attributes:
                return False
            after = max(h.last for h in attributes)
            first = min(h.last for h in attributes)
            gap = range(first, head.hit.first)
            over = any(self._is("preposition", i) for i in gap)
            definite = any(document.word(i) in document.vocab.articles for i in gap)
            if not (over and definite) or after < first:
                return False
        return True

    def _recurred(self, head: Head) -> bool:
        """ "Hard nodule excised in 2015, recurred in March": it is there again."""
        document = self.document
        again = document.between("recurred", head.hit.last, document.sentence_of(head.hit.first).last)
        return any({r.status for r in document.contexts.over(hit)} <= {"historical"} for hit in again)

    def _describes(self, hit: Hit, head: Hit) -> bool:
        """Whether a word stands right beside the lesion word, as in "no pain over the hard nodules"."""
        if hit.first < head.first:
            return not any(self._is("preposition", i) for i in range(hit.last, head.first))
        return not any(self._is("coordinator", i) for i in range(head.last, hit.first))

    def _plain_words(self, sentence: Sentence) -> int:
        """How many words of the sentence none of our entries covers."""
        covered: set[int] = set()
        for category in self.document.hits:
            for hit in self.document.within(category, sentence):
                covered.update(range(hit.first, hit.last))
        stopwords = self.document.vocab.stopwords
        plain = [self.document.word(i) for i in range(sentence.first, sentence.last) if i not in covered]
        return sum(word not in stopwords and word not in _LENGTHS and word[0].isalpha() for word in plain)

    def _only(self, sentence: Sentence) -> bool:
        return self._plain_words(sentence) <= 1


def compatible(one: Site, other: Site) -> bool:
    """Same region, and not one side against the other."""
    sides = {one.laterality, other.laterality}
    return one.region == other.region and sides != {"left", "right"}
