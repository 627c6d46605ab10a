"""Tables kept between starts: the same as made anew, and made anew whenever a source changed."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from mappings.table_cache import Kept, _signature


@pytest.fixture(autouse=True)
def _may_write(monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", False)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "package"
    (folder / "data").mkdir(parents=True)
    (folder / "data" / "list.csv").write_text("M34.0")
    (folder / "code.py").write_text("pass")
    return folder


class Maker:
    def __init__(self) -> None:
        self.times = 0

    def __call__(self) -> dict[str, int]:
        self.times += 1
        return {"M34.0": self.times}


def start(source: Path) -> Kept:
    """As a new process finds it."""
    _signature.cache_clear()
    return Kept(source / "__pycache__", source)


def test_made_once_and_then_read(source):
    make = Maker()
    assert [start(source).get("lists", make) for _ in range(3)] == [{"M34.0": 1}] * 3
    assert make.times == 1


@pytest.mark.parametrize(
    "change",
    [
        lambda folder: (folder / "data" / "list.csv").write_text("M34.1"),
        lambda folder: (folder / "code.py").write_text("True"),
        lambda folder: (folder / "data" / "more.csv").write_text(""),
        lambda folder: (folder / "data" / "list.csv").rename(folder / "data" / "other.csv"),
        lambda folder: (folder / "code.py").unlink(),
    ],
    ids=["data", "code", "a new file", "a new name", "a file less"],
)
def test_made_anew_after_any_change(source, change):
    make = Maker()
    start(source).get("lists", make)
    change(source)
    assert start(source).get("lists", make) == {"M34.0": 2}


def test_a_touched_file_is_the_same(source):
    make = Maker()
    start(source).get("lists", make)
    os.utime(source / "code.py", (1, 1))
    assert start(source).get("lists", make) == {"M34.0": 1}


def test_what_else_it_depends_on_counts(source):
    make = Maker()
    assert start(source).get("lists", make, "ctd.sle") == {"M34.0": 1}
    assert start(source).get("lists", make, "ctd.mctd") == {"M34.0": 2}


@pytest.mark.parametrize("at", [0, 40, 70, -1])
def test_a_damaged_file_is_not_believed(source, at):
    make = Maker()
    start(source).get("lists", make)
    (file,) = (source / "__pycache__").iterdir()
    content = bytearray(file.read_bytes())
    content[at] ^= 1
    file.write_bytes(bytes(content))
    assert start(source).get("lists", make) == {"M34.0": 2}
    file.write_bytes(b"")
    assert start(source).get("lists", make) == {"M34.0": 3}


def test_nothing_is_written_where_python_writes_no_bytecode(source, monkeypatch):
    monkeypatch.setattr(sys, "dont_write_bytecode", True)
    start(source).get("lists", Maker())
    assert not (source / "__pycache__").exists()


def test_starts_as_well_where_nothing_may_be_written(source):
    (source / "__pycache__").write_text("a file stands where the folder would be")
    assert start(source).get("lists", Maker()) == {"M34.0": 1}


def test_an_error_of_the_data_is_raised_and_not_kept(source):
    def fails() -> None:
        raise ValueError("lists/line 3")

    with pytest.raises(ValueError, match="line 3"):
        start(source).get("lists", fails)
    assert start(source).get("lists", Maker()) == {"M34.0": 1}


LOADED = """
import hashlib, pickle, sys
from cds_service.prescan_terms import prescan_of
from hooks.knowledge import load_knowledge
from mappings.codelists import load_terminology
from mappings.text.engine import TextEngine
from mappings.units import load_units
knowledge, terms, text = load_knowledge(), load_terminology(), TextEngine.load()
prescan = prescan_of(terms, text, knowledge)
chart = b'{"resourceType": "Condition", "code": {"text": "%s"}}'
print(knowledge == load_knowledge.__wrapped__(), len(load_units().names))
print(sorted(terms.known_concepts)[:3], len(terms.codes_of("ctd.sle")),
      text.read("hard nodules on both elbows for 3 months; dermatomyositis"),
      prescan.may_concern(chart % b"dermatomyositis"), prescan.may_concern(chart % b"asthma"))
"""


def test_the_tables_of_this_package_are_the_same_made_and_kept(tmp_path):
    """Two starts of a process that may write: the first makes them, the second has them from the files."""
    env = {k: v for k, v in os.environ.items() if k != "PYTHONDONTWRITEBYTECODE"} | {
        "PYTHONPYCACHEPREFIX": str(tmp_path),
        "PYTHONPATH": str(Path(__file__).parents[2]),
        "PYTHONHASHSEED": "0",
    }
    said = [
        subprocess.run([sys.executable, "-c", LOADED], env=env, capture_output=True, text=True, check=True).stdout
        for _ in range(2)
    ]
    names = {path.name.partition(".")[0] for path in tmp_path.rglob("*.tables")}
    assert names == {"terminology", "lexicons", "knowledge", "prescan", "units"}
    assert said[0] == said[1]
    assert said[0].startswith("True ")
    assert said[0].endswith(" True False\n")


def test_a_full_disk_leaves_nothing_half_written(source, monkeypatch):
    def full(*_):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    assert start(source).get("lists", Maker()) == {"M34.0": 1}
    assert list((source / "__pycache__").iterdir()) == []
