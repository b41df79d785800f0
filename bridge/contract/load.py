"""The contract in memory: reads topics.yaml once and finds the channel of an address.

Addresses are found level by level in dictionaries, never by trying patterns one after another.
"""

from __future__ import annotations

import functools
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from bridge.contract.model import Channel, Control, Value
from bridge.contract.payload import PlainCodec, plain_codec
from bridge.contract.shape import JsonCodec
from bridge.contract.structured import CommandCodec, ReadingCodec, RequestCodec
from bridge.contract.tables import Tables
from bridge.errors import ContractError

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.contract.model import Topic

    Codec = tuple[Callable[[Any], bytes], Callable[[bytes], Any]]

_HERE = Path(__file__).resolve().parents[1]
# A topic about a named value that says something else than that value.
_OWN = frozenset({"flag", "number", "text", "word"})
_REMEMBERED = 50_000


class _Leaf(NamedTuple):
    topic: Topic
    value: Value | None  # the entry of the table level, where the address has one
    level: str | None  # the name of that level: Quantity, Control, Field, Value, Level


class _Node:
    __slots__ = ("folded", "leaf", "parameter", "parts")

    def __init__(self) -> None:
        self.parts: dict[str, _Node] = {}
        self.folded: dict[str, _Node] = {}  # request fields, which may come in any case
        self.parameter: tuple[str, _Node] | None = None
        self.leaf: _Leaf | None = None


