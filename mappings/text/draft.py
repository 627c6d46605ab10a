"""A lesion while it is being read."""

from __future__ import annotations

from decimal import Decimal
from typing import cast

from msgspec import Struct, field

from mappings.facts import Hardness, LesionKind, Pain, Site
from mappings.text.document import Document
from mappings.text.reading import LesionMention, Status, TimeSpan
from mappings.text.sites import tidy
from mappings.text.vocabulary import Hit

CALCIFIED = frozenset({"calcification", "calcinosis"})
"""kinds that are calcium by their very name."""
BARE = frozenset({"lump", "swelling", "mass", "skin-change"})
_PARTS = frozenset({"skin-change", "calcification", "calcinosis", "induration", "ulcer", "deposit"})
"""names that may stand for a part or a property of a lesion that another word names."""
_COUNTABLE = frozenset({"nodule", "papule", "plaque", "mass", "lump"})
_SEVERITY: tuple[Pain, ...] = ("none", "unspecified", "mild", "severe")
_FLAGS = (
    "necrotic", "livedo", "inflamed", "spreading_erythema", "pus", "sheet", "deep", "growing", "rapid", "called_new",
    "new_site", "in_scar", "cystic", "vascular", "white_yellow",
)  # fmt: skip
"""flags that are told of a lesion as they are: each is a trait of `facts.LesionTraits`."""
_HARD = frozenset({"definite", "equivalent", "possible"})
_AGAINST_FIRM = frozenset({"cystic", "vascular", "fluid"})
_SOFT_LUMP = "cyst-or-lipoma"
"""named beside a soft lump: it is one, however elastic it feels"""
_STONE_OR_PUS = frozenset({"chalk", "chalk_complete", "white_yellow", "pus", "ulcerated", "draining", "inflamed"})
"""what may well fluctuate and be calcinosis all the same: a liquefied or an infected deposit."""


