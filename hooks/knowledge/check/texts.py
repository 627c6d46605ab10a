"""YAML keys that stand twice, and sentences whose blanks nobody fills."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator
from pathlib import Path

import yaml

from hooks.knowledge import Knowledge
from hooks.knowledge.base import FOLDER, KnowledgeError

_FLAG_BLANKS = frozenset({"why", "days"})
_MIMIC_BLANKS = frozenset({"why"})
_CHANGE_BLANKS = frozenset({"grade", "kind"})


def doubled_keys(folder: Path = FOLDER) -> Iterator[KnowledgeError]:
    """YAML keeps the last of two equal keys and says nothing; here that would be a rule that silently disappears."""
    for path in sorted(folder.rglob("*.yaml")):
        file = path.relative_to(folder).as_posix()
        root = yaml.compose(path.read_text(encoding="utf-8"), Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))
        yield from _doubled(file, "", root)


def _doubled(file: str, where: str, node: yaml.Node | None) -> Iterator[KnowledgeError]:
    if isinstance(node, yaml.MappingNode):
        seen: set[str] = set()
        for key, value in node.value:
            path = f"{where}.{key.value}" if where else str(key.value)
            if key.value in seen:
                yield KnowledgeError(file, path, f"stands twice (line {key.start_mark.line + 1})")
            seen.add(key.value)
            yield from _doubled(file, path, value)
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _doubled(file, f"{where}.{index}", item)


def wrong_blanks(knowledge: Knowledge) -> Iterator[KnowledgeError]:
    """Blanks in braces that are filled from elsewhere than the sentence's own rule."""
    for name, flag in knowledge.red_flags.flags.items():
        yield from _blanks("red_flags.yaml", f"flags.{name}.text", flag.text, _FLAG_BLANKS)
    for mimic in knowledge.mimics.mimics:
        key = f"mimics.{mimic.id}.because"
        yield from _blanks("mimics.yaml", key, mimic.because, _MIMIC_BLANKS)
        if "{why}" in mimic.because and not mimic.reasons:
            yield KnowledgeError("mimics.yaml", f"mimics.{mimic.id}.reasons", "its sentence needs reasons")
        pointers = {name for name, value in mimic.any if value and name != "history"}
        for kind in sorted(set(mimic.reasons) - pointers):
            yield KnowledgeError("mimics.yaml", f"mimics.{mimic.id}.reasons.{kind}", "a reason without its pointer")
        if "{why}" in mimic.because:
            for kind in sorted(pointers - set(mimic.reasons)):
                yield KnowledgeError("mimics.yaml", f"mimics.{mimic.id}.any.{kind}", "a pointer without its reason")
    for name, message in knowledge.messages.messages.items():
        allowed = _CHANGE_BLANKS if name.startswith("change.") else None
        yield from _blanks("messages.yaml", f"messages.{name}.text", message.text, allowed)


def wrong_numbers(knowledge: Knowledge) -> Iterator[KnowledgeError]:
    """Sentences that restate a limit: the number must be the one that is judged by."""
    criteria, window = knowledge.criteria, knowledge.red_flags.malignancy.window_years
    new, recent = criteria.newness.new_months, criteria.newness.recent_months
    severe, reduced = criteria.kidney.severe_egfr_below, criteria.kidney.reduced_egfr_below
    restated: dict[str, tuple[object, ...]] = {
        "newness.N1": (new,),
        "newness.N2": (new, recent),
        "kidney.severe": (severe,),
        "kidney.normal": (reduced,),
        "alternative.kidney": (severe,),
        "alternative.infusion": (criteria.iatrogenic.window_days,),
        "event.first-coded": (criteria.newness.episode_days,),
        "r3.window.yes": (window,),
        "r3.window.possibly": (window,),
    }
    for name, wanted in restated.items():
        said = re.findall(r"\d+", knowledge.messages.messages[name].text)
        if said != [str(number) for number in wanted]:
            limits = ", ".join(map(str, wanted))
            yield KnowledgeError(
                "messages.yaml", f"messages.{name}.text", f"says {', '.join(said)}, judged by {limits}"
            )


def _blanks(file: str, key: str, text: str, allowed: frozenset[str] | None) -> Iterator[KnowledgeError]:
    try:
        found = {name for _, name, _, _ in string.Formatter().parse(text) if name is not None}
    except ValueError:
        yield KnowledgeError(file, key, "braces that do not match")
        return
    if allowed is not None and found - allowed:
        yield KnowledgeError(file, key, f"nothing fills {', '.join(sorted(found - allowed))}")
