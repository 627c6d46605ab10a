"""The bones of HTML: its elements and the names of their attributes, with the addresses that they lead to, no text."""

from __future__ import annotations

from html.parser import HTMLParser

_ADDRESSES = ("href", "src", "srcset", "action", "formaction", "data")


class _Bones(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, tuple[str, ...], tuple[str | None, ...]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = tuple(name for name, _ in attrs)
        self.found.append((tag, names, tuple(value for name, value in attrs if name in _ADDRESSES)))

    def handle_comment(self, data: str) -> None:
        self.found.append(("comment", (), ()))

    def unknown_decl(self, data: str) -> None:
        self.found.append(("declaration", (), ()))


def bones(html: str) -> list[tuple[str, tuple[str, ...], tuple[str | None, ...]]]:
    parser = _Bones()
    parser.feed(html)
    parser.close()
    return parser.found
