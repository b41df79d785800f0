"""What may stand in `registers.yaml`, and plain sentences for what may not. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, TypeVar, get_args, get_origin

import msgspec
from msgspec import Meta

if TYPE_CHECKING:
    from collections.abc import Iterator

# fmt: off
Type = Literal[
    "u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64",
    "hhmm", "datetime", "bits", "string", "raw",
]
# fmt: on
_Pair = Annotated[tuple[float, float], Meta()]
_Steps = dict[str, float | str]
_Sentinel = int | list[int]
_LONGEST: Final = 40
_SWITCH: Final = "put on, off, yes and no in quotes: without, YAML takes them for true and false"


class Row(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One row as it is written; docs/registers.md explains the keys."""

    name: str
    type: Type
    status: Literal["confirmed", "single-primary", "unconfirmed", "disputed"]
    source: list[str]
    address: int | None = None
    addresses: list[int] | None = None
    words: int | None = None
    word_order: Literal["big", "little"] | None = None
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    scale_factor: str | None = None
    invalid: int | list[int] | Literal["none"] | None = None
    valid: _Pair | None = None
    absolute: bool = False
    short: bool = False
    mask: int | None = None
    enum: dict[int | str, str] = {}
    bits: dict[int, str] = {}
    access: Literal["R", "RW", "W"] = "R"
    range: _Pair | None = None
    persistent: bool = False
    poll: Literal["fast", "slow", "once", "demand"] | None = None
    quantity: str | None = None
    factor: float = 1.0
    as_: dict[str, str] | None = msgspec.field(default=None, name="as")
    info: Literal["manufacturer", "model", "serial", "firmware"] | None = None
    note: str = ""


