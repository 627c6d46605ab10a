"""May these bytes concern us at all? A sound look at raw JSON, many times faster than parsing it.

A set of concepts (the connective tissue diseases) is only ever said by a code of the code lists or by words of the
lexicons. Codes and words are compiled into one matcher of all patterns at once; where none of them stands, no reading
of the bytes can find any of the concepts. False alarms cost time, a miss would cost a patient: what cannot be told from
bytes (RTF, odd escapes, attachments that are no text) counts as concerning.

The bytes may be a whole CDS Hooks request, a Bundle, or a line of NDJSON: words of one name may stand in two strings,
and never in two resources."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence

from msgspec import Struct

from mappings.codelists import Terminology, load_terminology
from mappings.kept import kept
from mappings.plainbytes import as_ascii, attached, in_parts, is_plain, unescaped
from mappings.prescan_patterns import entries, forms_of, is_short, rough_words, with_misspellings
from mappings.scanner import Scanner
from mappings.spelt import SpeltNames, is_spelt
from mappings.text.vocabulary import Vocabulary

_SIGNALS = (r"\\u", r"\\\\", "<", "&", r'"data"')
"""what asks for a second look: other escapes, markup, attachments"""
_ESCAPE, _DOUBLE, _OPEN, _AMPERSAND, _DATA = range(len(_SIGNALS))
_MARKUP = frozenset({_OPEN, _AMPERSAND})
_ASKED = 2
"""parts of a text that are asked whether they mean it, while it is still looked at"""
IsMeant = Callable[[int, int], bool]
"""whether the part from here to there is sure to mean one of the concepts"""


class Concern(Struct, frozen=True):
    """Where JSON text may name one of the concepts: the parts of it (`plainbytes.in_parts`) that do by themselves, the
    surest first. `escaped`: letters may be written as escapes somewhere in the text. `meant`: one of the parts is sure
    to mean it, and the rest of the text was not looked at."""

    parts: Iterable[tuple[int, int]]
    escaped: bool
    meant: bool = False


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

    def look(self, raw: bytes, is_meant: IsMeant | None = None) -> Concern | None:
        """As `may_concern`, and where. A name whose words stand, or may stand, in several parts concerns, but no part
        does. `is_meant` ends the look: most who have a disease have it coded in one of the first parts."""
        if self._compiled is None:
            self.prepare()
        assert self._compiled is not None  # noqa: S101 - prepared
        return self._compiled.look(raw, is_meant)


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
        forms = forms_of(terminology, vocabularies, concepts)
        names = {path for vocab in vocabularies for path, _ in entries(vocab, concepts) if is_spelt(path)}
        self._spelt = SpeltNames(names) if names else None
        spelt, sign = (self._spelt.patterns, (self._spelt.sign,)) if self._spelt is not None else ((), ())
        every = dict.fromkeys((*_SIGNALS, *sign, *(pattern for form in forms for pattern in sorted(form))))
        short = {pattern for pattern in every if is_short(pattern)}
        short -= {pattern for form in forms if short.issuperset(form) for pattern in form}
        scanned = [p for p in every if p not in short and p not in spelt]
        beside = [p for p in every if p in short]
        patterns = {pattern: number for number, pattern in enumerate((*scanned, *beside, *spelt))}
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
        """names spelt letter by letter, looked for only where their sign stands."""
        self._asks_rare = frozenset(patterns[p] for p in sign)
        self._sure = {
            patterns[rough]: with_misspellings(word)
            for rough, word in rough_words(vocabularies).items()
            if rough in patterns
        }
        """what a rough pattern stands for: it is asked when the pattern is found and a name would be whole with it."""

    def look(self, raw: bytes, is_meant: IsMeant | None) -> Concern | None:
        spans = in_parts(raw)
        asked = 0
        parts: list[_Seen] = []
        hits: set[int] = set()
        texts: list[bytes] = []
        unclear = False
        for begin, end in spans:
            part = self._seen(raw[begin:end])
            if is_meant is not None and asked < _ASKED and self.surely_named(part.hits):
                asked += 1
                if is_meant(begin, end):
                    return Concern((), part.escaped, meant=True)
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
        if self._spelt is not None and not hits.isdisjoint(self._asks_rare):
            names = self._spelt.found((found, said))
            if names is None:
                return _Seen(hits, (), escaped, unclear=True)
            hits.update(self._rare[number] for number in names)
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
