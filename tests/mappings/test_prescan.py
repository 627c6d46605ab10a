"""What the look at the bytes calls silent, no reader can make speak."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from typing import Any

import orjson
import pytest

from cds_service.pipeline import Brain, load_brain
from cds_service.sandbox.cases import published_cases
from mappings import plainbytes
from mappings.codelists import load_terminology
from mappings.prescan import Prescan
from mappings.raw import RawChart
from mappings.text.engine import LANGUAGES, TextEngine
from mappings.text.vocabulary import vocabulary
from tests.charts import TODAY
from tests.mutants import mutated
from tests.public_data import BUNDLE_SETS, FILE_SETS, charts


@pytest.fixture(scope="module")
def brain() -> Brain:
    return load_brain()


def condition(text: str, **more: Any) -> dict[str, Any]:
    code = {"text": text}
    return {
        "resourceType": "Condition", "id": "c", "subject": {"reference": "Patient/p"}, "code": code, **more
    }  # fmt: skip


def note(text: str) -> dict[str, Any]:
    data = base64.b64encode(text.encode()).decode()
    return {
        "resourceType": "DocumentReference",
        "id": "d",
        "status": "current",
        "subject": {"reference": "Patient/p"},
        "content": [{"attachment": {"contentType": "text/plain", "data": data}}],
    }


def has_ctd(brain: Brain, patient: str, resources: list[Any]) -> bool:
    """The slow reader's word."""
    facts = brain.reader.read(RawChart(patient, tuple(resources)))
    wanted = brain.knowledge.criteria.ctd.concepts
    return any(finding.certainty != "absent" and finding.concepts & wanted for finding in facts.findings)


WORDS = (
    "SLE", "Lupus", "LUPUS NEPHRITIS", "lúpus", "systemic sclerosis", "systemic\nsclerosis", "SSc", "scleroderma",
    "sclreoderma", "sclerodrma", "scleroderrma", "sclerodermaa", "esclerodermía", "Sjögren syndrome",
    "Sjo\u0308gren syndrome", "Sjoegren-Syndrom", "Mischkollagenose", "ｌｕｐｕｓ", "lu\u00adpus", "lu\u200bpus",
    "lu<b>pus</b>", "lu<i></i><b title='x'>pus</b>", "lu<td>pus", "&#108;upus", "l&uacute;pus", "l&#xfa;pus",
    "lupus&nbsp;nephritis", "{\\rtf1 lu\\b pus}", "MCTD", "mixed connective tissue disease", "rhupus", "RA",
    "dermatomyositis's", "x/lupus", "3lupus", "dermato-myositis juvenile", "rheumatoid  arthritis", "d'esclerodermia",
    "Calcinosis, Raynaud, oesophageal dysmotility, sclerodactyly and telangiectasia", "\tlupus", "lupus\u2028nephritis",
    "S.L.E.", "s. l. e.", "C.R.E.S.T.", "C. R.\nE. S. T.",
    "dermatomyo\u017fitis", "derm\u0430tomyositis", "sclerod\u0435rma", "derm\U0001d41atomyositis",
    "dermato\u00df<b>myositis</b>", "dermato<b>\u00dfmyositis</b>", "l&#31;upus", "S.&nbsp;L.&nbsp;E.", "S.<b>L</b>.E.",
    "C.R.E.<br>S.T.", "C. R.&#160;E.</i> <i>S. T.", "S.'L.'E.", "S._L._E.", "S.\uff07L.\uff07E.", "S.\x1fL.\x1fE.",
    "lu<b>\u0301</b>pus",
    "ASyS", "pSS", "SjD", "NPSLE", "dSSc", "LECSA", "DITC", "systemic sclerosis/dermatomyositis overlap",
    "sclero-\nderma", "Sklero- \r\n derma", "dermato\u00ad\nmyositis", "dermato\u00ac\nmyositis",
    "sclero\u2010\n derma", "dermato-<br/>myositis", "<p>dermato- </p><p>myositis</p>", "dermato-&#10;myositis",
    "dermato&shy;<br>myositis", "sclero-\n\n  derma", "lu-\u2028pus", "lu\u00ad\n\u00ad pus", "lu\u00ad<b>\n</b>pus",
    "overlap syndrome", "polymyositis", "(lupus)", "?lupus", "lupus;", "“lupus”", "a\u0301 lupus", "ﬂ lupus",
)  # fmt: skip
QUIET = (
    "Driver's License", "c. 5 mg/L, E. coli", "904c-5c38-e", "s.", "T. S., C. E. R.",
    "sleep", "muscle pain", "DOMESTIC", "3 PMs", "overlapping teeth", "patient takes 714 mg", "LEADING", "lumpus",
    "dermatology", "sclera", "multiple sclerosis", "A &lt; B &amp; C", "caf\u00e9", "5.5e3", "Überweisung", "a<b",
    "921242c9-7140-4ff2-a8d8-M32", "<p>well</p><p>no complaints</p>", "nephritis", "mixed", "\u0394 weight", "😀",
    "<td>H</td><td>K</td>", "37.2 C</td><td>88", "gro\u00dfe W\u00f8rter",
)  # fmt: skip


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("words", WORDS)
def test_every_way_of_writing_is_seen(brain: Brain, words: str, ensure_ascii: bool) -> None:
    for resource in (condition(words), note(words)):
        assert brain.may_concern(json.dumps(resource, ensure_ascii=ensure_ascii).encode())


