"""May these bytes concern us at all? A sound look at raw JSON, many times faster than parsing it.

A set of concepts (the connective tissue diseases) is only ever said by a code of the code lists or by words of the
lexicons. Codes and words are compiled into one matcher of all patterns at once; where none of them stands, no reading
of the bytes can find any of the concepts. False alarms cost time, a miss would cost a patient: what cannot be told from
bytes (RTF, odd escapes, attachments that are no text) counts as concerning.

The bytes may be a whole CDS Hooks request, a Bundle, or a line of NDJSON: words of one name may stand in two strings,
and never in two resources."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

from msgspec import Struct

from mappings import systems
from mappings.codelists import Coding, Terminology, load_terminology
from mappings.kept import kept
from mappings.plainbytes import as_ascii, attached, in_parts, is_plain, lone_pairs, unescaped
from mappings.scanner import Scanner
from mappings.text.schema import load_common
from mappings.text.spelling import Spelling
from mappings.text.vocabulary import Payload, Vocabulary

Form = frozenset[str]
"""the patterns that must all be found for one name."""

_BEFORE = r"(?:[^A-Za-z]|\\[bfnrt])"
_AFTER = r"[^A-Za-z0-9_]"
_BETWEEN = r"(?:[ .'_-]|\\[bfnrt])"
"""between the letters of "S.L.E.": full stops, and what is no word of a text at all; new lines stand in JSON as
escapes, and in attachments they were made blanks"""
_WRONG = r"[a-z0-9_\x01]"
"""a wrong letter in a word, which may be one of another script (`plainbytes.LETTER`)"""
_CODE_BEFORE = r"(?:[\"\s:]|\\[bfnrt])"
_CODE_AFTER = r"[\"\s,}\]\\]"
"""a code fills its string but for blanks, or is a number: a part of an id is none"""
_SHORT = re.compile(re.escape(f"{_BEFORE}(?i:") + "[a-z]{1,2}" + re.escape(f"){_AFTER}"))
"""the pattern of a word of two letters"""
_LETTERS = re.compile(r"[a-z]+")
_RUN = re.compile(r"[A-Za-z0-9]+")
_TELLING = 2
"""words of a longer name that are looked for, the longest ones: "de" or "class" tells nothing and stands everywhere"""
_CATEGORY = 3
"""signs before the dot of an ICD-10 code"""
_SIGNALS = (r"\\u", r"\\\\", "<", "&", r'"data"')
"""what asks for a second look: other escapes, markup, attachments"""
_ESCAPE, _DOUBLE, _OPEN, _AMPERSAND, _DATA = range(len(_SIGNALS))
_MARKUP = frozenset({_OPEN, _AMPERSAND})


class Concern(Struct, frozen=True):
    """Where JSON text may name one of the concepts: the parts of it (`plainbytes.in_parts`) that do by themselves, the
    surest first. `escaped`: letters may be written as escapes somewhere in the text."""

    parts: Iterable[tuple[int, int]]
    escaped: bool


class Prescan:
    """The compiled patterns of some concepts, for one set of code lists. Safe between threads."""

    def __init__(self, terminology: Terminology, vocabularies: Iterable[Vocabulary], concepts: frozenset[str]) -> None:
        """`concepts`: those to look for; ids of the code lists and lexicons. Compiled by `prepare`, or on first use."""
        self._source = terminology, tuple(vocabularies), concepts
        self._compiled: _Compiled | None = None
        self._lock = threading.Lock()

    @property
    def ready(self) -> bool:
        """Whether a look costs no more than the look."""
        return self._compiled is not None

    def prepare(self) -> None:
        """Compiles the patterns: some tenths of a second, once."""
        with self._lock:
            if self._compiled is None:
                self._compiled = self._compile()

    def _compile(self) -> _Compiled:
        terminology, _, concepts = self._source
        if terminology is not load_terminology():
            return _Compiled(*self._source)  # a hospital's own codes
        return kept("mappings").get("prescan", lambda: _Compiled(*self._source), " ".join(sorted(concepts)))

    def may_concern(self, raw: bytes) -> bool:
        """False only when nothing in the JSON text can name one of the concepts, whatever the reader makes of it.

        Bytes that are no JSON give any answer; nothing raises."""
        return self.look(raw) is not None

    def look(self, raw: bytes) -> Concern | None:
        """As `may_concern`, and where. A name whose words stand, or may stand, in several parts concerns, but no part
        does."""
        if self._compiled is None:
            self.prepare()
        assert self._compiled is not None  # noqa: S101 - prepared
        return self._compiled.look(raw)


class _Seen(Struct, frozen=True):
    """What was found in a part. `texts` are kept where a rough pattern was found; `unclear`: only a real reading can
    tell what the part says."""

    hits: set[int]
    texts: tuple[bytes, ...] = ()
    escaped: bool = False
    unclear: bool = False


class _Compiled:
    """The patterns as one matcher, and which of them make up a name."""

    def __init__(
        self, terminology: Terminology, vocabularies: tuple[Vocabulary, ...], concepts: frozenset[str]
    ) -> None:
        worded = (form for vocab in vocabularies for form in _worded(vocab, concepts))
        coded = _coded(terminology.codes_of(*concepts))
        forms = _minimal((*worded, *_spelled_out(concepts), *coded))
        self._spelt = frozenset(pair for vocab in vocabularies for pair in _pairs(vocab, concepts))
        """two letters of a name that is spelt letter by letter: with markup between them no pattern finds it."""
        spelt = {_spaced(path): path for vocab in vocabularies for path in _spelt(vocab, concepts)}
        sign = _sign_of(spelt.values())
        every = dict.fromkeys((*_SIGNALS, sign, *(pattern for form in forms for pattern in sorted(form))))
        short = {pattern for pattern in every if _SHORT.fullmatch(pattern)}
        short -= {pattern for form in forms if short.issuperset(form) for pattern in form}
        scanned = [p for p in every if p not in short and p not in spelt]
        beside = [p for p in every if p in short]
        rare = [_lone(self._spelt), *spelt]
        patterns = {pattern: number for number, pattern in enumerate((*scanned, *beside, *rare))}
        self._lone = patterns[rare[0]]
        self._forms: dict[int, list[tuple[int, ...]]] = {}
        for form in forms:
            numbers = tuple(sorted(patterns[pattern] for pattern in form))
            self._forms.setdefault(numbers[0], []).append(numbers)
        self._scanner = Scanner(scanned)
        self._short = range(len(scanned), len(scanned) + len(beside))
        """words of two letters that say nothing alone. To look for them takes a third of the scan, so that they are
        looked for only in a part where a word stands that they make a name with."""
        self._short_scanner = Scanner(beside) if beside else None
        self._asks = frozenset(patterns[p] for form in forms if not short.isdisjoint(form) for p in form - short)
        self._rare = range(self._short.stop, len(patterns))
        """names spelt letter by letter. To look for them takes five times as long as for all else, so that they are
        looked for only in a part where one of their letters stands by itself."""
        self._rare_scanner = Scanner(rare)
        self._asking_scanner = Scanner(sorted({_asking(path) for path in spelt.values()}) or rare)
        self._asks_rare = patterns[sign]
        listed = {word for vocab in vocabularies for word in vocab.spelling.listed}
        self._sure = {
            patterns[rough]: re.compile("|".join(_misspelt(word)).encode(), re.IGNORECASE)
            for word in listed
            if (rough := _roughly(word)) in patterns
        }
        """what a rough pattern stands for: it is asked when the pattern is found and a name would be whole with it."""

    def look(self, raw: bytes) -> Concern | None:
        spans = in_parts(raw)
        parts: list[_Seen] = []
        hits: set[int] = set()
        texts: list[bytes] = []
        unclear = False
        for begin, end in spans:
            part = self._seen(raw[begin:end])
            parts.append(part)
            hits |= part.hits
            texts += part.texts
            unclear |= part.unclear
        if len(spans) > 1:
            hits.update(self._short)  # where none of them was looked for, it may stand
        if not unclear and not self.named(hits, texts):
            return None
        return Concern(_Concerning(self, [*zip(spans, parts, strict=True)]), any(part.escaped for part in parts))

    def _seen(self, raw: bytes) -> _Seen:
        found = as_ascii(raw)
        if found is None:
            return _Seen(set(), unclear=True)
        hits = self._scanner.found(found)
        escaped = _ESCAPE in hits
        if escaped and _DOUBLE not in hits:
            found = unescaped(found)
            hits = self._scanner.found(found)
        if _DOUBLE in hits or (not hits.isdisjoint(_MARKUP) and not is_plain(found)):
            return _Seen(hits, (), escaped, unclear=True)
        said = attached(found) if _DATA in hits else b""
        if said is None:
            return _Seen(hits, (), escaped, unclear=True)
        if said:
            hits |= self._scanner.found(said)
        if self._asks_rare in hits:
            asking = [text for text in (found, said) if self._asking_scanner.found(text)]
            hits.update(self._rare[number] for text in asking for number in self._rare_scanner.found(text))
        if self._lone in hits and not self._spelt.isdisjoint(lone_pairs(found) | lone_pairs(said)):
            return _Seen(hits, (), escaped, unclear=True)
        if self._short_scanner is not None and not hits.isdisjoint(self._asks):
            hits.update(self._short[number] for text in (found, said) for number in self._short_scanner.found(text))
        return _Seen(hits, () if hits.isdisjoint(self._sure) else (found, said), escaped)

    def surely_named(self, hits: set[int]) -> bool:
        """Whether patterns that were found make up a name, and none of them is a rough one."""
        return any(self._sure.keys().isdisjoint(form) for form in self._whole(hits))

    def _whole(self, hits: set[int]) -> list[tuple[int, ...]]:
        return [form for number in hits for form in self._forms.get(number, ()) if hits.issuperset(form)]

    def named(self, hits: set[int], texts: Sequence[bytes]) -> bool:
        """Whether the patterns found in the texts make up a name. A rough one is asked in full only where nothing
        surer names a disease: that takes longer than the scan."""
        whole = self._whole(hits)
        if not whole:
            return False
        if any(self._sure.keys().isdisjoint(form) for form in whole):
            return True
        asked: dict[int, bool] = {}
        return any(all(self._stands(number, texts, asked) for number in form) for form in whole)

    def _stands(self, number: int, texts: Sequence[bytes], asked: dict[int, bool]) -> bool:
        sure = self._sure.get(number)
        if sure is None:
            return True
        if number not in asked:
            asked[number] = any(sure.search(text) for text in texts)
        return asked[number]


class _Concerning:
    """The parts that concern. Whoever has seen enough stops asking: what a rough word is takes long to find out."""

    def __init__(self, compiled: _Compiled, parts: Sequence[tuple[tuple[int, int], _Seen]]) -> None:
        self._compiled, self._parts = compiled, parts

    def __iter__(self) -> Iterator[tuple[int, int]]:
        rough = []
        for span, part in self._parts:
            if part.unclear or self._compiled.surely_named(part.hits):
                yield span
            elif part.texts:
                rough.append((span, part))
        for span, part in rough:
            if self._compiled.named(part.hits, part.texts):
                yield span


def _worded(vocab: Vocabulary, concepts: frozenset[str]) -> Iterator[Form]:
    """The words of every entry that can say one of the concepts, in every spelling that is read as them."""
    for path, payload in _entries(vocab, concepts):
        exact = payload.exact if payload.exact and len(path) == 1 and payload.exact.isalpha() else None
        if exact is not None and exact.isascii():
            yield frozenset({f"{_BEFORE}{exact}{_AFTER}"})
        elif _is_spelt(path):
            yield frozenset({_spaced(path)})
        else:
            yield frozenset(_word(word, vocab.spelling) for word in sorted(path, key=len, reverse=True)[:_TELLING])
    for table, begins in ((vocab.prefixes, True), (vocab.suffixes, False)):
        for row in table.values():
            for stem, payloads in row:
                if any(_names(vocab, payload, concepts) for payload in payloads):
                    for word in vocab.spelling.listed:
                        if word.startswith(stem) if begins else word.endswith(stem):
                            yield frozenset({_word(word, vocab.spelling)})
                    written = _anywhere(stem)
                    yield frozenset({f"{_BEFORE}{written}" if begins else f"{written}{_AFTER}"})


def _entries(vocab: Vocabulary, concepts: frozenset[str]) -> Iterator[tuple[tuple[str, ...], Payload]]:
    """The entries that can say one of the concepts, with their words."""
    nodes: list[tuple[tuple[str, ...], Mapping[str, Any]]] = [((), vocab.root)]
    while nodes:
        path, node = nodes.pop()
        for word, below in node.items():
            if word:
                nodes.append(((*path, word), below))
            else:
                yield from ((path, payload) for payload in below if _names(vocab, payload, concepts))


def _is_spelt(path: Sequence[str]) -> bool:
    """Whether a name is spelt letter by letter ("S.L.E.")."""
    return len(path) > _TELLING and all(len(word) == 1 for word in path)


def _spelt(vocab: Vocabulary, concepts: frozenset[str]) -> Iterator[tuple[str, ...]]:
    """The names that are spelt letter by letter."""
    return (path for path, _ in _entries(vocab, concepts) if _is_spelt(path))


def _pairs(vocab: Vocabulary, concepts: frozenset[str]) -> Iterator[bytes]:
    """Each two letters that follow one another in a name that is spelt letter by letter."""
    for path in _spelt(vocab, concepts):
        letters = "".join(filter(_RUN.fullmatch, path)).encode()
        yield from (letters[at : at + 2] for at in range(len(letters) - 1))


def _lone(pairs: Iterable[bytes]) -> str:
    """The pattern of the first letter of a pair, by itself before markup."""
    letters = "".join(sorted({pair[:1].decode() for pair in pairs}))
    return f"{_BEFORE}(?i:[{letters}]){_BETWEEN}*[<&]" if letters else _SIGNALS[_OPEN]


def _names(vocab: Vocabulary, payload: Payload, concepts: frozenset[str]) -> bool:
    """Whether an entry can say one of the concepts; one of a category that we do not know here is taken to."""
    said = payload.value.split("+")
    if payload.category == "guard":
        guard = vocab.lexicon.guarded[int(payload.value)]
        said = [*guard.concept.split("+"), *(guard.otherwise or "").split("+")]
    return not concepts.isdisjoint(said)


def _word(word: str, spelling: Spelling) -> str:
    """The pattern of one word of a text. What is more than plain letters is looked for by its longest run of them."""
    if _LETTERS.fullmatch(word) is None:
        return _anywhere(word)
    return _roughly(word) if word in spelling.listed else f"{_BEFORE}(?i:{word}){_AFTER}"


def _spaced(signs: tuple[str, ...]) -> str:
    """The pattern of letters one by one ("C.R.E.S.T."): none of them tells anything but in its place."""
    return f"{_BEFORE}(?i:{f'{_BETWEEN}+'.join(filter(_RUN.fullmatch, signs))}){_AFTER}"


def _sign_of(names: Iterable[Sequence[str]]) -> str:
    """What stands wherever one of the names does, with markup in it or not: its second letter by itself. Three signs
    cost little to look for."""
    letters = {[*filter(_RUN.fullmatch, signs)][1] for signs in names}
    return f"(?:{_BETWEEN}|[>;])(?i:[{''.join(sorted(letters))}])[ .'_\\-\\\\<&]" if letters else _SIGNALS[_DOUBLE]


def _asking(signs: Sequence[str]) -> str:
    """As `_sign_of`, and behind the letter the third or one more sign: it is not the French article."""
    _, second, third, *_ = filter(_RUN.fullmatch, signs)
    behind = f"[<&]|{_BETWEEN}(?:{_BETWEEN}|[<&]|(?i:{third})[^A-Za-z0-9])"
    return f"(?:{_BETWEEN}|[>;])(?i:{second})(?:{behind})"


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
    fits = (f"{first}{_WRONG}{{{rest - 1},{rest + 1}}}", f"{word[0]}{_WRONG}{{{half - 2},{half}}}{second}", swapped)
    return f"{_BEFORE}(?i:{'|'.join(fits)}){_AFTER}"


def _misspelt(word: str) -> Iterator[str]:
    """The word, and it with one letter (not the first) more, less, other, or changed with the next."""
    yield word
    for at in range(1, len(word)):
        head, tail = word[:at], word[at + 1 :]
        yield f"{head}{_WRONG}?{tail}"
        yield f"{head}{_WRONG}{word[at:]}"
        if tail:
            yield f"{head}{tail[0]}{word[at]}{tail[1:]}"
    yield f"{word}{_WRONG}"


def _spelled_out(concepts: frozenset[str]) -> Iterator[Form]:
    """Diseases whose names spell out their letters: a word for each of the parts."""
    for names, parts in load_common().spelled_out.items():
        if not concepts.isdisjoint(names.split("+")):
            yield frozenset(f"{_BEFORE}(?i:{'|'.join(sorted(stems))})" for stems in parts)


def _coded(codings: Iterable[Coding]) -> Iterator[Form]:
    """One pattern for each code, as it may be written: dots left out, blanks between, a sign or subdivision behind."""
    wanted = {(coding.system, coding.code) for coding in codings}
    for system, code in sorted(wanted):
        if system in (systems.ICD10, systems.ICD10CM, systems.ATC):
            if (system, code[:3]) in wanted and len(code) > 3:
                continue  # nothing need follow the pattern of the category
            signs = [sign for sign in code if sign != "."]
            spaced = "[ ]*".join(f"\\.?[ ]*{sign}" if at == _CATEGORY else sign for at, sign in enumerate(signs))
            yield frozenset({f"{_CODE_BEFORE}(?i:{spaced})"})
        elif system == systems.ICD9CM:
            whole, _, rest = code.partition(".")
            written = rf"{whole}\.?{rest}" if rest else whole
            yield frozenset({f"{_CODE_BEFORE}(?i:{written}){_CODE_AFTER}"})
        elif _RUN.fullmatch(code):
            yield frozenset({f"{_CODE_BEFORE}{code}{_CODE_AFTER}"})
        else:
            yield frozenset({_anywhere(code)})


def _minimal(forms: Iterable[Form]) -> list[Form]:
    """The forms without those that hold another one whole: "lupus nephritis" stands nowhere without "lupus"."""
    kept: list[Form] = []
    for form in sorted(set(forms), key=lambda form: (len(form), sorted(form))):
        if not any(shorter <= form for shorter in kept):
            kept.append(form)
    return kept
