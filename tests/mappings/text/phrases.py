"""The labelled phrases, their labels, and the comparison with what the engine reads.

Labels of a phrase, parted by spaces ("-" alone: nothing is to be read):

    nodule -nodule ?nodule <nodule ~nodule ^nodule !nodule   a lesion: affirmed, negated, possible, historical,
                                              hypothetical, of the family, of another person; its attributes follow:
      .def .pos .eq .ag                       hardness definite, possible, equivalent, against
      @elbow @l:elbow @r:elbow @b:elbow       site
      t=4mo t=2wk t=6y t=2024-05 t=long       onset
      n=3 n=many s=2.5 p=none m=gouty-tophus  count, size in cm, pain, mimic named
      +chalk +ulc +nec +liv +pus +grow +rapid +new +scar +sheet +deep +bare +infusion +injection +trauma
    c:ctd.sle -c:… ?c:… ^c:…                  a concept, with the same signs
    lab:calcium-total=normal                  a result in words or figures
    img:soft-tissue bx:calcium                finding of a report; its @sites, +vascular and other=… follow
    dose:diltiazem=180/270 dose:diltiazem=failed

Two sets: the first (a third held back), and a second one in `second/`, written later after published case reports and
notes (half held back). `python -m tests.mappings.text.phrases` prints the tables of docs/text.md but for the second
held-back part (`--all` with it), `--wrong` the phrases of the development parts that are read differently. The
held-back parts are only ever reported as sums.
"""

from __future__ import annotations

import csv
import hashlib
import sys
from collections import Counter
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from mappings.facts import Site
from mappings.text.common import load_common
from mappings.text.engine import LANGUAGES, TextEngine
from mappings.text.reading import LesionMention, TextReading, TimeSpan
from mappings.text.schema import load_lexicon

FOLDER = Path(__file__).parents[2] / "data" / "phrases"
SIGNS = {
    "-": "negated", "?": "possible", "<": "historical", "~": "hypothetical", "^": "family", "!": "other-person",
}  # fmt: skip
_HARD = {"definite": ".def", "possible": ".pos", "equivalent": ".eq", "against": ".ag"}
_UNITS = {"day": "d", "week": "wk", "month": "mo", "year": "y"}
_PAIN = {"none": "none", "mild": "mild", "unspecified": "yes", "severe": "severe"}
_FLAGS = {
    "chalky": "+chalk", "ulcerated": "+ulc", "necrotic": "+nec", "livedo": "+liv", "pus": "+pus", "growing": "+grow",
    "rapid": "+rapid", "called_new": "+new", "in_scar": "+scar", "sheet": "+sheet", "deep": "+deep", "bare": "+bare",
    "infusion_at_site": "+infusion", "injection_at_site": "+injection", "trauma_at_site": "+trauma",
}  # fmt: skip
_TELLING = ("affirmed", "possible", "historical")


@dataclass(frozen=True)
class Phrase:
    language: str
    kind: str
    text: str
    expected: str
    second: bool = False

    @property
    def held_back(self) -> bool:
        """A third of the first set and half of the second, chosen by their text alone; nothing is tuned on them."""
        return int(hashlib.sha256(self.text.encode()).hexdigest(), 16) % (2 if self.second else 3) == 0


@dataclass
class Score:
    right: int = 0
    extra: int = 0
    missed: int = 0

    def add(self, wanted: set[str], got: set[str]) -> None:
        self.right += len(wanted & got)
        self.extra += len(got - wanted)
        self.missed += len(wanted - got)

    @property
    def precision(self) -> float:
        return self.right / (self.right + self.extra) if self.right + self.extra else 1.0

    @property
    def recall(self) -> float:
        return self.right / (self.right + self.missed) if self.right + self.missed else 1.0


def phrases(language: str | None = None) -> list[Phrase]:
    return [p for p in _all() if language in (None, p.language)]


