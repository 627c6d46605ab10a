"""Values of which a part is nobody's to read: tokens, and what a chart holds."""

from __future__ import annotations

from typing import ClassVar

from msgspec import Struct


class Guarded(Struct, frozen=True):
    """A value whose `repr` leaves out what `hidden` names, so that no log or traceback can show it."""

    hidden: ClassVar[frozenset[str]]

    def __repr__(self) -> str:
        shown = (name for name in self.__struct_fields__ if name not in self.hidden)
        return f"{type(self).__name__}({', '.join(f'{name}={getattr(self, name)!r}' for name in shown)})"