def test_the_words_do_name_a_disease(brain: Brain) -> None:
    """Most of the ways above are ways that the reader follows: the test of the scan is no empty one."""
    read = [words for words in WORDS if has_ctd(brain, "p", [condition(words)]) or has_ctd(brain, "p", [note(words)])]
    assert len(read) > 0.8 * len(WORDS), set(WORDS) - set(read)


@pytest.mark.parametrize("ensure_ascii", [True, False])
@pytest.mark.parametrize("words", QUIET)
def test_ordinary_words_are_silent(brain: Brain, words: str, ensure_ascii: bool) -> None:
    for resource in (condition(words), note(words)):
        assert not brain.may_concern(json.dumps(resource, ensure_ascii=ensure_ascii).encode())
        assert not has_ctd(brain, "p", [resource])


def test_letters_written_as_escapes(brain: Brain) -> None:
    assert brain.may_concern(b'{"text":"l\\u0075pus"}')
    assert brain.may_concern(b'{"text":"\\u004c\\u0055\\u0050\\u0055\\u0053"}')
    assert brain.may_concern(b'{"d\\u0061ta":"%s"}' % base64.b64encode(b"known lupus"))
    assert brain.may_concern(b'{"text":"a\\\\u0041"}')  # two backslashes: nobody can tell
    assert brain.may_concern('{"text":"Sj\\u006f\u0308gren"}'.encode())  # an accent on an escaped letter
    assert brain.may_concern(b'{"text":"derm\\ud835\\udc1atomyositis"}')  # a letter of two escapes
    assert brain.may_concern(b'{"text":"\xff"}')
    assert brain.may_concern(b'{"text":"\\u0000"}')
    assert not brain.may_concern(b'{"text":"\\u00e9t\\u00e9 \\u0022x\\u0022 \\ud83d\\ude00"}')


def test_every_entry_of_every_language(brain: Brain) -> None:
    wanted = brain.knowledge.criteria.ctd.concepts
    seen = 0
    for language in LANGUAGES:
        vocab = vocabulary(language)
        nodes: list[tuple[tuple[str, ...], dict[str, Any]]] = [((), vocab.root)]
        while nodes:
            path, node = nodes.pop()
            for word, below in node.items():
                if word:
                    nodes.append(((*path, word), below))
                    continue
                found = [payload for payload in below if _says(payload, vocab, wanted)]
                said = {payload.exact or " ".join(path) for payload in found}
                said |= {payload.exact.lower() for payload in found if payload.exact and payload.told}
                for words in said:
                    seen += 1
                    assert brain.may_concern(json.dumps({"text": words}).encode()), words
    assert seen > 800


def _says(payload: Any, vocab: Any, wanted: frozenset[str]) -> bool:
    value = payload.value
    if payload.category == "guard":
        guard = vocab.guarded[int(value)]
        value = f"{guard.concept}+{guard.otherwise}"
    return not wanted.isdisjoint(value.split("+"))


