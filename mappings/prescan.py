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
from mappings.plainbytes import as_ascii, attached, escapes, goes_on, in_parts, is_plain, unescaped
from mappings.prescan_patterns import entries, forms_of, rough_words, with_misspellings
from mappings.prescan_quick import quickest
from mappings.scanner import Scanner
from mappings.spelt import SpeltNames, is_spelt
from mappings.table_cache import kept
from mappings.text.vocabulary import Vocabulary

_ATTACHED, _SPELT, _NAMED, _NAMING = range(4)
"""what asks for a second look: an attachment, a letter by itself, what tells most of a name; and a member that names
resources"""
_DATA = '"data"'
_NAMING_MEMBERS = ('"result"', '"hasMember"', '"related"')
"""elements by which a report or panel names Observations as its own; the last is that of STU3."""
_ASKED = 2
"""parts of a text that are asked whether they mean it, while it is still looked at"""
IsMeant = Callable[[int, int], bool]
"""whether the part from here to there is sure to mean one of the concepts"""


class Concern(Struct, frozen=True):
    """Where JSON text may name one of the concepts: the parts of it (`plainbytes.in_parts`) that do by themselves, the
    surest first. `escaped`: letters may be written as escapes somewhere in the text. `naming`: the parts in which a
    resource may name others as its own. `meant`: one of the parts is sure to mean it, and the rest of the text was not
    looked at."""

    parts: Iterable[tuple[int, int]]
    escaped: bool
    naming: tuple[tuple[int, int], ...] = ()
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
    tell what the part says; `skimmed`: what tells a name does not stand there, and nothing else was looked for;
    `naming`: a member that names resources does."""

    hits: set[int]
    texts: tuple[bytes, ...] = ()
    escaped: bool = False
    unclear: bool = False
    skimmed: bool = False
    naming: bool = False


class _Compiled:
    """The patterns as one matcher, and which of them make up a name."""

    def __init__(
        self, terminology: Terminology, vocabularies: tuple[Vocabulary, ...], concepts: frozenset[str]
    ) -> None:
        forms = forms_of(terminology, vocabularies, concepts)
        names = {path for vocab in vocabularies for path, _ in entries(vocab, concepts) if is_spelt(path)}
        self._spelt = SpeltNames(names) if names else None
        spelt, signs = (self._spelt.patterns, self._spelt.signs) if self._spelt is not None else ((), [])
        every = dict.fromkeys(pattern for form in forms for pattern in form)
        scanned = [pattern for pattern in every if pattern not in spelt]
        patterns = {pattern: number for number, pattern in enumerate((*scanned, *spelt))}
        self._forms: dict[int, list[tuple[int, ...]]] = {}
        """the patterns of each name, by the one that tells most."""
        for form in forms:
            self._forms.setdefault(patterns[form[0]], []).append(tuple(patterns[pattern] for pattern in form))
        telling = dict.fromkeys(one for form in forms if form[0] not in spelt for one in quickest(form[0]))
        numbers = [_ATTACHED, *[_SPELT] * len(signs), *[_NAMED] * len(telling), *[_NAMING] * len(_NAMING_MEMBERS)]
        self._first = Scanner([_DATA, *signs, *telling, *_NAMING_MEMBERS], numbers=numbers)
        """what is looked for everywhere."""
        self._scanner = Scanner(scanned) if scanned else None
        """what is looked for where something tells of a name: it takes three times as long, and a third of the memory
        that patterns as quick as the first would take."""
        self._rare = range(len(scanned), len(patterns))
        """names spelt letter by letter, looked for only where their sign stands."""
        self._sure = {
            patterns[rough]: with_misspellings(word)
            for rough, word in rough_words(vocabularies).items()
            if rough in patterns
        }
        """what a rough pattern stands for: it is asked when the pattern is found and a name would be whole with it."""

    def look(self, raw: bytes, is_meant: IsMeant | None) -> Concern | None:
        spans = in_parts(raw)
        asked, silent = 0, True
        parts: list[_Seen] = []
        for begin, end in spans:
            part = self._seen(raw, begin, end)
            silent = silent and not part.hits and not part.unclear
            if is_meant is not None and asked < _ASKED and self.surely_named(part.hits):
                asked += 1
                if is_meant(begin, end):
                    return Concern((), part.escaped, meant=True)
            parts.append(part)
        if silent:
            return None
        if not self._concerns(parts) and self._begun(parts):  # its other words may stand where none was looked for
            parts = [
                self._seen(raw, *span, all_words=True) if part.skimmed else part
                for span, part in zip(spans, parts, strict=True)
            ]
        if not self._concerns(parts):
            return None
        seen = [*zip(spans, parts, strict=True)]
        naming = tuple(span for span, part in seen if part.naming)
        return Concern(_Concerning(self, seen), any(part.escaped for part in parts), naming)

    def _concerns(self, parts: Sequence[_Seen]) -> bool:
        """Whether the parts, taken together, may name one of the concepts."""
        texts = [text for part in parts for text in part.texts]
        return any(part.unclear for part in parts) or self.named(set().union(*(part.hits for part in parts)), texts)

    def _seen(self, raw: bytes, begin: int, end: int, *, all_words: bool = False) -> _Seen:
        found = as_ascii(raw, begin, end)
        if found is None:
            return _Seen(set(), unclear=True)
        escaped, double, may_go_on = escapes(found)
        if escaped and not double:
            found = unescaped(found)
            _, double, may_go_on = escapes(found)
        first = self._first.found(found)
        unclear = double or (may_go_on and goes_on(found)) or not is_plain(found)
        said = b""
        if _ATTACHED in first and not unclear:
            attachment = attached(found)
            unclear, said = attachment is None, attachment or b""
        if said:
            first |= self._first.found(said)
        hits: set[int] = set()
        skimmed = _NAMED not in first and not all_words
        if not skimmed and self._scanner is not None:
            hits = self._scanner.found(found) | (self._scanner.found(said) if said else set())
        if _SPELT in first and not unclear and self._spelt is not None:
            names = self._spelt.found((found, said))
            unclear = names is None
            hits.update(self._rare[number] for number in names or ())
        texts = () if unclear or hits.isdisjoint(self._sure) else (found, said)
        return _Seen(hits, texts, escaped, unclear, skimmed, _NAMING in first)

    def _begun(self, parts: Iterable[_Seen]) -> bool:
        """Whether what tells a name of several words was found."""
        return any(len(form) > 1 for part in parts for hit in part.hits for form in self._forms.get(hit, ()))

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
