"""The tables of SunSpec's models, laid where a device has them. Pure but for reading the tables."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from actors.devices.sunspec.chain import COMMON
from bridge.registers import load_map
from bridge.registers.codec import decode, scale_power
from bridge.registers.quantities import Formula

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from actors.devices.sunspec.chain import Place
    from bridge.registers import Register, RegisterMap
    from bridge.registers.model import Value

FOLDER: Final = Path(__file__).parent / "registers"
INVERTERS: Final = frozenset({101, 102, 103, 111, 112, 113})
METERS: Final = frozenset({201, 202, 203, 204, 211, 212, 213, 214})
NAMEPLATE, SETTINGS, CONTROLS, STORAGE, MPPT = 120, 121, 123, 124, 160
DER, DER_CAPACITY, DER_CONTROLS, DER_STORAGE, DER_PORTS = 701, 702, 704, 713, 714
BATTERY: Final = 802
READ_ONCE: Final = frozenset(
    {COMMON, NAMEPLATE, SETTINGS, CONTROLS, STORAGE, MPPT}
    | {DER_CAPACITY, DER_CONTROLS, DER_STORAGE, DER_PORTS, BATTERY}
)
"""Models whose content says what a device can do, so that it is looked at before anything else."""
_MOST_STRINGS: Final = 24


@dataclass(frozen=True, slots=True)
class Repeat:
    """A model with repeated blocks: words before the first, words of one, how rows are called."""

    header: int
    stride: int
    prefix: str
    count: str


REPEATS: Final = {
    MPPT: Repeat(10, 20, "m160_module_", "m160_N"),
    DER_PORTS: Repeat(20, 25, "m714_port_", "m714_NPrt"),
}


@dataclass(frozen=True)
class Model:
    """One model of a chain: its table at its place, and what its rows held when it was read."""

    place: Place
    table: RegisterMap
    values: Mapping[str, Value | None] = field(default_factory=dict)

    @property
    def id(self) -> int:
        """The model's number."""
        return self.place.model

    def number(self, point: str) -> float | None:
        """What a point held, as a number; None when it is unknown or not there."""
        value = self.values.get(f"m{self.id}_{point}")
        return value if isinstance(value, (int, float)) else None

    def text(self, point: str) -> str | None:
        """What a point held, as a text or a word of its enum."""
        value = self.values.get(f"m{self.id}_{point}")
        return value if isinstance(value, str) else None

    def has(self, point: str) -> bool:
        """True when the point is there and holds something: the device implements it."""
        return self.values.get(f"m{self.id}_{point}") is not None

    @property
    def blocks(self) -> range:
        """The numbers, from 1, of the repeated blocks that it uses."""
        repeat = REPEATS[self.id]
        room = (self.place.words - repeat.header) // repeat.stride
        told = self.values.get(repeat.count)
        used = min(room, int(told)) if isinstance(told, (int, float)) and told > 0 else room
        return range(1, used + 1)


def known(model: int) -> bool:
    """True when there is a table for this model."""
    return (FOLDER / f"{model}.yaml").is_file()


def model_at(place: Place, words: Sequence[int] | None = None, *, unit: int | None = None) -> Model:
    """The model at a place; with its words, also what they say. It must be `known`.

    unit: the Modbus unit id, where it is not the actor's own.
    """
    table = _laid(place)
    if unit is not None:
        table = table.on(unit)
    if words is None:
        return Model(place, table)
    image = dict(enumerate(words, place.address))
    powers = {
        row.scale_factor: scale_power(image, table[row.scale_factor])
        for row in table.registers
        if row.scale_factor is not None
    }
    values = {
        row.name: decode(row, image, powers.get(row.scale_factor or "", 0))
        for row in table.registers
    }
    return Model(place, table, values)


def _laid(place: Place) -> RegisterMap:
    table = load_map(FOLDER / f"{place.model}.yaml")
    repeat = REPEATS.get(place.model)
    rows: Iterable[Register] = table.registers if repeat is None else _repeated(table, place)
    fitting = [row for row in rows if max(row.places) < place.words]
    names = {row.name for row in fitting}
    # An older or shorter model lacks its last points, and with them what they scale.
    fitting = [row for row in fitting if row.scale_factor is None or row.scale_factor in names]
    part = f"model at {place.address}"
    laid = replace(
        table,
        registers=tuple(replace(row, part=part) for row in fitting),
        quantities=_possible(table.quantities, {row.name for row in fitting}),
    )
    return laid.moved(place.address)


def _possible(formulas: Mapping[str, str], rows: set[str]) -> dict[str, str]:
    own = [name for text in formulas.values() for name in Formula(text).names if "_" in name]
    missing = set(own) - rows
    return {name: text for name, text in formulas.items() if not missing & set(Formula(text).names)}


def _repeated(table: RegisterMap, place: Place) -> Iterable[Register]:
    repeat = REPEATS[place.model]
    for row in table.registers:
        if not row.name.startswith(repeat.prefix):
            yield row
            continue
        for index in range((place.words - repeat.header) // repeat.stride):
            yield _numbered(row, repeat, index)


def _numbered(row: Register, repeat: Repeat, index: int) -> Register:
    point = row.name.removeprefix(repeat.prefix)
    model = repeat.prefix.partition("_")[0]
    return replace(
        row,
        name=f"{model}_{index + 1}_{point}",
        places=tuple(each + repeat.stride * index for each in row.places),
        # Which input is a string of panels is decided later.
        quantity=None,
    )


def as_string(table: RegisterMap, model: int, block: int, number: int) -> RegisterMap:
    """The table with block `block` of a repeating model as the PV string `number`."""
    if number > _MOST_STRINGS:
        return table
    points = {"DCW": "Power", "DCV": "Voltage", "DCA": "Current"}
    wanted = {
        f"m{model}_{block}_{point}": f"PvString{number}{what}" for point, what in points.items()
    }
    return changed(table, {name: {"quantity": quantity} for name, quantity in wanted.items()})


def changed(table: RegisterMap, changes: Mapping[str, Mapping[str, object]]) -> RegisterMap:
    """The table with fields of some rows replaced: row -> field -> value."""
    return replace(
        table,
        registers=tuple(
            replace(row, **changes[row.name]) if row.name in changes else row  # type: ignore[arg-type]
            for row in table.registers
        ),
    )
