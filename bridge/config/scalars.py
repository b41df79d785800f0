"""One written value as the number, flag or text that its field wants."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any, Final

from msgspec import inspect

from bridge.config.secret import Secret
from bridge.config.words import did_you_mean, listed

if TYPE_CHECKING:
    from bridge.config.tree import Scalar

LONGEST_TEXT: Final = 65_536
_WHOLE = re.compile(r"[+-]?(0|[1-9][0-9]{0,18})\Z")
_HEX = re.compile(r"0x[0-9A-Fa-f]{1,16}\Z")
_FLOAT = re.compile(r"[+-]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][+-]?[0-9]{1,3})?\Z")
_LEADING_ZERO = re.compile(r"[+-]?0[0-9]")
_FLAGS: Final = {"true": True, "on": True, "yes": True, "false": False, "off": False, "no": False}


class Refused(Exception):
    """The value does not fit. `demand` follows 'must'; `hint` follows what it is instead."""

    def __init__(self, demand: str, hint: str = "") -> None:
        super().__init__(demand)
        self.demand = demand
        self.hint = hint


def scalar(wanted: inspect.Type, extra: dict[str, Any], node: Scalar) -> Any:
    """Return the value of `node` as `wanted`. Raises Refused."""
    match wanted:
        case inspect.BoolType():
            value: Any = _flag(node)
        case inspect.IntType():
            value = _bounded(_whole(node), wanted, "be a whole number")
        case inspect.FloatType():
            value = _bounded(_number(node), wanted, "be a number")
        case inspect.StrType():
            value = _patterned(_text(node), wanted, extra)
        case inspect.LiteralType() | inspect.EnumType():
            value = _one_of(_choices(wanted), node)
        case inspect.CustomType():
            value = wanted.cls(_text(node, secret=wanted.cls is Secret))
        case inspect.AnyType():
            value = _natural(node)
        case _:
            raise Refused(f"be {noun(wanted)}")
    return value


_NOUNS: Final[dict[type[inspect.Type], str]] = {
    inspect.BoolType: "true or false",
    inspect.IntType: "a whole number",
    inspect.FloatType: "a number",
    inspect.ListType: "a list",
    inspect.VarTupleType: "a list",
    inspect.SetType: "a list",
    inspect.FrozenSetType: "a list",
    inspect.StructType: "a section with keys of its own",
    inspect.DictType: "a section with keys of its own",
}


def noun(wanted: inspect.Type) -> str:
    """Return what a type is called: `a whole number`, `a list`."""
    if isinstance(wanted, inspect.LiteralType | inspect.EnumType):
        choices = listed(_choices(wanted))
        return f"one of {choices}" if ", " in choices else choices
    return _NOUNS.get(type(wanted), "text")


def _choices(wanted: inspect.LiteralType | inspect.EnumType) -> dict[str, Any]:
    if isinstance(wanted, inspect.EnumType):
        return {word(each.value): each for each in wanted.cls}
    return {word(each): each for each in wanted.values}


def looks_like_number(node: Scalar) -> bool:
    """Return true when YAML 1.2 would read this value as a number."""
    return node.plain and bool(_FLOAT.match(node.text) or _HEX.match(node.text))


def looks_like_flag(node: Scalar) -> bool:
    """Return true for `true` and `false`; `on`, `off`, `yes` and `no` may be words."""
    return node.plain and node.text.lower() in {"true", "false"}


def word(value: object) -> str:
    """Return a fixed value as it is written in YAML."""
    if isinstance(value, bool):
        return str(value).lower()
    return "null" if value is None else str(value)


def _unquoted(node: Scalar, demand: str, pattern: re.Pattern[str]) -> None:
    if not node.plain and pattern.match(node.text):
        raise Refused(demand, " as text: leave the quotes out")


def _flag(node: Scalar) -> bool:
    found = _FLAGS.get(node.text.lower()) if len(node.text) <= len("false") else None
    if found is None:
        raise Refused("be true or false")
    if not node.plain:
        raise Refused("be true or false", " as text: leave the quotes out")
    return found


def _whole(node: Scalar) -> int:
    demand = "be a whole number"
    _unquoted(node, demand, _WHOLE)
    if _WHOLE.match(node.text):
        return int(node.text)
    if _HEX.match(node.text):
        return int(node.text, 16)
    if _LEADING_ZERO.match(node.text) and node.text.lstrip("+-").isdecimal():
        raise Refused(demand, ": leave the leading zero out")
    raise Refused(demand)


def _number(node: Scalar) -> float:
    demand = "be a number"
    _unquoted(node, demand, _FLOAT)
    text = node.text
    if _HEX.match(text):
        return float(int(text, 16))
    if not _FLOAT.match(text):
        decimal = text.replace(",", ".", 1)
        comma = decimal != text and _FLOAT.match(decimal)
        raise Refused(demand, ": write '.' for the decimal mark" if comma else "")
    number = float(text) if len(text) <= LONGEST_TEXT else math.inf
    if not math.isfinite(number):
        raise Refused("be a finite number")
    return number


def _bounded(number: float, wanted: inspect.IntType | inspect.FloatType, demand: str) -> float:
    low, high = wanted.ge, wanted.le
    if low is not None and high is not None and not low <= number <= high:
        raise Refused(f"{demand} from {_brief(low)} to {_brief(high)}")
    bounds = (
        (low, "of at least", number.__ge__),
        (high, "of at most", number.__le__),
        (wanted.gt, "above", number.__gt__),
        (wanted.lt, "below", number.__lt__),
    )
    for bound, word, holds in bounds:
        if bound is not None and holds(type(number)(bound)) is not True:
            raise Refused(f"{demand} {word} {_brief(bound)}")
    if wanted.multiple_of is not None and number % wanted.multiple_of:
        raise Refused(f"{demand} that is a multiple of {_brief(wanted.multiple_of)}")
    return number


def _brief(number: float) -> str:
    """Write a bound as people do: without `.0` and without an exponent."""
    return str(int(number)) if number == int(number) else str(number)


def _text(node: Scalar, *, secret: bool = False) -> str:
    """A number without quotes stays the text it is written as: `serial: 0123` keeps its zero."""
    if looks_like_flag(node) and not secret:
        raise Refused("be text", ": put it in quotes if it is meant so")
    if len(node.text) > LONGEST_TEXT:
        raise Refused(f"have at most {LONGEST_TEXT} characters")
    if "\x00" in node.text or not _encodable(node.text):
        raise Refused("be text without invisible characters")
    return node.text


def _encodable(text: str) -> bool:
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def _patterned(text: str, wanted: inspect.StrType, extra: dict[str, Any]) -> str:
    if wanted.max_length is not None and len(text) > wanted.max_length:
        raise Refused(f"have at most {wanted.max_length} characters", f" ({len(text)} characters)")
    if wanted.min_length is not None and len(text) < wanted.min_length:
        if wanted.min_length == 1:
            raise Refused("not be empty")
        raise Refused(f"have at least {wanted.min_length} characters")
    if wanted.pattern is not None and not re.search(wanted.pattern, text):
        raise Refused(f"be {extra.get('words') or f'text of the form {wanted.pattern}'}")
    return text


def _one_of(choices: dict[str, Any], node: Scalar) -> Any:
    if node.text in choices:
        return choices[node.text]
    guess = did_you_mean(node.text, choices) if node.origin is None else ""
    raise Refused(f"be one of {listed(choices)}", guess)


def _natural(node: Scalar) -> Any:
    if node.null:
        return None
    if looks_like_flag(node):
        return _flag(node)
    if node.plain and _WHOLE.match(node.text):
        return int(node.text)
    return _number(node) if looks_like_number(node) else _text(node)
