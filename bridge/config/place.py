"""Where in the configuration something stands, in the words of a message."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from bridge.config.tree import Items, Section
from bridge.config.words import quoted

if TYPE_CHECKING:
    from bridge.config.tree import Node

_SECRET_KEY: Final = re.compile(r"passw|token|secret|credential|(^|[_-])(key|pin)$", re.IGNORECASE)
_STEP = re.compile(r"[^.\[\]]+")


@dataclass(frozen=True, slots=True)
class Place:
    """`owner` is what a message begins with (`actor 'meter'`), `path` the key below it."""

    owner: str = ""
    path: str = ""

    def key(self, key: str) -> Place:
        """Return the place of one key below this one."""
        short = quoted(key)[1:-1]
        return replace(self, path=f"{self.path}.{short}" if self.path else short)

    def item(self, index: int) -> Place:
        """Return the place of one entry of the list at this place; the first is 1."""
        return replace(self, path=f"{self.path}[{index + 1}]")

    def says(self, sentence: str) -> str:
        """Return a sentence that begins with its owner."""
        return f"{self.owner}: {sentence}" if self.owner else sentence

    def must(self, demand: str, node: Node) -> str:
        """Return `'port' must be a whole number, but is 'abc'`; hidden values stay hidden."""
        return self.says(f"'{self.path}' must {demand}, {self._but(node)}")

    @property
    def inside(self) -> str:
        """Return ` in actor 'meter'`, or nothing at the top of the file."""
        if self.path:
            return f" in '{self.path}'" + (f" of {self.owner}" if self.owner else "")
        return f" in {self.owner}" if self.owner else ""

    def _but(self, node: Node) -> str:
        if isinstance(node, Section):
            return "but is a section"
        if isinstance(node, Items):
            return "but is a list"
        if node.origin == "!file":
            return "but its file holds something else"
        if node.origin:
            return f"but {node.origin} holds something else"
        if _SECRET_KEY.search(self.path) or "@" in node.text:
            return "but is something else"
        return f"but is {quoted(node.text)}" if node.text else "but is empty"


def locate(node: Node, path: str, default: int) -> int:
    """Return the line of `users.pool` or `planes[2].tilt` below `node`; `default` if absent."""
    line = default
    for step in _STEP.findall(path):
        if isinstance(node, Section) and step in node.entries:
            entry = node.entries[step]
            line, node = entry.line, entry.node
        elif isinstance(node, Items) and step.isdecimal() and 0 < int(step) <= len(node.nodes):
            node = node.nodes[int(step) - 1]
            line = node.line
        else:
            return line
    return line
