"""Parts and signature of a token: the library's own algorithms and checks, without its wrappings.

A client sends the same header in every token: what a header's text alone decides is decided once for each text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
from joserfc.errors import BadSignatureError
from joserfc.jwk import ECKey, RSAKey
from joserfc.jws import JWSRegistry
from joserfc.util import urlsafe_b64decode

_MOST_HEADERS = 256
_REGISTRY = JWSRegistry()
_JSON = msgspec.json.Decoder(dict[str, Any])


def decoded(part: str) -> dict[str, Any]:
    """The JSON object of a part of a token. ValueError when it is none."""
    try:
        return _JSON.decode(urlsafe_b64decode(part.encode()))
    except msgspec.DecodeError:
        raise ValueError("part") from None


class Signatures:
    """Checks signatures, and remembers the texts of headers under which a signature was good."""

    def __init__(self) -> None:
        self._headers: dict[str, Mapping[str, Any]] = {}

    def header(self, part: str) -> Mapping[str, Any]:
        """The header, not yet verified. ValueError when it is none."""
        known = self._headers.get(part)
        return known if known is not None else decoded(part)

    def check(self, token: str, algorithm: str, key: RSAKey | ECKey) -> None:
        """Raises JoseError, or ValueError for what is no signature, unless the token is signed with this key."""
        signed, _, signature = token.rpartition(".")
        part = token.partition(".")[0]
        header = self._headers.get(part)
        if header is None:
            header = decoded(part)
            _REGISTRY.validate_header_size(part.encode())
            _REGISTRY.check_header(dict(header))
            if header.get("b64", True) is not True:
                raise ValueError("b64")  # the claims would be signed in another form than they are read in
        _REGISTRY.validate_signature_size(signature.encode())
        model = JWSRegistry.algorithms[algorithm]
        model.check_key(key)
        if not model.verify(signed.encode(), urlsafe_b64decode(signature.encode()), key):
            raise BadSignatureError
        if part not in self._headers:
            if len(self._headers) >= _MOST_HEADERS:
                self._headers.clear()
            self._headers[part] = header
