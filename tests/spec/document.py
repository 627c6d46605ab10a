"""Writes docs/behaviour.md from the behaviour files: what the service does, chart by chart."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from hooks.knowledge import load_knowledge
from hooks.read_aloud import read_aloud
from tests.spec import harness

ALOUD = harness.HERE.parent.parent / "docs" / "read-aloud.md"
PAGE = harness.HERE.parent.parent / "docs" / "behaviour.md"
_HEAD = """# Behaviour

For clinicians and reviewers. Reference, generated from the tests in `tests/spec` (each chart below is run in every
build; `CDS_WRITE_DOCS=1 make test` writes this page; [read-aloud.md](read-aloud.md) has every word of the answers).
The day of every chart is 1 June 2026; `-10d` means ten days before it. The language of the chart tables is described
in `cds_service/sandbox/charts.py`.
"""


_ALOUD_HEAD = """# The assessments, read aloud

For clinicians and reviewers. Reference, generated: every chart of [behaviour.md](behaviour.md) with the whole
assessment in sentences, as `cds-service evaluate` prints it: the verdict and its reasons, each step of the subtypes,
each criterion with the resources behind it, what is missing and what would change the grade. Every word is compared in
every build.
"""


def title(path: Path, case: dict[str, Any]) -> str:
    return f"{path.parent.name}/{path.stem}: {case['name']}"


def aloud_page() -> str:
    messages = load_knowledge().messages
    parts = [_ALOUD_HEAD]
    for path in harness.files():
        spec = harness.load(path)
        for case in spec["cases"]:
            said = read_aloud(harness.assessed(spec.get("given", ""), case), messages)
            parts.append(f"## {title(path, case)}\n\n" + "\n".join(f"- {line}" for line in said) + "\n")
    return "\n".join(parts)


def read_aloud_page() -> dict[str, list[str]]:
    """The sentences of each case as they stand on the page."""
    _, *sections = ALOUD.read_text(encoding="utf-8").split("\n## ")
    found = {}
    for section in sections:
        heading, _, body = section.partition("\n")
        found[heading] = [line.removeprefix("- ") for line in body.strip().splitlines()]
    return found


def page() -> str:
    return "\n".join([_HEAD, *(line for path in harness.files() for line in _section(path))]) + "\n"


def _section(path: Path) -> Iterator[str]:
    spec = harness.load(path)
    yield f"## {spec['title']}\n\nRule {spec['rule']}.\n"
    if spec.get("given"):
        yield f"Every chart of this section begins with\n\n```\n{spec['given'].strip()}\n```\n"
    for case in spec["cases"]:
        yield f"**{case['name']}**\n"
        if case["chart"].strip():
            yield f"```\n{case['chart'].strip()}\n```\n"
        for need, (state, reason) in case.get("unread", {}).items():
            yield f"Not read: {need} ({state}, {reason}).\n"
        yield "→ " + "; ".join(f"{key}: {_shown(value)}" for key, value in case["expect"].items()) + "\n"


def _shown(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_shown(item)}" for key, item in value.items())
    if isinstance(value, list):
        return ", ".join(map(str, value)) or "none"
    return {True: "yes", False: "no", None: "none"}.get(value, str(value)) if not isinstance(value, str) else value
