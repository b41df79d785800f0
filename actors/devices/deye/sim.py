"""A simulated Deye: both maps, over Modbus TCP or behind a Solarman stick, with its schedule."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Literal

from actors.devices.deye.house import House, Slots
from bridge.modbus.wire import ILLEGAL_VALUE
from bridge.registers import load_map
from bridge.simulators.bank import Refuse, Unit
from bridge.simulators.device import FAULTS as DEVICE_FAULTS
from bridge.simulators.device import RegisterSimulator
from bridge.simulators.solarman import FAULTS as STICK_FAULTS
from bridge.simulators.solarman import SERIAL, SolarmanStick

if TYPE_CHECKING:
    from collections.abc import Mapping

    from bridge.simulators.device import Front
    from bridge.simulators.plant import Plant

_MAPS: Final = Path(__file__).parent / "registers"
_TYPES: Final = {"sg04lp3": 5, "sg0xlp1": 3}
_RATED: Final = {"sg04lp3": 12_000.0, "sg0xlp1": 5_000.0}
# What may be read between the rows: useful blocks as other readers use them; beyond them, nothing.
_BLOCKS: Final = {
    "sg04lp3": ((0, 25), (60, 81), (98, 236), (500, 561), (586, 715)),
    "sg0xlp1": ((0, 340),),
}
# Without gaps only where evcc reads whole blocks.
_STRICT: Final = {"sg04lp3": ((516, 539), (588, 626), (667, 676)), "sg0xlp1": ()}
FAULTS: Final = DEVICE_FAULTS
OWNER: Final[dict[str, float | str]] = {
    "battery_max_charge_current": 120,
    "battery_max_discharge_current": 140,
    "battery_shutdown_soc": 10,
    "battery_restart_soc": 30,
    "battery_low_soc": 15,
    "grid_charge_current": 40,
    "grid_charge_enable": "off",
    "zero_export_power": 20,
    "energy_priority": "load_first",
    "work_mode": "export_first",
    "solar_sell": "on",
    "tou_enable": "off",
}
_STARTS: Final = ("00:00", "05:00", "09:00", "13:00", "17:00", "21:00")
_TARGETS: Final = (80, 30, 30, 60, 20, 40)
_FLAGS: Final = 0x24
"""Bits beyond the source in 172-177: the slot's mode and its sell flag, which nobody may touch."""


