"""Letters without case and accent."""

from __future__ import annotations

import unicodedata


class _Folding(dict[int, str]):
    """One character to its lower-case letter without accent; always one for one, so that positions stay."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        plain = unicodedata.normalize("NFD", char)[0].lower()
        self[code] = out = plain if len(plain) == 1 else char
        return out


_FOLDING = _Folding()


def fold(text: str) -> str:
    """Lower case and without accents, same length."""
    return text.translate(_FOLDING)
