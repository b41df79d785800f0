"""YAML as a tree in which every key and value knows its line.

The tree is built from the parser's events, not from its documents, for three reasons: nothing is
turned into numbers, flags or dates on the way (YAML 1.1 would read `no` as false, `08:00` as a
sexagesimal number and `0123` as octal 83); duplicate keys are seen; and depth, size and aliases are
bounded before they cost anything. What a scalar means is decided by the field it is meant for.

Merge keys (`<<: *anchor`) are supported: a key of the section itself wins over a merged one, and
an earlier merged section over a later one.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import yaml

from bridge.config.faults import explain
from bridge.config.words import quoted

if TYPE_CHECKING:
    from collections.abc import Iterator

    from bridge.config.outside import Outside
    from bridge.config.problems import Problems

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_DEEPEST: Final = 32
_MOST_NODES: Final = 20_000
_STR_TAGS = ("!", "tag:yaml.org,2002:str")
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})


@dataclass(slots=True)
class Scalar:
    """One value. `plain`: written without quotes; `origin`: hidden, from there; else shown."""

    line: int
    text: str
    plain: bool = True
    origin: str | None = None
    broken: bool = False
    weight: int = 1

    @property
    def null(self) -> bool:
        """True for nothing, `~` and `null`."""
        return self.plain and self.origin is None and self.text in _NULLS


@dataclass(slots=True)
class Entry:
    """A key's line and its value."""

    line: int
    node: Node


@dataclass(slots=True)
class Section:
    """A mapping."""

    line: int
    entries: dict[str, Entry] = field(default_factory=dict)
    weight: int = 1


@dataclass(slots=True)
class Items:
    """A list."""

    line: int
    nodes: list[Node] = field(default_factory=list)
    weight: int = 1


Node = Scalar | Section | Items


@dataclass(slots=True)
class _Frame:
    """A section or list that is still open."""

    node: Section | Items
    anchor: str | None
    key: Scalar | None = None
    merges: list[Entry] = field(default_factory=list)


def parse(text: str, problems: Problems, outside: Outside) -> Node | None:
    """Return the tree of `text`; None when it holds nothing. Raises ConfigError on bad YAML."""
    builder = _Builder(problems, outside)
    try:
        for event in yaml.parse(text, Loader=_LOADER):
            builder.take(event)
    except yaml.MarkedYAMLError as error:
        raise problems.fail(*explain(error, text.splitlines() or [""])) from None
    except (yaml.YAMLError, ValueError, OverflowError, RecursionError):
        raise problems.fail(1, "this is not valid YAML") from None
    return builder.root


