"""As much of GraphQL as questions need: one query, fields, aliases, arguments, variables. Pure."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

VALIDATION: Final = "GRAPHQL_VALIDATION_FAILED"
_PARSE: Final = "GRAPHQL_PARSE_FAILED"
_TOKEN: Final = re.compile(
    r'[\s,]+|#[^\n]*|("(?:[^"\\\n]|\\.)*"|\$?[A-Za-z_][A-Za-z_0-9]*|-?\d+(?:\.\d+)?|\.\.\.|[{}()\[\]:!=])'
)


class GraphError(Exception):
    """What a GraphQL service answers with instead of data."""

    def __init__(self, message: str, code: str, path: Sequence[str | int] = ()) -> None:
        super().__init__(message)
        self.code, self.path = code, list(path)

    def shown(self) -> dict[str, Any]:
        """As an entry of `errors`."""
        about = {"code": self.code}
        return {"message": str(self), "locations": [], "path": self.path, "extensions": about}


class Enum(str):
    """A bare word as the value of an argument, which is not the same as a text."""

    __slots__ = ()


class Field(msgspec.Struct):
    """One field of a selection; `key` is the name in the answer."""

    name: str
    key: str
    arguments: dict[str, Any]
    fields: list[Field] | None


class _Parser:
    def __init__(self, text: str, variables: Mapping[str, Any]) -> None:
        self.variables = dict(variables)
        self.tokens: list[str] = []
        place = 0
        while place < len(text):
            found = _TOKEN.match(text, place)
            if found is None:
                raise GraphError(f"Syntax Error: unexpected {text[place]!r}", _PARSE)
            if found[1]:
                self.tokens.append(found[1])
            place = found.end()

    @property
    def next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def take(self, wanted: str | None = None) -> str:
        found = self.next
        if not found or (wanted is not None and found != wanted):
            raise GraphError(f"Syntax Error: unexpected {found or 'end'!r}", _PARSE)
        return self.tokens.pop(0)

    def document(self) -> list[Field]:
        if self.next not in {"{", "query"}:
            raise GraphError("only queries are answered here", VALIDATION)
        if self.next == "query":
            self.take()
            if self.next not in {"(", "{"}:
                self.take()
            if self.next == "(":
                self.definitions()
        fields = self.selection()
        if self.tokens:
            raise GraphError("one operation is enough", VALIDATION)
        return fields

    def definitions(self) -> None:
        self.take("(")
        while self.next != ")":
            name = self.take().removeprefix("$")
            self.take(":")
            while self.next in {"[", "]", "!"} or self.next[:1].isalpha():
                self.take()
            if self.next == "=":
                self.take()
                self.variables.setdefault(name, self.value())
            self.variables.setdefault(name, None)
        self.take(")")

    def selection(self) -> list[Field]:
        self.take("{")
        fields = []
        while self.next != "}":
            fields.append(self.field())
        self.take("}")
        if not fields:
            raise GraphError("Syntax Error: an empty selection", _PARSE)
        return fields

    def field(self) -> Field:
        if self.next == "...":
            raise GraphError("fragments are not known here", VALIDATION)
        key = name = self.take()
        if not name.isidentifier():
            raise GraphError(f"Syntax Error: unexpected {name!r}", _PARSE)
        if self.next == ":":
            self.take()
            name = self.take()
        arguments: dict[str, Any] = {}
        if self.next == "(":
            self.take()
            while self.next != ")":
                argument = self.take()
                self.take(":")
                arguments[argument] = self.value()
            self.take(")")
        return Field(name, key, arguments, self.selection() if self.next == "{" else None)

    def value(self) -> Any:
        token = self.take()
        if token.startswith("$"):
            if token[1:] not in self.variables:
                raise GraphError(f"the variable {token} is not declared", VALIDATION)
            found = self.variables[token[1:]]
            return Enum(found) if isinstance(found, str) else found
        if token in {"true", "false", "null"} or token[0] in '"-0123456789':
            return json.loads(token)
        return Enum(token)


def execute(query: str, variables: Mapping[str, Any], root: Mapping[str, Any]) -> dict[str, Any]:
    """The data for a query. `root` is a mapping of fields to values: scalars, mappings, lists, or
    functions that take the arguments. Raises GraphError.
    """  # noqa: D205 - one sentence
    return _selected(_Parser(query, variables).document(), root, [])


def _selected(
    fields: list[Field], source: Mapping[str, Any], path: list[str | int]
) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for field in fields:
        where = [*path, field.key]
        if field.name not in source:
            raise GraphError(f'Cannot query field "{field.name}"', VALIDATION, where)
        value = source[field.name]
        if callable(value):
            try:
                value = value(**field.arguments)
            except TypeError:
                raise GraphError(f'Unknown argument on "{field.name}"', VALIDATION, where) from None
        elif field.arguments:
            raise GraphError(f'Unknown argument on "{field.name}"', VALIDATION, where)
        shown = _shown(value, field, where)
        found[field.key] = _merged(found.get(field.key), shown)
    return found


def _shown(value: Any, field: Field, path: list[str | int]) -> Any:
    if value is None:
        return None
    if isinstance(value, list):
        return [_shown(each, field, [*path, place]) for place, each in enumerate(value)]
    if isinstance(value, dict) != (field.fields is not None):
        raise GraphError(f'Field "{field.name}" needs other subfields', VALIDATION, path)
    return value if field.fields is None else _selected(field.fields, value, path)


def _merged(before: Any, after: Any) -> Any:
    """One field that is asked for twice is answered once, with all that was asked."""
    if isinstance(before, dict) and isinstance(after, dict):
        return before | {key: _merged(before.get(key), value) for key, value in after.items()}
    return after
