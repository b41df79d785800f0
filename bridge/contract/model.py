"""What topics.yaml says, as types: values, quantities, controls, fields, topics and channels."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

Kind = Literal[
    # a plain value
    "number",
    "flag",
    "word",
    "text",
    "sentence",
    "line",
    # what a topic's payload may be besides: JSON, or a name's entry in a table
    "json",
    "quantity",
    "control",
    "command",
    "field",
    "value",
]
Retain = Literal["yes", "no", "never", "consumer"]


class Value(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One plain value: what it may be, and in which unit.

    `min`, `max` and `noise_floor` are in `unit`; `digits` is the most decimals that are written;
    `max_age` is in seconds (None = no limit). `open` words may be other than the options.
    """

    kind: Kind = msgspec.field(name="type")
    name: str = ""
    unit: str | None = None
    min: float | None = None
    max: float | None = None
    digits: int | None = None
    noise_floor: float | None = None
    options: tuple[str, ...] = ()
    open: bool = False
    max_length: int | None = None
    max_age: float | None = None
    device_class: str | None = None
    state_class: str | None = None
    doc: str = ""


class Quantity(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a device measures; `family` is its template, such as `PvString{n}Power`."""

    category: str | None = None
    family: str | None = None


class Control(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Something a device lets itself be told.

    With `lease` a value holds for a time only; `platform` is the Home Assistant one.
    """

    platform: str
    step: float | None = None
    lease: bool = False


class Field(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One thing a consumer may say; `platform` where the owner may override it."""

    default: float | bool | str | None = None
    platform: str | None = None


class Payload(Value, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The payload of a topic: a plain value of its own, a JSON shape, or names from a table."""

    shape: str | None = None
    table: str | None = None
    only: tuple[str, ...] = ()


class Topic(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One line of the contract. `pattern` lies below the base; `expiry` and `max_age` are in s."""

    pattern: str
    payload: Payload
    retain: Retain
    qos: Literal[0, 1, "any"]
    writer: str
    readers: tuple[str, ...]
    doc: str
    key: str = ""
    empty: str | None = None
    expiry: int | None = None
    max_age: float | None = None
    will: str | None = None

    @property
    def unit(self) -> str | None:
        """The unit of a topic that has one of its own."""
        return self.payload.unit

    @property
    def parameters(self) -> tuple[str, ...]:
        """The names in braces, in order: `("device", "Quantity")`."""
        return tuple(level[1:-1] for level in self.pattern.split("/") if level[:1] == "{")


class Limits(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sizes in bytes, times in seconds, that hold for every topic."""

    plain_bytes: int
    json_bytes: int
    lease_default: int
    lease_max: int
    allowance_ttl: int


class Command(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What came on `…/Set` of a control.

    `value` None gives back. `ttl` (s) is None where the sender named none; `by` is the id of the
    actor that sends it, or `manual`; `id` comes back in the result.
    """

    value: float | str | bool | None
    ttl: float | None = None
    id: str | None = None
    by: str = "manual"


class Channel:
    """One address and how to write and read it. Made once per address; compared by identity.

    `encode` and `decode` raise PayloadError with one plain sentence, nothing else. `encode(None)`
    is the empty payload where the topic has a meaning for it; `decode(b"")` is None there, and
    `Command(value=None)` on a control's `Set`. `value` is the plain value's entry in its table,
    None for JSON.
    """

    __slots__ = (
        "address",
        "decode",
        "encode",
        "expiry",
        "max_age",
        "params",
        "qos",
        "retain",
        "topic",
        "value",
    )

    def __init__(
        self,
        topic: Topic,
        address: str,
        params: Mapping[str, str],
        value: Value | None,
        codec: tuple[Callable[[Any], bytes], Callable[[bytes], Any]],
    ) -> None:
        self.topic = topic
        self.address = address
        self.params = params
        self.value = value
        self.encode, self.decode = codec
        self.retain = topic.retain == "yes"
        self.qos = 1 if topic.qos == "any" else topic.qos
        self.expiry = topic.expiry
        self.max_age = topic.max_age
        if value is not None and value.max_age is not None:
            self.max_age = value.max_age

    def __repr__(self) -> str:
        return f"Channel({self.address!r})"
