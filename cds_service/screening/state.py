"""The state folder of a run: every finished piece of work is a whole file in it, so that a run that was killed goes on
where it stopped and ends with the same bytes.

The columns of a unit belong to the file they were made of and serve any later run over the same file; everything after
them belongs to one run: these files, this day, this knowledge, this key. It holds patient ids: 0700, and removed when
the run is done unless it is to be kept."""

from __future__ import annotations

import contextlib
import fcntl
import hashlib
import os
import secrets
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, TypeVar

import msgspec

from cds_service.screening.sources import ScreeningError, Unit

_T = TypeVar("_T")
_LENGTH = 20
_LAST = "last"


def digest(*parts: object) -> str:
    """A short name for a thing that is made of these parts."""
    return hashlib.sha256(msgspec.json.encode(parts, order="deterministic")).hexdigest()[:_LENGTH]


class State:
    """`scanning`: what the columns depend on besides the file; `run`: what the decisions depend on."""

    def __init__(self, folder: Path, scanning: object, run: object) -> None:
        self.folder = folder
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._lock = os.open(folder / "lock", os.O_CREAT | os.O_RDWR, 0o600)
        except OSError as error:
            raise ScreeningError(f"--state {folder}: {error.strerror or 'unusable'}", "state") from None
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(self._lock)
            raise ScreeningError(f"--state {folder}: another run is using it", "state") from None
        self._scanning = scanning
        self.columns = folder / "columns"
        self.run = folder / f"run-{digest(scanning, run)}"
        for path in (self.columns, self.run, self.temporary):
            path.mkdir(mode=0o700, exist_ok=True)

    @property
    def temporary(self) -> Path:
        return self.folder / "tmp"

    def columns_of(self, unit: Unit) -> Path:
        return self.columns / f"{digest(self._scanning, msgspec.to_builtins(unit))}.parquet"

    def put(self, path: Path, value: object) -> None:
        """A small result, whole or not at all."""
        write_whole(path, msgspec.json.encode(value, order="deterministic"))

    def get(self, path: Path, kind: type[_T]) -> _T | None:
        try:
            return msgspec.json.decode(path.read_bytes(), type=kind)
        except (OSError, msgspec.DecodeError):
            return None

    def last_run(self) -> Path | None:
        """The folder of the last run that was completed here, when it is not this one."""
        try:
            path = self.folder / (self.folder / _LAST).read_text(encoding="utf-8")
        except OSError:
            return None
        return path if path != self.run and path.is_dir() else None

    def complete(self, *, keep: bool) -> None:
        """The run is done: earlier runs go, and the whole folder unless it is to be kept."""
        if not keep:
            self.close()
            shutil.rmtree(self.folder, ignore_errors=True)
            return
        write_whole(self.folder / _LAST, self.run.name.encode())
        for path in self.folder.glob("run-*"):
            if path != self.run:
                shutil.rmtree(path, ignore_errors=True)
        shutil.rmtree(self.temporary, ignore_errors=True)
        self.close()

    def close(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1


def own_key(folder: Path) -> bytes:
    """A random key that lives as long as the state folder does."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / "key"
    with contextlib.suppress(FileExistsError), private(path) as out:
        out.write(secrets.token_hex(32).encode())
    return path.read_bytes()


@contextlib.contextmanager
def private(path: Path, *, again: bool = False) -> Iterator[BinaryIO]:
    """A file that only its owner may read, from its first byte on. FileExistsError unless it may be written again."""
    flags = os.O_WRONLY | os.O_CREAT | (os.O_TRUNC if again else os.O_EXCL)
    handle = os.open(path, flags, 0o600)
    os.fchmod(handle, 0o600)
    with os.fdopen(handle, "wb") as out:
        yield out


def write_whole(path: Path, content: bytes) -> None:
    partly = path.with_name(path.name + ".part")
    partly.write_bytes(content)
    partly.replace(path)