class _Builder:
    def __init__(self, problems: Problems, outside: Outside) -> None:
        self.root: Node | None = None
        self._problems = problems
        self._outside = outside
        self._stack: list[_Frame] = []
        self._anchors: dict[str, Node] = {}
        self._open: set[str] = set()
        self._documents = 0

    def take(self, event: yaml.Event) -> None:
        line = event.start_mark.line + 1 if event.start_mark else 1
        if isinstance(event, yaml.ScalarEvent):
            self._scalar(event, line)
        elif isinstance(event, yaml.AliasEvent):
            self._alias(event, line)
        elif isinstance(event, yaml.MappingStartEvent | yaml.SequenceStartEvent):
            self._begin(event, line)
        elif isinstance(event, yaml.MappingEndEvent | yaml.SequenceEndEvent):
            self._end()
        elif isinstance(event, yaml.DocumentStartEvent):
            self._documents += 1
            if self._documents > 1:
                raise self._problems.fail(
                    line, "a second document begins here ('---'): one file holds one"
                )

    def _wants_key(self) -> bool:
        top = self._stack[-1] if self._stack else None
        return top is not None and isinstance(top.node, Section) and top.key is None

    def _scalar(self, event: yaml.ScalarEvent, line: int) -> None:
        tag, plain = event.tag, not event.style
        if self._wants_key():
            if tag not in (None, *_STR_TAGS):
                self._problems.error(line, "a key must not begin with '!'")
            self._stack[-1].key = Scalar(line, event.value, plain)
            return
        if tag is None or tag in _STR_TAGS:
            given = self._outside.expand(event.value, line)
            # In { } and [ ] a ${NAME} needs quotes; they say nothing about what it holds.
            plain = bool(given.origin) or (plain and tag is None)
            node = Scalar(line, given.text, plain, given.origin, given.broken)
        elif tag == "!file":
            given = self._outside.read(event.value, line)
            node = Scalar(line, given.text, True, given.origin, given.broken)
        else:
            self._problems.error(line, "a value that begins with '!' must be in quotes, or !file")
            node = Scalar(line, "", broken=True)
        if event.anchor:
            self._anchors[event.anchor] = node
        self._add(node, line)

    def _alias(self, event: yaml.AliasEvent, line: int) -> None:
        name = event.anchor or ""
        if name in self._open:
            raise self._problems.fail(line, "this section contains itself through its '*' alias")
        if self._wants_key():
            raise self._problems.fail(line, "a key must not begin with '*'")
        node = self._anchors.get(name)
        if node is None:
            raise self._problems.fail(
                line,
                "'*' repeats an '&' anchor above, and none has that name: put text in quotes",
            )
        self._add(node, line)

    def _begin(self, event: yaml.MappingStartEvent | yaml.SequenceStartEvent, line: int) -> None:
        if self._wants_key():
            raise self._problems.fail(line, "a key must be a plain word")
        if len(self._stack) >= _DEEPEST:
            raise self._problems.fail(line, "sections are nested too deeply here")
        if event.tag not in (None, "!"):
            self._problems.error(line, "a section or list must not begin with '!'")
        mapping = isinstance(event, yaml.MappingStartEvent)
        self._stack.append(_Frame(Section(line) if mapping else Items(line), event.anchor))
        if event.anchor:
            self._open.add(event.anchor)

    def _end(self) -> None:
        frame = self._stack.pop()
        node = frame.node
        if isinstance(node, Section):
            for merge in frame.merges:
                self._merge(node, merge)
        if frame.anchor:
            self._open.discard(frame.anchor)
            self._anchors[frame.anchor] = node
        self._add(node, node.line)

    def _add(self, node: Node, line: int) -> None:
        if not self._stack:
            self.root = node
            return
        frame = self._stack[-1]
        frame.node.weight += node.weight
        if frame.node.weight > _MOST_NODES:
            raise self._problems.fail(
                line, f"the file holds more than {_MOST_NODES} values, its aliases counted"
            )
        if isinstance(frame.node, Items):
            frame.node.nodes.append(node)
            return
        key, frame.key = frame.key, None
        if key is not None:
            self._enter(frame, key, node)

    def _enter(self, frame: _Frame, key: Scalar, node: Node) -> None:
        section = frame.node
        if not isinstance(section, Section):
            return
        if key.plain and key.text == "<<":
            if frame.merges:
                self._problems.error(
                    key.line, "'<<' stands twice in the same section: give it a list"
                )
            frame.merges.append(Entry(key.line, node))
        elif not key.text:
            self._problems.error(key.line, "a key is missing before the ':'")
        elif key.text in section.entries:
            first = section.entries[key.text].line
            self._problems.error(
                key.line, f"key {quoted(key.text)} stands here again: line {first} has it already"
            )
        else:
            section.entries[key.text] = Entry(key.line, node)

    def _merge(self, section: Section, merge: Entry) -> None:
        for source in _sections(merge.node):
            if source is None:
                self._problems.error(merge.line, "'<<' must name a section, or a list of sections")
                return
            for key, entry in source.entries.items():
                section.entries.setdefault(key, entry)


def _sections(node: Node) -> Iterator[Section | None]:
    for each in node.nodes if isinstance(node, Items) else [node]:
        yield each if isinstance(each, Section) else None