class Draft(Struct, eq=False):
    kind: str
    status: Status
    head: Hit
    first: int
    last: int
    implied: bool = False
    hardness: set[str] = field(default_factory=set)
    flags: set[str] = field(default_factory=set)
    pains: set[str] = field(default_factory=set)
    pain_score: Decimal | None = None
    sites: list[Site] = field(default_factory=list)
    sites_before: list[Site] = field(default_factory=list)
    mimics: set[str] = field(default_factory=set)
    count: int | None = None
    size_cm: Decimal | None = None
    onset: TimeSpan | None = None
    seen: str | None = None
    onset_anchored: bool = False
    first_word: int = -1
    last_word: int = -1
    partners: list[Draft] = field(default_factory=list)
    after: set[str] = field(default_factory=set)
    """what was said after the lesion word; in a pair it holds for both."""

    def __post_init__(self) -> None:
        self.first_word = self.first_word if self.first_word >= 0 else self.head.first
        self.last_word = self.last_word if self.last_word >= 0 else self.head.last

    def has(self, flag: str) -> bool:
        return flag in self.flags

    def touch(self, hit: Hit) -> None:
        self.first_word = min(self.first_word, hit.first)
        self.last_word = max(self.last_word, hit.last)

    def add_site(self, site: Site, *, before: bool = False) -> None:
        if site not in self.sites:
            self.sites.append(site)
            if before:
                self.sites_before.append(site)

    def describe(self, category: str, value: str, *, denied: bool, after: bool = False) -> None:
        """One describing word; `denied`: the text says that it is not so; `after`: it follows the lesion word."""
        if after and not denied:
            self.after.add(value)
        if category == "hardness":
            if not denied:
                self.hardness.add(value)
            elif value in ("definite", "possible"):
                self.hardness.add("not-" + value)
        elif category == "pain":
            self.pains.add("none" if denied and value != "none" else value)
        elif category == "tender":
            self.flags.add("tender-denied" if denied else "tender")
        elif category == "mimic":
            if not denied:
                self.mimics.add(value)
        elif not denied:
            self.flags.add(value)
        elif value == "draining":
            self.flags.add("dry")

    def soften(self) -> None:
        """What was called hard before was an error."""
        self.hardness -= _HARD
        self.flags.add("corrected")

    def number(self, said: int | None, *, or_more: bool) -> None:
        """The number that is told. "Four nodules, some with a white surface" are four; "at least four" may be more."""
        self.count = said
        if said is not None and "multiple" in self.after:
            self.flags.discard("multiple")
        if or_more and said is not None and said > 1:
            self.flags.add("multiple")

    def take(self, other: Draft) -> None:
        """The same lesion, described again."""
        if other.kind == "ulcer" and self.kind != "ulcer":
            self.flags.add("ulcerated")
        if other.kind in CALCIFIED:
            self.hardness.add("definite")
        if other.kind == "induration":
            self.hardness.add("possible")
        if self.kind in _PARTS - {"deposit"} and other.kind not in _PARTS:
            if self.kind in CALCIFIED:
                self.hardness.add("definite")
            if self.kind == "ulcer":
                self.flags.add("ulcerated")
            if self.kind == "induration":
                self.hardness.add("possible")
            self.kind, self.count = other.kind, other.count
        elif self.kind == "ulcer" and other.kind in CALCIFIED:
            self.flags.add("ulcerated")
            self.kind = other.kind
        elif self.kind in BARE and other.kind not in _PARTS:
            self.kind = other.kind
        if other.has("corrected"):
            self.soften()
        self.hardness |= other.hardness
        self.flags |= other.flags
        self.pains |= other.pains
        self.mimics |= other.mimics
        self.pain_score = self.pain_score if self.pain_score is not None else other.pain_score
        self.count = self.count or other.count
        self.size_cm = max(filter(None, (self.size_cm, other.size_cm)), default=None)
        self.onset = self.onset or other.onset
        for site in other.sites:
            self.add_site(site)
        self.first_word, self.last_word = min(self.first_word, other.first_word), max(self.last_word, other.last_word)
        self.last = max(self.last, other.last)

    def share_after(self, other: Draft) -> None:
        """ "nodules and plaques on both thighs, indurated": what follows the pair holds for the first, too."""
        if not self.sites:
            for site in other.sites:
                if site not in other.sites_before:
                    self.add_site(site)
        if other.partners or self not in other.partners:
            other.partners.append(self)
            self.partners.append(other)
        if not self.hardness:
            self.hardness |= other.hardness & other.after
        self.pains = self.pains or other.pains & other.after
        self.size_cm = self.size_cm or other.size_cm
        self.flags |= other.flags & {"growing", "rapid", "ulcerated", "draining", "chalk_complete", "in_scar"}

    def lend_sites(self, one: Draft) -> None:
        """ "hard nodule, ?calcinosis, left knee": the place is that of both."""
        for site in self.sites:
            if site not in self.sites_before:
                one.add_site(site)

    def share_before(self, one: Draft) -> None:
        """ "multiple hard nodules and plaques": what stands before the pair holds for the second, too."""
        self.flags |= one.flags & {"multiple", "called_new", "new_site", "sheet", "inflamed", "growing"}
        if not self.hardness:
            self.hardness |= one.hardness
        self.pains = self.pains or set(one.pains)
        if not self.sites:
            for site in one.sites:
                self.add_site(site)

    def hardness_class(self) -> Hardness:
        """How hard a lesion is by all that is said of it: what is surely hard goes before what contradicts it, and
        that before what only suggests it."""
        found = self.hardness
        if self.has("fluid") and self.kind not in CALCIFIED and not (_STONE_OR_PUS & self.flags):
            return "against"  # what fluctuates, pulsates or lets light through is no stone, however hard it feels
        if "definite" in found or (self.kind in CALCIFIED and self.status == "affirmed"):
            return "definite"
        if "equivalent" in found or self.has("chalk_complete") or self.has("white_yellow"):
            return "equivalent"
        yielding = "against" in found or self.has("cystic") or self.has("vascular")
        firm = "possible" in found or self.kind == "induration"
        soft = bool(_AGAINST_FIRM & self.flags) or _SOFT_LUMP in self.mimics
        if firm and not (yielding and soft):
            return "possible"
        if yielding or "not-definite" in found or "not-possible" in found:
            return "against"
        return "unstated"

    def pain(self) -> Pain | None:
        return cast(Pain, max(self.pains, key=_SEVERITY.index)) if self.pains else None

    def _counted(self, document: Document) -> int | None:
        """The number said, else one for a word in the singular ("tender nodule of the left thumb")."""
        if self.has("multiple") or self.count is not None:
            return None if self.has("multiple") and self.count == 1 else self.count
        one_swelling = self.kind == "swelling" and self.size_cm is not None  # else it may be swollen skin
        if not (self.kind in _COUNTABLE or one_swelling) or not document.vocab.plural_s:
            return None
        named_of = (
            self.head.last - self.head.first > 2 and document.word(self.head.first + 1) in document.vocab.stopwords
        )
        word = document.word(self.head.first if named_of else self.head.last - 1)  # "bolitas de calcio"
        return 1 if word.endswith("ss") or not word.endswith("s") else None

    def mention(self, document: Document) -> LesionMention | None:
        """None for what is no lesion after all: deposits that nothing calls hard, chalky or calcified."""
        hardness = self.hardness_class()
        if self.kind == "deposit" and hardness == "unstated" and not self.implied:
            return None
        if self.kind == "skin-change" and self.status != "affirmed":
            return None
        flags = self.flags
        chalky = "chalk_complete" in flags
        ulcerated = "ulcerated" in flags or self.kind == "ulcer"
        described = hardness != "unstated" or self.pains or chalky or ulcerated or self.size_cm or flags & set(_FLAGS)
        first, last = self.first_word, max(self.last_word, self.first_word + 1)
        start, end = document.span(first, last)
        return LesionMention(
            kind=cast(LesionKind, self.kind),
            status="historical" if self.status == "affirmed" and "resolved" in flags else self.status,
            text=document.text(first, last),
            start=start,
            end=end,
            hardness=hardness,
            bare=self.kind in BARE and not described,
            sites=tidy(self.sites),
            chalky=chalky,
            ulcerated=ulcerated,
            draining="pus" in flags or (("draining" in flags or chalky) and "dry" not in flags),
            pain=self.pain(),
            pain_score=self.pain_score,
            count=self._counted(document),
            multiple="multiple" in flags,
            size_cm=self.size_cm,
            resolved="resolved" in flags,
            onset=self.onset,
            seen=self.seen,
            infusion_at_site={"mineral", "infused"} <= flags,
            injection_at_site="injection" in flags,
            trauma_at_site="trauma" in flags,
            mimics=frozenset(self.mimics),
            **{trait: trait in flags for trait in _FLAGS},
        )
