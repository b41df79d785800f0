"""The devices that the simulator can be: which models stand where, and what is special of them."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Final

import msgspec
import yaml

from actors.devices.sunspec.chain import END, HEADER, MARKER, Place
from actors.devices.sunspec.models import FOLDER, REPEATS, known, model_at
from bridge.registers import RegisterMap, load_map
from bridge.simulators.bank import Unit

_FILE: Final = Path(__file__).parent / "profiles.yaml"
_LENGTHS: Final = {
    **dict.fromkeys((101, 102, 103), 50),
    **dict.fromkeys((111, 112, 113), 60),
    **dict.fromkeys((201, 202, 203, 204), 105),
    **dict.fromkeys((211, 212, 213, 214), 124),
    **dict(zip((1, 120, 121, 122, 123, 124), (66, 26, 30, 44, 24, 24), strict=True)),
    **dict(zip((701, 702, 704, 713, 802), (153, 50, 65, 7, 62), strict=True)),
}
_PAD: Final = 0x8000
Fixed = dict[str, float | str]


class Slot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One model in a chain. label: before the names of its rows; blocks: of a repeating model.

    points: names of sets of fixed values; who: maker, model and serial number of model 1.
    """

    model: int
    label: str = ""
    length: int | None = None
    blocks: int = 0
    points: tuple[str, ...] = ()
    who: tuple[str, str, str] | None = None

    @property
    def words(self) -> int:
        """All words, header included."""
        if self.model in REPEATS:
            repeat = REPEATS[self.model]
            return repeat.header + repeat.stride * self.blocks
        return (self.length or _LENGTHS[self.model]) + HEADER

    @property
    def fixed(self) -> Fixed:
        """Values that stay as they are."""
        found: Fixed = {}
        for name in self.points:
            found |= _file().points[name]
        if self.who is not None:
            maker, model, serial = self.who
            found |= {"Mn": maker, "Md": model, "SN": serial, "Vr": "1.2.3", "DA": 1}
        return found


class Profile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A device. chains: Modbus unit id -> its models; clients: how many may be connected.

    meter_sign: what + means on its meters; wanders: its scale factors change between two reads;
    extras: it has SolarEdge's own registers; battery, panels: what is connected to it.
    """

    chains: dict[int, tuple[Slot, ...]]
    base: int = 40000
    clients: int | None = None
    meter_sign: str = "import"
    wanders: bool = False
    extras: bool = False
    battery: bool = True
    panels: bool = True


class _File(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    points: dict[str, Fixed]
    profiles: dict[str, Profile]


@cache
def _file() -> _File:
    return msgspec.convert(yaml.safe_load(_FILE.read_text(encoding="utf-8")), _File)


def profiles() -> dict[str, Profile]:
    """Every profile by name."""
    return _file().profiles


def unit_of(slots: tuple[Slot, ...], base: int, *, extras: bool = False) -> Unit:
    """A Modbus unit with the chain at `base`, every point at its fixed value or unknown."""
    parts: list[RegisterMap] = []
    places: list[tuple[Slot, Place]] = []
    address = base + len(MARKER)
    for slot in slots:
        place = Place(slot.model, address, slot.words - HEADER)
        places.append((slot, place))
        if known(slot.model):
            parts.append(model_at(place).table.named(slot.label))
        address += slot.words
    if extras:
        parts.append(load_map(FOLDER / "solaredge.yaml"))
    unit = Unit(RegisterMap.join("simulated", parts))
    if extras:
        unit.fill(range(0xE174, 0xE186), 0)
    # What lies between the points (pads, models without a table) is there, too.
    unit.fill(range(base, address), _PAD)
    for row in unit.table.registers:
        unit[row.name] = None
    unit.words.update({base: MARKER[0], base + 1: MARKER[1], address: END, address + 1: 0})
    for slot, place in places:
        unit.words.update({place.address: place.model, place.address + 1: place.length})
        fixed = {f"{slot.label}m{slot.model}_{point}": v for point, v in slot.fixed.items()}
        # The scale factors first: what they scale is put in with them.
        for name in sorted(fixed, key=lambda each: not each.endswith("_SF")):
            unit[name] = fixed[name]
    return unit


__all__ = ["Profile", "Slot", "profiles", "unit_of"]
