"""A hospital's overlay: its local codes added to our concepts, analytes, workup and drugs, ours left as they are.

The text is YAML; the caller reads the file. Every problem is reported with its line, all at once.

    overlay: 1
    source: Example Hospital, laboratory catalogue 2026-02
    codes:
      - {system: "urn:oid:1.2.3.4", code: CA, display: Ca, analyte: calcium-total, property: moles, specimen: serum}
      - {system: "urn:oid:1.2.3.5", code: D-0815, display: SLE, concepts: [ctd.sle]}
      - {system: "urn:oid:1.2.3.6", code: "771", display: Röntgen Hand, workup: [radiograph]}
      - {system: "urn:oid:1.2.3.7", code: "9001", display: Diltiazem ret., drugs: [diltiazem]}
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from msgspec import Struct, field

from mappings import systems
from mappings.codetypes import TYPES, CodelistError

if TYPE_CHECKING:
    import yaml  # at run time only where an overlay is read: most hospitals have none

Key = tuple[str, str]

_TOP = frozenset({"overlay", "source", "codes"})
_ENTRY = frozenset(
    {"system", "code", "display", "concepts", "absent", "analyte", "property", "specimen", "antibody", "workup",
     "drugs", "classes"}
)  # fmt: skip
_LISTS = ("concepts", "absent", "workup", "drugs", "classes")
_MEANINGS = ("concepts", "absent", "analyte", "workup", "drugs", "classes")
_LONGEST = 5_000_000


class OverlayText(Struct, frozen=True):
    """The overlay's text, and the file name that its errors name."""

    name: str
    text: str


class Known(Struct, frozen=True):
    """What an overlay may refer to, and what our own lists already say of a code."""

    concepts: frozenset[str]
    analytes: frozenset[str]
    workup: frozenset[str]
    drugs: frozenset[str]
    classes: frozenset[str]
    ours: Callable[[Key], str | None]


class Entry(Struct, frozen=True):
    """One local code. `key` is (canonical system, code); the system is "" for codes sent without one."""

    key: Key
    system: str
    """the system as the hospital writes it."""
    display: str
    line: int
    concepts: frozenset[str] = frozenset()
    absent: frozenset[str] = frozenset()
    workup: frozenset[str] = frozenset()
    drugs: frozenset[str] = frozenset()
    classes: frozenset[str] = frozenset()
    analyte: str | None = None
    property: str = ""
    specimen: str = ""
    antibody: str | None = None


class OverlayError(CodelistError):
    """`problems` are (line, message) of everything that is wrong with the overlay."""

    def __init__(self, file: str, problems: tuple[tuple[int, str], ...]) -> None:
        line, message = problems[0]
        more = "".join(f"\n{file}: line {n}: {text}" for n, text in problems[1:])
        super().__init__(file, f"line {line}", message + more)
        self.problems = problems


class _Reading(Struct):
    known: Known
    problems: list[tuple[int, str]] = field(default_factory=list)
    entries: list[Entry] = field(default_factory=list)
    seen: dict[Key, int] = field(default_factory=dict)

    def problem(self, node: yaml.Node, message: str) -> None:
        self.problems.append((node.start_mark.line + 1, message))


def read_overlay(overlay: OverlayText | None, known: Known) -> tuple[Entry, ...]:
    """The local codes of an overlay; none without one. OverlayError names every wrong line."""
    import yaml

    if overlay is None or not overlay.text.strip():
        return ()
    if len(overlay.text) > _LONGEST:
        raise OverlayError(overlay.name, ((1, f"longer than {_LONGEST} characters"),))
    try:
        root = yaml.compose(overlay.text, Loader=yaml.SafeLoader)
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        line = mark.line + 1 if mark else 1
        raise OverlayError(
            overlay.name, ((line, f"not YAML: {getattr(error, 'problem', None) or 'syntax'}"),)
        ) from None
    except RecursionError:
        raise OverlayError(overlay.name, ((1, "nested too deeply"),)) from None
    reading = _Reading(known)
    if root is not None:
        _read_top(root, reading)
    if reading.problems:
        raise OverlayError(overlay.name, tuple(sorted(reading.problems)))
    return tuple(reading.entries)


def _read_top(root: yaml.Node, reading: _Reading) -> None:
    import yaml

    top = _mapping(root, _TOP, reading, "the overlay")
    version = top.get("overlay")
    if version is None or not isinstance(version, yaml.ScalarNode) or version.value != "1":
        reading.problem(version or root, 'says "overlay: 1" first: the version of this format')
    if "source" not in top or not _text(top["source"], reading, "source"):
        reading.problem(root, "needs a source: who reviewed these codes, and when")
    codes = top.get("codes")
    if codes is None or codes.tag == "tag:yaml.org,2002:null":
        return
    if not isinstance(codes, yaml.SequenceNode):
        reading.problem(codes, "codes must be a list")
        return
    for node in codes.value:
        _read_entry(node, reading)


