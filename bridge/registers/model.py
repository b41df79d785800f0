"""The tables of a device as Python objects: registers, and maps of them that can be composed."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import TYPE_CHECKING, Final, Literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping

    from bridge.registers.controls import ControlTable

Value = float | str
Poll = Literal["fast", "slow", "once", "demand"]
Access = Literal["R", "RW", "W"]
Status = Literal["confirmed", "single-primary", "unconfirmed", "disputed"]

HOLDING: Final = 3
INPUT: Final = 4

# type -> (words, signed); None where the row says how many words.
TYPES: Final[dict[str, tuple[int | None, bool]]] = {
    "u16": (1, False),
    "s16": (1, True),
    "u32": (2, False),
    "s32": (2, True),
    "u64": (4, False),
    "s64": (4, True),
    "f32": (2, True),
    "f64": (4, True),
    "hhmm": (1, False),
    "datetime": (3, False),
    "bits": (1, False),
    "string": (None, False),
    "raw": (None, False),
}
NUMBERS: Final = frozenset({"u16", "s16", "u32", "s32", "u64", "s64", "f32", "f64"})
TRUSTED: Final = frozenset({"confirmed", "single-primary"})
_NAME = re.compile(r"[A-Za-z_]\w*")


@dataclass(frozen=True, slots=True)
class Limits:
    """words: the longest read; gap: unused words that one read may carry; write: longest write."""

    words: int = 125
    gap: int = 8
    write: int = 123


@dataclass(frozen=True, slots=True)
class Pacing:
    """Seconds that a device wants between two requests, and after a connection before the first."""

    between: float = 0.0
    after_connect: float = 0.0

    def strictest(self, other: Pacing) -> Pacing:
        """What satisfies both."""
        return Pacing(
            max(self.between, other.between), max(self.after_connect, other.after_connect)
        )


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Register:
    """One row. `places` are the addresses of its words, the most significant word first.

    Its value is raw * scale + offset in `unit`, or a word, a text, or None for "no value".
    `station` is the Modbus unit id (None: the device's), `function` the one that reads it. Rows of
    the same `part` are read in one request where one can hold them all: they fit together.
    """

    name: str
    places: tuple[int, ...]
    type: str
    signed: bool = False
    station: int | None = None
    function: int = HOLDING
    scale: float = 1.0
    offset: float = 0.0
    unit: str = ""
    scale_factor: str | None = None
    invalid: frozenset[int] = frozenset()
    valid: tuple[float, float] | None = None
    absolute: bool = False
    short: bool = False
    mask: int | None = None
    enum: Mapping[int, str] = field(default_factory=dict)
    spans: tuple[tuple[int, int, str], ...] = ()
    bits: Mapping[int, str] = field(default_factory=dict)
    access: Access = "R"
    range: tuple[float, float] | None = None
    persistent: bool = False
    poll: Poll = "demand"
    quantity: str | None = None
    factor: float = 1.0
    meaning: Mapping[str, str] | None = None
    info: str | None = None
    source: tuple[str, ...] = ()
    status: Status = "confirmed"
    note: str = ""
    part: str | None = None

    @property
    def address(self) -> int:
        """The lowest address it occupies."""
        return min(self.places)

    @property
    def adjacent(self) -> bool:
        """True when its words lie side by side and must be read in one request."""
        return max(self.places) - min(self.places) + 1 == len(self.places)

    @property
    def trusted(self) -> bool:
        """True when a source confirms it: only then it is read unasked, and ever written."""
        return self.status in TRUSTED

    @property
    def words(self) -> int:
        """How many words it has."""
        return len(self.places)


@dataclass(frozen=True)
class RegisterMap:
    """All registers of one device, its formulas and its controls.

    `quantities`: name -> formula text, in the order in which they are computed. `write` is the
    function that writes: `auto` takes 6 for one word and 16 for more.
    """

    name: str
    device: str
    registers: tuple[Register, ...]
    quantities: Mapping[str, str] = field(default_factory=dict)
    controls: Mapping[str, ControlTable] = field(default_factory=dict)
    limits: Limits = Limits()
    pacing: Pacing = Pacing()
    unit: int = 1
    write: Literal["auto", "single", "multiple"] = "auto"
    manufacturer: str | None = None

    @cached_property
    def by_name(self) -> Mapping[str, Register]:
        """Its rows by name."""
        return {each.name: each for each in self.registers}

    def __getitem__(self, name: str) -> Register:
        return self.by_name[name]

    def __contains__(self, name: object) -> bool:
        return name in self.by_name

    @property
    def produced(self) -> tuple[str, ...]:
        """The quantities it gives, from rows and formulas."""
        rows = [each.quantity for each in self.registers if each.quantity]
        return tuple(dict.fromkeys([*rows, *self.quantities]))

    def on(self, unit: int) -> RegisterMap:
        """The same map, with every row on this Modbus unit."""
        return self._each(lambda row: replace(row, station=unit))

    def moved(self, offset: int) -> RegisterMap:
        """The same map, `offset` words further on."""
        return self._each(
            lambda row: replace(row, places=tuple(each + offset for each in row.places))
        )

    def numbered(self, number: int) -> RegisterMap:
        """`PvString{n}Power` becomes `PvString3Power`, in rows and formulas."""

        def filled(text: str) -> str:
            return text.replace("{n}", str(number)).replace("{phase}", str(number))

        rows = self._each(
            lambda row: replace(row, quantity=filled(row.quantity) if row.quantity else None)
        )
        formulas = {filled(name): filled(text) for name, text in self.quantities.items()}
        return replace(rows, quantities=formulas)

    def named(self, prefix: str) -> RegisterMap:
        """The same map with `prefix` before every row's name, wherever it is mentioned."""
        own = set(self.by_name)

        def renamed(text: str) -> str:
            return _NAME.sub(lambda m: prefix + m[0] if m[0] in own else m[0], text)

        rows = self._each(
            lambda row: replace(
                row,
                name=prefix + row.name,
                scale_factor=prefix + row.scale_factor if row.scale_factor else None,
            )
        )
        return replace(
            rows,
            quantities={name: renamed(text) for name, text in self.quantities.items()},
            controls={name: each.renamed(renamed) for name, each in self.controls.items()},
        )

    def without(self, *names: str) -> RegisterMap:
        """The same map without these rows, quantities or controls."""
        gone = set(names)
        return replace(
            self,
            registers=tuple(
                replace(each, quantity=None) if each.quantity in gone else each
                for each in self.registers
                if each.name not in gone
            ),
            quantities={key: text for key, text in self.quantities.items() if key not in gone},
            controls={key: each for key, each in self.controls.items() if key not in gone},
        )

    @staticmethod
    def join(name: str, maps: Iterable[RegisterMap]) -> RegisterMap:
        """One map of several, with the strictest limits; names of rows must differ."""
        parts = list(maps)
        first = parts[0]
        pacing = first.pacing
        quantities: dict[str, str] = {}
        controls: dict[str, ControlTable] = {}
        for each in parts:
            pacing = pacing.strictest(each.pacing)
            quantities |= dict(each.quantities)
            controls |= dict(each.controls)
        limits = Limits(
            words=min(each.limits.words for each in parts),
            gap=min(each.limits.gap for each in parts),
            write=min(each.limits.write for each in parts),
        )
        rows = tuple(row for each in parts for row in each.registers)
        found = [row.name for row in rows]
        if twice := {row for row in found if found.count(row) > 1}:
            raise ValueError(f"{name}: rows with the same name: {', '.join(sorted(twice))}")
        return replace(
            first,
            name=name,
            registers=rows,
            quantities=quantities,
            controls=controls,
            limits=limits,
            pacing=pacing,
        )

    def _each(self, change: Callable[[Register], Register]) -> RegisterMap:
        return replace(self, registers=tuple(map(change, self.registers)))
