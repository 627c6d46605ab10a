"""Tables made of our data files, kept from one start to the next beside Python's bytecode, and in the same way.

Reading and checking code lists, lexicons and knowledge takes a second of processor time and always ends in the same
tables. They are kept in `__pycache__`, in a file that names the bytes of all sources they were made of: after any
change of code or data, or under another Python, they are made anew. Who may write there may change the code beside it,
so that the file is trusted as bytecode is. Where nothing may be written, everything works as without.
"""

from __future__ import annotations

import contextlib
import gc
import os
import pickle
import sys
import tempfile
from collections.abc import Callable, Iterator
from functools import cache
from hashlib import blake2b
from importlib import resources, util
from pathlib import Path
from typing import Any, TypeVar, cast

import pydantic

Made = TypeVar("Made")
_DIGEST = 32
_BYTECODE = "__pycache__"


class Kept:
    """The tables of some packages. `sources`: folders of everything they are made of; `folder`: where they are kept."""

    def __init__(self, folder: Path, *sources: Path) -> None:
        self._folder = folder
        digest = blake2b(f"{sys.version} {pydantic.VERSION}".encode(), digest_size=_DIGEST)
        for source in sources:
            digest.update(_signature(source))
        self._key = digest.digest()

    def get(self, name: str, make: Callable[[], Made], says: str = "") -> Made:
        """What `make` gives, from the file where there is one of these very sources. `says`: what else it depends on.

        Raises what `make` raises, and nothing of its own."""
        path = self._folder / f"{name}.{sys.implementation.cache_tag}.tables"
        key = blake2b(self._key + says.encode(), digest_size=_DIGEST).digest()
        found = _read(path, key)
        if found is None:
            found = (make(),)
            if not sys.dont_write_bytecode:
                _write(path, key, found)
        return cast(Made, found[0])


@cache
def kept(package: str, *below: str) -> Kept:
    """The tables of a package, made of its files and of those of the packages below it."""
    folders = [Path(str(resources.files(name))) for name in (package, *below)]
    bytecode = Path(util.cache_from_source(str(folders[0] / "tables.py"))).parent
    return Kept(bytecode, *folders)


@cache
def _signature(folder: Path) -> bytes:
    """Of the names and bytes of all files: what was changed back is the same again, whenever it was."""
    digest = blake2b(digest_size=_DIGEST)
    root = str(folder)
    for path in sorted(_files(root)):  # names as text: five hundred `Path`s take longer than their files
        with open(path, "rb", buffering=0) as file:  # noqa: PTH123
            content = file.read()
        digest.update(f"{path[len(root) :]} {len(content)} ".encode())
        digest.update(content)
    return digest.digest()


def _files(folder: str) -> Iterator[str]:
    for entry in os.scandir(folder):
        if not entry.is_dir():
            yield entry.path
        elif entry.name != _BYTECODE:
            yield from _files(entry.path)


def _read(path: Path, key: bytes) -> tuple[Any] | None:
    """What is kept in the file; None where it is not of this key, or not whole."""
    try:
        content = path.read_bytes()
    except OSError:
        return None
    tables = memoryview(content)[2 * _DIGEST :]
    if content[:_DIGEST] != key or content[_DIGEST : 2 * _DIGEST] != _sum(tables):
        return None
    collecting = gc.isenabled()
    gc.disable()  # a hundred thousand new objects and no garbage among them
    try:
        return cast("tuple[Any]", pickle.loads(tables))  # noqa: S301 - trusted as the bytecode in the same folder is
    except Exception:  # noqa: BLE001 - made on another processor or by another library: made anew
        return None
    finally:
        if collecting:
            gc.enable()


def _write(path: Path, key: bytes, found: tuple[Any]) -> None:
    """Whole or not at all; a service that may write nowhere starts as well."""
    tables = pickle.dumps(found, pickle.HIGHEST_PROTOCOL)
    with contextlib.suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        handle, name = tempfile.mkstemp(dir=path.parent)
        partly = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(key + _sum(tables) + tables)
            partly.chmod(0o644)
            partly.replace(path)
        except OSError:
            partly.unlink()


def _sum(content: bytes | memoryview) -> bytes:
    return blake2b(content, digest_size=_DIGEST).digest()