def _read_entry(node: yaml.Node, reading: _Reading) -> None:
    """Adds an entry, or every problem that it has."""
    before = len(reading.problems)
    entry = _mapping(node, _ENTRY, reading, "a code")
    if not entry:
        return
    values = {key: _text(value, reading, key) for key, value in entry.items() if key not in _LISTS}
    lists = {key: _list(entry[key], reading, key) for key in _LISTS if key in entry}
    _find_missing(node, entry, values, reading)
    if len(reading.problems) > before:
        return
    _find_unknown(entry, values, lists, reading)
    if values.get("analyte") and not values.get("specimen"):
        reading.problem(node, "an analyte needs its specimen: urine is never read as serum")
    if "antibody" in values and values.get("analyte") != "myositis-antibodies":
        reading.problem(entry["antibody"], "antibody goes with analyte myositis-antibodies only")
    key = _key(values["system"], values["code"], entry["code"], reading)
    if key is None or len(reading.problems) > before or _is_listed(key, node, reading):
        return
    line = node.start_mark.line + 1
    reading.seen[key] = line
    reading.entries.append(
        Entry(
            key=key,
            system=values["system"],
            display=values["display"],
            line=line,
            **{name: frozenset(items) for name, items in lists.items()},
            analyte=values.get("analyte"),
            property=values.get("property", ""),
            specimen=values.get("specimen", ""),
            antibody=values.get("antibody"),
        )
    )


def _find_missing(
    node: yaml.Node, entry: Mapping[str, yaml.Node], values: Mapping[str, str], reading: _Reading
) -> None:
    for required in ("code", "display"):
        if not values.get(required):
            reading.problem(node, f"{required} is missing")
    if "system" not in entry:
        reading.problem(node, 'system is missing (system: "" for codes sent without one)')
    if not any(key in entry for key in _MEANINGS):
        reading.problem(node, f"says nothing: give one of {', '.join(_MEANINGS)}")


def _find_unknown(
    entry: Mapping[str, yaml.Node],
    values: Mapping[str, str],
    lists: Mapping[str, tuple[str, ...]],
    reading: _Reading,
) -> None:
    """Ids that the entry gives its code and nobody knows."""
    known = reading.known
    for kind, names, allowed in (
        ("concepts", lists.get("concepts", ()), known.concepts),
        ("absent", lists.get("absent", ()), known.concepts),
        ("workup", lists.get("workup", ()), known.workup),
        ("drugs", lists.get("drugs", ()), known.drugs),
        ("classes", lists.get("classes", ()), known.classes),
        ("analyte", (values["analyte"],) if "analyte" in values else (), known.analytes),
    ):
        for name in names:
            if name not in allowed:
                reading.problem(entry[kind], f"{kind}: unknown id {name!r}")


def _is_listed(key: Key, node: yaml.Node, reading: _Reading) -> bool:
    """Whether the code has a meaning already, above in the overlay or among ours; that is a problem."""
    if (first := reading.seen.get(key)) is not None:
        reading.problem(node, f"the same code as in line {first}")
        return True
    if (ours := reading.known.ours(key)) is not None:
        reading.problem(node, f"code {key[1]} of {systems.system_name(key[0])} is already listed as {ours}")
        return True
    return False


def _key(system: str, code: str, node: yaml.Node, reading: _Reading) -> Key | None:
    uri = systems.canonical(system) or ""
    kind = TYPES.get(uri)
    if kind is None:
        return uri, code
    parsed = kind.parse(code)
    if parsed is None:
        reading.problem(node, f"{code!r} is not a code of {systems.system_name(uri)} (syntax or check digit)")
        return None
    return uri, parsed.value


def _mapping(node: yaml.Node, allowed: frozenset[str], reading: _Reading, what: str) -> dict[str, yaml.Node]:
    import yaml

    if not isinstance(node, yaml.MappingNode):
        reading.problem(node, f"{what} must be a mapping of keys to values")
        return {}
    found: dict[str, yaml.Node] = {}
    for key, value in node.value:
        name = key.value if isinstance(key, yaml.ScalarNode) else None
        if name not in allowed:
            reading.problem(key, f"unknown key {name!r}; known: {', '.join(sorted(allowed))}")
        elif name in found:
            reading.problem(key, f"key {name!r} twice")
        else:
            found[name] = value
    return found


def _text(node: yaml.Node, reading: _Reading, key: str) -> str:
    import yaml

    if isinstance(node, yaml.ScalarNode):
        return str(node.value).strip()
    reading.problem(node, f"{key} must be a text")
    return ""


def _list(node: yaml.Node, reading: _Reading, key: str) -> tuple[str, ...]:
    return tuple(_items(node, reading, key))


def _items(node: yaml.Node, reading: _Reading, key: str) -> Iterator[str]:
    import yaml

    if not isinstance(node, yaml.SequenceNode) or not node.value:
        reading.problem(node, f"{key} must be a list with at least one id")
        return
    for item in node.value:
        yield _text(item, reading, key)