GAPS = (" ", ".", "'", "_", "-", "\n", "\t", "&nbsp;", "&#160;", "&nbsp", "<b>", "</b>", "<br>", "\u00a0", "\uff0e")


@pytest.mark.parametrize("name", ["SLE", "CREST", "LES", "LED"])
def test_a_name_spelt_letter_by_letter(brain: Brain, name: str) -> None:
    """Whatever stands between its letters: where the reader names a disease, the scan is not silent."""
    pick, read = random.Random(name), 0
    for _ in range(300):
        few = [".", *pick.sample(GAPS, 2)]
        gaps = ["".join(pick.choices(few, k=pick.randint(1, 2))) for _ in name[1:]]
        words = name[0] + "".join(gap + letter for gap, letter in zip(gaps, name[1:], strict=True))
        for resource in (condition(words), note(words)):
            if has_ctd(brain, "p", [resource]):
                read += 1
                assert brain.may_concern(json.dumps(resource).encode()), words
    assert read > 5


def test_a_lone_letter_is_no_name(brain: Brain) -> None:
    """The French article, and what asks for a second look that finds nothing."""
    for words in (
        "l'oedème de l'épaule",
        "s l. aureus",
        "S. L. R. negative",
        "vitamine C. R. et S. T.",
        "5 mg/ L <b>x</b>",
    ):
        assert not brain.may_concern(json.dumps(condition(words)).encode()), words


@pytest.mark.parametrize("word", ["scleroderma", "dermatomyositis", "esclerodermia", "sklerodermie"])
def test_one_wrong_letter_anywhere(brain: Brain, word: str) -> None:
    seen = 0
    for at in range(1, len(word) + 1):
        head, tail = word[:at], word[at:]
        odd = (f"{head}{sign}{rest}" for sign in "x\u00df\u0435\u00b2" for rest in (tail, tail[1:]))
        for wrong in (*odd, head + tail[1:], head + tail[1:2] + tail[:1] + tail[2:]):
            if any(vocabulary(language).spelling.corrected([wrong]) == [word] for language in LANGUAGES):
                seen += 1
                assert brain.may_concern(json.dumps({"text": wrong.title()}).encode()), wrong
    assert seen > 3 * len(word)


def spellings(code: str) -> Iterator[str]:
    yield from (code, code.replace(".", ""), f" {code} ", code.lower(), f"\t{code}")
    if code[0].isalpha():
        yield from (f"{code}†", f"{code[0]} {code[1:]}", " ".join(code), f"{code}+")


def test_every_code_in_every_spelling(brain: Brain) -> None:
    terminology = load_terminology()
    wanted = brain.knowledge.criteria.ctd.concepts
    read = 0
    for system, listed in terminology.codes_of(*wanted):
        for code in spellings(listed):
            if terminology.concepts(system, code.strip()) & wanted:
                read += 1
                assert brain.may_concern(json.dumps({"code": code}).encode()), (system, code)
        if listed.isdigit():
            assert brain.may_concern(b'{"code":%b}' % listed.encode())
    assert read > 2500
    assert brain.may_concern(b'{"system":"http://fhir.de/CodeSystem/bfarm/icd-10-gm","code":"M32.19"}')


def test_concepts_without_an_entry_are_never_there() -> None:
    nothing = Prescan(load_terminology(), TextEngine.load().vocabularies, frozenset({"no.such"}))
    assert not nothing.may_concern(json.dumps({"text": "lupus", "code": "M32.1"}).encode())


def check(brain: Brain, patient: str, resources: list[Any]) -> bool:
    """Asserts soundness for a chart; whether it was silent."""
    raw = orjson.dumps(resources, default=str)
    silent = not brain.may_concern(raw)
    if silent:
        assert not has_ctd(brain, patient, resources)
    return silent


@pytest.mark.parametrize("name", ["synthea-smart", "vendor-captures", "hl7-test-cases", "us-core-examples"])
def test_public_charts_and_mutants(brain: Brain, name: str) -> None:
    for seed, (found, _) in enumerate(zip(charts(name), range(3), strict=False)):
        check(brain, found.patient_id, found.resources[:150])
        check(brain, found.patient_id, mutated(found.resources[:150], seed))


