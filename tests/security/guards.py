"""Each guard taken out in turn, in a copy of the code, to see that its tests notice: `python -m tests.security.guards`.

A guard is an entry of `guards.yaml`: what it is, how it is taken out (texts replaced in source files), and the tests
that must then fail. A guard is proved when all of these fail, by an assertion (not because the edited code crashes),
while the tests of what must go on working stay green. With every guard in place all named tests must pass.
"""

from __future__ import annotations

import argparse
import contextlib
import importlib
import json
import os
import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).parents[2]
REGISTRY = Path(__file__).with_name("guards.yaml")
_PACKAGES = ("cds_service", "hooks", "mappings")
_PRELOADED = (
    "fastapi", "httpx", "hypothesis", "joserfc.jwt", "msgspec", "sqlalchemy",
    "starlette.testclient", "uvicorn",
)  # fmt: skip
_SECONDS = 240
_HONEST = ("AssertionError", "Failed", "ExceptionGroup")
"""how a test says that something is wrong; other exceptions may only mean that the edit broke the code."""


@dataclass(frozen=True, slots=True)
class Edit:
    file: str
    find: str
    put: str


@dataclass(frozen=True, slots=True)
class Guard:
    """`red` are pytest ids of single cases; `green` go on working; `raises` are further honest ways to fail."""

    id: str
    rule: str
    what: str
    threat: str
    out: tuple[Edit, ...]
    red: tuple[str, ...]
    green: tuple[str, ...]
    raises: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Result:
    guard: Guard
    missed: tuple[str, ...]
    """tests that did not notice, or noticed by a crash, each with what happened."""
    seconds: float


def load() -> list[Guard]:
    """The registry. ValueError names an entry that is not as described."""
    data = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    works: dict[str, list[str]] = data["works"]
    found = []
    for entry in data["guards"]:
        unknown = set(entry) - {"id", "rule", "what", "threat", "out", "red", "raises"}
        if unknown or not entry["out"] or not entry["red"]:
            raise ValueError(f"{entry.get('id')}: {', '.join(sorted(unknown)) or 'out and red are required'}")
        edits = tuple(Edit(**edit) for edit in entry["out"])
        files = dict.fromkeys(test.partition("::")[0] for test in entry["red"])
        green = tuple(dict.fromkeys(test for file in files for test in works.get(file, ())))
        red = tuple(entry["red"])
        found.append(
            Guard(
                entry["id"], str(entry["rule"]), entry["what"], entry["threat"], edits, red,
                tuple(test for test in green if test not in red), tuple(entry.get("raises", ())),
            )
        )  # fmt: skip
    ids = [guard.id for guard in found]
    twice = {name for name in ids if ids.count(name) > 1}
    if twice:
        raise ValueError(f"id used twice: {', '.join(sorted(twice))}")
    return found


def edited(edit: Edit, text: str) -> str:
    """The source without its guard. ValueError when the text to replace is not there exactly once, or what is left is
    no Python."""
    if text.count(edit.find) != 1:
        raise ValueError(f"{edit.file}: found {text.count(edit.find)} times: {edit.find}")
    changed = text.replace(edit.find, edit.put)
    if edit.file.endswith(".py"):
        compile(changed, edit.file, "exec")
    return changed


@contextlib.contextmanager
def overlaid(edits: Sequence[Edit]) -> Iterator[Path]:
    """A folder with a copy of each package that is edited."""
    folder = Path(tempfile.mkdtemp(prefix="guard-"))
    try:
        for package in {edit.file.split("/")[0] for edit in edits}:
            shutil.copytree(ROOT / package, folder / package)
        for edit in edits:
            file = folder / edit.file
            file.write_text(edited(edit, file.read_text(encoding="utf-8")), encoding="utf-8")
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


class Recorder:
    """What became of each case: "passed", or the name of the exception that ended it."""

    def __init__(self) -> None:
        self.seen: dict[str, str] = {}
        self.collected: list[str] = []

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_makereport(self, item: Any, call: Any) -> Any:
        report = yield
        if report.when == "call" or not report.passed:
            kind = call.excinfo.type.__name__ if call.excinfo is not None else report.outcome
            self.seen[item.nodeid] = kind if report.when == "call" else f"{report.when}: {kind}"
        return report

    def pytest_collection_finish(self, session: Any) -> None:
        self.collected = [item.nodeid for item in session.items]

    def pytest_collectreport(self, report: Any) -> None:
        if report.failed:
            self.seen[report.nodeid] = "not collected"


def run(tests: Iterable[str], folder: Path | None = None, seconds: float = _SECONDS) -> dict[str, str]:
    """Runs tests in a process of their own, on the copy in `folder` where there is one. By case: what became of it."""
    handle, name = tempfile.mkstemp(prefix="guard-", suffix=".json")
    os.close(handle)
    told = Path(name)
    child = os.fork()
    if child == 0:
        code = 1
        try:
            os.setsid()
            told.write_text(json.dumps(_in_child(list(tests), folder, told.with_suffix(".log"))), encoding="utf-8")
            code = 0
        finally:
            os._exit(code)
    stop = time.monotonic() + seconds
    while os.waitpid(child, os.WNOHANG) == (0, 0):
        if time.monotonic() > stop:
            os.killpg(child, signal.SIGKILL)
            os.waitpid(child, 0)
            break
        time.sleep(0.02)
    text, log = told.read_text(encoding="utf-8"), told.with_suffix(".log")
    found: dict[str, str] = json.loads(text) if text else {}
    if not found:
        _say(f"no test ran: {' '.join(log.read_text(encoding='utf-8').splitlines()[-3:])[-300:]}")
    told.unlink()
    log.unlink()
    return found


