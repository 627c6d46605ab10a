"""What names a concept, as patterns of plain ASCII bytes: every code of the code lists, as it may be written, and every
word of the lexicons in every spelling that is read as it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain
from typing import Any

from mappings import systems
from mappings.codelists import Key, Terminology
from mappings.spelt import AFTER, BEFORE, is_spelt, spaced
from mappings.text.common import load_common
from mappings.text.spelling import Spelling
from mappings.text.vocabulary import Payload, Vocabulary

Form = tuple[str, ...]
"""the patterns that must all be found for one name, the most telling first."""

WRONG = r"[a-z0-9_\x01]"
"""a wrong letter in a word, which may be one of another script (`plainbytes.LETTER`)"""
CODE_BEFORE = r"(?:[\"\s:]|\\[bfnrt])"
CODE_AFTER = r"[\"\s,}\]\\]"
"""a code fills its string but for blanks, or is a number: a part of an id is none"""
_LETTERS = re.compile(r"[a-z]+")
_RUN = re.compile(r"[A-Za-z0-9]+")
_TELLING = 2
"""words of a longer name that are looked for: "de" or "class" tells nothing and stands everywhere"""
_CATEGORY = 3
"""signs before the dot of an ICD-10 code"""


def forms_of(terminology: Terminology, vocabularies: Iterable[Vocabulary], concepts: frozenset[str]) -> list[Form]:
    """How each of the concepts may be named, without the names that hold another one whole: "lupus nephritis" stands
    nowhere without "lupus"."""
    worded = {form for vocab in vocabularies for form in _worded(vocab, concepts)}
    found: dict[str, list[Form]] = {}
    for form in sorted(worded, key=lambda form: (len(form), form)):
        words = set(form)
        if not any(words.issuperset(other) for word in form for other in found.get(word, ())):
            found.setdefault(form[0], []).append(form[:_TELLING])
    return [*chain.from_iterable(found.values()), *_spelled_out(concepts), *_coded(terminology.codes_of(*concepts))]


def entries(vocab: Vocabulary, concepts: frozenset[str]) -> Iterator[tuple[tuple[str, ...], Payload]]:
    """The entries of a lexicon that can say one of the concepts, with their words."""
    nodes: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), vocab.root)]
    while nodes:
        path, node = nodes.pop()
        for word, below in node.items():
            if word:
                nodes.append(((*path, word), below))
            else:
                yield from ((path, payload) for payload in below if _names(vocab, payload, concepts))


def rough_words(vocabularies: Iterable[Vocabulary]) -> dict[str, str]:
    """The rough pattern of each word that is read with a letter wrong too, and the word."""
    return {_roughly(word): word for vocab in vocabularies for word in vocab.spelling.listed}


def with_misspellings(word: str) -> re.Pattern[bytes]:
    """What the rough pattern of the word stands for."""
    return re.compile("|".join(_misspelt(word)).encode(), re.IGNORECASE)


def _worded(vocab: Vocabulary, concepts: frozenset[str]) -> Iterator[Form]:
    """The words of every entry that can say one of the concepts, in every spelling that is read as them."""
    everyday = load_common().everyday
    for path, payload in entries(vocab, concepts):
        exact = payload.exact if payload.exact and len(path) == 1 and payload.exact.isalpha() else None
        if exact is not None and exact.isascii():
            yield (f"{BEFORE}{f'(?i:{exact})' if payload.told else exact}{AFTER}",)
        elif is_spelt(path):
            yield (spaced(path),)
        else:
            words = [word for word in path if len(word) > 1] or path
            telling = sorted(words, key=lambda word: (word in everyday, -len(word)))
            yield tuple(dict.fromkeys(_word(word, vocab.spelling) for word in telling))
    for table, begins in ((vocab.prefixes, True), (vocab.suffixes, False)):
        for row in table.values():
            for stem, payloads in row:
                if any(_names(vocab, payload, concepts) for payload in payloads):
                    for word in vocab.spelling.listed:
                        if word.startswith(stem) if begins else word.endswith(stem):
                            yield (_word(word, vocab.spelling),)
                    written = _anywhere(stem)
                    yield (f"{BEFORE}{written}" if begins else f"{written}{AFTER}",)


def _names(vocab: Vocabulary, payload: Payload, concepts: frozenset[str]) -> bool:
    """Whether an entry can say one of the concepts; one of a category that we do not know here is taken to."""
    said = payload.value.split("+")
    if payload.category == "guard":
        guard = vocab.guarded[int(payload.value)]
        said = [*guard.concept.split("+"), *(guard.otherwise or "").split("+")]
    return not concepts.isdisjoint(said)


def _word(word: str, spelling: Spelling) -> str:
    """The pattern of one word of a text. What is more than plain letters is looked for by its longest run of them."""
    if _LETTERS.fullmatch(word) is None:
        return _anywhere(word)
    return _roughly(word) if word in spelling.listed else f"{BEFORE}(?i:{word}){AFTER}"


def _anywhere(word: str) -> str:
    run = max(_RUN.findall(word), key=len, default="")
    return f"(?i:{run})" if run else "."


def _roughly(word: str) -> str:
    """A pattern that the word and all its misspellings fit, quick to compile: either half of it is as it should be,
    or the two letters between them have changed places."""
    half, length = len(word) // 2, len(word)
    first, second = word[:half], word[half:]
    rest = length - half
    swapped = f"{word[: half - 1]}{word[half]}{word[half - 1]}{word[half + 1 :]}"
    fits = (f"{first}{WRONG}{{{rest - 1},{rest + 1}}}", f"{word[0]}{WRONG}{{{half - 2},{half}}}{second}", swapped)
    return f"{BEFORE}(?i:{'|'.join(fits)}){AFTER}"


def _misspelt(word: str) -> Iterator[str]:
    """The word, and it with one letter (not the first) more, less, other, or changed with the next."""
    yield word
    for at in range(1, len(word)):
        head, tail = word[:at], word[at + 1 :]
        yield f"{head}{WRONG}?{tail}"
        yield f"{head}{WRONG}{word[at:]}"
        if tail:
            yield f"{head}{tail[0]}{word[at]}{tail[1:]}"
    yield f"{word}{WRONG}"


def _spelled_out(concepts: frozenset[str]) -> Iterator[Form]:
    """Diseases whose names spell out their letters: a word for each of the parts."""
    for names, parts in load_common().spelled_out.items():
        if not concepts.isdisjoint(names.split("+")):
            every = [f"{BEFORE}(?i:{'|'.join(sorted(stems))})" for stems in parts]
            yield tuple(sorted(every, key=len, reverse=True))


def _coded(codes: Iterable[Key]) -> Iterator[Form]:
    """One pattern for each code, as it may be written: dots left out, blanks between, a sign or subdivision behind."""
    wanted = set(codes)
    for system, code in sorted(wanted):
        if system in (systems.ICD10, systems.ICD10CM, systems.ATC):
            if (system, code[:3]) in wanted and len(code) > 3:
                continue  # nothing need follow the pattern of the category
            signs = [sign for sign in code if sign != "."]
            loose = "[ ]*".join(f"\\.?[ ]*{sign}" if at == _CATEGORY else sign for at, sign in enumerate(signs))
            yield (f"{CODE_BEFORE}(?i:{loose})",)
        elif system == systems.ICD9CM:
            whole, _, rest = code.partition(".")
            written = rf"{whole}\.?{rest}" if rest else whole
            yield (f"{CODE_BEFORE}(?i:{written}){CODE_AFTER}",)
        elif _RUN.fullmatch(code):
            yield (f"{CODE_BEFORE}{code}{CODE_AFTER}",)
        else:
            yield (_anywhere(code),)
