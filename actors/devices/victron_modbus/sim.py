"""A simulated GX: several units, strict gaps, a read-only switch, ESS modes 1 to 3.

It serves the tables of `registers/` on their unit ids from the house in simulated.py.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from actors.devices.victron_modbus.simulated import House, shown
from bridge.modbus.wire import (
    GATEWAY_PATH,
    ILLEGAL_ADDRESS,
    READ_HOLDING,
    READ_INPUT,
    WRITE_MULTIPLE,
    WRITE_SINGLE,
)
from bridge.registers import find_map
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import FAULTS as COMMON
from bridge.simulators.device import RegisterSimulator

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path(__file__).parent
OWN_FAULTS: Final = {
    "read_only": "refuses every write: writing is switched off on the GX",
    "meter_gone": "has lost its grid meter",
    "battery_gone": "has lost its battery: everything of it reads 0",
}
FAULTS: Final = {**COMMON, **OWN_FAULTS}
PORTAL: Final = "c0619ab00001"
"""What it tells as its serial number: the portal id, a hardware address."""
UNITS: Final = {
    100: "system",
    228: "vebus",
    225: "battery",
    30: "grid",
    238: "solarcharger",
    20: "pvinverter",
    40: "evcharger",
}
SERIALS: Final = {
    100: ("system_serial", "c0619ab12345"),
    30: ("grid_serial", "BX1234567890"),
    20: ("pvinverter_serial", "PV00042"),
    40: ("evcharger_serial", "HQ2246ABCDE"),
}
# What firmware from before the 32-bit registers does not have.
_NEW: Final = (*range(868, 920), *range(2713, 2726), *range(96, 102), 130, 131)


class Simulator(RegisterSimulator):
    """`async with Simulator() as sim:` serves a GX on `sim.port`; `sim.house` is behind it.

    phases: 1 or 3; old: firmware without the 32-bit registers; without: services that are missing.
    """

    faults = FAULTS

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        phases: int = 3,
        old: bool = False,
        without: tuple[str, ...] = (),
        **more: Any,
    ) -> None:
        self.phases, self.old, self.without = phases, old, without
        self._own_fault: str | None = None
        self._house: House | None = None
        self._away: dict[int, Unit] = {}
        super().__init__(host, port, **more)
        self.bank.missing = GATEWAY_PATH
        for number, (row, text) in SERIALS.items():
            if number in self.bank.units:
                self.bank.units[number][row] = text

    @property
    def house(self) -> House:
        """What the registers tell of."""
        if self._house is None:
            self._house = House(self.plant, self.phases)
        return self._house

    def units(self) -> Mapping[int, Unit]:
        """The services by unit id: four functions, and nothing between their registers."""
        found = {}
        for number, name in UNITS.items():
            if name in self.without:
                continue
            unit = found[number] = Unit(find_map(FOLDER, name))
            unit.functions = {READ_HOLDING, READ_INPUT, WRITE_SINGLE, WRITE_MULTIPLE}
            for address in _NEW if self.old else ():
                unit.words.pop(address, None)
                unit.writable.discard(address)
            if name == "system":
                unit["system_serial"] = PORTAL
        return found

    @property
    def fault(self) -> str | None:
        """The fault that is switched on."""
        return self._own_fault or self._fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        self._own_fault = name if name in OWN_FAULTS else None
        RegisterSimulator.fault.__set__(self, None if self._own_fault else name)  # type: ignore[attr-defined] # a property
        self.house.battery_there = name != "battery_gone"
        self.remove("grid") if name == "meter_gone" else self.bring_back()
        self.show()

    def remove(self, service: str) -> None:
        """Take a service off the GX: its unit id is refused from now on."""
        for number, name in UNITS.items():
            if name == service and number in self.bank.units:
                self._away[number] = self.bank.units.pop(number)

    def bring_back(self) -> None:
        """All services that were removed are there again."""
        self.bank.units.update(self._away)
        self._away.clear()

    def elapse(self, seconds: float) -> None:
        """The watchdog of mode 3, and what the car takes."""
        self.house.elapse(seconds)

    def show(self) -> None:
        """Every register from the house; a twin shows what its sibling was given."""
        self.house.regulate()
        for number, unit in self.bank.units.items():
            if unit.stuck:
                continue
            for name, value in shown(UNITS[number], self.house).items():
                row = unit.table[name]
                raw = round(value)
                for place in reversed(row.places):
                    if place in unit.words:
                        unit.words[place] = raw & 0xFFFF
                    raw >>= 16

    def obey(self, unit: int, address: int, words: list[int]) -> None:
        """Follow a write; where writing is switched off on the GX nothing is taken."""
        if self._own_fault == "read_only":
            raise Refuse(ILLEGAL_ADDRESS)
        service = self.bank.units[unit]
        written = set(range(address, address + len(words)))
        for row in service.table.registers:
            if written & set(row.places):
                raw, bits = service.raw(row.name), 16 * row.words
                self.house.told(
                    row.name, raw - (1 << bits) if row.signed and raw >> (bits - 1) else raw
                )


__all__ = ["FAULTS", "Simulator"]
