"""The files of an export: found, told apart by their content, cut into units that workers read on their own.

Plain NDJSON, gzip and zstd; what a file is called says nothing. A large plain file is several units, each beginning at
a line; a compressed one is one, since it can only be read from its start."""

from __future__ import annotations

import os
import zlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, Literal, NamedTuple

import msgspec

from cds_service.errors import ServiceError

Packing = Literal["none", "gzip", "zstd"]
_MAGIC: dict[bytes, Packing] = {b"\x1f\x8b": "gzip", b"\x28\xb5\x2f\xfd": "zstd"}
_UNIT = 64 * 1024 * 1024
_BLOCK = 192 * 1024
"""fits into the cache of a core, where it is gone through several times."""
_PACKED = 128 * 1024
LONGEST_LINE = 64 * 1024 * 1024
"""bytes; a longer line is left out and named, or one file could take all memory."""
_NAMED = ("ndjson", "jsonl")
_BOM = b"\xef\xbb\xbf"


class ScreeningError(ServiceError):
    """What the user of the command line can mend; one line."""

    status = 400


class DamagedFileError(Exception):
    """A compressed file can't be read to its end; what came before has been given."""


class Source(msgspec.Struct, frozen=True):
    """One file. `size` and `stamp` tell whether it is still the same one."""

    path: str
    packing: Packing
    size: int
    stamp: int


class Unit(msgspec.Struct, frozen=True):
    """The lines of a file that begin in [start, end)."""

    source: Source
    start: int
    end: int


class Block(NamedTuple):
    """Whole lines without the last line end; `offset` is where they begin in the unpacked file."""

    offset: int
    data: bytes

    @property
    def lines(self) -> list[bytes]:
        """Cut apart, which costs as much as reading them: for those who need them one by one."""
        return self.data.split(b"\n")


def find_sources(paths: Sequence[Path]) -> list[Source]:
    """Every file given, and of folders (with their subfolders) every file that holds NDJSON or is named so.
    ScreeningError names a path that is not there."""
    found: dict[Path, Source] = {}
    for path in paths:
        if path.is_dir():
            inside = (p for p in sorted(path.rglob("*")) if p.is_file() and not _hidden(p, path))
            files = [p for p in inside if any(word in p.name.lower() for word in _NAMED) or _holds_resources(p)]
        elif path.is_file():
            files = [path]
        else:
            raise ScreeningError(f"{path}: no such file or folder", "path")
        for file in files:
            found.setdefault(file.resolve(), _source(file))
    if not found:
        raise ScreeningError("no NDJSON file in the paths given", "path")
    return [found[path] for path in sorted(found, key=str)]


def units_of(sources: Sequence[Source]) -> list[Unit]:
    """The work, cut into pieces of like size; the same pieces for the same files."""
    units: list[Unit] = []
    for source in sources:
        step = _UNIT if source.packing == "none" else max(source.size, 1)
        units.extend(
            Unit(source, start, min(start + step, source.size)) for start in range(0, max(source.size, 1), step)
        )
    return units


def read_blocks(unit: Unit) -> Iterator[Block]:
    """The unit's lines in order, without their line ends. DamagedFileError after the last that could be read; OSError
    when the file can't be opened."""
    if unit.source.packing == "none":
        yield from _plain(unit)
        return
    with Path(unit.source.path).open("rb") as file:
        chunks = _gunzip(file) if unit.source.packing == "gzip" else _unzstd(unit.source.path)
        yield from _lines(chunks)


def _plain(unit: Unit) -> Iterator[Block]:
    """Read at places, so that the cut line at the end of a block is read again and never joined."""
    with Path(unit.source.path).open("rb") as file:
        at = unit.start
        if at:
            file.seek(at - 1)
            at += _rest_of_line(file) - 1
        while at < unit.end:
            data = os.pread(file.fileno(), _BLOCK, at)
            last = data.find(b"\n", unit.end - 1 - at) if unit.end - at <= len(data) else -1
            cut = last + 1 or data.rfind(b"\n") + 1
            if not cut:
                file.seek(at)
                data = _one_line(file)
                cut = len(data)
            if not cut:  # the file has become shorter
                return
            yield Block(at, _begun(data[: cut - data.endswith(b"\n", 0, cut)], at))
            at += cut


def _one_line(file: BinaryIO) -> bytes:
    """With its end, if it has one."""
    line = file.readline(LONGEST_LINE + 1)
    if len(line) > LONGEST_LINE:
        raise DamagedFileError("a line is too long")
    return line


def _rest_of_line(file: BinaryIO) -> int:
    """Its length; it belongs to the unit before, however long it is."""
    passed = 0
    while piece := file.readline(_BLOCK):
        passed += len(piece)
        if piece.endswith(b"\n"):
            break
    return passed


def _begun(data: bytes, offset: int) -> bytes:
    """A byte order mark at the beginning of a file says nothing."""
    return data.replace(_BOM, b"   ", 1) if not offset and data.startswith(_BOM) else data


def _lines(chunks: Iterator[bytes]) -> Iterator[Block]:
    """Whole lines out of chunks."""
    rest = b""
    offset = 0
    for chunk in chunks:
        data = rest + chunk if rest else chunk
        cut = data.rfind(b"\n") + 1
        if cut:
            yield Block(offset, _begun(data[: cut - 1], offset))
            offset += cut
        rest = data[cut:]
        if len(rest) > LONGEST_LINE:
            raise DamagedFileError("a line is too long")
    if rest:
        yield Block(offset, _begun(rest, offset))


def _gunzip(file: BinaryIO) -> Iterator[bytes]:
    """Every member of a gzip file."""
    member: zlib._Decompress | None = None
    waiting = b""
    while waiting or (waiting := file.read(_PACKED)):
        if member is None:
            waiting = waiting.lstrip(b"\0")  # some writers pad the last block
            if not waiting:
                continue
            member = zlib.decompressobj(wbits=31)
        try:
            data = member.decompress(waiting, _BLOCK)
        except zlib.error:
            raise DamagedFileError("gzip data is damaged") from None
        if data:
            yield data
        waiting = member.unused_data if member.eof else member.unconsumed_tail
        member = None if member.eof else member
    if member is not None:
        yield member.flush()
        raise DamagedFileError("gzip data ends too early")


def _unzstd(path: str) -> Iterator[bytes]:
    import pyarrow as pa

    try:
        with pa.CompressedInputStream(pa.OSFile(path), "zstd") as stream:
            while data := stream.read(_BLOCK):
                yield data
    except (OSError, ValueError):
        raise DamagedFileError("zstd data is damaged or ends too early") from None


def _source(path: Path) -> Source:
    try:
        status = path.stat()
        with path.open("rb") as file:
            head = file.read(4)
    except OSError as error:
        raise ScreeningError(f"{path}: {error.strerror or 'unreadable'}", "path") from None
    packing: Packing = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "none")
    return Source(str(path), packing, status.st_size, status.st_mtime_ns)


def _holds_resources(path: Path) -> bool:
    """Whether the first line is a FHIR resource, for files that have no telling name."""
    try:
        unit = Unit(_source(path), 0, 1)
        first = next(read_blocks(unit)).lines[0]
        value = msgspec.json.decode(first)
    except (ScreeningError, DamagedFileError, OSError, StopIteration, msgspec.DecodeError, UnicodeDecodeError):
        return False
    return isinstance(value, dict) and isinstance(value.get("resourceType"), str)


def _hidden(path: Path, folder: Path) -> bool:
    return any(part.startswith(".") for part in path.relative_to(folder).parts)
