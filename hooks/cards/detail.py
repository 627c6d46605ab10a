"""The text of a card, section by section, in the order in which a clinician reads it (GFM, no raw HTML, no table):

lead, why, red flags, what is taken, missing, options, left out, differential, what was not read, sources.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import chain

from hooks.cards.basis import basis
from hooks.cards.dates import in_words
from hooks.cards.markdown import escape, plain, shorten
from hooks.cards.options import Line, brief_therapies, in_use, left_out, shown_therapies, therapy_lines, workup_lines
from hooks.cards.phrases import title_values
from hooks.cards.question import Asked
from hooks.cards.suggestions import offered_orders, unmapped, unmapped_options, without_draft
from hooks.cards.voice import Voice
from hooks.knowledge.card_schema import TextKind
from hooks.model import TherapyItem

_CAPS_OF_MIMICS = ("cap.crystals", "cap.scrotum", "cap.imaging-doubtful")
"""reasons of a lower grade that put a look-alike first (messages of the assessment)"""
_LONGEST_NAME = 40


def detail(kind: TextKind, voice: Voice, asked: Asked | None, *, with_options: bool) -> str:
    """The primary card. `with_options`: therapies have a card of their own, so they are left out here."""
    shown = () if with_options else shown_therapies(voice)
    where = voice.sites_plain(voice.body_sites, voice.cards.limits["sites"])
    return join(
        lead(kind, voice),
        section(voice, "why", basis(voice)),
        section(voice, "flags", _flags(voice)),
        section(voice, "in_use", in_use(voice)),
        section(voice, "missing", _missing(voice)),
        section(voice, "change", _change(voice)),
        section(voice, "ask", [(voice.cards.say("ask", ask=asked.question.ask), ())] if asked else ()),
        section(voice, "workup", chain(workup_lines(voice, offered_orders(voice), where), _no_draft(voice))),
        section(voice, "therapies", brief_therapies(voice, shown)),
        section(voice, "left_out", () if with_options else left_out(voice, shown)),
        section(voice, "differential", _differential(voice)),
        section(voice, "notes", _notes(voice)),
        section(voice, "not_read", chain(not_read(voice), () if with_options else not_checked(voice))),
        sources(voice),
        footer(voice),
    )


def options_detail(voice: Voice, shown: tuple[TherapyItem, ...], **values: str) -> str:
    """The supporting card: options in full, then what was left out."""
    licensed = f"{voice.cards.say('none_licensed')} {voice.cite(voice.cards.cited['none_licensed'])}".rstrip()
    return join(
        lead("options", voice, **values),
        licensed,
        section(voice, "options", chain(therapy_lines(voice, shown), _no_drug_code(voice, shown), _baseline(voice))),
        section(voice, "left_out", left_out(voice, shown)),
        section(voice, "not_read", chain(not_read(voice), not_checked(voice))),
        sources(voice),
        footer(voice),
    )


def lead(kind: TextKind, voice: Voice, **more: str) -> str:
    """The first paragraph: the point, within `lead_limit` characters; what is least telling goes first."""
    assessment, cards = voice.assessment, voice.cards
    names = list(dict.fromkeys(cards.flags.get(flag.id, flag.id) for flag in assessment.red_flags))
    missing = ", ".join(voice.order_name(m) for m in assessment.missing[: cards.limits["missing"]])
    criteria = assessment.criteria
    shows_calcium = "positive" in (criteria.imaging.status, criteria.biopsy.status)
    values = {key: _escaped(value) for key, value in title_values(voice).items()} | {
        "flags": cards.say("flags_lead", names=", ".join(names[:2])) if names else "",
        "missing": cards.say("missing_lead", names=missing) if missing else "",
        "documented": cards.say("documented") if shows_calcium else "",
        "first": _first_to_exclude(voice),
    }
    values |= more
    shorter: tuple[dict[str, str], ...] = (
        {},
        {"missing": ""},
        {"at": values["at_few"], "ctd_first": values["ctd_few"]},
        {"at": "", "documented": ""},
        {"flags": cards.say("flags_lead", names=names[0]) if names else ""},
        {"reason": values["reason"].split(";")[0]},
    )
    text = ""
    for change in shorter:
        values |= change
        text = cards.kinds[kind].lead.format(**values)
        if len(text) <= cards.lead_limit:
            break
    return text


def _first_to_exclude(voice: Voice) -> str:
    """The look-alike that a cap of the grade puts first."""
    messages = voice.knowledge.messages
    capped = {messages.say(key) for key in _CAPS_OF_MIMICS} & set(voice.assessment.because)
    if not capped or not voice.assessment.differential:
        return ""
    first = voice.assessment.differential[0].id
    return voice.cards.say("first_lead", name=voice.cards.mimics.get(first, first))


def _baseline(voice: Voice) -> Iterator[Line]:
    yield voice.cards.say("baseline"), voice.cards.cited["baseline"]


def _no_drug_code(voice: Voice, shown: Iterable[TherapyItem]) -> Iterator[Line]:
    names = unmapped_options(voice, shown)
    if names:
        yield voice.cards.say("unmapped", names=", ".join(escape(name) for name in names)), ()


def _no_draft(voice: Voice) -> Iterator[Line]:
    """Orders for which this card has no draft: no room, or no code."""
    for phrase, names in (("more_orders", without_draft(voice)), ("unmapped", unmapped(voice))):
        if names:
            yield voice.cards.say(phrase, names=", ".join(escape(name) for name in names)), ()


def _escaped(value: str) -> str:
    """Escaped, with the blank that a part such as " (forearm)" begins with."""
    return f" {escape(value)}" if value.startswith(" ") else escape(value)


def _flags(voice: Voice) -> Iterator[Line]:
    for flag in voice.assessment.red_flags:
        if voice.reveals(flag.evidence):
            name = voice.cards.flags.get(flag.id, flag.id)
            yield f"{name}: {voice.cards.say('hidden_reason')}", flag.sources
        else:
            yield voice.sentence(flag.text) + voice.refs(flag.evidence), flag.sources


def _missing(voice: Voice) -> Iterator[Line]:
    if voice.assessment.missing:
        yield ", ".join(escape(voice.order_name(item)) for item in voice.assessment.missing), ()


def _change(voice: Voice) -> Iterator[Line]:
    for sentence in voice.assessment.would_change[: voice.cards.limits["changes"]]:
        yield voice.sentence(sentence), ()


def _differential(voice: Voice) -> Iterator[Line]:
    entries, limit = voice.assessment.differential, voice.cards.limits["mimics"]
    names = voice.cards.mimics
    by_id = voice.tables.mimics
    for entry in entries[:limit]:
        line = voice.cards.say(
            "mimic",
            name=names.get(entry.id, entry.id),
            because=voice.sentence(entry.because, entry.evidence),
            test=escape(entry.separating_test),
        )
        yield line + voice.refs(entry.evidence), by_id.get(entry.id, ())
    if len(entries) > limit:
        rest = ", ".join(names.get(entry.id, entry.id) for entry in entries[limit:])
        yield voice.cards.say("more_mimics", names=rest), ()


def _notes(voice: Voice) -> Iterator[Line]:
    known = voice.tables.notes
    for note in voice.assessment.notes:
        about = next((sources for beginning, sources in known if note.startswith(beginning)), ())
        yield voice.sentence(note), about or voice.said_with_source.get(note, ())


def not_read(voice: Voice) -> Iterator[Line]:
    """Needs that could not be read or only in part, entries left out, text not understood."""
    assessment, say = voice.assessment, voice.cards.say
    lost, partly = [], []
    for need, state in assessment.completeness.items():
        name, reason = voice.cards.needs[need], escape(state.reason or "")
        if state.state == "unavailable":
            lost.append(say("need_reason", need=name, reason=reason) if reason else name)
        elif state.state == "partial":
            partly.append(say("partial", need=name, reason=reason or state.state))
    for key, names in (("could_not_read", lost), ("read_in_part", partly)):
        if names:
            yield say(key, names=", ".join(names)), ()
    limit = voice.cards.limits["quarantined"]
    if assessment.quarantined:
        yield say("quarantined") + voice.refs(entry.reference for entry in assessment.quarantined[: limit + 1]), ()
    if voice.facts.not_understood:
        yield say("not_understood") + voice.refs(voice.facts.not_understood[: limit + 1]), ()


def not_checked(voice: Voice) -> Iterator[Line]:
    """Drugs on the list whose name and code no rule knows: that they interact with nothing is not known."""
    today = voice.assessment.as_of
    listed = (m for m in voice.facts.medications if m.goes_on(today) and not m.draft and not m.recognised)
    named = (drug.label for drug in listed if drug.label and drug.ref not in voice.hidden)
    names = list(dict.fromkeys(shorten(plain(label), _LONGEST_NAME) for label in named))
    if names:
        limit = voice.cards.limits["not_checked"]
        more = " " + voice.cards.say("and_more", count=len(names) - limit) if len(names) > limit else ""
        yield voice.cards.say("not_checked", names=", ".join(map(escape, names[:limit]))) + more, ()


def sources(voice: Voice) -> str:
    """What this card cites, once more in one line."""
    cited = voice.cite(tuple(voice.cited))
    return f"**{voice.cards.headings['sources']}**: {cited}" if cited else ""


def footer(voice: Voice) -> str:
    when = in_words(voice.assessment.as_of.isoformat()) or ""
    return f"_{voice.cards.say('footer', version=voice.assessment.knowledge_version, date=when)}_"


def section(voice: Voice, name: str, lines: Iterable[Line]) -> str:
    """A bold heading with its list. Lines without a source are our own reading and say so, once for a whole list."""
    found = [line for line in lines if line[0].strip()]
    if not found:
        return ""
    rule = voice.cards.labels["tool_rule"]
    cited = [(text, voice.cite(keys)) for text, keys in found]
    none_cited = not any(cites for _, cites in cited)
    heading = f"**{voice.cards.headings[name]}**"
    if none_cited and name not in _FACTS:
        heading += f" ({rule})"
    rows = [f"- {text} {cites}".rstrip() if cites else f"- {text}" for text, cites in cited]
    if not none_cited and name not in _FACTS:
        rows = [row if cites else f"{row} ({rule})" for row, (_, cites) in zip(rows, cited, strict=True)]
    return "\n".join((heading, *rows))


_FACTS = frozenset({"why", "missing", "not_read"})
"""sections that tell what the chart says; the grade's reasons in "why" are marked one by one by their label."""


def join(*parts: str) -> str:
    return "\n\n".join(part for part in parts if part)