class Entry(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One entry of `controls` as it is written."""

    register: str | None = None
    factor: float = 1.0
    min: float | str | None = None
    max: float | str | None = None
    watchdog: float | None = None
    tolerance: float | None = None
    set: _Steps | None = None
    negative: _Steps | None = None
    zero: _Steps | None = None
    positive: _Steps | None = None
    options: dict[str, _Steps] = {}
    back: _Steps = {}
    default: _Steps = {}
    settle: float = 0.0
    trigger: list[str] = []
    atomic: bool = False


class Longest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`limits` as they are written."""

    words: int = 125
    gap: int = 8
    write: int = 123


class Pauses(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`pacing` as it is written."""

    between: float = 0.0
    after_connect: float = 0.0


class Table(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The whole file as it is written; rows and controls are looked at one by one."""

    device: str
    registers: list[Any]
    manufacturer: str | None = None
    read: Literal["holding", "input"] = "holding"
    write: Literal["auto", "single", "multiple"] = "auto"
    unit: int = 1
    word_order: Literal["big", "little"] = "big"
    limits: dict[str, Any] = {}
    pacing: dict[str, Any] = {}
    invalid: dict[Type, _Sentinel] = {}
    quantities: dict[str, str] = {}
    controls: dict[str, Any] = {}


S = TypeVar("S", bound=msgspec.Struct)


def faults_of(found: Any, kind: type[msgspec.Struct]) -> Iterator[str]:
    """Everything for which `found` is no `kind`, each one sentence without a place."""
    try:
        msgspec.convert(found, kind)
    except msgspec.ValidationError:
        yield from _explained(found, kind)


def _explained(found: Any, kind: type[msgspec.Struct]) -> Iterator[str]:
    from bridge.config.words import closest

    if not isinstance(found, dict):
        yield f"it must be keys and values, not {_said(found)}"
        return
    fields = {each.encode_name: each for each in msgspec.structs.fields(kind)}
    for key, value in found.items():
        if key not in fields:
            free = [each for each in fields if each not in found]
            guess = closest(str(key), free)
            yield f"there is no key {_said(key)}" + (f"; did you mean '{guess}'?" if guess else "")
            continue
        try:
            msgspec.convert(value, fields[key].type)
        except msgspec.ValidationError:
            yield _wrong(key, value, fields[key].type)
    for key, field in fields.items():
        if field.required and key not in found:
            yield f"the key '{key}' is missing: {_wanted(key, field.type)}"


def made(found: Any, kind: type[S]) -> S:
    """`found` as a `kind`; only for what has no faults."""
    return msgspec.convert(found, kind)


def _wrong(key: str, value: Any, kind: Any) -> str:
    if _has_flag(value):
        return f"{key} has a bare true or false: {_SWITCH}"
    inner = _inner_fault(key, value, kind)
    if inner is not None:
        return inner
    from bridge.config.words import closest

    choices = _choices(kind)
    guess = closest(value, choices) if isinstance(value, str) and choices else None
    hint = f"; did you mean '{guess}'?" if guess else _as_number(value, kind)
    return f"{key} must be {_wanted(key, kind)}, not {_said(value)}{hint}"


def _inner_fault(key: str, value: Any, kind: Any) -> str | None:
    """What is wrong with one entry of a section, where the whole is a section."""
    for each in _plain(kind):
        if get_origin(each) is dict and isinstance(value, dict):
            of_key, of_value = get_args(each)
            for name, inner in value.items():
                for part, wanted in ((name, of_key), (inner, of_value)):
                    try:
                        msgspec.convert(part, wanted)
                    except msgspec.ValidationError:
                        where = key if part is name else f"{key}: {name}"
                        asked = _wanted(key, wanted)
                        need = "a key of" if part is name else ""
                        return " ".join(
                            f"{need} {where} must be {asked}, not {_said(part)}".split()
                        )
    return None


def _plain(kind: Any) -> list[Any]:
    """The alternatives of a type, without None."""
    if get_origin(kind) is Annotated:
        return _plain(get_args(kind)[0])
    if get_origin(kind) is not None and type(kind).__name__ in {"UnionType", "_UnionGenericAlias"}:
        return [each for arg in get_args(kind) for each in _plain(arg) if each is not type(None)]
    return [kind]


def _choices(kind: Any) -> tuple[str, ...]:
    return tuple(
        word for each in _plain(kind) if get_origin(each) is Literal for word in get_args(each)
    )


def _wanted(key: str, kind: Any) -> str:
    if key == "invalid":
        return "the raw whole number that means no value, a list of such numbers, or none"
    parts = [_described(each) for each in _plain(kind)]
    return " or ".join(dict.fromkeys(parts))


def _described(kind: Any) -> str:
    origin, args = get_origin(kind), get_args(kind)
    if origin is Literal:
        return f"one of {', '.join(args)}" if len(args) > 1 else str(args[0])
    if origin is tuple:
        return "two numbers, such as [0, 100]"
    if origin is list:
        plural = {int: "whole numbers", str: "texts"}.get(args[0], "rows")
        return f"a list of {plural}"
    if origin is dict:
        return "keys and values, such as {a: b}"
    words = {int: "a whole number", float: "a number", str: "a text", bool: "true or false"}
    return words.get(kind, "a value")


def _as_number(value: Any, kind: Any) -> str:
    """How a number that YAML takes for a text must be written."""
    if not isinstance(value, str) or not {int, float} & set(_plain(kind)):
        return ""
    try:
        number = float(value)
    except ValueError:
        return ""
    return f": YAML takes it for a text, write {number:.12g}" if abs(number) < float("inf") else ""


def _has_flag(value: Any) -> bool:
    if isinstance(value, dict):
        return any(isinstance(each, bool) for pair in value.items() for each in pair)
    return isinstance(value, list) and any(isinstance(each, bool) for each in value)


def _said(value: Any) -> str:
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict):
        return "keys and values"
    if isinstance(value, list):
        return "a list"
    text = " ".join(str(value).split())
    return f"'{text if len(text) <= _LONGEST else text[: _LONGEST - 1] + '…'}'"
