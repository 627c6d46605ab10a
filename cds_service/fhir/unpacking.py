"""Packed answers, unpacked a piece at a time.

A few kilobytes of gzip can hold a thousand times as many. httpx unpacks all that came together before its reader can
say that it is too much: one such answer took half a second, in which nobody else was served. Here the reader sees a
piece and may stop, and between two pieces of the same bytes the event loop has its turn."""

from __future__ import annotations

import asyncio
import zlib
from collections.abc import AsyncIterator

import httpx

ACCEPTED = "gzip, deflate"
"""what is asked for, and all that is unpacked: an answer packed otherwise stays as it came, and is no JSON."""
_PIECE = 1 << 20
_GZIP, _DEFLATE, _RAW = 31, 15, -15
"""zlib's names: with the head of gzip, with that of zlib, and without one, as some servers understand "deflate"."""
_FORMS = {"gzip": _GZIP, "x-gzip": _GZIP, "deflate": _DEFLATE}
_MAGIC = 0x1F
"""the first byte of each member of a gzip file"""


def unpacked(response: httpx.Response) -> httpx.Response:
    """The response, its body unpacked as it is read; httpx then finds nothing left to unpack."""
    body = response.stream
    for name in reversed(response.headers.pop("content-encoding", "").lower().split(",")):
        form = _FORMS.get(name.strip())
        if form is not None and isinstance(body, httpx.AsyncByteStream):
            body = _Unpacked(body, form)
    response.stream = body
    return response


class _Unpacked(httpx.AsyncByteStream):
    def __init__(self, packed: httpx.AsyncByteStream, form: int) -> None:
        self._packed, self._form = packed, form

    async def __aiter__(self) -> AsyncIterator[bytes]:
        member, begun = None, False
        async for data in self._packed:
            while data:
                if member is None:
                    if begun and not (self._form == _GZIP and data[0] == _MAGIC):
                        break  # what stands behind the end is no content
                    member, begun = zlib.decompressobj(self._form_of(data)), True
                try:
                    piece = member.decompress(data, _PIECE)
                except zlib.error:
                    raise httpx.DecodingError("the packing is damaged") from None
                data = member.unconsumed_tail
                if member.eof:
                    data, member = member.unused_data, None
                if piece:
                    yield piece
                if data:
                    await asyncio.sleep(0)
        if member is not None and (rest := member.flush()):
            yield rest

    def _form_of(self, data: bytes) -> int:
        """Whether what is called "deflate" has zlib's head, which names its method, 8, in the first byte."""
        return _RAW if self._form == _DEFLATE and data[0] & 0x0F != 8 else self._form

    async def aclose(self) -> None:
        await self._packed.aclose()
