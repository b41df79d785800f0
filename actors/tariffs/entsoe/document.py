"""XML of ENTSO-E as a tree of local names, read safely. Pure.

No document type, so no entities: neither expanded ones nor ones of files or addresses. Depth and
number of elements are bounded; how many bytes there may be is the client's business.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.parsers import expat

from bridge.errors import DeviceGarbled

if TYPE_CHECKING:
    from collections.abc import Iterator

_MOST_ELEMENTS: Final = 200_000
_DEEPEST: Final = 24
_HTML: Final = (b"<!doctype html", b"<html")
_PAGE: Final = "ENTSO-E answers with a web page instead of data"
_UNREADABLE: Final = "ENTSO-E answers with data that cannot be read"


class Node:
    """One element. name: without its namespace, which has changed before; text: without blanks."""

    __slots__ = ("children", "name", "text")

    def __init__(self, name: str) -> None:
        self.name, self.text = name, ""
        self.children: list[Node] = []

    def all(self, name: str) -> Iterator[Node]:
        """The direct children of that name."""
        return (each for each in self.children if each.name == name)

    def first(self, *path: str) -> Node | None:
        """The first element down a path of names."""
        node: Node | None = self
        for name in path:
            node = None if node is None else next(node.all(name), None)
        return node

    def value(self, *path: str) -> str | None:
        """The text of the first element down a path; None where there is none, or no text."""
        found = self.first(*path)
        return (found.text or None) if found is not None else None


class _Builder:
    def __init__(self) -> None:
        self.root: Node | None = None
        self._open: list[Node] = []
        self._texts: list[list[str]] = []
        self._count = 0

    def begin(self, name: str, _: object) -> None:
        node = Node(name.rpartition(" ")[2])
        self._count += 1
        if self._count > _MOST_ELEMENTS or len(self._open) >= _DEEPEST:
            raise DeviceGarbled("ENTSO-E answers with more data than one answer can have")
        if self._open:
            self._open[-1].children.append(node)
        else:
            self.root = node
        self._open.append(node)
        self._texts.append([])

    def end(self, _: str) -> None:
        self._open.pop().text = "".join(self._texts.pop()).strip()

    def text(self, text: str) -> None:
        if self._texts:
            self._texts[-1].append(text)

    def refuse(self, *_: object) -> None:
        raise DeviceGarbled("ENTSO-E answers with a document type, which is refused")


def parse(body: bytes, *, whole: bool = True) -> Node:
    """The root element. `whole` false takes the beginning of a document, as of an error.

    Raises DeviceGarbled.
    """
    if body.lstrip()[:14].lower().startswith(_HTML):
        raise DeviceGarbled(_PAGE)
    builder = _Builder()
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.buffer_text = True
    parser.StartElementHandler = builder.begin
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.text
    parser.StartDoctypeDeclHandler = builder.refuse
    parser.EntityDeclHandler = builder.refuse
    try:
        parser.Parse(body, whole)
    except (expat.ExpatError, ValueError, LookupError):
        raise DeviceGarbled(_UNREADABLE) from None
    if builder.root is None:
        raise DeviceGarbled(_UNREADABLE)
    if builder.root.name.lower() == "html":
        raise DeviceGarbled(_PAGE)
    return builder.root