class Contract(Tables):
    """Everything that topics.yaml declares; made by `load_contract`."""

    def __init__(self, raw: dict[str, Any]) -> None:
        super().__init__(raw)
        self._id = re.compile(rf"{self.id}\Z")
        self._root = _Node()
        for topic in self.topics.values():
            self._plant(topic)
        self._channels: dict[str, Channel] = {}
        self._matched: dict[str, Channel | None] = {}
        self._asked: dict[tuple[Any, ...], Channel] = {}
        self._plain: dict[tuple[int, bool], PlainCodec] = {}
        self._codecs: dict[tuple[str, str | None], Codec] = {}

    def _plant(self, topic: Topic) -> None:
        nodes: list[tuple[_Node, Value | None, str | None]] = [(self._root, None, None)]
        for level in topic.pattern.split("/"):
            name = level[1:-1] if level[:1] == "{" else None
            grown: list[tuple[_Node, Value | None, str | None]] = []
            for node, value, table in nodes:
                if name is None:
                    grown.append((node.parts.setdefault(level, _Node()), value, table))
                elif name in self.parameters:
                    node.parameter = node.parameter or (name, _Node())
                    grown.append((node.parameter[1], value, table))
                else:
                    for key, entry in self.names(topic).items():
                        child = node.parts.setdefault(key, _Node())
                        if name == "Field":
                            node.folded[key.lower()] = child
                        grown.append((child, entry, name))
            nodes = grown
        for node, value, table in nodes:
            if node.leaf is not None:
                sentence = f"topics.yaml declares {topic.pattern} twice"
                raise ContractError(sentence)
            node.leaf = _Leaf(topic, value, table)

    # ---------------------------------------------------------------- finding

    def is_id(self, text: str) -> bool:
        """True for what may stand as an id of an actor, device or consumer."""
        return self._id.match(text) is not None

    def match(self, address: str) -> Channel | None:
        """The channel of an address below the base; None when the contract has no such address.

        Request fields are found in any case; the channel then has the declared spelling.
        """
        try:
            return self._matched[address]
        except KeyError:
            found = self._find(address)
            if len(self._matched) >= _REMEMBERED:
                self._matched.clear()
            self._matched[address] = found
            return found

    def channel(self, pattern: str, /, **params: str) -> Channel:
        """The channel that a declared pattern and its parameters make, always the same object.

        A pattern may have a table name filled in (`Site/Surplus` for `Site/{Value}`). ContractError
        for what is not declared, for a wrong id, and for parameters that do not fit.
        """
        key = (pattern, *params.items())
        try:
            return self._asked[key]
        except KeyError:
            found = self._made(pattern, params)
            if len(self._asked) >= _REMEMBERED:
                self._asked.clear()
            self._asked[key] = found
            return found

    def _made(self, pattern: str, params: dict[str, str]) -> Channel:
        levels = pattern.split("/")
        wanted = {level[1:-1] for level in levels if level[:1] == "{"}
        if wanted != params.keys():
            needs = ", ".join(sorted(wanted)) or "nothing"
            sentence = f"{pattern} needs {needs}, not {', '.join(sorted(params)) or 'nothing'}"
            raise ContractError(sentence)
        for name, value in params.items():
            if name in self.parameters and not self.is_id(value):
                sentence = f"'{value}' is no id: letters, digits, _ and -, at most 32"
                raise ContractError(sentence)
        address = "/".join(params[level[1:-1]] if level[:1] == "{" else level for level in levels)
        found = self._find(address)
        declared = found.topic.pattern.split("/") if found is not None else []
        fits = all(
            level[:1] != "{" or level == at for level, at in zip(levels, declared, strict=False)
        )
        if found is None or not fits:
            sentence = f"{address} is not a topic of {pattern} in topics.yaml"
            raise ContractError(sentence)
        return found

    def _find(self, address: str) -> Channel | None:
        node, names, ids = self._root, [], {}
        for level in address.split("/"):
            child = node.parts.get(level)
            name = level
            if child is None and node.folded:
                child = node.folded.get(level.lower())
                name = self.field(level).name if child is not None else level
            if child is None:
                if node.parameter is None or not self.is_id(level):
                    return None
                ids[node.parameter[0]] = level
                child = node.parameter[1]
            names.append(name)
            node = child
        if node.leaf is None:
            return None
        return self._channel_of(node.leaf, "/".join(names), ids)

    def _channel_of(self, leaf: _Leaf, address: str, ids: dict[str, str]) -> Channel:
        found = self._channels.get(address)
        if found is None:
            topic, value, level = leaf
            if value is not None and level is not None:
                ids[level] = value.name
            own = topic.payload.kind in _OWN
            plain = None if topic.payload.kind == "json" else (not own and value) or topic.payload
            found = Channel(topic, address, ids, plain, self._codec(topic, value))
            if len(self._channels) >= _REMEMBERED:
                # Rubbish addresses must not fill the memory; whoever holds a channel keeps it.
                self._channels.clear()
                self._asked.clear()
                self._matched.clear()
            self._channels[address] = found
        return found

    # ---------------------------------------------------------------- codecs

    def plain(self, value: Value, *, empty: bool = False) -> PlainCodec:
        """The codec of a value of the tables; the same one for every device."""
        key = (id(value), empty)
        if key not in self._plain:
            self._plain[key] = plain_codec(value, empty=empty, limit=self.limits.plain_bytes)
        return self._plain[key]

    def _codec(self, topic: Topic, value: Value | None) -> Codec:
        key = (topic.key, value.name if value else None)
        if key not in self._codecs:
            named = None if topic.payload.kind in _OWN else value
            codec = self._structured(topic, value) or self.plain(
                named or topic.payload, empty=topic.empty is not None
            )
            self._codecs[key] = (codec.encode, codec.decode)
        return self._codecs[key]

    def _structured(
        self, topic: Topic, value: Value | None
    ) -> JsonCodec | ReadingCodec | RequestCodec | CommandCodec | None:
        if topic.payload.kind == "command" and isinstance(value, Control):
            return CommandCodec(value, self.plain(value), self.limits)
        match topic.payload.shape:
            case None:
                return None
            case "state":
                return ReadingCodec("State", self._reading_part)
            case "site_state":
                return ReadingCodec("Site/State", self._site_part)
            case "request":
                return RequestCodec(self._field_part)
            case shape:
                label = value.name if value else topic.payload.name
                return JsonCodec(label, self.shapes[shape], empty=topic.empty is not None)

    def _reading_part(self, name: str) -> PlainCodec | None:
        found = self.members.get(name)
        return None if found is None else self.plain(found)

    def _site_part(self, name: str) -> PlainCodec | None:
        found = self.values["site"].get(name)
        return None if found is None else self.plain(found)

    def _field_part(self, name: str) -> PlainCodec | None:
        try:
            return self.plain(self.field(name))
        except ContractError:
            return None


def contract_file() -> Path:
    """Where topics.yaml is: in the package when installed, else in the checkout."""
    for folder in (_HERE, _HERE.parent):
        if (folder / "topics.yaml").is_file():
            return folder / "topics.yaml"
    sentence = f"topics.yaml is missing in {_HERE}: the installation is not complete"
    raise ContractError(sentence)


@functools.cache
def load_contract() -> Contract:
    """The contract of this installation; read once."""
    import yaml

    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    with contract_file().open(encoding="utf-8") as file:
        return Contract(yaml.load(file, loader))  # noqa: S506 - both are safe loaders
