"""From the located tree to msgspec Structs, by looking at their fields: every fault at once.

msgspec's own conversion stops at the first fault and does not know lines; only its description of
types is used here. A Struct may define `check(self)`, which yields (field, sentence) pairs for
what its fields cannot say one by one; the field may be a path such as `planes[2].tilt`.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from msgspec import inspect

from bridge.config.place import Place, locate
from bridge.config.scalars import Refused, looks_like_flag, looks_like_number, noun, scalar, word
from bridge.config.secret import Secret
from bridge.config.tree import Items, Scalar, Section
from bridge.config.words import did_you_mean, quoted

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from bridge.config.problems import Problems
    from bridge.config.tree import Node

FAILED: Final = object()
"""Returned for what could not be converted; the problem has been noted."""

_NUMBERS = (inspect.IntType, inspect.FloatType)
_TEXTS = (inspect.StrType, inspect.CustomType)
_FIXED = (inspect.LiteralType, inspect.EnumType)
_SCALARS = (*_NUMBERS, *_TEXTS, *_FIXED, inspect.BoolType)
_LISTS = (inspect.ListType, inspect.VarTupleType, inspect.SetType, inspect.FrozenSetType)
_SHORTEST_HIDDEN = 3
_Member = tuple[inspect.Type, dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Named:
    """An id that a setting gives of a `device`, `tariff` or `forecast`, and where it stands."""

    id: str
    what: str
    place: Place
    line: int
    hidden: bool


@dataclass(slots=True)
class Converter:
    """Converts nodes of one file.

    hidden: texts that no sentence may contain. names: the ids of others that settings give.
    """

    problems: Problems
    folder: Path
    hidden: set[str] = field(default_factory=set)
    names: list[Named] = field(default_factory=list)
    _types: dict[Any, inspect.Type] = field(default_factory=dict)

    def to(self, wanted: Any, node: Node, place: Place, line: int) -> Any:
        """Convert to any type that msgspec describes; FAILED after a noted problem."""
        return self._convert(self._describe(wanted), node, place, line)

    def struct(
        self,
        cls: type[Any],
        node: Node,
        place: Place,
        line: int,
        *,
        skip: Collection[str] = (),
    ) -> Any:
        """Convert a section to a Struct; keys in `skip` belong to somebody else."""
        described = self._describe(cls)
        if not isinstance(described, inspect.StructType):
            raise TypeError(f"{cls.__name__} is no msgspec Struct")
        return self._struct(described, node, place, line, skip)

    def _describe(self, wanted: Any) -> inspect.Type:
        if wanted not in self._types:
            self._types[wanted] = inspect.type_info(wanted)
        return self._types[wanted]

    def _convert(self, wanted: inspect.Type, node: Node, place: Place, line: int) -> Any:
        members = _members(wanted)
        if isinstance(node, Scalar) and (node.broken or node.null):
            return FAILED if node.broken else self._null(members, place, line)
        kind, extra = _choose(members, node)
        if kind is None:
            self._misfit(members, node, place, line)
            return FAILED
        if isinstance(node, Section):
            return self._section(kind, node, place, line)
        if isinstance(kind, _LISTS):
            return self._list(kind, node, place, line)
        if isinstance(node, Items):
            return self._natural(node, place)
        return self._scalar(kind, extra, node, place, line)

    def _misfit(self, members: list[_Member], node: Node, place: Place, line: int) -> None:
        """Note a value of the wrong shape; shown only where a value of its kind could stand."""
        demand = f"be {_nouns(members)}"
        if isinstance(node, Scalar) and not _only(members, _SCALARS):
            self.problems.error(
                line, place.says(f"'{place.path}' must {demand}, but is a single value")
            )
        else:
            self.problems.error(line, place.must(demand, node))

    def _section(self, kind: inspect.Type, node: Section, place: Place, line: int) -> Any:
        if isinstance(kind, inspect.StructType):
            return self._struct(kind, node, place, line, ())
        if isinstance(kind, inspect.DictType):
            return self._dict(kind, node, place)
        return self._natural(node, place)

    def _null(self, members: list[_Member], place: Place, line: int) -> Any:
        for kind, _ in members:
            if isinstance(kind, inspect.NoneType | inspect.AnyType):
                return None
            if isinstance(kind, inspect.LiteralType) and None in kind.values:
                return None
        for kind, _ in members:
            if isinstance(kind, inspect.StructType):
                return self._struct(kind, Section(line), place, line, ())
            if isinstance(kind, inspect.DictType):
                return {}
        self.problems.error(
            line, place.says(f"'{place.path}' has no value: it must be {_nouns(members)}")
        )
        return FAILED

    def _scalar(
        self, kind: inspect.Type, extra: dict[str, Any], node: Scalar, place: Place, line: int
    ) -> Any:
        try:
            value = scalar(kind, extra, node)
        except Refused as refused:
            if isinstance(kind, inspect.CustomType) and kind.cls is Secret:
                self.problems.error(line, place.says(f"'{place.path}' must {refused.demand}"))
                return FAILED
            self.problems.error(line, place.must(refused.demand, node) + refused.hint)
            return FAILED
        if isinstance(value, Secret):
            self.hidden.add(value.reveal())
        if isinstance(value, str) and "names" in extra:
            hidden = node.origin is not None
            self.names.append(Named(value, extra["names"], place, line, hidden))
        if isinstance(value, Path):
            return self._path(value, place, line)
        return value

    def _path(self, path: Path, place: Place, line: int) -> Any:
        """Make a path absolute: relative ones count from the folder of the file they stand in."""
        try:
            return self.folder / path.expanduser()
        except RuntimeError:
            self.problems.error(line, place.says(f"'{place.path}' has no home folder for its '~'"))
            return FAILED

    def _list(self, kind: Any, node: Node, place: Place, line: int) -> Any:
        single = not isinstance(node, Items)
        nodes: list[Node] = node.nodes if isinstance(node, Items) else [node]
        low, high = kind.min_length or 0, kind.max_length
        if len(nodes) < low or (high is not None and len(nodes) > high):
            words = f"at least {low}" if len(nodes) < low else f"at most {high}"
            self.problems.error(line, place.says(f"'{place.path}' must have {words} entries"))
            return FAILED
        values = []
        for index, each in enumerate(nodes):
            if self.problems.full:
                return FAILED
            where = place if single else place.item(index)
            values.append(self._convert(kind.item_type, each, where, each.line))
        if any(value is FAILED for value in values):
            return FAILED
        if isinstance(kind, inspect.ListType):
            return values
        if isinstance(kind, inspect.VarTupleType):
            return tuple(values)
        return self._set(kind, values, place, line)

    def _set(self, kind: Any, values: list[Any], place: Place, line: int) -> Any:
        if len(set(values)) < len(values):
            self.problems.error(line, place.says(f"'{place.path}' names something twice"))
            return FAILED
        return frozenset(values) if isinstance(kind, inspect.FrozenSetType) else set(values)

    def _dict(self, kind: inspect.DictType, node: Section, place: Place) -> Any:
        made: dict[Any, Any] = {}
        for key, entry in node.entries.items():
            if self.problems.full:
                return FAILED
            name = self._convert(kind.key_type, Scalar(entry.line, key), place.key(key), entry.line)
            value = self._convert(kind.value_type, entry.node, place.key(key), entry.line)
            made[key if name is FAILED else name] = FAILED if name is FAILED else value
        return FAILED if any(value is FAILED for value in made.values()) else made

    def _natural(self, node: Node, place: Place) -> Any:
        """Give plain Python values, for a field that takes anything."""
        anything = inspect.AnyType()
        if isinstance(node, Items):
            return [self._convert(anything, each, place, each.line) for each in node.nodes]
        if isinstance(node, Section):
            return {
                key: self._convert(anything, entry.node, place.key(key), entry.line)
                for key, entry in node.entries.items()
            }
        return self._convert(anything, node, place, node.line)

    def _struct(
        self,
        kind: inspect.StructType,
        node: Node,
        place: Place,
        line: int,
        skip: Collection[str],
    ) -> Any:
        if isinstance(node, Scalar) and node.null:
            node = Section(line)
        if not isinstance(node, Section):
            what = f"'{place.path}'" if place.path else place.owner
            self.problems.error(line, f"{what} must be a section with keys of its own")
            return FAILED
        self._unknown(node, {each.encode_name for each in kind.fields}, place, skip)
        given: dict[str, Any] = {}
        for each in kind.fields:
            entry = node.entries.get(each.encode_name)
            inner = place.key(each.encode_name)
            if entry is not None and each.encode_name not in skip:
                given[each.name] = self._convert(each.type, entry.node, inner, entry.line)
            elif each.required:
                self.problems.error(line, place.says(f"'{inner.path}' is missing"))
                given[each.name] = FAILED
        if any(value is FAILED for value in given.values()):
            return FAILED
        return self._construct(kind.cls, given, node, place, line)

    def _unknown(self, node: Section, known: set[str], place: Place, skip: Collection[str]) -> None:
        for key, entry in node.entries.items():
            if key in known or key in skip:
                continue
            if self.problems.full:
                return
            free = known - node.entries.keys()
            self.problems.error(
                entry.line, f"unknown key {quoted(key)}{place.inside}{did_you_mean(key, free)}"
            )

    def _construct(
        self, cls: type[Any], given: dict[str, Any], node: Section, place: Place, line: int
    ) -> Any:
        made: Any = FAILED
        found: Iterable[tuple[str, str]]
        try:
            made = cls(**given)
            check = getattr(made, "check", None)
            found = list(check()) if callable(check) else ()
        except ValueError as error:
            found = [("", str(error) or "its values do not fit together")]
        except Exception as error:  # noqa: BLE001 - a kind's own code must not end the check
            found = [("", f"its settings cannot be judged ({type(error).__name__})")]
        for path, sentence in found:
            full = f"{place.path}." if place.path and path else place.path
            clean = self.scrub(" ".join(str(sentence).split()))
            self.problems.error(locate(node, path, line), Place(place.owner, full).says(clean))
        return FAILED if found else made

    def scrub(self, sentence: str) -> str:
        """Hide, in a sentence that a kind wrote itself, what it must not repeat."""
        for text in sorted(self.hidden, key=len, reverse=True):
            if len(text) >= _SHORTEST_HIDDEN:
                sentence = sentence.replace(text, "***")
        return sentence


def _members(wanted: inspect.Type, extra: dict[str, Any] | None = None) -> list[_Member]:
    """Return the alternatives of a type, without wrappers."""
    if isinstance(wanted, inspect.Metadata):
        return _members(wanted.type, {**(extra or {}), **(wanted.extra or {})})
    if isinstance(wanted, inspect.UnionType):
        return [member for each in wanted.types for member in _members(each, extra)]
    return [(wanted, extra or {})]


def _nouns(members: list[_Member]) -> str:
    words = dict.fromkeys(
        noun(kind) for kind, _ in members if not isinstance(kind, inspect.NoneType)
    )
    return " or ".join(words)


def _choose(
    members: list[_Member], node: Node
) -> tuple[inspect.Type, dict[str, Any]] | tuple[None, dict[str, Any]]:
    """Return the alternative that a value of this shape must be meant for; None for none."""
    for kind, extra in _ranked(members, node):
        return kind, extra
    return None, {}


def _ranked(members: list[_Member], node: Node) -> list[_Member]:
    shape: tuple[type[inspect.Type], ...]
    anything = (inspect.AnyType,)
    if isinstance(node, Section):
        return _only(members, (inspect.StructType, inspect.DictType, *anything))
    if isinstance(node, Items):
        return _only(members, (*_LISTS, *anything))
    literal = [
        (kind, extra)
        for kind, extra in _only(members, _FIXED)
        if not isinstance(kind, inspect.LiteralType) or node.text in map(word, kind.values)
    ]
    if looks_like_number(node):
        whole = node.text.lstrip("+-").isdecimal()
        shape = (*(_NUMBERS if whole else _NUMBERS[::-1]), *_TEXTS)
    elif looks_like_flag(node):
        shape = (inspect.BoolType, *_TEXTS)
    elif node.plain and node.text.lower() in {"on", "off", "yes", "no"}:
        shape = (*_TEXTS, inspect.BoolType)
    else:
        shape = _TEXTS
    fitting = [*literal, *_only(members, (*shape, *anything))]
    single = [member for member in _only(members, _LISTS) if member[1].get("single")]
    if fitting or single:
        return [*fitting, *single]
    # Nothing fits: with one alternative its own words say best what is wrong.
    wanted = _only(members, _SCALARS)
    return wanted if len(wanted) == 1 else []


def _only(members: list[_Member], shapes: tuple[type[inspect.Type], ...]) -> list[_Member]:
    """Return the members of these types, in the order of the types."""
    return [member for shape in shapes for member in members if isinstance(member[0], shape)]