@cache
def _all() -> tuple[Phrase, ...]:
    found = []
    for folder in (FOLDER, FOLDER / "second"):
        for file in sorted(folder.glob("*.csv")):
            with file.open(encoding="utf-8", newline="") as rows:
                found += [Phrase(**row, second=folder != FOLDER) for row in csv.DictReader(rows)]
    return tuple(found)


@cache
def _implied(language: str) -> dict[str, set[str]]:
    """What a concept brings with it by its own entry ("ctd.lupus_nephritis+ctd.sle")."""
    keys = [*load_lexicon(language).concepts, *load_common().concepts]
    out: dict[str, set[str]] = {}
    for key in keys:
        first, *rest = key.split("+")
        out.setdefault(first, set()).update(rest)
    return out


def wanted(phrase: Phrase) -> set[str]:
    """The labels of a phrase as single statements."""
    out: set[str] = set()
    owner = ""
    implied = _implied(phrase.language)
    for token in phrase.expected.split():
        if token == "-":
            continue
        if token[0] in "@.+" or token.split("=")[0] in ("t", "n", "s", "p", "m", "other"):
            out.add(f"{owner} {token}")
            continue
        status, name = (SIGNS[token[0]], token[1:]) if token[0] in SIGNS else ("affirmed", token)
        if name.startswith("c:"):
            out.add(f"{status} {name}")
            out.update(f"{status} c:{more}" for more in implied.get(name[2:], ()))
        else:
            owner = name if not name.startswith(("img:", "bx:")) else name.split(":")[0]
            out.add(f"{status} {name}")
    return out


def got(reading: TextReading) -> set[str]:
    """What was read, in the same words."""
    out: set[str] = set()
    for lesion in reading.lesions:
        out.add(f"{lesion.status} {lesion.kind}")
        if lesion.status in _TELLING:
            out.update(f"{lesion.kind} {token}" for token in _attributes(lesion))
    for concept in reading.concepts:
        out.add(f"{concept.status} c:{concept.concept}")
    for lab in reading.labs:
        if lab.status in ("affirmed", "historical"):
            value = lab.word or f"{lab.comparator or ''}{lab.value}{lab.unit or ''}"
            out.add(f"affirmed lab:{lab.analyte}={value}")
    for image in reading.imaging:
        out.add(f"{image.status} img:{image.finding}")
        out.update(f"img {_site(site)}" for site in image.sites)
        if image.vascular_too and image.finding == "soft-tissue":
            out.add("img +vascular")
    for biopsy in reading.biopsies:
        out.add(f"{biopsy.status} bx:{biopsy.finding}")
        out.update(f"bx {_site(site)}" for site in biopsy.sites)
        out.update(f"bx other={name}" for name in biopsy.other)
    for dose in reading.tolerances:
        limits = "failed" if dose.failed else f"{dose.tolerated_daily or ''}/{dose.not_tolerated_daily or ''}"
        out.add(f"affirmed dose:{dose.drug}={limits}")
    return out


def _attributes(lesion: LesionMention) -> list[str]:
    out = [token for name, token in _FLAGS.items() if getattr(lesion, name)]
    out += [_HARD[lesion.hardness]] if lesion.hardness in _HARD else []
    out += [_site(site) for site in lesion.sites]
    out += [f"p={_PAIN[lesion.pain]}"] if lesion.pain else []
    out += [f"m={name}" for name in lesion.mimics]
    out += [f"s={lesion.size_cm}"] if lesion.size_cm is not None else []
    out += [f"n={lesion.count}"] if lesion.count else ["n=many"] if lesion.multiple else []
    out += [f"t={_onset(lesion.onset)}"] if lesion.onset else []
    return out


def _site(site: Site) -> str:
    return f"@{site.laterality[0]}:{site.place}" if site.laterality else f"@{site.place}"


def _onset(span: TimeSpan) -> str:
    if span.long_standing:
        return "long"
    return span.date_text or f"{span.amount}{_UNITS[span.unit or 'day']}"


def tolerant(want: set[str], have: set[str]) -> set[str]:
    """A count of one is implied by every singular, so it may be read without being labelled."""
    return {item for item in have if not item.endswith(" n=1") or item in want}


