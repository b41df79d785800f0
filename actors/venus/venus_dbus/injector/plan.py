"""The plan: which services to show, as it comes in `Venus/{venus}/Services`. Pure."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, NoReturn

SORTS = {
    "temperature": "temperature",
    "grid": "grid",
    "pvinverter": "pvinverter",
    "evcharger": "evcharger",
    "battery": "battery",
    "consumer": "acload",
    "reservation": "acload",
}
"""What can be shown, and its class on the D-Bus unless the plan says otherwise."""
SILENCE = {
    "temperature": 600.0,
    "grid": 15.0,
    "pvinverter": 60.0,
    "evcharger": 60.0,
    "battery": 60.0,
    "consumer": 30.0,
    "reservation": 30.0,
}
"""S without news after which the values of a sort are unknown, unless the plan says otherwise."""
INSTANCES = {
    "temperature": 100,
    "grid": 30,
    "pvinverter": 40,
    "evcharger": 50,
    "battery": 1000,
    "acload": 60,
}
"""Where the search for a free instance begins, for each class."""
LEAST_BATTERY = 1000
"""A battery of ours never has a lower instance: the lowest is what Venus OS prefers."""
DROP = 600.0
_MOST = 200
_ID = re.compile(r"[A-Za-z0-9_-]{1,32}\Z")
_LONGEST_NAME = 64


class PlanError(Exception):
    """The plan cannot be used; one plain sentence."""


@dataclass(frozen=True)
class Entry:
    """One service. silence, drop: s; position, type: Victron's numbers; currents: A per phase."""

    what: str
    id: str
    device: str
    kind: str
    name: str | None
    instance: int
    silence: float
    drop: float
    quantity: str = "Temperature"
    type: int = 2
    phase: int = 1
    position: int | None = None
    max_power: float | None = None
    min_current: float = 6.0
    max_current: float = 16.0
    consumer: str | None = None
    time_to_go: str | None = None

    @property
    def key(self) -> str:
        """Tells it from all others: `temperature/garage`."""
        return f"{self.what}/{self.id}"

    @property
    def display(self) -> bool:
        """A battery that only shows something and must never serve the system as its monitor."""
        return self.kind == "battery"

    def unique(self, base: str) -> str:
        """The last part of its bus name and its id in the settings of the GX."""
        prefix = "heliograph" if base == "heliograph" else f"heliograph_{_legal(base)}"
        return f"{prefix}_{self.what}_{_legal(self.id)}"


def _legal(word: str) -> str:
    # Object paths take letters, digits and '_' only.
    return re.sub(r"[^A-Za-z0-9_]", lambda found: f"_{ord(found[0]):02x}", word)


def read_plan(payload: bytes) -> tuple[Entry, ...]:
    """All services of a plan; an empty payload has none. Raises PlanError."""
    if not payload:
        return ()
    try:
        found = json.loads(payload, parse_constant=_no_number)
    except (ValueError, RecursionError):
        _refuse("the list of services is not JSON that can be read")
    if not isinstance(found, dict) or not isinstance(found.get("services"), list):
        _refuse("the list of services has no 'services'")
    if len(found["services"]) > _MOST:
        _refuse(f"at most {_MOST} services can be shown")
    drop = _number(found, "drop", 1, 86400, DROP)
    entries: dict[str, Entry] = {}
    for each in found["services"]:
        entry = _entry(each, drop)
        if entry.key in entries:
            _refuse(f"{entry.key} is listed twice")
        entries[entry.key] = entry
    return tuple(entries.values())


def _entry(found: Any, drop: float) -> Entry:
    if not isinstance(found, dict):
        _refuse("a service is not an object")
    what = found.get("what")
    if what not in SORTS:
        _refuse(f"{str(what)[:40]!r} is not a sort of service that can be shown")
    name = _word(found, "id", what)
    assert name is not None  # noqa: S101 - for the type checker: `id` is required
    kind = SORTS[what]
    if found.get("class") is not None:
        kind = _class(what, found["class"])
    least = LEAST_BATTERY if kind == "battery" else 0
    return Entry(
        what=what,
        id=name,
        device=_word(found, "device", what, name) or name,
        kind=kind,
        name=_name(found),
        instance=max(least, int(_number(found, "instance", 0, 65535, INSTANCES[kind]))),
        silence=_number(found, "silence", 1, 86400, SILENCE[what]),
        drop=drop,
        quantity=_word(found, "quantity", what, "Temperature") or "Temperature",
        type=int(_number(found, "type", 0, 6, 2)),
        phase=int(_number(found, "phase", 0, 3, 1)),
        position=_whole(found, "position", 0, 2),
        max_power=None
        if found.get("max_power") is None
        else _number(found, "max_power", 0, 1_000_000, 0),
        min_current=_number(found, "min_current", 0, 80, 6),
        max_current=_number(found, "max_current", 0, 80, 16),
        consumer=_word(found, "consumer", what, None),
        time_to_go=_word(found, "time_to_go", what, None),
    )


def _class(what: str, kind: Any) -> str:
    if what in {"consumer", "reservation"} and kind in {"acload", "battery"}:
        return str(kind)
    if kind == SORTS[what]:
        return str(kind)
    return _refuse(f"a {what} cannot be shown as {str(kind)[:40]!r}")


def _word(found: Any, key: str, what: str, default: str | None = "") -> str | None:
    value = found.get(key)
    if value is None and default != "":
        return default
    if not isinstance(value, str) or not _ID.match(value):
        _refuse(f"'{key}' of a {what} is not an id of 1 to 32 letters, digits, '_' or '-'")
    return value


def _name(found: Any) -> str | None:
    value = found.get("name")
    if value is None:
        return None
    if not isinstance(value, str) or not value.strip():
        _refuse("'name' is not a text")
    return value.strip()[:_LONGEST_NAME]


def _number(found: Any, key: str, least: float, most: float, default: float) -> float:
    value = found.get(key)
    if value is None:
        return default
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not least <= value <= most:
        _refuse(f"'{key}' is not a number from {least:g} to {most:g}")
    return value


def _whole(found: Any, key: str, least: int, most: int) -> int | None:
    return None if found.get(key) is None else int(_number(found, key, least, most, 0))


def _no_number(word: str) -> NoReturn:
    raise ValueError(word)


def _refuse(sentence: str) -> NoReturn:
    raise PlanError(sentence)