class Simulator(RegisterSimulator):
    """`async with Simulator() as sim:` serves one inverter on `sim.port`.

    transport: `modbus`, `rtu_over_tcp` or `solarman` (then `serial` is the stick's number and
    `discovery_port` where it answers broadcasts); map: `sg04lp3` or `sg0xlp1`; device_type: what
    register 0 says; old_firmware: high words of powers stay 0; strict: gaps are refused. `now` is
    the inverter's clock, `house` its decisions.
    """

    def __init__(  # noqa: PLR0913 - each is one thing to switch
        self,
        host: str = "127.0.0.1",
        port: int = 0,
        *,
        plant: Plant | None = None,
        transport: str = "modbus",
        speed: float = 1.0,
        map: Literal["sg04lp3", "sg0xlp1"] = "sg04lp3",  # noqa: A002 - as the setting
        serial: int = SERIAL,
        discovery_port: int | None = None,
        device_type: int | None = None,
        old_firmware: bool = False,
        strict: bool = False,
    ) -> None:
        self.table = load_map(_MAPS / f"{map}.yaml")
        self.serial, self._discovery_port = serial, discovery_port
        self.device_type = _TYPES[map] if device_type is None else device_type
        self.old_firmware, self.strict = old_firmware, strict
        self.now = datetime(2026, 6, 3, 12, 0)  # noqa: DTZ001 - the inverter's local time
        self.rated = _RATED[map]
        super().__init__(host, port, plant=plant, transport=transport, speed=speed)
        self.house = House(self.plant)
        self._begun = (self.now.date(), self._totals())
        if transport == "solarman":
            self.faults = STICK_FAULTS | {
                name: DEVICE_FAULTS[name] for name in ("stuck", "ignore_writes")
            }
        self._decide()
        self.show()

    def settings(self) -> dict[str, Any]:
        """What points a configuration at it, beyond host and port."""
        found = {"transport": self.transport, "map": self.table.name}
        return found | ({"serial": self.serial} if self.transport == "solarman" else {})

    # ---------------------------------------------------------------- what is served

    @property
    def rows(self) -> Unit:
        """The registers by name."""
        return self.bank.units[1]

    def units(self) -> Mapping[int, Unit]:
        """One unit with the rows of the map, the owner's settings and a schedule in them."""
        unit = Unit(self.table)
        name = self.table.name
        for first, end in (_STRICT if self.strict else _BLOCKS)[name]:
            unit.fill(range(first, end), 0)
        unit.words[0] = self.device_type
        unit.put({"rated_power": self.rated, "serial_number": "2302A12345", "inverter_on": "on"})
        unit.put({**OWNER, "max_sell_power": self.rated})
        if name == "sg04lp3":
            unit.put({"battery_mode": "lithium", "gen_port_mode": "generator"})
            unit.put({"battery_capacity": 200, "mppt_and_phase_count": 0x0203})
        unit.words[self.table["tou_enable_days"].address] = 0xFE
        for index, (start, soc) in enumerate(zip(_STARTS, _TARGETS, strict=True), start=1):
            unit[f"tou{index}_start"] = start
            unit[f"tou{index}_power"] = self.rated
            unit[f"tou{index}_soc"] = soc
            unit[f"tou{index}_battery_voltage"] = 49.0
            source = self.table[f"tou{index}_charge_source"]
            unit.words[source.address] = _FLAGS | (index == 1)
        return {1: unit}

    def make_front(self, host: str, port: int) -> Front:
        """A stick in front of the same registers, where that is asked for."""
        if self.transport != "solarman":
            return super().make_front(host, port)
        self.bank.missing = None  # a stick whose inverter does not answer sends an empty frame
        return SolarmanStick(
            self.bank,
            host,
            port,
            serial=self.serial,
            discovery_port=self._discovery_port,
            ready=self.tick,
        )

    # ---------------------------------------------------------------- what happens

    def obey(self, unit: int, address: int, words: list[int]) -> None:  # noqa: ARG002 - as the base
        """Settings act at once; impossible times are refused, and the clock can be set."""
        rows = self.rows
        for number in range(1, 7):
            if rows[f"tou{number}_start"] is None:
                raise Refuse(ILLEGAL_VALUE)
        clock = rows["inverter_clock"]
        if address == self.table["inverter_clock"].address and isinstance(clock, str):
            self.now = datetime.fromisoformat(clock)
        self._decide()

    def elapse(self, seconds: float) -> None:
        """The clock goes on, and with it the slot of the schedule."""
        self.now += timedelta(seconds=seconds)
        self._decide()

    def _decide(self) -> None:
        rows = self.rows
        numbers = range(1, 7)
        self.house.decide(
            Slots(
                days=rows.raw("tou_enable_days"),
                starts=tuple(str(rows[f"tou{n}_start"]) for n in numbers),
                powers=tuple(rows.raw(f"tou{n}_power") for n in numbers),
                socs=tuple(rows.raw(f"tou{n}_soc") for n in numbers),
                sources=tuple(rows.raw(f"tou{n}_charge_source") & 3 for n in numbers),
            ),
            {name: rows[name] for name in OWNER if name != "tou_enable"}
            | {"max_sell_power": rows["max_sell_power"]},
            self.now,
        )

    # ---------------------------------------------------------------- what is shown

    def show(self) -> None:
        """Put what the house does into the registers."""
        if not hasattr(self, "house"):
            return
        unit, plant, house = self.rows, self.plant, self.house
        if unit.stuck:
            return
        values: dict[str, Any] = {
            "device_state": "normal",
            "battery_voltage": house.voltage,
            "battery_soc": round(plant.soc),
            "battery_power": round(plant.battery),
            "battery_current": plant.battery / house.voltage,
            "battery_temperature": 23.4,
            "heatsink_temperature": 41.2,
            "dc_temperature": -3.7,
            "grid_frequency": 50.02,
            "inverter_frequency": 50.02,
            "load_frequency": 50.02,
        }
        values |= self._counters() | self._panels()
        moment = bytes((self.now.year - 2000, *self.now.timetuple()[1:6]))
        for place, at in zip(self.table["inverter_clock"].places, (0, 2, 4), strict=True):
            unit.words[place] = int.from_bytes(moment[at : at + 2], "big")
        if self.table.name == "sg04lp3":
            values |= self._three_phases()
            unit.words[self.table["relay_status"].address] = 0b0101
        else:
            values |= self._one_phase() | {"grid_connected": "yes"}
        unit.put(values)
        if self.old_firmware:
            for row in self.table.registers:
                if row.short:
                    unit.words[row.places[0]] = 0

    def _totals(self) -> dict[str, float]:
        plant = self.plant
        return {
            "battery_charge": plant.charge_energy,
            "battery_discharge": plant.discharge_energy,
            "grid_import": plant.import_energy,
            "grid_export": plant.export_energy,
            "load": plant.load_energy,
            "pv": plant.pv_energy,
        }

    def _counters(self) -> dict[str, float]:
        totals = self._totals()
        if self._begun[0] != self.now.date():
            self._begun = (self.now.date(), totals)
        today = self._begun[1]
        found = {f"{name}_total": value for name, value in totals.items()}
        return found | {f"{name}_today": totals[name] - today[name] for name in totals}

    def _panels(self) -> dict[str, float]:
        sun = round(self.plant.sun)
        found: dict[str, float] = {}
        for number, watts in ((1, sun - sun // 3), (2, sun // 3)):
            found[f"pv{number}_power"] = watts
            found[f"pv{number}_voltage"] = 412.3 if watts else 0.0
            found[f"pv{number}_current"] = watts / 412.3
        return found

    def _three_phases(self) -> dict[str, float]:
        plant = self.plant
        grid = round(plant.load) - round(plant.sun) - round(plant.battery)
        found: dict[str, float] = {}
        for prefix, total in (
            ("grid", grid),
            ("grid_inner", grid),
            ("grid_ct", grid),
            ("inverter", round(plant.sun) + round(plant.battery)),
            ("load", round(plant.load)),
        ):
            parts = (total - 2 * (total // 3), total // 3, total // 3)
            found[f"{prefix}_total_power"] = total
            for phase, watts in enumerate(parts, start=1):
                found[f"{prefix}_l{phase}_power"] = watts
                if prefix in {"grid_inner", "grid_ct", "inverter"}:
                    found[f"{prefix}_l{phase}_current"] = watts / 230.0
                if prefix in {"grid", "inverter", "load"}:
                    found[f"{prefix}_l{phase}_voltage"] = 229.0 + phase
        return found

    def _one_phase(self) -> dict[str, float]:
        plant = self.plant
        grid = round(plant.load) - round(plant.sun) - round(plant.battery)
        inverter = round(plant.sun) + round(plant.battery)
        return {
            "grid_total_power": grid,
            "grid_l1_power": grid,
            "grid_ct_total_power": grid,
            "grid_l1_voltage": 230.4,
            "grid_l1_current": grid / 230.4,
            "inverter_total_power": inverter,
            "inverter_l1_voltage": 230.4,
            "inverter_l1_current": inverter / 230.4,
            "load_total_power": round(plant.load),
        }


__all__ = ["FAULTS", "Simulator"]
