"""A simulated GX: several units, strict gaps, ESS modes 1 to 3 with their watchdog.

It serves the tables of `registers/` from a house: sun on the DC and the AC side, loads on the
output and the input of the inverter/charger, a battery, a grid meter and an EV charger.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from bridge.modbus.wire import GATEWAY_PATH, ILLEGAL_ADDRESS
from bridge.registers import find_map
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import FAULTS as COMMON
from bridge.simulators.device import RegisterSimulator

from actors.devices.victron_modbus.simulated import House, settings_of, shown, twin_of

if TYPE_CHECKING:
    from collections.abc import Mapping

FOLDER: Final = Path(__file__).parent
OWN_FAULTS: Final = {
    "read_only": "refuses every write: writing is switched off on the GX",
    "meter_gone": "has lost its grid meter",
    "battery_gone": "has lost its battery: everything of it reads 0",
}
FAULTS: Final = {**COMMON, **OWN_FAULTS}
UNITS: Final = {
    100: "system",
    228: "vebus",
    225: "battery",
    30: "grid",
    238: "solarcharger",
    20: "pvinverter",
    40: "evcharger",
}
# What firmware before the 32-bit registers does not have.
_NEW: Final = (*range(868, 920), *range(2713, 2715), *range(2716, 2726), *range(96, 102), 130, 131)


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
        self.own_fault: str | None = None
        self.house: House | None = None
        super().__init__(host, port, **more)

    def units(self) -> Mapping[int, Unit]:
        """The services by unit id; a GX knows four functions and nothing between its registers."""
        found = {}
        for number, name in UNITS.items():
            if name in self.without:
                continue
            unit = found[number] = Unit(find_map(FOLDER, name))
            unit.functions = {3, 4, 6, 16}
            if self.old:
                for address in _NEW:
                    unit.words.pop(address, None)
        return found

    @property
    def fault(self) -> str | None:
        """The fault that is switched on."""
        return self.own_fault or self._fault

    @fault.setter
    def fault(self, name: str | None) -> None:
        self.own_fault = name if name in OWN_FAULTS else None
        RegisterSimulator.fault.fset(self, None if self.own_fault else name)  # type: ignore[attr-defined]
        self.show()

    def elapse(self, seconds: float) -> None:
        """The watchdog of mode 3 and the EV charger's session."""
        self._home().elapse(seconds)

    def show(self) -> None:
        """Every register from the house; a twin shows what its sibling was given."""
        self.bank.missing = GATEWAY_PATH
        house = self._home()
        house.battery_there = self.own_fault != "battery_gone"
        gone = "grid" if self.own_fault == "meter_gone" else None
        for number, name in UNITS.items():
            unit = self.bank.units.get(number) or self._hidden.get(number)
            if unit is None:
                continue
            unit.put({k: v for k, v in shown(name, house).items() if self._there(unit, k)})
            if name == gone:
                self._hidden[number] = self.bank.units.pop(number, unit)
            elif number in self._hidden:
                self.bank.units[number] = self._hidden.pop(number)

    def obey(self, unit: int, address: int, words: list[int]) -> None:
        """Follow a write; with writing switched off on the GX nothing is taken."""
        if self.own_fault == "read_only":
            raise Refuse(ILLEGAL_ADDRESS)
        service = self.bank.units[unit]
        for row in service.table.registers:
            if set(row.places) & set(range(address, address + len(words))):
                self._home().told(twin_of(row.name), service[row.name], service.raw(row.name))

    def _there(self, unit: Unit, name: str) -> bool:
        return all(place in unit.words for place in unit.table[name].places)

    def _home(self) -> House:
        if self.house is None:
            self._hidden: dict[int, Unit] = {}
            self.house = House(self.plant, self.phases, settings_of(self.bank.units[100].table))
        return self.house


__all__ = ["FAULTS", "Simulator"]
