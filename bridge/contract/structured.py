"""JSON payloads whose parts are plain values of the tables: readings, requests and commands."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import msgspec

from bridge.contract.model import Command
from bridge.contract.payload import PLAIN_BYTES, refuse, shown, text_of
from bridge.contract.shape import is_time, json_of, to_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from bridge.contract.model import Control, Limits
    from bridge.contract.payload import PlainCodec

    Find = Callable[[str], PlainCodec | None]

_ID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_COMMAND_ID = re.compile(r"[\x20-\x7e]{1,64}\Z")


def _object(label: str, payload: bytes) -> dict[str, Any]:
    found = json_of(label, payload)
    if not isinstance(found, dict):
        refuse(label, f"{shown(found)} is not a JSON object")
    return found


class ReadingCodec:
    """`at` and named values, null = unknown: `Devices/{device}/State` and `Site/State`.

    Ours always have `at` and only declared names. From others `at` may be missing (an ESP has no
    clock) and undeclared names are left out; one bad value refuses the whole reading.
    """

    def __init__(self, label: str, find: Find) -> None:
        self.label = label
        self._find = find

    def encode(self, value: Any) -> bytes:
        """From a dict; None is the empty payload that removes the topic."""
        if value is None:
            return b""
        if not isinstance(value, dict) or not is_time(str(value.get("at"))):
            refuse(self.label, "needs `at`, a time like 2026-11-21T21:14:03Z")
        cleaned = {"at": value["at"]}
        for name, each in value.items():
            if name == "at":
                continue
            codec = self._find(name)
            if codec is None:
                refuse(self.label, f"knows no {shown(name)}")
            cleaned[name] = None if each is None else codec.check(each)
        return to_json(self.label, cleaned)

    def decode(self, payload: bytes) -> dict[str, Any] | None:
        """To a dict of declared names."""
        if not payload:
            return None
        values: dict[str, Any] = {}
        for name, each in _object(self.label, payload).items():
            if name == "at":
                if each is not None and not (isinstance(each, str) and is_time(each)):
                    refuse(self.label, f"at {shown(each)} is not a time like 2026-11-21T21:14:03Z")
                values["at"] = each
                continue
            codec = self._find(name)
            if codec is not None:
                values[name] = None if each is None else codec.take(each)
        return values


class RequestCodec:
    """The request fields of one consumer as one JSON object; null resets a field.

    Names in any case; an unknown one is refused, for it is most likely misspelled.
    """

    def __init__(self, find: Find) -> None:
        self.label = "Requests"
        self._find = find

    def _codec(self, name: str) -> PlainCodec:
        codec = self._find(name)
        if codec is None:
            refuse(self.label, f"knows no field {shown(name)}")
        return codec

    def encode(self, value: Any) -> bytes:
        """From a dict of fields; None is the empty payload that removes the request."""
        if value is None:
            return b""
        if not isinstance(value, dict):
            refuse(self.label, f"{shown(value)} is not an object")
        cleaned = {}
        for name, each in value.items():
            codec = self._codec(name)
            cleaned[codec.label] = None if each is None else codec.check(each)
        return to_json(self.label, cleaned)

    def decode(self, payload: bytes) -> dict[str, Any] | None:
        """To a dict with the names as declared."""
        if not payload:
            return None
        values = {}
        for name, each in _object(self.label, payload).items():
            codec = self._codec(name)
            values[codec.label] = None if each is None else codec.take(each)
        return values


class CommandCodec:
    """What goes to `…/Set` of a control: a plain value, a JSON object, or nothing (give back)."""

    def __init__(self, control: Control, plain: PlainCodec, limits: Limits) -> None:
        self.label = control.name
        self._lease = control.lease
        self._longest = limits.lease_max
        self._plain = plain

    def encode(self, value: Any) -> bytes:
        """From a plain value, None (give back) or a Command."""
        if not isinstance(value, Command):
            return b"" if value is None else self._plain.encode(value)
        self._check(value.ttl, value.id, value.by)
        kept = None if value.value is None else self._plain.check(value.value)
        # Written out even where it is null: that is what gives back.
        return to_json(self.label, {"value": kept, **_others(value)})

    def decode(self, payload: bytes) -> Command:
        """To a Command, always; `value` None gives back."""
        if not payload:
            return Command(value=None)
        text = text_of(self.label, payload, PLAIN_BYTES).strip()
        if not text.startswith("{"):
            return Command(value=self._plain.read(text))
        found = _object(self.label, payload)
        unknown = set(found) - {"value", "ttl", "id", "by"}
        if unknown:
            refuse(self.label, f"knows no {shown(min(unknown))}: it takes value, ttl, id, by")
        if "value" not in found:
            refuse(self.label, "has no value")
        ttl, by = found.get("ttl"), found.get("by")
        mark: Any = found.get("id")
        if isinstance(mark, int) and not isinstance(mark, bool):
            mark = shown(mark)  # a counter is a natural id; it comes back as text
        self._check(ttl, mark, "manual" if by is None else by)
        value = found["value"]
        return Command(
            value=None if value is None else self._plain.take(value),
            ttl=ttl,
            id=mark,
            by="manual" if by is None else by,
        )

    def _check(self, ttl: Any, mark: Any, by: Any) -> None:
        if ttl is not None:
            if not self._lease:
                refuse(self.label, "takes no ttl: it keeps its value")
            plain = isinstance(ttl, (int, float)) and not isinstance(ttl, bool)
            if not plain or not 0 < ttl <= self._longest:
                least = f"must be more than 0 and at most {self._longest} s"
                refuse(self.label, f"ttl {shown(ttl)} {least}")
        if mark is not None and not (isinstance(mark, str) and _COMMAND_ID.match(mark)):
            refuse(self.label, f"id {shown(mark)} is not text of at most 64 plain characters")
        if not (isinstance(by, str) and _ID.match(by)):
            refuse(self.label, f"by {shown(by)} is not the id of an actor")


def _others(command: Command) -> dict[str, Any]:
    parts = msgspec.to_builtins(command)
    return {name: parts[name] for name in ("ttl", "id", "by") if name in parts}