def _in_child(tests: list[str], folder: Path | None, log: Path) -> dict[str, str]:
    silent = os.open(log, os.O_WRONLY | os.O_CREAT)
    for stream in (1, 2):
        os.dup2(silent, stream)
    os.environ["PYTHONPATH"] = str(ROOT)
    if folder is not None:
        edited_packages = tuple(path.name for path in folder.iterdir())
        for name in [n for n in sys.modules if n.split(".")[0] in _PACKAGES]:
            if name.split(".")[0] in edited_packages or "hooks" in edited_packages or "mappings" in edited_packages:
                del sys.modules[name]
        sys.path.insert(0, str(folder))
        os.environ["PYTHONPATH"] = os.pathsep.join((str(folder), str(ROOT)))
        for package in edited_packages:
            assert str(importlib.import_module(package).__file__).startswith(str(folder)), "the copy is not in use"
    os.chdir(ROOT)
    recorder = Recorder()
    pytest.main(tests, plugins=[recorder])
    return recorder.seen or dict.fromkeys(recorder.collected, "collected")


def unguarded(guards: Sequence[Guard]) -> list[str]:
    """Cases of this folder that no guard's removal turns red, and that are not there to show what goes on working."""
    data = yaml.safe_load(REGISTRY.read_text(encoding="utf-8"))
    named = {test for guard in guards for test in guard.red}
    named |= {test for tests in data["works"].values() for test in tests} | set(data["no_guard"])
    found = run(["--collect-only", "-m", "not long", "tests/security"])
    own = str(Path(__file__).with_name("test_guards.py").relative_to(ROOT))
    return [c for c in found if c not in named and c.partition("[")[0] not in named and not c.startswith(own)]


def prove(guard: Guard) -> Result:
    """Takes one guard out and runs its tests."""
    begun = time.monotonic()
    with overlaid(guard.out) as folder:
        seen = run((*guard.green, *guard.red), folder)  # what was let through may still be in the way afterwards
    honest = (*_HONEST, *guard.raises)
    missed = [f"{test}: {_became(test, seen)}" for test in guard.red if _became(test, seen) not in honest]
    missed += [
        f"{test}: {_became(test, seen)}, must go on working" for test in guard.green if _became(test, seen) != "passed"
    ]
    return Result(guard, tuple(missed), time.monotonic() - begun)


def _became(test: str, seen: dict[str, str]) -> str:
    """Of one case; of a function without its cases: "passed" when all did, else what happened to one that did not."""
    if test in seen:
        return seen[test]
    cases = {found for case, found in seen.items() if case.startswith(f"{test}[")}
    return next(iter(sorted(cases - {"passed"})), "passed") if cases else "not run"


def preload() -> None:
    """Imports what no guard changes, so that the processes of the guards begin with it."""
    for name in _PRELOADED:
        importlib.import_module(name)
    from hooks.answers import load as load_answers
    from hooks.knowledge import load_knowledge
    from mappings.codelists import load_terminology
    from mappings.text.engine import TextEngine

    load_terminology()
    load_answers(load_knowledge())
    TextEngine.load()


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.security.guards", description=__doc__)
    parser.add_argument("--only", default="", metavar="ID,ID", help="these guards")
    parser.add_argument("--explore", nargs="+", metavar="TEST", help="run these tests instead and print what fails")
    given = parser.parse_args(arguments)
    wanted = [name for name in given.only.split(",") if name]
    guards = [guard for guard in load() if not wanted or guard.id in wanted]
    if len(guards) < len(wanted):
        _say("no such guard")
        return 2
    preload()
    if given.explore:
        return _explore(guards, given.explore)
    named = dict.fromkeys(test for guard in guards for test in (*guard.red, *guard.green))
    before = run(named, seconds=2 * _SECONDS)
    broken = [f"{test}: {_became(test, before)}" for test in named if _became(test, before) != "passed"]
    for line in broken:
        _say(f"not green with every guard in place: {line}")
    results = []
    for guard in guards:
        results.append(prove(guard))
        _tell(results[-1])
    proved = sum(not result.missed for result in results)
    cases = len({test for result in results if not result.missed for test in result.guard.red})
    _say(f"{len(results)} guards, {proved} taken out and noticed, by {cases} tests")
    forgotten = unguarded(guards) if not wanted else []
    for case in forgotten:
        _say(f"no guard is known for {case}")
    return 0 if proved == len(results) and not broken and not forgotten else 1


def _tell(result: Result) -> None:
    guard = result.guard
    state = "noticed" if not result.missed else "NOT NOTICED"
    _say(f"{guard.id:34} {guard.rule:12} {state:12} {len(guard.red):3} tests {result.seconds:6.1f} s")
    for line in result.missed:
        _say(f"    {line}")


def _say(line: str) -> None:
    sys.stdout.write(f"{line}\n")
    sys.stdout.flush()


def _explore(guards: Sequence[Guard], tests: Sequence[str]) -> int:
    for guard in guards:
        with overlaid(guard.out) as folder:
            seen = run(tests, folder)
        _say(f"{guard.id}: {len(seen)} cases")
        for case, found in seen.items():
            if found not in ("passed", "skipped"):
                _say(f"    {case}: {found}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