def test_wherever_it_is_cut_the_same_concerns(brain: Brain, monkeypatch: pytest.MonkeyPatch) -> None:
    """Words of one name in two parts are a name; every part that holds one by itself is told."""
    pick = random.Random(9)
    for _ in range(300):
        said = pick.choices((*WORDS, *QUIET, *QUIET, "systemic", "sclerosis"), k=pick.randint(1, 4))
        entries = [{"fullUrl": f"urn:{n}", "resource": pick.choice((condition, note))(s)} for n, s in enumerate(said)]
        raw = json.dumps({"entry": entries}, ensure_ascii=pick.random() < 0.2).encode()
        monkeypatch.setattr(plainbytes, "_PART", 10**9)
        whole = brain.prescan.look(raw)
        alone = [brain.may_concern(json.dumps(entry, ensure_ascii=False).encode()) for entry in entries]
        monkeypatch.setattr(plainbytes, "_PART", 1)
        found = brain.prescan.look(raw)
        assert (found is None) == (whole is None), said
        assert found is None or whole is None or found.escaped == whole.escaped
        told = [] if found is None else [raw[begin:end].count(b"resourceType") for begin, end in found.parts]
        assert sum(told) >= sum(alone), said


@pytest.mark.parametrize("name", ["discoid le", "seropositive ra", "dm juvenile", "es difusa", "overlap pm"])
def test_a_word_of_two_letters_is_found_beside_its_other(
    brain: Brain, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    one, other = name.split()
    for words in (name, name.title(), name.upper(), name.replace(" ", ", "), name.replace(" ", " \u00e9 \u2014 ")):
        assert brain.may_concern(json.dumps({"text": words}).encode()), words
        assert brain.may_concern(json.dumps({"text": words}, ensure_ascii=False).encode()), words
    assert brain.may_concern(json.dumps({"text": one, "note": [{"text": other}]}).encode())
    assert brain.may_concern(json.dumps([note(one), condition(other)]).encode())
    assert brain.may_concern(json.dumps([note(other), condition(one)]).encode())
    long = max(one, other, key=len)
    assert not brain.may_concern(json.dumps({"text": long}).encode())
    monkeypatch.setattr(plainbytes, "_PART", 1)
    for first, second in ((one, other), (other, one)):
        found = brain.prescan.look(json.dumps([{"a": first}, {"resource": {"b": second}}]).encode())
        assert found is not None and not [*found.parts]


def test_published_cases_all_concern(brain: Brain) -> None:
    """Each of them has the disease, and each would be lost."""
    concerned = 0
    for stage in published_cases():
        built = stage.build(TODAY)
        if not check(brain, built.patient_id, list(built.resources)):
            concerned += has_ctd(brain, built.patient_id, list(built.resources))
    assert concerned > 20


@pytest.mark.long
@pytest.mark.parametrize("name", [*BUNDLE_SETS, *FILE_SETS])
def test_every_public_chart_and_mutants_of_it(brain: Brain, name: str) -> None:
    for seed, found in enumerate(charts(name)):
        check(brain, found.patient_id, found.resources)
        for turn in range(3):
            check(brain, found.patient_id, mutated(found.resources, seed * 10 + turn))


@pytest.mark.long
def test_words_of_the_lexicons_at_random(brain: Brain) -> None:
    """Texts made of the words of all language files, in odd cases and with markup between them."""
    pick = random.Random(8)
    words = sorted({word for language in LANGUAGES for word in _all_words(vocabulary(language).root)})
    between = (" ", "\n", "-", "/", "<br>", ", ", "'", "&amp;", "<b>", "\u00ad", " \u00e9 ")
    silent = 0
    for _ in range(20_000):
        said = "".join(
            pick.choice((str, str.upper, str.title))(pick.choice(words)) + pick.choice(between)
            for _ in range(pick.randint(1, 6))
        )
        silent += check(brain, "p", [condition(said, note=[{"text": said[::-1]}])])
    assert 1000 < silent < 20_000


def _all_words(root: dict[str, Any]) -> Iterator[str]:
    nodes = [root]
    while nodes:
        for word, below in nodes.pop().items():
            if word:
                yield word
                nodes.append(below)
