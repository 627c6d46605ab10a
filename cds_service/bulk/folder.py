"""The folder of an export: files written whole or not at all, readable by their owner only, and what is done."""

from __future__ import annotations

import hashlib
import os
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import BinaryIO

import msgspec

from cds_service.bulk.model import BulkError

STATE = ".bulk-export.json"
_CHUNK = 1024 * 1024
_GZIP = b"\x1f\x8b"


class Kept(msgspec.Struct, frozen=True):
    """A file that is here whole."""

    name: str
    lines: int
    bytes: int
    sha256: str


class State(msgspec.Struct):
    """What was asked, where the server works on it, and what has come. `request` is a digest."""

    request: str
    job: str | None = None
    transaction_time: str | None = None
    files: dict[str, Kept] = {}
    """ "output[3]" -> file"""
    done: bool = False


class DamagedError(Exception):
    """A file that did not come whole; the text says how that was seen."""


class Folder:
    """One export's folder. BulkError when it can't be used."""

    def __init__(self, path: Path, request: str) -> None:
        self.path = path
        digest = hashlib.sha256(request.encode()).hexdigest()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
            known = self._read()
            if known is None and any(path.iterdir()):
                raise BulkError("DIR: is not empty, and not of an export that was begun here", "out")
        except OSError as error:
            raise BulkError(f"DIR: {error.strerror or 'can not be used'}", "out") from None
        if known is not None and known.request != digest:
            raise BulkError("DIR: holds an export of something else; name another folder", "out")
        self.state = known or State(digest)
        for left in path.rglob("*.part"):
            left.unlink(missing_ok=True)

    def save(self) -> None:
        _write_whole(self.path / STATE, msgspec.json.encode(self.state))

    def begin(self, transaction_time: str) -> None:
        """Files of another moment than the manifest's go: two moments mixed would be no export."""
        state = self.state
        if state.transaction_time != transaction_time:
            for kept in state.files.values():
                (self.path / kept.name).unlink(missing_ok=True)
            state.files, state.transaction_time = {}, transaction_time
        self.save()

    def holds(self, name: str) -> bool:
        """Whether a file came whole earlier and is still what it was."""
        kept = self.state.files.get(name)
        if kept is None:
            return False
        path = self.path / kept.name
        try:
            same = path.stat().st_size == kept.bytes and _digest(path) == kept.sha256
        except OSError:
            same = False
        if not same:
            del self.state.files[name]
        return same

    async def store(self, name: str, stem: str, chunks: AsyncIterator[bytes], count: int | None) -> Kept:
        """Writes one file (`stem` with its ending) and remembers it. DamagedError when it did not come whole."""
        partly = self.path / f"{stem}.part"
        partly.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        counter = _Lines()
        digest = hashlib.sha256()
        size = 0
        try:
            with _private(partly) as file:
                async for chunk in chunks:
                    file.write(chunk)
                    digest.update(chunk)
                    size += len(chunk)
                    counter.feed(chunk)
                file.flush()
                os.fsync(file.fileno())
            lines = counter.end()
            if count is not None and lines != count:
                raise DamagedError(f"{lines:,} lines where the manifest says {count:,}")
            kept = Kept(f"{stem}.ndjson{'.gz' if counter.packed else ''}", lines, size, digest.hexdigest())
            partly.replace(self.path / kept.name)
        except OSError as error:
            raise BulkError(f"DIR: {error.strerror or 'can not be written'}", "out") from None
        finally:
            partly.unlink(missing_ok=True)
        self.state.files[name] = kept
        self.save()
        return kept

    def _read(self) -> State | None:
        path = self.path / STATE
        if not path.exists():
            return None
        try:
            return msgspec.json.decode(path.read_bytes(), type=State)
        except (msgspec.DecodeError, UnicodeDecodeError):
            raise BulkError(f"DIR: {STATE} can't be read", "out") from None


class _Lines:
    """Counts the lines that are not blank, inside gzip as well; says whether the packing was whole."""

    def __init__(self) -> None:
        self.packed: bool | None = None
        self._head = b""
        self._member: zlib._Decompress | None = None
        self._lines = 0
        self._open = False

    def feed(self, chunk: bytes) -> None:
        if self.packed is None:
            self._head += chunk
            if len(self._head) < len(_GZIP):
                return
            chunk, self._head = self._head, b""
            self.packed = chunk.startswith(_GZIP)
        self._unpack(chunk) if self.packed else self._count(chunk)

    def end(self) -> int:
        if self.packed is None:
            self.packed = False
            self._count(self._head)
        if self._member is not None:
            raise DamagedError("gzip data ends too early")
        return self._lines + self._open

    def _unpack(self, data: bytes) -> None:
        while data:
            if self._member is None:
                data = data.lstrip(b"\0")  # some writers pad the last block
                if not data:
                    return
                self._member = zlib.decompressobj(wbits=31)
            try:
                self._count(self._member.decompress(data, _CHUNK))
            except zlib.error:
                raise DamagedError("gzip data is damaged") from None
            if self._member.eof:
                data, self._member = self._member.unused_data, None
            else:
                data = self._member.unconsumed_tail

    def _count(self, data: bytes) -> None:
        *whole, rest = data.split(b"\n")
        for line in whole:
            self._lines += self._open or bool(line.strip())
            self._open = False
        self._open = self._open or bool(rest.strip())


def _private(path: Path) -> BinaryIO:
    """A new file that only its owner may read."""
    path.unlink(missing_ok=True)
    return os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb")


def _write_whole(path: Path, content: bytes) -> None:
    partly = path.with_name(path.name + ".part")
    try:
        with _private(partly) as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        partly.replace(path)
    except OSError as error:
        raise BulkError(f"DIR: {error.strerror or 'can not be written'}", "out") from None


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