def judge(engine: TextEngine, phrase: Phrase) -> tuple[set[str], set[str]]:
    want = wanted(phrase)
    return want, tolerant(want, got(engine.read(phrase.text, kind=phrase.kind)))  # type: ignore[arg-type]


def family(item: str) -> str:
    """The row of the confusion table that a statement belongs to."""
    name = item.split(" ", 1)[1]
    if name.startswith(("c:", "lab:", "img:", "bx:", "dose:")):
        return {"c": "concept", "lab": "laboratory", "img": "imaging", "bx": "biopsy", "dose": "dose"}[
            name.split(":")[0]
        ]
    starts = {"@": "site", ".": "hardness", "+": "attribute", "t": "onset", "n": "count", "s": "size", "p": "pain"}
    if name[0] in "@.+" or "=" in name:
        return starts.get(name[0], "attribute")
    return "lesion"


def scores(engine: TextEngine, *, held_back: bool, second: bool = False) -> dict[str, Score]:
    out = {language: Score() for language in (*LANGUAGES, "all")}
    for phrase in phrases():
        if phrase.held_back == held_back and phrase.second == second:
            want, have = judge(engine, phrase)
            for name in (phrase.language, "all"):
                out[name].add(want, have)
    return out


PARTS = {
    "first set, development": (False, False),
    "first set, held back": (True, False),
    "second set, development": (False, True),
    "second set, held back": (True, True),
}
"""name: (held back, second set)"""


def tables(engine: TextEngine, parts: tuple[str, ...] = tuple(PARTS)) -> str:
    lines = ["| Part | Language | Phrases | Statements | Precision | Recall |", "|---|---|---|---|---|---|"]
    for part in parts:
        held_back, second = PARTS[part]
        inside = [p for p in phrases() if (p.held_back, p.second) == (held_back, second)]
        for language, score in scores(engine, held_back=held_back, second=second).items():
            number = sum(language in (p.language, "all") for p in inside)
            lines.append(
                f"| {part} | {language} | {number} | {score.right + score.missed} | {score.precision:.3f} "
                f"| {score.recall:.3f} |"
            )
    return "\n".join([*lines, "", *_confusion(engine, {PARTS[part] for part in parts if PARTS[part][0]})])


def _confusion(engine: TextEngine, parts: set[tuple[bool, bool]]) -> list[str]:
    """Kind of statement by language: read rightly / missed / read too much."""
    counts: dict[str, dict[str, Counter[str]]] = {}
    for phrase in phrases():
        if (phrase.held_back, phrase.second) not in parts:
            continue
        want, have = judge(engine, phrase)
        for name, items in (("right", want & have), ("missed", want - have), ("extra", have - want)):
            for item in items:
                counts.setdefault(family(item), {}).setdefault(phrase.language, Counter())[name] += 1
    lines = [f"| Held-back statements | {' | '.join(LANGUAGES)} |", "|---|" + "---|" * len(LANGUAGES)]
    for row, found in sorted(counts.items()):
        cells = [
            f"{c['right']} / {c['missed']} / {c['extra']}" if (c := found.get(language)) else "–"
            for language in LANGUAGES
        ]
        lines.append(f"| {row} | {' | '.join(cells)} |")
    return lines


def wrong(engine: TextEngine) -> str:
    lines = []
    for phrase in phrases():
        if not phrase.held_back:
            want, have = judge(engine, phrase)
            if want != have:
                lines.append(
                    f"{phrase.language} {phrase.kind}: {phrase.text}\n    missed {sorted(want - have)}\n"
                    f"    extra  {sorted(have - want)}"
                )
    return "\n".join(lines)


if __name__ == "__main__":
    loaded = TextEngine.load()
    chosen = tuple(part for part in PARTS if "--all" in sys.argv or part != "second set, held back")
    sys.stdout.write((wrong(loaded) if "--wrong" in sys.argv else tables(loaded, chosen)) + "\n")
