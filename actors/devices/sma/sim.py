"""A simulated Sunny Island, Sunny Boy Storage or Sunny Tripower on loopback.

As the real ones: what a model lacks reads as "not a number", what is only written refuses to be
read, a value is written whole or not at all, another unit id answers with exception 4, and a PV
inverter has no values at night.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from bridge.modbus.wire import DEVICE_FAILURE, ILLEGAL_VALUE
from bridge.registers import find_map
from bridge.registers.model import Register, RegisterMap
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import FAULTS as REGISTER_FAULTS
from bridge.simulators.device import RegisterSimulator
from bridge.simulators.plant import Plant

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.registers.model import Value

FAULTS: Final = {
    **REGISTER_FAULTS,
    "unfollowed": "takes setpoints, and the battery does something else",
}
MODELS: Final = {"sunny_island": 9334, "sbs": 9358, "stp": 9348}
_CLASSES: Final = {"sunny_island": 8007, "sbs": 8007, "stp": 8001}
_NOTHING: Final = 0x00FF_FFFD
_WINDOW: Final = 60.0
_VOLTS, _HERTZ, _DC_VOLTS = 230.4, 49.98, 612.5
_SERIAL, _SUSY, _PACKAGE = 3_012_345_678, 346, 0x0210_4104
_LIMITS: Final = (
    *("battery_min_charge_power", "battery_max_charge_power_set"),
    *("battery_min_discharge_power", "battery_max_discharge_power_set"),
    "grid_exchange_setpoint",
)


@cache
def _table(name: str) -> RegisterMap:
    return find_map(Path(__file__).parent, name)


def _units_table() -> RegisterMap:
    rows = [("serial", 42109, "u32", 2), ("susy_id", 42111, "u16", 1), ("unit_id", 42112, "u16", 1)]
    registers = tuple(
        Register(name=name, places=tuple(range(address, address + words)), type=kind)
        for name, address, kind, words in rows
    )
    return RegisterMap(name="units", device="SMA unit ids", registers=registers)


@dataclass(slots=True)
class _Command:
    """What was written last and how long ago: 40149 to 40153, and each row of the BMS command."""

    active: bool = False
    setpoint: float = 0.0
    age: float = 0.0
    bms: dict[str, float] = field(default_factory=dict)

    def pass_time(self, seconds: float) -> None:
        """Everything gets older."""
        self.age += seconds
        self.bms = {name: age + seconds for name, age in self.bms.items()}

    def bms_holds(self) -> bool:
        """True while every row of the BMS command was written within the last minute."""
        rows = (*_LIMITS, "bms_operating_mode")
        return all(self.bms.get(name, _WINDOW) < _WINDOW for name in rows)


class Simulator(RegisterSimulator):
    """`async with Simulator() as sim:` serves one inverter on `sim.port`.

    map: sunny_island, sbs or stp; unit: its unit id; device_class, device_type: codes, None for "no
    information"; fallback: seconds after which a setpoint that is not repeated ends (None: it is
    kept for ever); fallback_power: W, + discharge, that holds then (None: its own control).
    """

    faults = FAULTS
    inverter: Unit

    def __init__(
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        map: str = "sunny_island",  # noqa: A002 - as the setting
        unit: int = 3,
        device_class: int | Literal["usual"] | None = "usual",
        device_type: int | Literal["usual"] | None = "usual",
        fallback: float | None = None,
        fallback_power: float | None = None,
        **more: Any,
    ) -> None:
        self.map, self.unit = map, unit
        self.device_class = _CLASSES[map] if device_class == "usual" else device_class
        self.device_type = MODELS[map] if device_type == "usual" else device_type
        self.fallback, self.fallback_power = fallback, fallback_power
        self.command = _Command()
        plant = more.pop("plant", None) or Plant(has_battery=map != "stp")
        self._most = (plant.max_charge, plant.max_discharge)
        super().__init__(host, port, plant=plant, **more)
        self.bank.missing = DEVICE_FAILURE

    def settings(self) -> dict[str, Any]:
        """What points a configuration at it, beyond host and port."""
        found = {"transport": self.transport, "map": self.map}
        return found if self.unit == _table(self.map).unit else found | {"unit": self.unit}

    # ---------------------------------------------------------------- what is served

    def units(self) -> Mapping[int, Unit]:
        """The inverter on its own unit id, and the table of unit ids on 1."""
        main, ids = Unit(_table(self.map)), Unit(_units_table())
        main.fill(range(30001, 31601), 0xFFFF)
        main.fill(range(40187, 40193), 0xFFFF)
        ids.put({"serial": _SERIAL, "susy_id": _SUSY, "unit_id": self.unit})
        self.inverter = main
        return {self.unit: main, 1: ids}

    # ---------------------------------------------------------------- commands

    def obey(self, unit: int, address: int, words: list[int]) -> None:
        """Follow a write. A row that was written in part is refused."""
        span = set(range(address, address + len(words)))
        rows = [row for row in self.inverter.table.registers if span & set(row.places)]
        if unit != self.unit or not all(set(row.places) <= span for row in rows):
            raise Refuse(ILLEGAL_VALUE)
        for row in rows:
            self._take(row.name)
        self._steer()

    def _take(self, name: str) -> None:
        value = self.inverter[name]
        if name == "active_power_setpoint" and isinstance(value, (int, float)):
            self.command.setpoint, self.command.age = value, 0.0
        elif name == "power_control_via_comm":
            if value is None:
                raise Refuse(ILLEGAL_VALUE)
            self.command.active, self.command.age = value == "active", 0.0
        elif name == "bms_operating_mode" or name in _LIMITS:
            if value is None:
                raise Refuse(ILLEGAL_VALUE)
            self.command.bms[name] = 0.0

    def elapse(self, seconds: float) -> None:
        """Watchdogs: a setpoint falls back if it is told to, the BMS command lapses always."""
        self.command.pass_time(seconds)
        self._steer()

    def _steer(self) -> None:
        plant, command = self.plant, self.command
        plant.max_charge, plant.max_discharge = self._most
        plant.setpoint = None
        if self.fault == "unfollowed":
            return
        if command.bms_holds():
            self._steer_bms()
        if command.active:
            late = self.fallback is not None and command.age > self.fallback
            plant.setpoint = self.fallback_power if late else command.setpoint

    def _steer_bms(self) -> None:
        plant, unit = self.plant, self.inverter
        least_in, most_in, least_out, most_out, _ = (float(unit[name] or 0) for name in _LIMITS)
        plant.max_charge = min(plant.max_charge, most_in)
        plant.max_discharge = min(plant.max_discharge, most_out)
        mode = unit["bms_operating_mode"]
        if mode == "charge":
            plant.setpoint = -least_in
        elif mode == "discharge":
            plant.setpoint = least_out

    # ---------------------------------------------------------------- what it shows

    def show(self) -> None:
        """Put the plant into the registers."""
        if self.inverter.stuck:
            return
        plant = self.plant
        values: dict[str, Value | None] = {
            "serial_number": _SERIAL,
            "software_package": _PACKAGE,
            "condition": "ok",
            "max_active_power": max(self._most) if plant.has_battery else 10_000.0,
            "grid_import_energy": plant.import_energy * 1000,
            "grid_export_energy": plant.export_energy * 1000,
            "grid_import_power": round(max(plant.grid, 0.0)),
            "grid_export_power": round(max(-plant.grid, 0.0)),
            "grid_frequency": _HERTZ,
            "internal_temperature": 38.5,
        }
        power = plant.sun if self.map == "stp" else plant.battery
        values |= _phases(power, three=self.map == "stp")
        values |= self._pv() if self.map == "stp" else self._battery()
        if self.map == "sunny_island":
            values |= {"load_power": round(plant.load), "pv_power": round(plant.sun)}
        for name, value in values.items():
            if name in self.inverter.table:
                self.inverter[name] = value
        self._codes("device_class", self.device_class)
        self._codes("device_type", self.device_type)

    def _codes(self, name: str, code: int | None) -> None:
        raw = _NOTHING if code is None else code
        places = self.inverter.table[name].places
        self.inverter.words.update(zip(places, (raw >> 16, raw & 0xFFFF), strict=True))

    def _battery(self) -> dict[str, Value | None]:
        plant, power = self.plant, round(self.plant.battery)
        state = "discharge" if power > 0 else "charge" if power < 0 else "standby"
        charged, discharged = plant.charge_energy * 1000, plant.discharge_energy * 1000
        return {
            "active_power": power,
            "battery_soc": round(plant.soc),
            "battery_temperature": 21.5,
            "battery_temp_min": 21.0,
            "battery_temp_max": 22.0,
            "battery_voltage": 51.2,
            "battery_current": round(power / 51.2, 3),
            "battery_operating_status": state,
            "battery_status": "ok",
            "battery_charge_power": max(-power, 0),
            "battery_discharge_power": max(power, 0),
            "battery_nominal_capacity": plant.capacity,
            "battery_max_charge_power": self._most[0],
            "battery_max_discharge_power": self._most[1],
            "battery_charge_energy": charged,
            "battery_discharge_energy": discharged,
            "battery_energy_absorbed": charged,
            "battery_energy_released": discharged,
        }

    def _pv(self) -> dict[str, Value | None]:
        """Two strings, the third input unused; at night there is no voltage and no value."""
        plant, night = self.plant, self.plant.sun <= 0
        first, second = round(plant.sun * 0.6), round(plant.sun) - round(plant.sun * 0.6)
        total = round(plant.pv_energy * 1000)
        found: dict[str, Value | None] = {
            "active_power": round(plant.sun),
            "total_yield": total,
            "total_yield_32": total,
            "dc1_power": first,
            "dc1_voltage": _DC_VOLTS,
            "dc1_current": round(first / _DC_VOLTS, 3),
            "dc2_power": second,
            "dc2_voltage": _DC_VOLTS,
            "dc2_current": round(second / _DC_VOLTS, 3),
            "dc3_power": None,
        }
        if not night:
            return found
        dark = dict.fromkeys(found) | dict.fromkeys(_phases(0.0, three=True))
        return dark | dict.fromkeys(("condition", "grid_frequency", "internal_temperature"))


def _phases(power: float, *, three: bool) -> dict[str, Value | None]:
    found: dict[str, Value | None] = {}
    for phase in (1, 2, 3):
        there = three or phase == 1
        share = power / 3 if three else power
        found[f"active_power_l{phase}"] = round(share) if there else None
        found[f"grid_voltage_l{phase}"] = _VOLTS if there else None
        found[f"grid_current_l{phase}"] = round(share / _VOLTS, 3) if there else None
    return found
